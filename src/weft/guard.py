"""The guard: on a free-threaded build one lock stands where the interpreter's lock stands elsewhere.

The primitives are written in atomic segments, which lean on the interpreter's lock
(docs/internals/atomic-segments.md). Where there is none, a kernel thread holds the guard while it executes
them, and never while it runs the program's code, sleeps, or makes a call of the system that may last. So
each segment excludes every other, while the program runs in parallel.

The guard belongs to a kernel thread, not to a thread of the program. Every switch of stacks is made with
it held, on both sides: whoever comes back from a switch has it, and whoever goes on to the program's code
lets it go. So a call of a `guarded` function within another one takes nothing and gives nothing, and who
takes it has it once, however many stacks of that kernel thread wait inside.

On a build with the interpreter's lock all of this is absent: `guarded` and `outside` give the function
itself. WEFT_GUARD=1 puts the guard in force there too, so that it can be tested.
"""

from collections.abc import Callable
from typing import Any, TypeVar

from weft.config import wants_guard
from weft.host.guarding import compiled
from weft.host.platform import FREE_THREADED
from weft.host.threads import raw_rlock

__all__ = ["GUARDED", "guarded", "has_guard", "let_go", "outside", "renew", "take"]

F = TypeVar("F", bound=Callable[..., Any])

#: Whether the guard is in force in this process.
GUARDED = wants_guard(FREE_THREADED)

_part = compiled() if GUARDED else None
_lock: Any = raw_rlock()  # its owner is a kernel thread; it is stored with the taking, in one piece of C
_has: Callable[[], bool] = _lock._is_owned if _part is None else _part.has_guard
take: Callable[[], object] = _lock.acquire if _part is None else _part.take
let_go: Callable[[], None] = _lock.release if _part is None else _part.let_go


def has_guard() -> bool:
    """Whether the calling kernel thread holds the guard."""
    return _has()


def renew() -> None:
    """In a forked child, whose only kernel thread held the guard: it holds it still."""
    if _part is not None:
        _part.renew()
        return
    _lock._at_fork_reinit()
    take()


def _guarded(function: Any) -> Any:
    if _part is not None:
        return _like(_part.guarded(function), function)
    has, acquire, release = _has, take, let_go

    def call(*args: Any, **kwargs: Any) -> Any:
        if has():
            return function(*args, **kwargs)
        acquire()
        try:
            return function(*args, **kwargs)
        finally:
            release()

    return _like(call, function)


def _outside(function: Any) -> Any:
    if _part is not None:
        return _like(_part.outside(function), function)
    has, acquire, release = _has, take, let_go

    def call(*args: Any, **kwargs: Any) -> Any:
        if not has():
            return function(*args, **kwargs)
        release()
        try:
            return function(*args, **kwargs)
        finally:
            acquire()

    return _like(call, function)


def _like(call: Any, function: Any) -> Any:
    """Have the call look like what it calls."""
    for name in ("__module__", "__name__", "__qualname__", "__doc__"):
        try:
            setattr(call, name, getattr(function, name))
        except (AttributeError, TypeError):
            pass  # a callable without a name of its own
    if _part is None:
        call.__wrapped__ = function
    return call


def guarded(function: F) -> F:
    """What enters weft's own code: it is executed with the guard held."""
    return _guarded(function) if GUARDED else function


def outside(function: F) -> F:
    """What leaves weft's own code for the program's, or waits in C: the guard is let go meanwhile."""
    return _outside(function) if GUARDED else function
