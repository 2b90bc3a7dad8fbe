"""Children: who waits for one waits alone, and nobody is reaped whom the program did not ask for."""

import os
import signal
import subprocess
import sys
import threading
import time
from typing import Any

from tests.stdlib.seen import LONG, raises, running, start, until_stopped


def child(code: str = "", **options: Any) -> "subprocess.Popen[Any]":
    """A child that ends when its standard input does."""
    command = [sys.executable, "-S", "-c", f"import sys; sys.stdin.read(); {code or 'pass'}"]
    return subprocess.Popen(command, stdin=subprocess.PIPE, **options)


def waits_for(wait: Any, code: str = "sys.exit(3)") -> Any:
    """What the wait gives for a child that ends once a thread is seen waiting for it."""
    made = child(code)
    got: list[Any] = []
    thread = start(lambda: got.append(wait(made.pid)))
    until_stopped(thread)
    assert made.stdin is not None
    made.stdin.close()
    thread.join(LONG)
    assert not thread.is_alive()
    made.returncode = 0  # it was waited for behind its back
    return got[0]


def case_each_wait_of_os_waits_alone() -> None:
    assert waits_for(lambda pid: os.waitpid(pid, 0))[1] == 3 << 8
    assert waits_for(lambda pid: os.waitpid(-1, 0))[1] == 3 << 8
    assert waits_for(lambda pid: os.wait())[1] == 3 << 8
    assert waits_for(lambda pid: os.wait3(0))[1] == 3 << 8
    assert waits_for(lambda pid: os.wait4(pid, 0))[1] == 3 << 8
    assert waits_for(lambda pid: os.waitid(os.P_PID, pid, os.WEXITED)).si_status == 3
    assert waits_for(lambda pid: os.waitid(os.P_ALL, 0, os.WEXITED)).si_status == 3


def case_a_stopped_child_is_told() -> None:
    made = child()
    got: list[tuple[int, int]] = []
    thread = start(lambda: got.append(os.waitpid(made.pid, os.WUNTRACED)))
    until_stopped(thread)
    os.kill(made.pid, signal.SIGSTOP)
    thread.join(LONG)
    assert os.WIFSTOPPED(got[0][1])
    os.kill(made.pid, signal.SIGCONT)
    made.communicate()
    assert made.returncode == 0


def case_a_child_that_is_killed_while_waited_for() -> None:
    made = child()
    thread = start(made.wait)
    until_stopped(thread)
    made.kill()
    thread.join(LONG)
    assert made.returncode == -signal.SIGKILL
    assert made.stdin is not None
    made.stdin.close()


def case_wait_with_a_timeout() -> None:
    made = child()
    with raises(subprocess.TimeoutExpired):
        made.wait(0.02)
    made.communicate()
    assert made.wait(LONG) == 0


def case_many_children_at_once() -> None:
    done: list[bytes] = []

    def run(number: int) -> None:
        code = "print(sys.stdin.read())"
        made = subprocess.run(
            [sys.executable, "-S", "-c", f"import sys; {code}"],
            input=b"%d" % number,
            capture_output=True,
            check=True,
        )
        done.append(made.stdout)

    with running(*[lambda number=number: run(number) for number in range(12)]):
        pass
    assert sorted(int(text) for text in done) == list(range(12))


def case_communicate_takes_more_than_pipes_hold() -> None:
    size = 400_000
    made = subprocess.run(
        [sys.executable, "-S", "-c", "import sys; d = sys.stdin.read(); print(d); print(d, file=sys.stderr)"],
        input=b"x" * size,
        capture_output=True,
        check=True,
    )
    assert (len(made.stdout), len(made.stderr)) == (size + 1, size + 1)


def case_nobody_is_reaped_behind_the_programs_back() -> None:
    made = child("sys.exit(5)")
    assert made.stdin is not None
    made.stdin.close()
    assert os.waitid(os.P_PID, made.pid, os.WEXITED | os.WNOWAIT).si_status == 5
    time.sleep(0.01)
    assert os.waitpid(made.pid, os.WNOHANG) == (made.pid, 5 << 8)
    made.returncode = 5


def case_errors_are_cpythons() -> None:
    for call in (lambda: os.waitpid(os.getpid(), 0), os.wait, lambda: os.wait3(0)):
        with raises(ChildProcessError, "[Errno 10] No child processes"):
            call()
    with raises(TypeError):
        os.waitpid("1", 0)  # type: ignore[arg-type]


def case_system_waits_alone() -> None:
    r, w = os.pipe()
    os.set_inheritable(r, True)
    got: list[int] = []
    thread = start(lambda: got.append(os.system(f"read line <&{r}; exit 4")))
    until_stopped(thread)
    os.write(w, b"go\n")
    thread.join(LONG)
    os.close(r)
    os.close(w)
    assert os.waitstatus_to_exitcode(got[0]) == 4


def case_the_output_of_a_child_is_read_alone() -> None:
    for read in (lambda file: file.read(), "".join, lambda file: file.readline()):
        made = child("print('said')", stdout=subprocess.PIPE, text=True)
        got: list[str] = []
        thread = start(lambda read=read, made=made, got=got: got.append(read(made.stdout)))
        until_stopped(thread)
        assert made.stdin is not None
        assert made.stdout is not None
        made.stdin.close()
        thread.join(LONG)
        assert got == ["said\n"]
        made.stdout.close()
        made.wait()
    with os.popen("echo said") as file:
        assert file.read() == "said\n"


def case_a_signal_ends_the_wait_of_main_and_it_goes_on() -> None:
    seen: list[int] = []
    old = signal.signal(signal.SIGUSR1, lambda number, frame: seen.append(number))
    made = child()
    assert made.stdin is not None
    try:
        threading.Timer(0.02, os.kill, (os.getpid(), signal.SIGUSR1)).start()
        threading.Timer(0.05, made.stdin.close).start()
        assert made.wait() == 0
    finally:
        signal.signal(signal.SIGUSR1, old)
    assert seen == [signal.SIGUSR1]
