"""POS (Yuan, Yang and Gu, 2018): a random priority for each pending operation, drawn again after a race."""

from typing import Any

from weft.check.strategies.base import conflict
from weft.host.entropy import Stream
from weft.models.controlled import Task

__all__ = ["Pos"]


class Pos:
    """Partial order sampling."""

    traced = False

    def __init__(self, stream: Stream) -> None:
        self.name = "pos"
        self._stream = stream
        self._priorities: dict[int, float] = {}

    def begin(self) -> None:
        """An execution begins."""
        self._priorities = {}

    def pick(self, enabled: list[Task], me: Task | None) -> Task | None:
        """The thread that goes on."""
        priorities = self._priorities
        random = self._stream.random
        if me is not None:  # it has announced a new operation
            priorities[me.number] = random()
        best = None
        highest = -1.0
        for task in enabled:
            number = task.number
            mine = priorities.get(number)
            if mine is None:
                mine = priorities[number] = random()
            if mine > highest:
                best, highest = task, mine
        assert best is not None
        for task in enabled:
            if task is not best and conflict(task, best):
                priorities[task.number] = random()
        priorities.pop(best.number, None)
        return best

    def end(self, steps: int, trace: list[Any] | None) -> bool:
        """An execution is over."""
        return True
