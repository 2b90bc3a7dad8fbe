"""No chance: run a thread until it has to wait, or change after every few steps."""

from typing import Any

from weft.models.controlled import Task

__all__ = ["RoundRobin"]


class RoundRobin:
    """Threads take turns of `quantum` choices; in each execution the quantum is the next larger one.

    The first execution has no bound: nobody is preempted.
    """

    name = "round-robin"
    traced = False

    def __init__(self, most: int = 16) -> None:
        self._quantum = 0
        self._left = 0
        self._most = most

    def begin(self) -> None:
        """An execution begins."""
        self._left = self._quantum

    def pick(self, enabled: list[Task], me: Task | None) -> Task | None:
        """The thread that goes on."""
        if me in enabled and (not self._quantum or self._left > 1):
            self._left -= 1
            return me
        self._left = self._quantum
        if me is not None:
            for task in enabled:
                if task.number > me.number:
                    return task
        return enabled[0]

    def end(self, steps: int, trace: list[Any] | None) -> bool:
        """An execution is over; False when the largest quantum has been tried."""
        self._quantum += 1
        return self._quantum <= self._most
