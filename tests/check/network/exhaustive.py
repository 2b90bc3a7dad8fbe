"""What all schedules of the small programs come to, by both searches: one JSON object a program.

Run in a process of its own, with a fixed hash seed.
"""

import importlib
import json
import os
import sys
from typing import Any

from weft.check.start import begin

session = begin()  # before what leads to `threading`
execution, state, dfs, dpor = (
    importlib.import_module(f"weft.check.{name}")
    for name in ("execution", "state", "strategies.dfs", "strategies.dpor")
)
MOST = 100_000
FILE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "small.py")


def outcomes(executor: Any, make: Any, program: Any, small: Any) -> dict[str, Any]:
    """All that comes of a program; the first executions only tell what has to be a point."""
    seen: list[Any] = []

    def run() -> None:
        seen.append(small.Seen())
        program(seen[-1])

    executor.program._function = run
    for _ in range(2):
        strategy = make()
        ends = set()
        for _ in range(MOST):
            outcome = executor.run(strategy)
            if outcome.end != "pruned":
                failure = outcome.failure["title"] if outcome.failure else ""
                ends.add(f"{sorted(seen[-1].by.items())} {outcome.end} {failure}")
            if not strategy.end(outcome.steps, outcome.trace):
                break
    return {"complete": strategy.complete, "runs": strategy.runs, "ends": sorted(ends)}


def main() -> None:
    checked = session.parse([f"{FILE}:go"], {"only": ["nothing"]})

    def work() -> None:
        small = sys.modules["small"]
        executor = execution.Executor(checked)
        executor.snapshot = state.Snapshot(state.modules_with_state())
        for program in small.PROGRAMS:
            found = {
                name: outcomes(executor, make, program, small)
                for name, make in (("dpor", dpor.Dpor), ("dfs", lambda: dfs.BoundedDfs(1000)))
            }
            print(json.dumps({"program": program.__name__, **found}))

    checked.prepare()
    work()


main()
