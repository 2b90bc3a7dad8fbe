"""All trials of one program: `trial.py MODULE NAME STRATEGIES SEEDS LIMIT SECONDS`; a line of JSON for each.

A trial is a process, forked when the program has been imported, that runs one execution after another until
the program's own check fails: an assertion, or a deadlock. A lost update, told by weft too, is not. What came
of each trial is told on standard error as it ends.
"""

import sys

from weft.check import supply

supply.install()

import json  # noqa: E402
import os  # noqa: E402
from typing import Any  # noqa: E402

from weft.check import units  # noqa: E402
from weft.check.explore import Explorer  # noqa: E402
from weft.check.program import Function  # noqa: E402
from weft.check.settings import Settings  # noqa: E402
from weft.check.strategies.delay import DelayDfs  # noqa: E402
from weft.check.strategies.dfs import BoundedDfs  # noqa: E402
from weft.check.strategies.dpor import Dpor  # noqa: E402
from weft.check.strategies.robin import RoundRobin  # noqa: E402
from weft.check.world import MODEL  # noqa: E402
from weft.host.children import fork_child, mute  # noqa: E402
from weft.host.clock import monotonic  # noqa: E402
from weft.host.entropy import Stream  # noqa: E402

WITHOUT_CHANCE = ("dfs", "delay", "dpor")
HOPELESS = 3  # trials without success after which there are no more
BOUND = 3

module, name, names, *numbers = sys.argv[1:]
seeds, limit, seconds = int(numbers[0]), int(numbers[1]), float(numbers[2])
os.chdir(os.path.dirname(os.path.abspath(__file__)))
program = Function(f"{module}:{name}", [], {"exclude": ["atoms"]})
out, progress = mute()
program.prepare()


def trial(strategy: str, seed: int) -> int | None:
    """How many executions it took; None: it was not found."""
    executor = Explorer(program, Settings(seed=seed, strategy=strategy, bound=BOUND)).executor
    executor.run(RoundRobin())
    known = units.Knowledge()
    known.threads = MODEL.started
    turns: Any = units.mixture(Stream(seed), known)
    if strategy in ("dfs", "delay"):
        turns = [{"dfs": BoundedDfs, "delay": DelayDfs}[strategy](BOUND)]
    elif strategy == "dpor":
        turns = [Dpor()]
    elif strategy != "portfolio":
        turns = [units.strategy(strategy, Stream(seed), known)]
    until = monotonic() + seconds
    for number in range(limit):
        chosen: Any = turns[number % len(turns)]
        outcome = executor.run(chosen)
        if any(found["level"] == "failure" and found["kind"] != "race" for found in outcome.findings):
            return number + 1
        if not chosen.end(outcome.steps, None) or monotonic() > until:
            return None
    return None


for strategy in names.split(","):
    found: list[int | None] = []
    for seed in range(1 if strategy in WITHOUT_CHANCE else seeds):
        child = fork_child(lambda send, strategy=strategy, seed=seed: send([trial(strategy, seed)]))
        try:
            found += child.receive(seconds + 30)
            child.end()
        except (EOFError, TimeoutError):
            found.append(None)
            child.end(kill=True)
        os.write(progress, f"{name} {strategy}, trial {seed}: {found[-1]}\n".encode())
        if len(found) >= HOPELESS and not any(found):
            break
    os.write(out, (json.dumps([name, strategy, found]) + "\n").encode())
os._exit(0)
