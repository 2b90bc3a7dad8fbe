"""Waits as records: why a thread waits, on what, who could end it, where and since when."""

import enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from weft.core.thread import ControlBlock

__all__ = ["Wait", "WaitReason"]


class WaitReason(enum.Enum):
    """Why a thread waits; the value is the phrase that reports print."""

    LOCK = "waits for a lock"
    CONDITION = "waits for a notify on a condition"
    SEMAPHORE = "waits for a semaphore"
    EVENT = "waits for an event to be set"
    QUEUE_GET = "waits for an item of a queue"
    QUEUE_PUT = "waits for room in a queue"
    QUEUE_JOIN = "waits for the tasks of a queue to be done"
    JOIN = "waits for a thread to end"
    FUTURE = "waits for the result of a future"
    SLEEP = "sleeps"
    DESCRIPTOR = "waits for"
    OFFLOAD = "waits for a call on a kernel thread:"
    SHUTDOWN = "waits for the other threads to end"
    OTHER = "waits"

    def __str__(self) -> str:
        return self.value


class Wait:
    """One wait of one thread, as it stood when it was asked for. Immutable by custom.

    Attributes:
        reason: why it waits.
        on: the object it waits on.
        holder: the thread that can end the wait, where that is one thread (a lock's owner, the
            thread that is joined); else None.
        place: "file:line in function" of the waiting call in the program's own code.
        since: when the wait began, seconds on the monotonic clock, to about the length of a slice.
        deadline: when the wait gives up, on the same clock; None: never.
    """

    __slots__ = ("deadline", "holder", "on", "place", "reason", "since")

    def __init__(
        self,
        reason: WaitReason,
        on: object,
        holder: "ControlBlock | None",
        place: str,
        since: float,
        deadline: float | None,
    ) -> None:
        self.reason = reason
        self.on = on
        self.holder = holder
        self.place = place
        self.since = since
        self.deadline = deadline

    def __repr__(self) -> str:
        return f"<Wait: {self.reason} {self.on!r} at {self.place}>"
