"""Waiting until something is so: for what other threads and processes do in their own time."""

import os
import time
from collections.abc import Callable
from pathlib import Path

LONG_ENOUGH = 20.0  # seconds, also where the machine is busy
PAUSE = 0.005  # seconds between two looks


def until(
    true: Callable[[], object], what: Callable[[], object] = lambda: "", seconds: float = LONG_ENOUGH
) -> None:
    """Come back when it is true; AssertionError with `what` if it is not in time."""
    limit = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < limit, what()
        time.sleep(PAUSE)


def runs(pid: int) -> bool:
    """Whether there is such a process: one that has died and waits to be collected does not run."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):  # it is gone by now, or the system has no such files
        return not os.path.isdir("/proc/self")


def until_ended(*pids: int) -> None:
    """Come back when none of these processes runs, which are not ours to reap."""
    until(lambda: not any(map(runs, pids)), lambda: f"they still run: {[*filter(runs, pids)]}")
