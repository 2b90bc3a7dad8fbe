"""Signals as the interpreter delivers them, and the tripwire that preempts.

The tripwire is a signal number that nobody uses. It is never really sent: `_thread.interrupt_main`
only marks it as arrived, so the main kernel thread calls the handler at its next look at the eval
breaker and no system call is interrupted.
"""

import _thread
import signal
from collections.abc import Callable
from typing import Any

__all__ = [
    "QUIT",
    "TRIPWIRE",
    "VTALRM",
    "default_int_handler",
    "get",
    "numbers",
    "put",
    "set_tripwire",
    "trip",
    "trip_in",
    "trip_never",
]

TRIPWIRE = int(getattr(signal, "SIGRTMAX", 0) or signal.Signals.SIGURG)

QUIT = int(signal.SIGQUIT) if hasattr(signal, "SIGQUIT") else None  # prints every thread

put = signal.signal
get = signal.getsignal
default_int_handler = signal.default_int_handler
_interrupt = _thread.interrupt_main


def trip() -> None:
    """Have the tripwire's handler called soon in the main kernel thread; cheap, from any thread."""
    _interrupt(TRIPWIRE)  # type: ignore[arg-type]  # any number will do


def set_tripwire(handler: Callable[[int, Any], object] | None) -> None:
    """Install the tripwire's handler, or take it away (None). Only the main kernel thread may."""
    global _second
    put(TRIPWIRE, handler if handler is not None else signal.SIG_DFL)
    if VTALRM is not None and get(VTALRM) in (signal.SIG_DFL, _second):
        _second = handler
        put(VTALRM, handler if handler is not None else signal.SIG_DFL)


def trip_in(seconds: float) -> bool:
    """Have the second tripwire's handler called after `seconds` of processor time.

    A kernel timer sends it, so it can arrive in the middle of a long C call and be met as the call
    returns, where `trip`, which needs the interpreter's lock, would always come one step late. It counts
    processor time in user mode alone: a process that sleeps in a system call is not interrupted.

    Returns:
        False if the program uses that signal itself.
    """
    if VTALRM is None or get(VTALRM) is not _second:
        return False
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
    return True


def trip_never() -> None:
    """Call off what `trip_in` has started; a late one is ignored (the process may be ending)."""
    if VTALRM is not None and _second is not None and get(VTALRM) is _second:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        put(VTALRM, signal.SIG_IGN)


VTALRM = int(signal.SIGVTALRM) if hasattr(signal, "SIGVTALRM") else None
_second: Any = None


def numbers() -> list[int]:
    """The signals of this system that a program may handle."""
    return sorted(int(n) for n in signal.valid_signals())
