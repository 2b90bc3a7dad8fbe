"""Signals that a program sends to itself: the handler runs in the main thread, wherever that stands."""

from pathlib import Path

import pytest

from tests.check.programs import check

SENT = """
    import os, signal, threading
    {before}
    signal.signal(signal.SIGUSR1, handler)
    sender = threading.Thread(target=os.kill, args=(os.getpid(), signal.SIGUSR1))
    sender.start()
    {main}
    sender.join()
"""


def sent(folder: Path, before: str, main: str, *options: str, status: int = 0) -> dict[str, object]:
    glue = "\n    "
    program = SENT.format(before=glue.join(before.splitlines()), main=glue.join(main.splitlines()))
    return check(folder, program, *options, status=status)


def test_a_handler_that_takes_a_lock_of_the_main_thread_is_a_self_deadlock(tmp_path: Path) -> None:
    said = sent(
        tmp_path,
        "lock = threading.Lock()\ndef handler(*_):\n    with lock:\n        pass",
        "with lock:\n    print()",
        status=1,
    )
    assert said["kind"] == "self-deadlock"


@pytest.mark.parametrize("strategy", ["portfolio", "pos", "surw", "dfs"])
def test_a_handler_holds_what_the_main_thread_holds(tmp_path: Path, strategy: str) -> None:
    said = sent(
        tmp_path,
        "lock, main = threading.RLock(), threading.main_thread()\n"
        "def handler(*_):\n    with lock:\n        assert threading.current_thread() is main",
        "for _ in range(2):\n    with lock:\n        pass",
        "--strategy",
        strategy,
        "--schedules",
        "40",
    )
    assert said["kind"] is None
    assert said["executions"] > 2
    assert said["complete"] is False


def test_a_handler_comes_between_a_read_and_a_write_of_the_main_thread(tmp_path: Path) -> None:
    said = sent(
        tmp_path,
        "count = [0]\ndef handler(*_):\n    count[0] += 1",
        "count[0] += 1\nsender.join()\nassert count[0] == 2",
        status=1,
    )
    assert "assertion" in [finding["kind"] for finding in said["findings"]]  # type: ignore[attr-defined]


@pytest.mark.parametrize("wait", ["event.wait()", "event.wait(5)", "while not event.is_set():\n    pass"])
def test_a_handler_ends_the_wait_of_the_main_thread(tmp_path: Path, wait: str) -> None:
    before = "event = threading.Event()\ndef handler(*_):\n    event.set()"
    assert sent(tmp_path, before, wait, "--schedules", "100")["kind"] is None


def test_what_a_handler_raises_comes_out_of_the_main_threads_wait(tmp_path: Path) -> None:
    before = "class Stop(Exception):\n    pass\ndef handler(*_):\n    raise Stop"
    main = "try:\n    threading.Event().wait()\nexcept Stop:\n    pass"
    assert sent(tmp_path, before, main, "--schedules", "100")["kind"] is None


def test_a_signal_that_is_ignored_does_nothing(tmp_path: Path) -> None:
    said = sent(tmp_path, "handler = signal.SIG_IGN", "assert signal.getsignal(signal.SIGUSR1) is handler")
    assert said["kind"] is None


def test_a_handler_of_one_execution_is_not_there_in_the_next(tmp_path: Path) -> None:
    said = sent(
        tmp_path,
        "assert signal.getsignal(signal.SIGUSR1) is signal.SIG_DFL\nhandler = print",
        "pass",
        "--schedules",
        "30",
    )
    assert said["kind"] is None


def test_only_the_main_thread_may_set_a_handler(tmp_path: Path) -> None:
    program = """
        import signal, threading
        threading.Thread(target=signal.signal, args=(signal.SIGUSR1, print)).start()
    """
    said = check(tmp_path, program, status=1)
    assert said["findings"][0]["title"].startswith("ValueError: signal only works in main thread")
