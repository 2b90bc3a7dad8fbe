"""Depth-first search with a bound on preemptions (Musuvathi and Qadeer, 2007).

A preemption is a switch away from a thread that could go on. All schedules with at most `bound` of them are
run, those with fewer first: bound 0, then 1, and so on. Each schedule is counted once, under the bound that
it needs. A fault of the network counts as a preemption.
"""

from typing import Any

from weft.check.world import FAULTS
from weft.models.controlled import Task

__all__ = ["BoundedDfs"]


class BoundedDfs:
    """All schedules with at most `bound` preemptions.

    Attributes:
        exhausted: the largest bound of which every schedule has been run, -1 before that.
        within: how many schedules there are with at most so many preemptions.
        complete: no bound cut anything off: these are all schedules there are.
        diverged: how often the program was not the same again.
        state: where the search stands, of plain types: another object can go on from it.
    """

    name = "dfs"
    traced = False

    def __init__(self, bound: int = 2) -> None:
        self.bound = bound
        self.exhausted = -1
        self.complete = False
        self.runs = 0
        self.within = 0
        self.diverged = 0
        self._now = 0  # the bound that is being searched
        self._stack: list[list[Any]] = []  # [candidates (number, cost), index, preemptions before]
        self._depth = 0
        self._cut = False
        self._spent = 0
        self._last = 0

    @property
    def state(self) -> list[Any]:
        """Where the search stands between two executions."""
        told = [self.bound, self.exhausted, self.complete, self.runs, self.within, self.diverged]
        return [*told, self._now, self._stack, self._cut]

    @state.setter
    def state(self, state: list[Any]) -> None:
        self.bound, self.exhausted, self.complete, self.runs, self.within, self.diverged = state[:6]
        self._now, self._stack, self._cut = state[6:]

    def begin(self) -> None:
        """An execution begins."""
        self._depth = 0
        self._spent = 0
        self._last = 0

    def costs(self, enabled: list[Task], me: Task | None, last: int) -> list[tuple[Task, int]]:
        """Who may go on, the cheapest first, each with what it takes of the bound.

        Args:
            enabled, me: as for `pick`.
            last: the number of the thread that was chosen last.
        """
        if me is None or me not in enabled:
            return [(task, int(task.kind in FAULTS)) for task in enabled]
        return [(me, 0), *((task, 1) for task in enabled if task is not me)]

    def pick(self, enabled: list[Task], me: Task | None) -> Task | None:
        """The thread that goes on."""
        stack = self._stack
        depth = self._depth
        self._depth += 1
        if depth == len(stack):
            candidates = []
            for task, cost in self.costs(enabled, me, self._last if me is None else me.number):
                if self._spent + cost > self._now:
                    self._cut = True
                else:
                    candidates.append((task.number, cost))
            stack.append([candidates, 0, self._spent])
        entry = stack[depth]
        number, cost = entry[0][entry[1]]
        self._spent = entry[2] + cost
        self._last = number
        for task in enabled:
            if task.number == number:
                return task
        self.diverged += 1  # the program is not the same again
        return enabled[0]

    def end(self, steps: int, trace: list[Any] | None) -> bool:
        """An execution is over; False when every schedule within the bound has been run."""
        if self._spent == self._now:  # fewer were run under a smaller bound
            self.runs += 1
        stack = self._stack
        del stack[self._depth :]
        while stack:
            entry = stack[-1]
            entry[1] += 1
            if entry[1] < len(entry[0]):
                return True
            stack.pop()
        self.exhausted = self._now
        self.within = self.runs
        if not self._cut:
            self.complete = True
            return False
        if self._now >= self.bound:
            return False
        self._now += 1
        self._cut = False
        return True
