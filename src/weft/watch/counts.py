"""Counts what threads do: how many were started, how often they were switched, how long they were parked.

A listener (weft.core.events), so it costs something at each switch, and only where it was asked for. Each
figure is kept by carrier: a carrier runs one thread at a time, so nobody else changes what it has counted,
and carriers that run in parallel need no lock.
"""

from collections.abc import Callable, Iterable

from weft.core.events import Kind
from weft.core.ports import Carrier
from weft.core.thread import ControlBlock

__all__ = ["Counts"]


class _Tally:
    """Of one carrier: who runs on it, how often that changed, and the seconds its threads were parked."""

    __slots__ = ("parked", "running", "switches")

    def __init__(self) -> None:
        self.running: ControlBlock | None = None
        self.switches = 0
        self.parked = 0.0


class Counts:
    """The figures of one run.

    Args:
        clock: monotonic seconds.

    A switch is one thread after another on the same carrier: where each thread has a kernel thread to itself,
    weft makes none. Time parked is from the park to the wake, of all threads together.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._parked: dict[ControlBlock, float] = {}  # since when; each thread stores for itself
        self._woken: dict[ControlBlock, float] = {}  # when; the waker stores, and the thread itself takes it
        self._tallies: dict[Carrier, _Tally] = {}
        self._ended: list[float] = []  # the seconds of carriers that had one thread, which is gone

    def begin(self, running: ControlBlock) -> None:
        """Say who runs as counting begins."""
        self._tally(running.carrier).running = running

    def __call__(self, kind: Kind, block: ControlBlock, by: ControlBlock | None) -> None:
        """Take note of an event."""
        if kind is Kind.RUNNING:
            tally = self._tally(block.carrier)
            if tally.running is not block:
                if tally.running is not None:
                    tally.switches += 1
                tally.running = block
            woken = self._woken.pop(block, None)
            since = self._parked.pop(block, None)
            if since is not None:
                tally.parked += max(0.0, (self._clock() if woken is None else woken) - since)
        elif kind is Kind.READY:
            self._woken[block] = self._clock()
        elif kind is Kind.PARKED:
            self._parked[block] = self._clock()
        elif kind is Kind.ENDED and block.carrier.poller is None:  # a kernel thread that ends with its thread
            tally = self._tallies.pop(block.carrier, _Tally())
            self._ended.append(tally.parked)
            self._woken.pop(block, None)

    def _tally(self, carrier: Carrier) -> _Tally:
        tally = self._tallies.get(carrier)
        if tally is None:
            tally = self._tallies[carrier] = _Tally()
        return tally

    @property
    def switches(self) -> int:
        """How often a carrier left one thread for another."""
        return sum(tally.switches for tally in list(self._tallies.values()))

    @property
    def parked(self) -> float:
        """Seconds of all threads together between their parks and their wakes, until now."""
        now = self._clock()
        still = sum(now - since for block, since in list(self._parked.items()) if not block.done)
        return still + sum(self._ended) + sum(tally.parked for tally in list(self._tallies.values()))

    def lines(self, started: int) -> Iterable[str]:
        """The figures as a file has them, one `name value` a line."""
        return (f"threads {started}\n", f"switches {self.switches}\n", f"parked {self.parked!r}\n")
