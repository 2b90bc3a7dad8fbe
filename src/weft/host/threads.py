"""Kernel threads as the interpreter gives them: start one, who am I, raw locks, and a baton."""

import _signal  # type: ignore[import-not-found]  # signal leads to enum
import _thread
import sys
from _queue import Empty, SimpleQueue
from collections.abc import Callable
from types import FrameType
from typing import Any

__all__ = [
    "Baton",
    "Empty",
    "RawLock",
    "current_frames",
    "get_ident",
    "get_native_id",
    "main_ident",
    "raw_lock",
    "stack_size",
    "start",
    "start_own",
]

RawLock = _thread.LockType
raw_lock = _thread.allocate_lock
get_ident = _thread.get_ident
get_native_id = _thread.get_native_id
stack_size = _thread.stack_size
current_frames: Callable[[], dict[int, FrameType]] = sys._current_frames

# One-shot permits between kernel threads: `put` is a wake, `get` a sleep. It is C from end to end, handles
# signals while it sleeps, and its item is the callable that a carrier's `pick` has to return.
Baton = SimpleQueue


def start(run: Callable[..., object], *args: Any) -> int:
    """Start a kernel thread; returns its identifier.

    Raises:
        RuntimeError: the system will not start one ("can't start new thread").
    """
    return _thread.start_new_thread(run, args)


def start_own(run: Callable[..., object], *args: Any) -> int:
    """Start a kernel thread that is weft's own and takes no signals.

    What the program's threads block has to stay pending: one kernel thread that lets a signal through is
    enough for the system to deliver it, and perhaps to end the process.
    """
    if _sigmask is None:
        return start(run, *args)
    before = _sigmask(_signal.SIG_BLOCK, _signal.valid_signals())  # it inherits the mask
    try:
        return start(run, *args)
    finally:
        _sigmask(_signal.SIG_SETMASK, before)


_sigmask: Any = getattr(_signal, "pthread_sigmask", None)


def main_ident() -> int:
    """The identifier of the interpreter's main kernel thread."""
    ask = getattr(_thread, "_get_main_thread_ident", None)
    if ask is not None:
        return int(ask())
    return _MAIN


_MAIN = get_ident()
