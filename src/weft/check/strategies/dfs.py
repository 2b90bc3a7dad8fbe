"""Search in order of preemptions (Musuvathi and Qadeer, 2007), depth first.

A preemption is a switch away from a thread that could go on. All schedules with at most `bound` of them are
run, those with fewer first, and none twice. Each execution follows the choices of an earlier one up to some
depth, takes another thread there, and goes on as cheaply as it can; where it could have gone on otherwise it
leaves an *alternative*. Those that cost nothing are tried next, the others when their number of preemptions
is due. What is left to try is plain data, so that other processes can go on with parts of it. A fault of the
network counts as a preemption.
"""

from array import array
from collections.abc import Iterable
from typing import Any

from weft.check.world import FAULTS
from weft.models.controlled import Task

__all__ = ["ROOT", "BoundedDfs", "pack", "unpack"]

NOBODY = 0xFFFF  # in the place of a thread's number: nothing was run yet
_Entry = tuple[list[int], list[tuple[int, int]]]
"""The choices of an execution, and what was not tried then: at which depth, whom."""
_WHOLE: _Entry = ([], [(0, NOBODY)])


def pack(entries: Iterable[_Entry]) -> bytes:
    """Entries as bytes: of each the two lengths, the choices, the alternatives."""
    numbers = array("H")
    for choices, alternatives in entries:
        numbers.extend((len(choices) >> 16, len(choices) & 0xFFFF, len(alternatives) >> 16))
        numbers.append(len(alternatives) & 0xFFFF)
        numbers.extend(choices)
        for depth, number in alternatives:
            numbers.extend((depth >> 16, depth & 0xFFFF, number))
    return numbers.tobytes()


def unpack(packed: bytes) -> list[_Entry]:
    """The entries that were packed."""
    numbers = array("H")
    numbers.frombytes(packed)
    entries: list[_Entry] = []
    at = 0
    while at < len(numbers):
        choices = (numbers[at] << 16) + numbers[at + 1]
        alternatives = (numbers[at + 2] << 16) + numbers[at + 3]
        at += 4
        made = numbers[at : at + choices].tolist()
        at += choices
        flat = numbers[at : at + 3 * alternatives].tolist()
        at += 3 * alternatives
        depths = [(high << 16) + low for high, low in zip(flat[::3], flat[1::3], strict=True)]
        entries.append((made, list(zip(depths, flat[2::3], strict=True))))
    return entries


ROOT = pack([_WHOLE])


class BoundedDfs:
    """All schedules with at most `bound` preemptions.

    Args:
        bound: preemptions.
        level: with `part`, how many each of its schedules has.
        part: packed entries; only what comes of these is run, as far as it has as many preemptions.

    Attributes:
        exhausted: the largest bound of which every schedule has been run, -1 before that.
        within: how many schedules there are with at most so many preemptions.
        complete: no bound cut anything off: these are all schedules there are.
        diverged: how often the program was not the same again.
        work: what is left to try now, the next at the end.
        later: what is left to try with more preemptions, by their number.
        cut: whether there is anything with more than `bound`.
    """

    name = "dfs"
    traced = False

    def __init__(self, bound: int = 2, level: int = 0, part: bytes | None = None) -> None:
        self.bound = bound
        self.exhausted = -1
        self.complete = False
        self.runs = 0
        self.within = 0
        self.diverged = 0
        self.work = unpack(ROOT if part is None else part)
        self.later: dict[int, list[_Entry]] = {}
        self.cut = False
        self._part = part is not None
        self._now = level  # the bound that is being searched
        self._prefix: list[int] = []
        self._choices: list[int] = []
        self._free: list[tuple[int, int]] = []
        self._dear: dict[int, list[tuple[int, int]]] = {}  # by what they cost
        self._lost = False
        self._last = 0

    def begin(self) -> None:
        """An execution begins: the next alternative."""
        choices, alternatives = self.work[-1]
        depth, number = alternatives.pop()
        if not alternatives:
            self.work.pop()
        self._prefix = choices[:depth] if number == NOBODY else [*choices[:depth], number]
        self._choices = []
        self._free = []
        self._dear = {}
        self._lost = False
        self._last = 0

    def costs(self, enabled: list[Task], me: Task | None, last: int) -> list[tuple[Task, int]]:
        """Who may go on, the cheapest first, each with what it takes of the bound.

        Args:
            enabled, me: as for `pick`.
            last: the number of the thread that was chosen last.
        """
        if me is None or me not in enabled:
            return sorted(((task, int(task.kind in FAULTS)) for task in enabled), key=lambda pair: pair[1])
        return [(me, 0), *((task, 1) for task in enabled if task is not me)]

    def pick(self, enabled: list[Task], me: Task | None) -> Task | None:
        """The thread that goes on."""
        choices = self._choices
        depth = len(choices)
        if depth < len(self._prefix):
            number = self._prefix[depth]
            choices.append(number)
            self._last = number
            for task in enabled:
                if task.number == number:
                    return task
            self.diverged += 1  # the program is not the same again
            self._lost = True
            choices[-1] = enabled[0].number
            return enabled[0]
        candidates = self.costs(enabled, me, self._last if me is None else me.number)
        for task, cost in candidates[:0:-1]:
            if cost:
                self._dear.setdefault(cost, []).append((depth, task.number))
            else:
                self._free.append((depth, task.number))
        chosen = candidates[0][0]
        choices.append(chosen.number)
        self._last = chosen.number
        return chosen

    def end(self, steps: int, trace: list[Any] | None) -> bool:
        """An execution is over; False when every schedule within the bound, or of the part, has been run."""
        self.runs += 1
        if not self._lost:
            if self._free:
                self.work.append((self._choices, self._free))
            for cost, alternatives in self._dear.items():
                if self._now + cost <= self.bound:
                    self.later.setdefault(self._now + cost, []).append((self._choices, alternatives))
                else:
                    self.cut = True
        return bool(self.work) or (not self._part and self._deeper())

    def _deeper(self) -> bool:
        """All with so many preemptions have been run; False: and so have all others."""
        self.within = self.runs
        if not self.later:
            self.exhausted = self.bound if self.cut else self._now
            self.complete = not self.cut
            return False
        self._now = min(self.later)
        self.exhausted = self._now - 1
        self.work = self.later.pop(self._now)[::-1]
        return True
