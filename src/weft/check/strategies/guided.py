"""A schedule as blocks of steps, followed as well as it goes: what shrinking tries."""

from typing import Any

from weft.check.world import FAULTS, MODEL
from weft.models.controlled import CLOCK, Task

__all__ = ["Block", "Guided", "Recorded", "blocks_of"]

Block = tuple[int, int]
"""A thread's number, or the clock's, and how many steps it makes."""


def blocks_of(sequence: list[int]) -> list[Block]:
    """The blocks of a sequence of thread numbers."""
    blocks: list[Block] = []
    for number in sequence:
        if blocks and blocks[-1][0] == number:
            blocks[-1] = (number, blocks[-1][1] + 1)
        else:
            blocks.append((number, 1))
    return blocks


class Guided:
    """Follows blocks; one whose thread waits or has ended is left. After the last nobody is preempted.

    Attributes:
        sequence: whose each step was, the clock's among them.
        preemptions: how often a thread that could go on did not.
    """

    name = "guided"
    traced = False
    every = True  # it is asked also where there is nothing to choose

    def __init__(self, blocks: list[Block]) -> None:
        self._blocks = blocks
        self._at = 0
        self._made = 0
        self.sequence: list[int] = []
        self.preemptions = 0

    def begin(self) -> None:
        """The execution begins."""
        self._at = self._made = 0
        self.sequence = []
        self.preemptions = 0

    def pick(self, enabled: list[Task], me: Task | None) -> Task | None:
        """The thread that goes on."""
        stays = me is not None and me in enabled
        chosen = self._wanted({task.number: task for task in enabled})
        if chosen is None:
            self.sequence.append(CLOCK)
            return None
        if chosen is _NOBODY:
            chosen = me if stays else next((task for task in enabled if task.kind not in FAULTS), enabled[0])
            assert chosen is not None
        if stays and chosen is not me:
            self.preemptions += 1
        self.sequence.append(chosen.number)
        return chosen

    def _wanted(self, enabled: dict[int, Task]) -> Task | None:
        blocks = self._blocks
        while self._at < len(blocks):
            number, count = blocks[self._at]
            if self._made < count:
                self._made += 1
                if number == CLOCK and MODEL.offer_clock and MODEL.near():
                    return None
                if number in enabled:
                    return enabled[number]
            self._at += 1
            self._made = 0
        return _NOBODY

    def end(self, steps: int, trace: list[Any] | None) -> bool:
        """The execution is over."""
        return False


_NOBODY = Task(-4, None, True)


class Recorded(Guided):
    """Follows the choices of another strategy and notes whose each step was."""

    def __init__(self, choices: list[int]) -> None:
        super().__init__([])
        self._choices = choices
        self._next = 0

    def begin(self) -> None:
        """The execution begins."""
        super().begin()
        self._next = 0

    def _wanted(self, enabled: dict[int, Task]) -> Task | None:
        if len(enabled) < 2 and not (MODEL.offer_clock and MODEL.near()):
            return next(iter(enabled.values()))
        if self._next >= len(self._choices):
            return _NOBODY
        number = self._choices[self._next]
        self._next += 1
        return None if number == CLOCK else enabled.get(number, _NOBODY)
