"""Replay: the choices of a recorded execution, one after another."""

from typing import Any

from weft.models.controlled import CLOCK, Task

__all__ = ["Replay"]


class Replay:
    """Follows a list of choices.

    Attributes:
        diverged: (index, who was expected, who could have gone on) where the list could not be followed; from
            there on the running thread goes on as long as it can.
    """

    name = "replay"
    traced = False

    def __init__(self, choices: list[int]) -> None:
        self._choices = choices
        self._next = 0
        self.diverged: tuple[int, int, list[int]] | None = None

    def begin(self) -> None:
        """The execution begins."""
        self._next = 0
        self.diverged = None

    def pick(self, enabled: list[Task], me: Task | None) -> Task | None:
        """The thread that goes on."""
        if self.diverged is None and self._next < len(self._choices):
            wanted = self._choices[self._next]
            self._next += 1
            if wanted == CLOCK:
                return None
            for task in enabled:
                if task.number == wanted:
                    return task
            self.diverged = (self._next - 1, wanted, [task.number for task in enabled])
        elif self.diverged is None:
            self.diverged = (self._next, -2, [task.number for task in enabled])
        return me if me in enabled else enabled[0]

    def end(self, steps: int, trace: list[Any] | None) -> bool:
        """The execution is over: it was the only one."""
        if self.diverged is None and self._next < len(self._choices):
            self.diverged = (self._next, self._choices[self._next], [])
        return False
