"""Kernel threads as the interpreter gives them: start one, who am I, raw locks, and a baton."""

import _signal  # type: ignore[import-not-found]  # signal leads to enum
import _thread
import sys
from _queue import Empty, SimpleQueue
from collections.abc import Callable
from types import FrameType
from typing import Any

from weft.host import ending

__all__ = [
    "Baton",
    "Empty",
    "RawLock",
    "call_unmasked",
    "current_frames",
    "forget_own",
    "frames_now",
    "get_ident",
    "get_native_id",
    "main_ident",
    "program_mask",
    "raw_lock",
    "raw_rlock",
    "start",
    "start_carrier",
    "start_own",
    "unmask",
    "without_own",
]

RawLock = _thread.LockType
raw_lock = _thread.allocate_lock
raw_rlock = _thread.RLock
get_ident = _thread.get_ident
get_native_id = _thread.get_native_id
current_frames: Callable[[], dict[int, FrameType]] = sys._current_frames

# One-shot permits between kernel threads: `put` is a wake, `get` a sleep. It is C from end to end, handles
# signals while it sleeps, and its item is the callable that a carrier's `pick` has to return.
Baton = SimpleQueue


def frames_now() -> dict[int, FrameType]:
    """The innermost frame of each other kernel thread; none where other interpreters may be.

    Those have locks of their own, and CPython walks their threads without them.
    """
    if _OTHER_INTERPRETERS & sys.modules.keys():
        return {}
    frames = current_frames()
    del frames[get_ident()]  # it would hold all the others for as long as the caller's frame holds it
    return frames


_OTHER_INTERPRETERS = frozenset({"_interpreters", "_xxsubinterpreters"})


def start(run: Callable[..., object], *args: Any) -> int:
    """Start a kernel thread; returns its identifier.

    Raises:
        RuntimeError: the system will not start one ("can't start new thread").
    """
    return call_unmasked(_thread.start_new_thread, run, args)  # type: ignore[no-any-return]


def start_own(run: Callable[..., object], *args: Any) -> int:
    """Start a kernel thread that is weft's own and takes no signals.

    What the program's threads block has to stay pending: one kernel thread that lets a signal through is
    enough for the system to deliver it, and perhaps to end the process.
    """

    def own() -> None:
        me = get_ident()
        _own.add(me)
        try:
            run(*args)
        finally:
            _own.discard(me)

    if _sigmask is None:
        return start(own)
    before = _sigmask(_signal.SIG_BLOCK, _signal.valid_signals())  # it inherits the mask
    try:
        return _thread.start_new_thread(own, ())
    finally:
        _sigmask(_signal.SIG_SETMASK, before)


_own: set[int] = set()  # the kernel threads that are weft's own and run


def without_own(frames: dict[int, FrameType]) -> dict[int, FrameType]:
    """Frames of kernel threads but for those that are weft's own: the program did not start them."""
    return {ident: frame for ident, frame in frames.items() if ident not in _own}


def forget_own() -> None:
    """In a forked child: weft's own kernel threads did not come along, and this one is the main one."""
    _own.clear()


def start_carrier(run: Callable[..., object], *args: Any) -> int:
    """Start a kernel thread for threads of the program, which takes no signals either.

    They come to the main kernel thread alone, where the program's handlers run, and a signal that the
    program has blocked there stays pending. What is started from here has the mask that the program has.
    """
    mask = program_mask()
    if mask is None and _sigmask is not None:
        mask = _sigmask(_signal.SIG_BLOCK, ())
    ending.prepare()

    def carry() -> None:
        if mask is not None:
            _masks[get_ident()] = mask
        undo = ending.never_unwind()
        try:
            run(*args)
        finally:
            undo()
            _masks.pop(get_ident(), None)

    return start_own(carry)


_masks: dict[int, Any] = {}  # of the kernel threads that take no signals: the mask that the program has


def program_mask() -> Any:
    """What the program has blocked, if this kernel thread blocks all for its own reasons; else None."""
    return _masks.get(get_ident())


def call_unmasked(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Call what starts a kernel thread or a process, which is to inherit the program's mask of signals."""
    mask = _masks.get(get_ident()) if _masks else None
    if mask is None:
        return function(*args, **kwargs)
    before = _sigmask(_signal.SIG_SETMASK, mask)
    try:
        return function(*args, **kwargs)
    finally:
        _sigmask(_signal.SIG_SETMASK, before)


def unmask() -> None:
    """In a forked child, whose main kernel thread this is now: take signals as the program wants them."""
    mask = program_mask()
    _masks.clear()
    if mask is not None:
        _sigmask(_signal.SIG_SETMASK, mask)


_sigmask: Any = getattr(_signal, "pthread_sigmask", None)


def main_ident() -> int:
    """The identifier of the interpreter's main kernel thread."""
    ask = getattr(_thread, "_get_main_thread_ident", None)
    if ask is not None:
        return int(ask())
    return _MAIN


_MAIN = get_ident()
