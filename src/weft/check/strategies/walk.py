"""Random walk: at each choice stay with the running thread with some probability, else any thread alike."""

from typing import Any

from weft.host.entropy import Stream
from weft.models.controlled import Task

__all__ = ["Walk"]


class Walk:
    """A sticky random walk.

    Args:
        stream: where chance comes from.
        sticky: probabilities of staying, one an execution, in turn.
    """

    traced = False

    def __init__(self, stream: Stream, sticky: tuple[float, ...] = (0.0, 0.5, 0.8, 0.95)) -> None:
        self.name = "walk"
        self._stream = stream
        self._sticky = sticky
        self._turn = -1
        self._stay = 0.0

    def begin(self) -> None:
        """An execution begins."""
        self._turn += 1
        self._stay = self._sticky[self._turn % len(self._sticky)]

    def pick(self, enabled: list[Task], me: Task | None) -> Task | None:
        """The thread that goes on."""
        random = self._stream.random
        if self._stay and me in enabled and random() < self._stay:
            return me
        return enabled[int(random() * len(enabled))]

    def end(self, steps: int, trace: list[Any] | None) -> bool:
        """An execution is over: there is always another one."""
        return True
