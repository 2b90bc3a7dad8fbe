"""The guard: what stands in for the interpreter's lock around weft's own code, on builds without that lock.

The primitives are written in atomic segments (docs/internals/atomic-segments.md), which lean on that lock.
Where there is none, one kernel thread at a time runs weft's code: it *enters* the guard where the program
calls weft, and *leaves* it where that returns, where it runs the program's code, and where it sleeps in the
kernel. The program's own code runs beside it, on all carriers at once.

The guard belongs to a kernel thread, not to a thread of the program. A switch is made by weft's code, to a
stack that stands in weft's code: so whoever parks with the guard hands it to whom the carrier goes on with,
who leaves it in turn. Calls within weft's code, by a finalizer or a signal's handler say, just go on.

With the interpreter's lock, nothing is covered and nothing is paid, unless WEFT_GUARD=1 says so, for tests.
"""

import _thread
from collections.abc import Callable
from types import FunctionType
from typing import Any, TypeVar

from weft.config import wants_guard
from weft.errors import InternalError
from weft.host.platform import FREE_THREADED

__all__ = [
    "GUARDED",
    "after_fork",
    "cover",
    "enter",
    "guarded",
    "has_guard",
    "leave",
    "outside",
    "with_guard_alone",
]

#: Whether there is a guard.
GUARDED = FREE_THREADED or wants_guard()

T = TypeVar("T", bound=type)
F = TypeVar("F", bound=Callable[..., Any])


class _Guard:
    """A lock of C's that knows at once which kernel thread has it. It is never taken twice."""

    __slots__ = ("acquire", "is_owned", "release")

    def __init__(self) -> None:
        self.make()

    def make(self) -> None:
        lock: Any = _thread.RLock()
        self.acquire, self.is_owned, self.release = lock.acquire, lock._is_owned, lock.release


_guard = _Guard()


def enter() -> bool:
    """Take the guard, for the calling kernel thread; False if that has it already."""
    if _guard.is_owned():
        return False
    return bool(_guard.acquire())


def leave() -> bool:
    """Let go of the guard; False if the calling kernel thread does not have it."""
    if not _guard.is_owned():
        return False
    _guard.release()
    return True


def has_guard() -> bool:
    """Whether the calling kernel thread has the guard."""
    return bool(_guard.is_owned())


def guarded(function: Any) -> Any:
    """The function, called with the guard; itself where there is none."""
    if not GUARDED:
        return function

    def within(*args: Any, **kwargs: Any) -> Any:
        if _guard.is_owned():
            return function(*args, **kwargs)
        _guard.acquire()
        try:
            return function(*args, **kwargs)
        finally:
            _guard.release()

    for name in ("__module__", "__name__", "__qualname__", "__doc__"):
        setattr(within, name, getattr(function, name))
    within.__wrapped__ = function  # type: ignore[attr-defined]
    return within


def outside(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function, called without the guard, which is taken again after it; itself where there is none."""
    if not GUARDED:
        return function

    def without(*args: Any, **kwargs: Any) -> Any:
        if not leave():
            return function(*args, **kwargs)
        try:
            return function(*args, **kwargs)
        finally:
            enter()

    return without


def with_guard_alone(function: F) -> F:
    """The function, which fails if it is called without the guard; itself where there is none."""
    if not GUARDED:
        return function

    def checked() -> Any:
        if not _guard.is_owned():
            raise InternalError("a thread parks without the guard")
        return function()

    return checked  # type: ignore[return-value]


def cover(cls: T) -> T:
    """Have the methods of a class called with the guard."""
    if GUARDED:
        for name, method in list(vars(cls).items()):
            if isinstance(method, FunctionType) and name not in _LEFT:
                setattr(cls, name, guarded(method))
    return cls


#: Those that only call others, or the program's code, or are called with the guard already.
_LEFT = frozenset({"wait_for", "__init_subclass__", "__new__", "__reduce__", "_withdraw", "_explain", "run"})


def after_fork() -> None:
    """In a forked child, by who has the guard: another one, which the caller has."""
    _guard.make()
    enter()
