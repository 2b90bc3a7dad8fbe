"""`python -m tests.check.enumerated FILE`: what DPOR and DFS see of small programs, as JSON from stdin.

For each program it prints `[outcomes by DPOR, complete, outcomes by DFS, outcomes by DPOR in parts]`, null
where there are too many.
"""

import json
import sys
from typing import Any

from weft.check import supply

supply.install()

from weft.check.execution import Executor  # noqa: E402
from weft.check.frontier import DporFrontier  # noqa: E402
from weft.check.program import Script  # noqa: E402
from weft.check.strategies.dfs import BoundedDfs  # noqa: E402
from weft.check.strategies.dpor import Dpor  # noqa: E402
from weft.check.units import left_of  # noqa: E402
from weft.check.world import MODEL  # noqa: E402
from weft.instrument import hook, kinds  # noqa: E402

PLACE = sys.argv[1]
SIZE, OUT = 3, 3  # executions of a part until it comes back; parts that are out at a time
MOST = 400  # executions of a program: a search that takes more is given up


class InParts:
    """DPOR in parts, as several processes would do it: each begins before the outcome of others is known."""

    name = "dpor"
    traced = False
    every = True

    def __init__(self) -> None:
        self.runs = 0
        self.frontier = DporFrontier()
        self.out: list[Any] = []
        self.search: Any = None

    def begin(self) -> None:
        if self.search is None:
            while len(self.out) < OUT and (part := self.frontier.take()) is not None:
                self.out.append((part, json.dumps(self.frontier.wire(part))))
            self.search = Dpor(*json.loads(self.out[0][1]))
        self.search.begin()

    def pick(self, enabled: Any, me: Any) -> Any:
        return self.search.pick(enabled, me)

    def released(self, task: Any, target: Any) -> None:
        self.search.released(task, target)

    def stopped(self, tasks: Any) -> None:
        self.search.stopped(tasks)

    def end(self, steps: int, trace: Any) -> bool:
        self.runs += 1
        search = self.search
        if search.end(steps, trace) and search.runs < SIZE:
            return True
        self.frontier.merge(self.out.pop(0)[0], left_of(search))
        self.search = None
        return not self.frontier.over

    @property
    def complete(self) -> bool:
        return self.frontier.complete and not self.frontier.blurred and not self.frontier.diverged


def outcomes(executor: Executor, strategy: Any) -> list[Any] | None:
    """All that the program came to; None: there turned out to be more points than were known."""
    found = set()
    more = True
    while more:
        if strategy.runs > MOST:
            raise TimeoutError
        outcome = executor.run(strategy)
        if not MODEL.release_points.issuperset(executor.tried()):
            MODEL.release_points |= executor.tried()
            return None
        failure = outcome.failure
        if outcome.end == "deadlock":
            found.add("deadlock")
        elif failure is not None and failure["kind"] != "race":
            found.add(failure["title"])
        elif outcome.end != "pruned":
            found.add(json.dumps(vars(sys.modules["__main__"])["final"]))
        more = strategy.end(outcome.steps, None)
    return sorted(found)


def all_of(executor: Executor, make: Any) -> tuple[Any, Any]:
    while True:
        strategy = make()
        try:
            found = outcomes(executor, strategy)
        except TimeoutError:
            return None, False
        if found is not None:
            return found, strategy.complete


def look(source: str) -> list[Any]:
    with open(PLACE, "w") as file:
        file.write(source)
    program = Script(PLACE, [])
    program.prepare()
    hook.uninstall()
    MODEL.release_points = frozenset()
    kinds.rebound.clear()
    kinds.forget_classes()
    executor = Executor(program)
    found, complete = all_of(executor, Dpor)
    if not found:
        return [None, complete, None, None]
    in_parts, also_complete = all_of(executor, InParts)
    return [found, complete and also_complete, all_of(executor, lambda: BoundedDfs(1_000))[0], in_parts]


if __name__ == "__main__":
    print(json.dumps([look(each) for each in json.load(sys.stdin)]))
