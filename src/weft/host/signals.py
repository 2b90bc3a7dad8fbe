"""Signals as the interpreter delivers them, and the tripwire that preempts.

The tripwire is a signal number that nobody uses. It is never really sent: `_thread.interrupt_main`
only marks it as arrived, so the main kernel thread calls the handler at its next look at the eval
breaker and no system call is interrupted.
"""

import _thread
import signal
from collections.abc import Callable
from typing import Any

__all__ = ["QUIT", "TRIPWIRE", "default_int_handler", "get", "numbers", "put", "set_tripwire", "trip"]

TRIPWIRE = int(getattr(signal, "SIGRTMAX", 0) or signal.Signals.SIGURG)

QUIT = int(signal.SIGQUIT) if hasattr(signal, "SIGQUIT") else None  # prints every thread

put = signal.signal
get = signal.getsignal
default_int_handler = signal.default_int_handler
_interrupt = _thread.interrupt_main


def trip() -> None:
    """Have the tripwire's handler called soon in the main kernel thread; cheap, from any thread."""
    _interrupt(TRIPWIRE)


def set_tripwire(handler: Callable[[int, Any], object] | None) -> None:
    """Install the tripwire's handler, or take it away (None). Only the main kernel thread may."""
    put(TRIPWIRE, handler if handler is not None else signal.SIG_DFL)


def numbers() -> list[int]:
    """The signals of this system that a program may handle."""
    return sorted(int(n) for n in signal.valid_signals())
