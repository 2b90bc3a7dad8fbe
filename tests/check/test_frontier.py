"""What is left of an exhaustive search: parts that are taken, come back, are kept and read again."""

import json
from typing import Any

import pytest

from tests.check.simulated import Program, bounded_orders
from tests.check.test_strategies import Watched
from weft.check.frontier import BoundedFrontier
from weft.check.resume import _from_plain, _plain
from weft.check.strategies.delay import DelayDfs
from weft.check.strategies.dfs import BoundedDfs, pack, unpack
from weft.check.units import left_of


def test_packed_entries_are_the_same_again() -> None:
    entries = [([], [(0, 0xFFFF)]), ([1, 2, 70], [(3, 1), (70_000, 2)]), ([0] * 70_000, [])]
    assert unpack(pack(entries)) == entries


class InParts:
    """A bounded search in parts of a few executions, of which several are out at a time."""

    def __init__(self, kind: type[BoundedDfs], bound: int, size: int, out: int) -> None:
        self.kind, self.size, self.out = kind, size, out
        self.frontier = BoundedFrontier(bound)

    def run(self, program: Program, keep: bool) -> list[tuple[int, ...]]:
        seen: list[tuple[int, ...]] = []
        while not self.frontier.over:
            taken: list[Any] = []
            while len(taken) < self.out and (part := self.frontier.take()) is not None:
                taken.append((part, self.kind(*self.frontier.wire(part))))
            assert taken
            kept, given_back = taken[: self.out - 1] or taken, taken[self.out - 1 :]
            for part, _ in reversed(given_back if kept is not taken else []):
                self.frontier.put_back(part)
            for part, search in kept:
                watched = Watched(search)
                while watched.more and search.runs < self.size:
                    program.run(watched)
                seen += watched.seen
                self.frontier.merge(part, left_of(search))
            if keep:
                state = _from_plain(json.loads(json.dumps(_plain(self.frontier.state))))
                self.frontier = BoundedFrontier(99)
                self.frontier.state = state
        return seen


@pytest.mark.parametrize("kind", [BoundedDfs, DelayDfs])
@pytest.mark.parametrize(("size", "out", "keep"), [(1, 1, False), (1, 3, False), (2, 4, True), (5, 2, True)])
@pytest.mark.parametrize("bound", [0, 1, 2])
def test_the_parts_are_the_whole_and_have_nothing_in_common(
    kind: type[BoundedDfs], size: int, out: int, keep: bool, bound: int
) -> None:
    counts = (2, 1, 2)
    program = Program([[(2, object(), "n")] * count for count in counts])
    parts = InParts(kind, bound, size, out)
    seen = parts.run(program, keep)
    wanted = set(bounded_orders(counts, bound, kind is DelayDfs))
    assert set(seen) == wanted
    assert parts.frontier.within == parts.frontier.runs == len(seen) == len(wanted)
    assert parts.frontier.exhausted == bound


def test_what_was_lost_is_not_said_to_be_exhausted() -> None:
    frontier = BoundedFrontier(2)
    part = frontier.take()
    assert part is not None
    assert frontier.take() is None
    frontier.lose(part)
    assert (frontier.over, frontier.complete, frontier.exhausted) == (True, False, -1)
