"""How a program on processes ends: by itself, by Ctrl-C, by a kill; who is waited for, who is ended."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.processes.programs import METHODS, complaints, printed
from tests.support.programs import environment
from tests.support.waiting import until_ended


def test_who_is_no_daemon_is_waited_for_and_the_status_is_main_s_own() -> None:
    assert printed(
        """
        import atexit, sys, threading, time
        atexit.register(print, "handlers", flush=True)
        def late():
            time.sleep(0.2)
            print("late", flush=True)
            sys.exit(5)
        def for_ever():
            time.sleep(60)
        threading.Thread(target=for_ever, daemon=True).start()
        threading.Thread(target=late).start()
        sys.exit(3)
        """,
        status=3,
    ) == ["late", "handlers"]


def test_an_exception_in_main_waits_too() -> None:
    lines = complaints(
        """
        import threading, time, sys
        def late():
            time.sleep(0.1)
            sys.stderr.write("late\\n")
        threading.Thread(target=late).start()
        raise ValueError("boom")
        """,
        status=1,
    )
    assert lines[-2:] == ["ValueError: boom", "late"]


def test_a_killed_thread_is_told_and_joined_and_the_rest_goes_on() -> None:
    lines = complaints("""
        import os, queue, signal, threading
        items, ready = queue.Queue(), threading.Event()
        def die():
            ready.set()
            items.get()
        first, second = (threading.Thread(target=die, name=name) for name in ("first", "second"))
        first.start()
        ready.wait()
        os.kill(first.ident, signal.SIGKILL)
        first.join()
        assert (first.exitcode, first.is_alive()) == (-9, False)
        second.start()
        items.put(1)
        second.join()
        assert second.exitcode == 0
        assert threading.active_count() == 1
    """)
    assert len(lines) == 1
    assert lines[0].startswith("weft: first (process ")
    assert lines[0].endswith(") was ended by SIGKILL")


def test_a_process_that_is_killed_inside_a_queue_does_not_take_it_along() -> None:
    assert (
        complaints("""
        import os, queue, signal, threading
        items, semaphore = queue.Queue(), threading.Semaphore(0)
        def die():
            items.mutex.acquire()
            semaphore._cond.acquire()
            os.kill(os.getpid(), signal.SIGKILL)
        def look():
            print(items.mutex.acquire(False), items.mutex.acquire(timeout=0.01), flush=True)
        thread = threading.Thread(target=die, name="first")
        thread.start()
        thread.join()
        items.put(1)
        assert items.get() == 1
        semaphore.release()
        semaphore.acquire()
        with items.mutex:
            thread = threading.Thread(target=look)
            thread.start()
            thread.join()
    """)[1:]
        == []
    )


def test_a_notice_to_a_process_that_is_killed_is_found_by_the_next() -> None:
    assert (
        complaints("""
        import os, queue, signal, threading, time
        items, ready = queue.Queue(), threading.Semaphore(0)
        def take():
            ready.release()
            items.get()
        threads = [threading.Thread(target=take) for _ in range(2)]
        for thread in threads:
            thread.start()
            ready.acquire()
        while len(items.not_empty._waiters) < 2:
            time.sleep(0.001)
        first = items.not_empty._waiters[0][0].partition(".")[0]
        os.kill(int(first), signal.SIGSTOP)  # it cannot take what it is told of
        items.put(1)
        os.kill(int(first), signal.SIGKILL)
        for thread in threads:
            thread.join()
        assert sorted(thread.exitcode for thread in threads) == [-9, 0]
        assert items.empty()
    """)[1:]
        == []
    )


ENDLESS = """\
import os, threading, time
def work():
    os.write(1, f"{os.getpid()}\\n".encode())
    while True:
        time.sleep(1)
if __name__ == "__main__":
    threads = [threading.Thread(target=work, daemon=daemon) for daemon in (False, True)]
    for thread in threads:
        thread.start()
    BEFORE
    os.write(1, b"ready\\n")
    for thread in threads:
        thread.join()
"""


Endless = Callable[..., tuple["subprocess.Popen[str]", list[int]]]


@pytest.fixture
def endless(tmp_path: Path) -> Iterator[Endless]:
    """Starts a program whose two threads never end, and gives it once they run, with their pids."""
    children: list[subprocess.Popen[str]] = []

    def start(*options: str, before: str = "pass") -> tuple["subprocess.Popen[str]", list[int]]:
        program = tmp_path / "endless.py"
        program.write_text(ENDLESS.replace("BEFORE", before))
        child = subprocess.Popen(
            [sys.executable, "-m", "weft", "run", "--model", "process", *options, str(program)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment(None),
            process_group=0,
            preexec_fn=hears_ctrl_c,  # noqa: PLW1509 - no kernel threads here
        )
        children.append(child)
        assert child.stdout is not None
        lines = [child.stdout.readline().strip() for _ in range(3)]
        return child, [int(line) for line in lines if line.isdigit()]

    yield start
    for child in children:
        if child.returncode is None:
            os.killpg(child.pid, signal.SIGKILL)
        with child:
            pass


def hears_ctrl_c() -> None:
    """What is started in the background may have been told to ignore it."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.mark.parametrize("method", METHODS)
def test_ctrl_c_ends_the_program_and_its_processes(endless: Endless, method: str) -> None:
    child, pids = endless("--start-method", method)
    assert len(pids) == 2
    os.killpg(child.pid, signal.SIGINT)
    _, errors = child.communicate(timeout=30)
    assert child.returncode == -signal.SIGINT
    assert errors.splitlines()[-1] == "KeyboardInterrupt"
    assert errors.count("Traceback") == 1
    until_ended(*pids)


def test_ctrl_c_is_main_s_own_to_handle() -> None:
    assert printed("""
        import os, signal, threading
        stop = threading.Event()
        def work():
            stop.wait()
            print("orderly", flush=True)
        thread = threading.Thread(target=work)
        thread.start()
        try:
            os.killpg(0, signal.SIGINT)
            thread.join()
        except KeyboardInterrupt:
            stop.set()
        thread.join()
        print(thread.exitcode)
    """) == ["orderly", "0"]


def test_ctrl_c_ends_a_main_that_waits_at_its_end(endless: Endless) -> None:
    child, pids = endless(before="os.write(1, b'ready\\n'); raise SystemExit(4)")
    time.sleep(0.2)  # main comes to its end
    os.killpg(child.pid, signal.SIGINT)
    child.communicate(timeout=30)
    assert child.returncode == 4
    until_ended(*pids)


@pytest.mark.skipif(sys.platform != "linux", reason="the system does not end children with their parent")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_processes_die_with_a_main_that_is_killed(endless: Endless, number: int) -> None:
    child, pids = endless()
    os.kill(child.pid, number)
    child.communicate(timeout=30)
    assert child.returncode == -number
    until_ended(*pids)


def test_nothing_is_left_behind_in_the_system() -> None:
    (folder,) = printed("""
        import queue, threading
        from weft.processes.cells import arena
        queue.Queue().put(1)
        thread = threading.Thread(target=threading.Event().wait, args=(0.01,))
        thread.start()
        thread.join()
        print(arena().folder)
    """)
    assert not Path(folder).exists()


def test_cells_of_what_nobody_else_knows_are_used_again() -> None:
    assert printed("""
        import threading
        from weft.processes.cells import arena
        slots = {threading.Lock()._cell.slot for _ in range(100)}
        print(len(slots))
    """) == ["1"]
