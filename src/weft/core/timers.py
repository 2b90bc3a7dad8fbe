"""Deadlines of one carrier: a heap with lazy deletion.

An entry is a list `[when, number, block or callable]`; disarming clears the last field and leaves the
entry where it is. A `Call` is an entry with more behind it and its own handle: one object in all. When
more than three quarters of the heap are dead (and it is not tiny) the dead are swept, so that timeouts
which rarely fire cost little memory.
"""

import itertools
from collections.abc import Callable
from heapq import heapify, heappop, heappush
from typing import Any

from weft.core.parking import TIMEOUT, interrupt
from weft.core.thread import ControlBlock
from weft.guard import guarded

__all__ = ["Call", "Timers"]

SWEEP_MIN = 256  # dead entries below which a sweep is not worth its time

Entry = list[Any]


class Timers:
    """The armed deadlines of one carrier. It reads no clock: who calls `fire` says what time it is.

    Other kernel threads may arm and disarm; to take off the heap is the carrier's alone.

    Args:
        is_mine: whether the caller is the carrier's kernel thread.
    """

    __slots__ = ("dead", "heap", "is_mine", "number")

    def __init__(self, is_mine: Callable[[], bool] = lambda: True) -> None:
        self.is_mine = is_mine
        self.heap: list[Entry] = []
        self.dead = 0
        self.number = itertools.count().__next__

    def __len__(self) -> int:
        return max(0, len(self.heap) - self.dead)

    @guarded
    def arm(self, when: float, what: ControlBlock | Callable[[], object]) -> Entry:
        """At `when` (seconds, monotonic) end the wait of a block, or call a function.

        A function runs on the stack of whoever fires the timers and may only make threads ready.
        """
        entry: Entry = [when, self.number(), what]
        heappush(self.heap, entry)
        return entry

    @guarded
    def call(self, when: float, start: Callable[..., object], function: Any, args: Any) -> "Call":
        """At `when` call `start(function, args)`, unless the result's `cancel()` was called before."""
        call = Call((when, self.number(), start, function, args, self))
        heappush(self.heap, call)
        return call

    @guarded
    def disarm(self, entry: Entry) -> None:
        """Forget a deadline; one that has fired already is none of our business."""
        if entry[2] is not None:
            entry[2] = None
            self.dead += 1
            if self.dead > SWEEP_MIN and self.dead * 4 > len(self.heap) * 3:
                self._sweep()

    def _sweep(self) -> None:
        if not self.is_mine():
            return  # the carrier will see to it
        # What is armed or fired meanwhile (a tick, a finalizer) meets a heap of its own.
        old, self.heap, self.dead = self.heap, [], 0
        live = [entry for entry in old if entry[2] is not None]
        heapify(live)
        meanwhile, self.heap = self.heap, live
        for entry in meanwhile:
            heappush(self.heap, entry)

    def next(self) -> float | None:
        """When the first live deadline is due; None if there is none."""
        try:
            while self.heap:
                first = self.heap[0]
                if first[2] is not None:
                    return first[0]  # type: ignore[no-any-return]
                entry = heappop(self.heap)
                if entry[2] is None:
                    self.dead -= 1
                else:
                    heappush(self.heap, entry)  # another kernel thread has armed it since the look
        except IndexError:  # a tick has fired them since the look
            pass
        return None

    def next_hint(self) -> float | None:
        """When the first entry is due, dead or alive; safe to ask from another kernel thread."""
        try:
            return self.heap[0][0]  # type: ignore[no-any-return]
        except IndexError:
            return None

    @property
    def armed(self) -> bool:
        """Whether anything is to come; safe to ask from another kernel thread."""
        return any(entry[2] is not None for entry in tuple(self.heap))

    @guarded
    def hand_over(self, now: float, other: "Timers") -> int:
        """Move the calls whose time has come to another carrier, since this one comes to none; how many.

        From another kernel thread; so what is moved stays here as an entry that was disarmed.
        """
        moved = 0
        for entry in sorted(e for e in tuple(self.heap) if e[0] <= now and e.__class__ is Call):
            start, function, args = entry[2], entry[3], entry[4]
            if start is not None:  # atomic with the stores
                entry[2] = entry[3] = entry[4] = None
                self.dead += 1
                other.call(entry[0], start, function, args)
                moved += 1
        return moved

    @guarded
    def fire(self, now: float) -> int:
        """End every wait and call every function whose time has come; how many there were."""
        fired = 0
        while self.heap and self.heap[0][0] <= now:
            try:
                entry = heappop(self.heap)
            except IndexError:  # a tick has fired them since the look
                break
            if entry[0] > now:  # a tick has fired the one that was first
                heappush(self.heap, entry)
                continue
            what = entry[2]
            if what is None:
                self.dead -= 1
                continue
            entry[2] = None
            fired += 1
            if what.__class__ is ControlBlock:
                interrupt(what, TIMEOUT)
            elif entry.__class__ is Call:
                function, args = entry[3], entry[4]
                entry[3] = entry[4] = None
                what(function, args)
            else:
                what()
        return fired


class Call(list[Any]):
    """A call that is to come: `[when, number, start, function, args, timers]`."""

    __slots__ = ()

    @guarded
    def cancel(self) -> None:
        """Make sure that it does not come, if it has not yet."""
        if self[2] is not None:  # atomic with the stores
            self[2] = self[3] = self[4] = None
            timers = self[5]
            timers.dead += 1
            if timers.dead > SWEEP_MIN and timers.dead * 4 > len(timers.heap) * 3:
                timers._sweep()
