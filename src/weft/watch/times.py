"""Counts the processor time of threads that share a kernel thread.

A listener (weft.core.events), so it costs something at each switch, and only while somebody asks.
"""

from collections.abc import Callable

from weft.core.events import Kind
from weft.core.ports import Carrier
from weft.core.thread import ControlBlock

__all__ = ["Times"]


class Times:
    """The seconds of processor time that each thread has had since counting began.

    Args:
        clock: the processor time of the calling kernel thread, seconds.
        clock_of: the same of the kernel thread that is a carrier, asked from another one.
    """

    def __init__(self, clock: Callable[[], float], clock_of: Callable[[Carrier], float | None]) -> None:
        self._clock = clock
        self._clock_of = clock_of
        self._spent: dict[ControlBlock, float] = {}
        self._running: dict[
            Carrier, tuple[ControlBlock | None, float]
        ] = {}  # who, and what the clock said then

    def __call__(self, kind: Kind, block: ControlBlock, by: ControlBlock | None) -> None:
        """Take note of an event."""
        if kind is Kind.RUNNING:
            carrier = block.carrier
            if carrier.poller is None:
                return  # a kernel thread of its own: the system counts
            now = self._clock()
            before, since = self._running.get(carrier, (None, now))
            self._running[carrier] = block, now
            if before is not None and not before.done:
                self._spent[before] = self._spent.get(before, 0.0) + now - since
        elif kind is Kind.ENDED:
            self._spent.pop(block, None)

    def begin(self, block: ControlBlock) -> None:
        """A thread runs as counting begins."""
        now = self._clock_of(block.carrier)
        if now is not None:
            self._running.setdefault(block.carrier, (block, now))

    def spent(self, block: ControlBlock) -> float | None:
        """Seconds of a thread; None if the system counts them."""
        carrier = block.carrier
        if carrier.poller is None:
            return None
        spent = self._spent.get(block, 0.0)
        running, since = self._running.get(carrier, (None, 0.0))
        if running is block and (now := self._clock_of(carrier)) is not None:
            spent += max(0.0, now - since)
        return spent
