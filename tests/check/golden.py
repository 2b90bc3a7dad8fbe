"""`python -m tests.check.golden FUNCTION BOUND`: runs all schedules with at most so many preemptions.

It prints how many they were, how many of them differ in what came before what, and how the last one ended.
"""

import sys

from weft.check import supply

supply.install()

from weft.check.execution import Executor  # noqa: E402
from weft.check.program import Function  # noqa: E402
from weft.check.strategies.dfs import BoundedDfs  # noqa: E402
from weft.check.teller import Teller  # noqa: E402
from weft.check.world import MODEL  # noqa: E402
from weft.models.controlled import Task  # noqa: E402

name, bound = sys.argv[1], int(sys.argv[2])
program = Function(f"tests.check.golden_programs:{name}", [], {"exclude": ["tests"]})
program.prepare()
executor, dfs = Executor(program), BoundedDfs(bound)
on_objects: dict[int, list[tuple[int, int]]] = {}
counts: dict[int, int] = {}
kept: list[object] = []


def note(task: Task) -> None:
    """A step is about to be done: it comes after all before it on the same object."""
    counts[task.number] = counts.get(task.number, 0) + 1
    if task.target is not None and task.kind not in ("join", "start"):
        kept.append(task.target)  # whose number no other may get
        on_objects.setdefault(id(task.target), []).append((task.number, counts[task.number]))


Teller.step = lambda _, task: note(task)  # type: ignore[method-assign]
classes = set()
outcome = None
more = True
while more and (outcome is None or not outcome.failure):
    on_objects.clear()
    counts.clear()
    kept.clear()
    outcome = executor.run(dfs, tell=True)
    classes.add(frozenset(tuple(steps) for steps in on_objects.values()))
    more = dfs.end(outcome.steps, None)
assert MODEL.over is None
assert outcome is not None
print(executor.runs, len(classes), outcome.failure["kind"] if outcome.failure else outcome.end)
