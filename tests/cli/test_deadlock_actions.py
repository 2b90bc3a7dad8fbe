"""`weft run --on-deadlock`: what follows once a deadlock has been told."""

import pytest

from tests.support import MODELS, run_code, run_weft
from tests.support.programs import ProgramHung

STUCK = """
import threading
lock = threading.Lock()
print("begun")
try:
    with lock:
        lock.acquire()
except BaseException as error:
    print(type(error).__name__)
    raise
finally:
    print("finally")
"""


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize(
    ("action", "status", "printed"),
    [("raise", 1, "begun\nDeadlockError\nfinally\n"), ("exit", 70, "begun\n")],
)
def test_the_program_is_ended(model: str, action: str, status: int, printed: str) -> None:
    done = run_code(STUCK, model=model, options=("--on-deadlock", action))
    assert (done.returncode, done.stdout) == (status, printed)
    assert done.stderr.count("weft: deadlock: every thread waits") == 1


@pytest.mark.parametrize("model", MODELS)
def test_the_program_goes_on_waiting(model: str) -> None:
    code = STUCK
    with pytest.raises(ProgramHung) as hung:
        run_code(code, model=model, options=("--on-deadlock", "report"), timeout=3)
    assert str(hung.value).count("weft: deadlock: every thread waits") == 1


def test_the_debugger_opens_where_the_main_thread_waits() -> None:
    done = run_code(
        STUCK + "\nraise SystemExit(3)", options=("--on-deadlock", "debug"), input="p lock.locked()\nw\nq\n"
    )
    assert done.returncode == 1
    assert "(Pdb) False" in done.stdout
    assert "-> lock.acquire()" in done.stdout
    assert "`import weft; weft.dump()` shows every thread" in done.stderr
    assert "DeadlockError" in done.stderr


@pytest.mark.parametrize(
    ("options", "why"),
    [
        (("--on-deadlock", "panic"), "there is no action 'panic'; choose one of: raise, report, exit, debug"),
        (("--stall-limit", "1us"), "a stall limit of 1us cannot be kept"),
        (("--model", "process", "--stall-limit", "1s"), "--stall-limit has no effect on --model process"),
        (("--model", "process", "--on-deadlock", "exit"), "--on-deadlock has no effect on --model process"),
    ],
)
def test_what_cannot_be_is_refused(options: tuple[str, ...], why: str) -> None:
    done = run_weft(*options, "-c", "pass")
    assert (done.returncode, why in done.stderr) == (2, True), done


def test_the_environment_stands_in_for_options() -> None:
    done = run_weft("-c", STUCK, env={"WEFT_ON_DEADLOCK": "exit"})
    assert (done.returncode, done.stdout) == (70, "begun\n")
    bad = run_weft("-c", "pass", env={"WEFT_PS": "maybe"})
    assert (bad.returncode, "WEFT_PS: 'maybe' is neither on nor off" in bad.stderr) == (2, True)
