"""PCT (Burckhardt and others, 2010): strict priorities, lowered at d - 1 steps chosen beforehand."""

from typing import Any

from weft.host.entropy import Stream
from weft.models.controlled import Task

__all__ = ["Pct"]


class Pct:
    """Random priorities and change points; `k` is the largest number of choices seen so far.

    A thread that gives way (a sleep, a loop that changes nothing) goes behind all others: strict priorities
    would let it starve them.
    """

    traced = False

    def __init__(self, stream: Stream, depths: tuple[int, ...] = (2, 3, 4), k: int = 20) -> None:
        self.name = "pct"
        self.k = k
        self._stream = stream
        self._depths = depths
        self._turn = -1
        self._count = 0
        self._changes: dict[int, int] = {}
        self._priorities: dict[int, float] = {}
        self._lowest = 0.0

    def begin(self) -> None:
        """An execution begins: draw its change points."""
        self._turn += 1
        self._count = 0
        self._lowest = 0.0
        self._priorities = {}
        depth = self._depths[self._turn % len(self._depths)]
        below = self._stream.below
        self._changes = {below(self.k) + 1: rank for rank in range(depth - 1, 0, -1)}

    def pick(self, enabled: list[Task], me: Task | None) -> Task | None:
        """The thread that goes on."""
        self._count += 1
        priorities = self._priorities
        for task in enabled:
            if task.number not in priorities:
                priorities[task.number] = 1.0 + self._stream.random()
        if me is not None and me in enabled:
            if self._count in self._changes:
                priorities[me.number] = self._changes[self._count] / 100
            elif me.kind in ("sleep", "loop", "try", "clock"):
                self._lowest -= 1.0
                priorities[me.number] = self._lowest
        best = enabled[0]
        for task in enabled:
            if priorities[task.number] > priorities[best.number]:
                best = task
        return best

    def end(self, steps: int, trace: list[Any] | None) -> bool:
        """An execution is over."""
        self.k = max(self.k, self._count)
        return True
