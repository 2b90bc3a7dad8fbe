"""Makes a schedule that fails smaller: fewer threads that take part, fewer preemptions, fewer switches.

Each try runs the program under blocks of steps that are left out, cut off or moved together, as well as it
goes (Jalbert and Sen, 2010). A try counts if the same failure comes of it.
"""

from collections.abc import Callable, Iterator
from typing import Any

from weft.check.strategies.guided import Block, blocks_of
from weft.host.clock import monotonic
from weft.models.controlled import CLOCK

__all__ = ["MOST_SECONDS", "Tried", "shrink"]

MOST_SECONDS = 1.0
MANY = 1_000_000  # steps: until it waits or has ended
MOST_TRIES = 600
MOST_BLOCKS = 60  # from the end, that are looked at one by one


class Tried:
    """What came of a try: whose each step was, how often someone was preempted, the choices."""

    def __init__(self, sequence: list[int], preemptions: int, choices: list[int]) -> None:
        self.sequence = sequence
        self.preemptions = preemptions
        self.choices = choices

    @property
    def plain(self) -> list[Any]:
        """What makes it again."""
        return [self.sequence, self.preemptions, self.choices]

    @property
    def cost(self) -> tuple[int, ...]:
        """What has to become smaller, the most important first."""
        blocks = blocks_of(self.sequence)
        threads = {number for number, _ in blocks}
        clock = self.sequence.count(CLOCK)
        return (clock, len(threads), self.preemptions, len(blocks), len(self.sequence))


def shrink(first: Tried, run: Callable[[list[Block]], Tried | None], seconds: float = MOST_SECONDS) -> Tried:
    """The smallest that was found.

    Args:
        first: a run that fails.
        run: makes a run by blocks; None if it does not fail in the same way.
        seconds: how long to try.
    """
    until = monotonic() + seconds
    best = first
    known: set[tuple[Block, ...]] = set()
    tries = 0
    better = True
    while better:
        better = False
        for blocks in _smaller(blocks_of(best.sequence)):
            key = tuple(blocks)
            if key in known:
                continue
            known.add(key)
            tries += 1
            if tries > MOST_TRIES or monotonic() > until:
                return best
            tried = run(blocks)
            if tried is not None and tried.cost < best.cost:
                best = tried
                better = True
                break
    return best


def _smaller(blocks: list[Block]) -> Iterator[list[Block]]:
    """Schedules with less in them, the boldest first."""
    numbers = {number for number, _ in blocks}
    for number in (*({CLOCK} & numbers), *sorted(numbers - {CLOCK, 0}, reverse=True)):
        yield [block for block in blocks if block[0] != number]
    size = len(blocks)
    while size > 1:  # the rest as it comes
        size //= 2
        yield blocks[:size]
    begin = max(0, len(blocks) - MOST_BLOCKS)
    for at in range(begin, len(blocks)):
        yield blocks[:at] + blocks[at + 1 :]
    for at in range(begin, len(blocks)):
        number, count = blocks[at]
        for later in range(at + 1, len(blocks)):
            if blocks[later][0] == number:
                both = (number, count + blocks[later][1])
                between, after = blocks[at + 1 : later], blocks[later + 1 :]
                yield [*blocks[:at], both, *between, *after]
                yield [*blocks[:at], *between, both, *after]
                break
    for at in range(begin, len(blocks)):  # the switch not before it has to be
        yield [*blocks[:at], (blocks[at][0], MANY), *blocks[at + 1 :]]
