"""The carrier has sat in one C call for long: who, in which call, where, who waits, what to do is told."""

import re
import sys
from pathlib import Path
from types import FrameType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support import Finished, needs_gil, run_code, run_weft
from weft.models.blocked import callee_of, function_of, source_of

# The real `sleep` stops the kernel thread as a driver in C would, without the interpreter's lock; `sum` and
# regular expressions keep it.
HEAD = """
import re, sys, threading, time, weft
from weft.host import clock, threads as kernel
def hold(seconds): clock.sleep(seconds)
over = []
def other():
    while not over: time.sleep(0.001)
others = [threading.Thread(target=other) for _ in range(3)]
def main(function):
    t = threading.Thread(target=function, name="holder")
    t.start()
    for o in others: o.start()
    t.join()
    over.append(1)
    for o in others: o.join()
"""


def run(code: str, limit: str = "50ms", **how: object) -> Finished:
    options = ["--blocked-limit", limit]
    return run_code(HEAD + code, options=options, timeout=60, **how).check()  # type: ignore[arg-type]


def seconds(text: str) -> str:
    return re.sub(r"for \d+\.\d s", "for N s", re.sub(r"/\S*program\.py", "program.py", text))


def test_the_report_says_all_there_is_to_say() -> None:
    code = """
def work():
    time.sleep(0.02)
    clock.sleep(
        0.3
    )
main(work)
"""
    assert seconds(run(code).stderr) == (
        "weft: thread 'holder' has been in a call of weft.host.clock.sleep"
        " (program.py:19 in work: clock.sleep( 0.3 )) for N s; 3 threads wait behind it\n"
        "      to let them run, set WEFT_OFFLOAD=weft.host.clock:sleep (or --offload weft.host.clock:sleep),"
        " or write weft.offload(clock.sleep, ...)\n"
    )


def test_it_comes_while_the_call_is_still_on() -> None:
    code = """
import os
r, w = os.pipe(); err = os.dup(2); os.dup2(w, 2)
def work():
    gate = kernel.raw_lock(); gate.acquire()
    kernel.start(lambda: (told.append(_read(r, 65536)), gate.release()))
    gate.acquire()
    print("told:", b"gate.acquire" in told[0], b"write weft.offload(gate.acquire, ...)" in told[0])
from weft.host.poller import _read
told = []
main(work)
"""
    assert run(code).stdout == "told: True True\n"


def test_once_per_place() -> None:
    code = """
def work():
    time.sleep(0.02)
    for _ in range(3): clock.sleep(0.15); time.sleep(0)
    clock.sleep(0.15)
main(work)
"""
    told = run(code).stderr
    assert told.count("weft: thread 'holder'") == 2
    assert told.count(":19 in work") == told.count(":20 in work") == 1


@pytest.mark.parametrize(("limit", "env"), [("0", {}), ("10s", {}), (None, {"WEFT_BLOCKED_LIMIT": "off"})])
def test_it_can_be_turned_off(limit: str | None, env: dict[str, str]) -> None:
    code = HEAD + "main(lambda: clock.sleep(0.3))"
    options = [] if limit is None else ["--blocked-limit", limit]
    assert run_code(code, options=options, env=env, timeout=60).check().stderr == ""


def test_the_environment_sets_it_and_two_seconds_are_the_default() -> None:
    code = HEAD + "main(lambda: (time.sleep(0.02), clock.sleep(float(sys.argv[1]))))"
    assert "holder" in run_code(code, "0.3", env={"WEFT_BLOCKED_LIMIT": "0.05"}, timeout=60).check().stderr
    assert run_code(code, "0.3", timeout=60).check().stderr == ""
    assert "for 2.0 s" in run_code(code, "2.2", timeout=60).check().stderr


@needs_gil("there is no lock to keep")
def test_what_keeps_the_interpreter_s_lock_is_told_when_it_returns() -> None:
    code = """
def work():
    time.sleep(0.02)
    sum(range(10_000_000))
main(work)
"""
    assert seconds(run(code).stderr) == (
        "weft: thread 'holder' was in a call of sum (program.py:19 in work: sum(range(10_000_000)))"
        " for N s, with the interpreter's lock; 3 threads wait behind it\n"
        "      no other thread of any kind can run meanwhile: only another process would help\n"
    )


@needs_gil("nobody can look at a thread before it leaves C")
def test_a_call_that_looks_for_signals_as_it_goes_is_told_too() -> None:
    code = """
def work():
    time.sleep(0.02)
    re.match("(a+)+$", "a" * 24 + "b")
main(work)
"""
    told = run(code).stderr
    assert told.count("in a call of") == 1
    assert "with the interpreter's lock" in told
    assert "re/__init__.py" in told or "re.py" in told


@pytest.mark.parametrize(
    "start",
    [
        "",
        "over.append(1); t = threading.Thread(target=other); t.start(); t.join()",
        "threading.Thread(target=threading.Event().wait, daemon=True).start()",
        "threading.Thread(target=time.sleep, args=(9,), daemon=True).start()",
        "a, b = socket.socketpair(); threading.Thread(target=a.recv, args=(1,), daemon=True).start()",
    ],
)
def test_a_call_that_keeps_nobody_waiting_is_no_news(start: str) -> None:
    assert run(f"import socket\n{start}\ntime.sleep(0.01)\nclock.sleep(0.3)").stderr == ""


def test_a_connection_that_something_has_come_for_waits_too() -> None:
    code = """
import socket
a, b = socket.socketpair()
t = threading.Thread(target=a.recv, args=(1,), daemon=True); t.start(); time.sleep(0.01)
b.send(b"x")
clock.sleep(0.3)
"""
    told = run(code).stderr
    assert "weft: thread 'MainThread' has been in a call of" in told
    assert "; 1 thread waits behind it\n" in told


@pytest.mark.parametrize(
    "code",
    [
        "main(lambda: [None for _ in range(5_000_000)])",
        "def spin():\n    end = time.monotonic() + 0.4\n    while time.monotonic() < end: pass\nmain(spin)",
        "main(lambda: weft.offload(clock.sleep, 0.3))",
        "main(lambda: time.sleep(0.3))",
        "[main for _ in range(2)]\nmain(lambda: [hold(0.004) for _ in range(80)])",
    ],
)
def test_what_gives_way_is_no_news(code: str) -> None:
    assert run(code, "200ms").stderr == ""


def test_a_program_that_took_the_tripwire_is_left_in_peace() -> None:
    code = """
import signal
signal.signal(signal.SIGRTMAX, signal.SIG_IGN)
main(lambda: [None for _ in range(10_000_000)])
"""
    assert run(code).stderr == ""


def test_code_without_a_file_is_told_by_its_line(tmp_path: Path) -> None:
    code = HEAD + "main(lambda: clock.sleep(0.3))"
    done = run_weft("--blocked-limit", "50ms", "-c", code, timeout=60).check()
    assert re.search(r"in a call of \? \(<string>:\d+ in <lambda>\) for", done.stderr)
    assert "write weft.offload(function, ...)" in done.stderr


def test_a_library_s_function_is_what_to_name(tmp_path: Path) -> None:
    (tmp_path / "driver.py").write_text(
        "from weft.host import clock\nclass Connection:\n    def run(self):\n        self.raw = clock\n"
        "        self.raw.sleep(0.3)\n"
    )
    (tmp_path / "use.py").write_text(HEAD + "import driver\nmain(lambda: driver.Connection().run())\n")
    done = run_weft("--blocked-limit", "50ms", "use.py", cwd=tmp_path, timeout=60).check()
    assert "set WEFT_OFFLOAD=driver:Connection.run (or --offload driver:Connection.run)" in done.stderr
    again = run_weft("--blocked-limit", "50ms", "--offload", "driver:Connection.run", "use.py", cwd=tmp_path)
    assert again.check().stderr == ""


@pytest.mark.parametrize("text", ["1ms", "-1", "soon", "nan", "100000"])
def test_a_bad_limit_is_refused(text: str) -> None:
    option = run_weft("--blocked-limit", text, "-c", "pass")
    variable = run_weft("-c", "pass", env={"WEFT_BLOCKED_LIMIT": text})
    for done in (option, variable):
        assert done.returncode == 2
        assert re.fullmatch(
            r"weft: .*(is no time; write it as|cannot be kept; choose between) .*\n", done.stderr
        )


# -- names, read off a frame ---------------------------------------------------------------------------------


def here() -> FrameType:
    frame = sys._getframe(1)
    assert isinstance(frame, FrameType)
    return frame


def test_the_text_is_that_of_the_call() -> None:
    assert source_of(here()) == "source_of(here())"


def test_a_callee_is_found_in_modules_alone() -> None:
    frame = here()
    assert callee_of(frame, "re.match('(', 'x')") == "re:match"
    assert callee_of(frame, "run_code(1)") == "tests.support.programs:run_code"
    assert callee_of(frame, "frame.clear()") == ""  # a local
    assert callee_of(frame, "Path.home()") == ""  # a class's
    assert callee_of(frame, "nowhere.at_all()") == ""
    assert callee_of(frame, "sum(x)") == ""
    assert callee_of(frame, "(a or b)()") == ""
    assert callee_of(frame, "x + y") == ""


@pytest.mark.parametrize(
    ("text", "function"),
    [
        ("f(x)", "f"),
        ("a.b(c(d))", "a.b"),
        ("a(b)(c)", "a(b)"),
        ("a(b).c(d(), (e))", "a(b).c"),
        ("x + y", ""),
        ("", ""),
    ],
)
def test_what_is_called_stands_before_the_last_bracket(text: str, function: str) -> None:
    assert function_of(text) == function


@given(st.text(alphabet="ab.()[]'\" +", max_size=20))
def test_any_text_has_an_answer(text: str) -> None:
    assert isinstance(callee_of(here(), text), str)
    assert text.strip().startswith(function_of(text))
