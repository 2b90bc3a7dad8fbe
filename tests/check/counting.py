"""`python -m tests.check.counting PROGRAM ARGS`: runs all that DPOR asks for, and prints how many it ran."""

import sys

from weft.check import supply

supply.install()

from weft.check.execution import Executor  # noqa: E402
from weft.check.program import Script  # noqa: E402
from weft.check.strategies.dpor import Dpor  # noqa: E402

program = Script(sys.argv[1], sys.argv[2:])
program.prepare()
executor, dpor = Executor(program), Dpor()
kinds: dict[str, int] = {}
while True:
    outcome = executor.run(dpor)
    kind = outcome.failure["kind"] if outcome.failure else outcome.end
    kinds[kind] = kinds.get(kind, 0) + 1
    if not dpor.end(outcome.steps, None):
        break
print(dpor.runs - dpor.pruned, dpor.pruned, dpor.complete, kinds)
