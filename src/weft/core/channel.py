"""What threads wait on when they wait for a descriptor.

A channel is registered once with the poller, for both directions and edge-triggered: the machine tells of
changes, not of states. So it remembers: `readable` and `writable` say that a call may succeed, since an edge
has come after the last one that found nothing. The rule for whoever makes a call that can fail so:

1. clear the mark;
2. make the call, without waiting;
3. if it left something, or may have (a full buffer was read, an error came), set the mark again, and call
   `left` if somebody waits; if it would have blocked, or what it read shows that nothing is left, wait until
   an edge sets it.

An edge between 1 and 3 sets the mark, so it is never lost, whoever clears it meanwhile: each clearing is
followed by the clearer's own call, which finds what the edge told of. And whoever finds the mark cleared by
another kernel thread parks, since that one's call may take all there is; if it does not, no further edge
comes, and it is the clearer that wakes him.
"""

from collections.abc import Callable
from typing import Any

from weft.core.thread import ControlBlock
from weft.core.wait import WaitReason
from weft.guard import guarded

__all__ = ["NOWHERE", "READS", "WRITES", "Channel"]

READS = 0x1 | 0x2 | 0x8 | 0x10 | 0x2000  # the bits of epoll: IN, PRI, ERR, HUP, RDHUP
WRITES = 0x4 | 0x8 | 0x10  # OUT, ERR, HUP
PLAIN = 0x1 | 0x4  # anything else says that a short read may not be the end of what is there


class _Nowhere:
    """The poller of a channel that has none."""

    def has(self, fd: int) -> bool:
        return False

    def drop(self, fd: int, channel: object) -> None:
        pass

    def release(self, fd: int) -> None:
        pass

    def arm(self, fd: int, channel: object, yields: bool = False) -> None:
        pass


NOWHERE = _Nowhere()


class Channel:
    """A descriptor as threads see it.

    Attributes:
        fd: its number.
        poller: where it is registered, or NOWHERE.
        readable, writable: whether a call may succeed; see the module.
        careful: a read that brings less than was asked for does not show that nothing is left.
        reader, writer: the thread that waits for one direction, if there is one.
        more: further waiters, as (mask, function that is called when one of its bits is up), or None.
        closings: how often it has been closed; the number may be another file's by now.
        loose: nobody has the channel for long; it may be dropped when nobody waits on it.
    """

    __slots__ = (
        "careful",
        "closings",
        "fd",
        "loose",
        "more",
        "poller",
        "readable",
        "reader",
        "writable",
        "writer",
    )

    def __init__(self, fd: int, careful: bool = True, loose: bool = False) -> None:
        self.fd = fd
        self.poller: Any = NOWHERE
        self.readable = self.writable = True
        self.careful = careful
        self.closings = 0
        self.loose = loose
        self.reader: ControlBlock | None = None
        self.writer: ControlBlock | None = None
        self.more: list[tuple[int, Callable[[], object]]] | None = None

    @property
    def numbers(self) -> tuple[int, ...]:
        """The descriptors that it stands for."""
        return (self.fd,)

    @property
    def awaited(self) -> bool:
        """Whether a thread waits on it."""
        return self.reader is not None or self.writer is not None or bool(self.more)

    def awaited_beside(self, block: object) -> bool:
        """Whether another thread than that one waits on it."""
        return self.reader not in (None, block) or self.writer not in (None, block) or bool(self.more)

    @property
    def mask(self) -> int:
        """The events of epoll that somebody waits for."""
        mask = (READS if self.reader is not None else 0) | (WRITES if self.writer is not None else 0)
        for more, _ in tuple(self.more or ()):
            mask |= more
        return mask

    @guarded
    def deliver(self, events: int, wake: Callable[[ControlBlock], object]) -> None:
        """Note what has come and wake those who wait for it."""
        if events & ~PLAIN:
            self.careful = True
        if events & READS:
            self.readable = True
            block, self.reader = self.reader, None  # atomic
            if block is not None:
                wake(block)
        if events & WRITES:
            self.writable = True
            block, self.writer = self.writer, None  # atomic
            if block is not None:
                wake(block)
        if self.more:
            for mask, ready in tuple(self.more):
                if events & (mask | 0x18):
                    ready()

    @guarded
    def left(self, wake: Callable[[ControlBlock], object]) -> None:
        """The caller has set a mark again: who parked while it was cleared is to look.

        Further waiters need no such word: each has an edge come for what is there when it begins to wait.
        """
        if self.readable:
            block, self.reader = self.reader, None  # atomic
            if block is not None:
                wake(block)
        if self.writable:
            block, self.writer = self.writer, None  # atomic
            if block is not None:
                wake(block)

    @guarded
    def wait_more(self, mask: int, ready: Callable[[], object]) -> None:
        """Have a function called at every edge that has a bit of the mask, until `forget`."""
        if self.more is None:
            self.more = []
        self.more.append((mask, ready))

    @guarded
    def forget(self, ready: Callable[[], object]) -> None:
        """Take back `wait_more`."""
        more = self.more
        for entry in tuple(more or ()):
            if entry[1] is ready and more is not None:
                try:
                    more.remove(entry)  # in place: another carrier may add one of its own just now
                except ValueError:
                    pass
        if self.more is more and not more:  # atomic with the store
            self.more = None

    def close(self, wake: Callable[[ControlBlock], object]) -> None:
        """The descriptor is about to be closed: all who wait try again, and meet CPython's error."""
        self.leave()
        self.deliver(READS | WRITES, wake)

    @guarded
    def leave(self) -> None:
        """The first half of `close`, for who wakes those who wait when the descriptor has been closed."""
        self.closings += 1
        self.poller.drop(self.fd, self)

    @guarded
    def _withdraw(self, block: ControlBlock) -> bool:
        if self.reader is block:  # atomic
            self.reader = None
            return True
        if self.writer is block:  # atomic
            self.writer = None
            return True
        return False

    def _explain(self, block: ControlBlock) -> tuple[WaitReason, Any, ControlBlock | None]:
        return WaitReason.DESCRIPTOR, self, None

    def __repr__(self) -> str:
        return f"descriptor {self.fd}"
