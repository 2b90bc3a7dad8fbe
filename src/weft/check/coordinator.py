"""Has units done by several processes and puts together what comes of them, as if one had done all.

Units are begun ahead of their turn, with what is known by then; outcomes are put together in the order of
their numbers. If an outcome changes what is known, the units after it were begun too early: what came of
them is thrown away, and they are planned again. That happens a few times at the beginning of a search. So
everything a search tells, but for where time ends it, is the same for any number of processes.
"""

from collections import deque
from collections.abc import Callable
from typing import Any

from weft.check.plan import Plan, Planned
from weft.check.workers import Lost, Workers

__all__ = ["Coordinator"]

WAIT = 0.2  # seconds between two looks at the time and at signals
AHEAD = 4  # units that wait for an earlier one, for each that can be done at a time
MOST_TRIES = 3  # of a unit whose process was killed


class Coordinator:
    """Runs a plan.

    Args:
        merge: takes what came of a unit, or a Lost, in the order of the units; whether something is known
            that was not.
        known: what is known now.
        executions: how many have been run, by what has been merged.
        stop: called often; in how many seconds all has to be at its end, once it is time to stop.

    Attributes:
        stopped: it was.
    """

    def __init__(
        self,
        plan: Plan,
        workers: Workers,
        *,
        merge: Callable[[Planned, Any], bool],
        known: Callable[[], Any],
        executions: Callable[[], int],
        stop: Callable[[], float | None],
    ) -> None:
        self.plan = plan
        self.workers = workers
        self._merge = merge
        self._known = known
        self._executions = executions
        self._stop = stop
        self._window = workers.jobs * AHEAD
        self._out: deque[Planned] = deque()  # begun and not merged, in the order of their numbers
        self._outcomes: dict[int, Any] = {}
        self.stopped = False

    def run(self) -> None:
        """Until there are no more units, it is time to stop, or `merge` raises something."""
        try:
            while True:
                patience = self._stop()
                if patience is not None:
                    self.stopped = True
                    self.workers.cut(patience)
                else:
                    self._begin()
                if not self._out:
                    break
                for unit, outcome in self.workers.wait(WAIT):
                    self._take(unit, outcome)
                self._put_together()
        finally:
            self.workers.drop()

    def _begin(self) -> None:
        """Begin as many units as can be."""
        plan = self.plan
        while len(self._out) < self._window and self.workers.free(plan.together):
            unit = plan.next(len(self._out), self._executions())
            if unit is None:
                return
            self._out.append(unit)
            self.workers.begin(unit, self._known())

    def _take(self, unit: Planned, outcome: Any) -> None:
        if isinstance(outcome, Lost) and outcome.killed and not self.stopped:
            unit.tries += 1
            if unit.tries < MOST_TRIES:  # nothing is lost: it is done once more
                self.workers.begin(unit, self._known())
                return
        self._outcomes[unit.number] = outcome

    def _put_together(self) -> None:
        """Merge what is next; if that changes what is known, begin again after it."""
        while self._out and self._out[0].number in self._outcomes:
            unit = self._out.popleft()
            outcome = self._outcomes.pop(unit.number)
            news = self._merge(unit, outcome)
            if news:
                self._throw_away()

    def _throw_away(self) -> None:
        """All that was begun is begun again."""
        self.workers.drop()
        self._outcomes.clear()
        if self._out:
            self.plan.go_back(self._out[0].mark)
        while self._out:
            self._out.pop().put_back()
