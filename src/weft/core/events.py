"""What happens to threads, told to who listens.

A listener is any callable of `(kind, block, by)`: what happened, to which thread, and for READY events which
thread did it (the waker, or the thread itself when it gave way). It is called in the middle of a switch, on
the carrier's kernel thread: it must not block, must not call into the program, and should only take notes.

Carriers call nobody when nobody listens: a listener changes which `push` and `pick` they show, so the paths
without one are the same as ever.

A listener that is called at each switch makes it three times as long. A *recorder* is a listener that is not:
it makes the `push` and `pick` of a carrier itself, and is called for what is rare.
"""

import enum
from collections.abc import Callable
from typing import Any, Protocol, runtime_checkable

from weft.core.thread import ControlBlock

__all__ = ["Kind", "Listener", "Recorder", "listening"]


class Kind(enum.Enum):
    """What can happen to a thread; the value is the verb that reports print."""

    STARTED = "was started"
    READY = "became ready"
    RUNNING = "runs"
    PARKED = "parked"
    PREEMPTED = "was preempted"
    NOTIFIED = "was notified, and waits for the lock"
    ENDED = "ended"


Listener = Callable[[Kind, ControlBlock, "ControlBlock | None"], object]


#: Whom primitives tell of what carriers do not see; empty if nobody listens.
listening: list[Listener] = []


@runtime_checkable
class Recorder(Protocol):
    """A listener that takes its own notes of switches and wakes on carriers that run many threads."""

    def __call__(self, kind: Kind, block: ControlBlock, by: "ControlBlock | None") -> object: ...

    def hooks(
        self, carrier: Any, take: Callable[[], Any], add: Callable[[Any], None]
    ) -> tuple[Callable[[Any], None], Callable[[], Any]]:
        """The `push` and the `pick` that a carrier is to show.

        Args:
            carrier: the carrier (weft.core.ports).
            take: takes the next resume callable off its queue; raises IndexError if there is none.
            add: puts one into it. A thread that gives way is put there directly, without `push`.
        """
