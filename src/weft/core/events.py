"""What happens to threads, told to who listens.

A listener is any callable of `(kind, block, by)`: what happened, to which thread, and for READY events which
thread did it (the waker, or the thread itself when it gave way). It is called in the middle of a switch, on
the carrier's kernel thread: it must not block, must not call into the program, and should only take notes.

Carriers call nobody when nobody listens: a listener changes which `push` and `pick` they show, so the paths
without one are the same as ever.
"""

import enum
from collections.abc import Callable

from weft.core.thread import ControlBlock, State

__all__ = ["Kind", "Listener", "state_after"]


class Kind(enum.Enum):
    """What can happen to a thread; the value is the verb that reports print."""

    STARTED = "was started"
    READY = "became ready"
    RUNNING = "runs"
    PARKED = "parked"
    ENDED = "ended"


Listener = Callable[[Kind, ControlBlock, "ControlBlock | None"], object]

_AFTER = {
    Kind.STARTED: State.NEW,
    Kind.READY: State.READY,
    Kind.RUNNING: State.RUNNING,
    Kind.PARKED: State.BLOCKED,
    Kind.ENDED: State.DONE,
}


def state_after(kind: Kind) -> State:
    """The state that a thread is in once this has happened to it."""
    return _AFTER[kind]
