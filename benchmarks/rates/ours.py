"""`ours.py NAME SECONDS`: how many executions a second weft runs under a random walk; whatever is found.

A second is one of the processor's: so the figures hold on a machine that has other work too.
"""

import sys
from time import process_time  # the program gets another one

from weft.check import supply

supply.install()

import gc  # noqa: E402
import os  # noqa: E402
import threading  # noqa: E402
from typing import Any  # noqa: E402

from weft.check.execution import Executor  # noqa: E402
from weft.check.program import Program  # noqa: E402
from weft.check.state import Snapshot, modules_with_state  # noqa: E402
from weft.check.strategies.walk import Walk  # noqa: E402
from weft.host.entropy import Stream  # noqa: E402

name, seconds = sys.argv[1], float(sys.argv[2])


class Bodies(Program):
    """The main thread makes the state, starts the threads and waits for them."""

    kind = "function"
    programs: Any

    def prepare(self) -> None:
        """Import it, rewritten."""
        self._begin(os.path.dirname(os.path.abspath(__file__)))
        self.programs = __import__("programs")
        if name in ("cachetools", "pykka"):  # the others use neither
            self.preload([name])

    def run(self) -> None:
        """One execution."""
        set_up, bodies = self.programs.PROGRAMS[name]
        state = set_up()
        threads = [threading.Thread(target=body, args=(state,)) for body in bodies]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()


program = Bodies(name, [])
program.prepare()
executor, walk = Executor(program), Walk(Stream(1), (0.0,))
executor.run(walk)
executor.snapshot = Snapshot(modules_with_state())
executor.run(walk)
executor.hot.update(executor.snapshot.changed())
gc.collect()
gc.freeze()
gc.disable()
begun = process_time()
executions = steps = 0
while process_time() - begun < seconds:
    for _ in range(8):
        outcome = executor.run(walk)
        if outcome.failure is not None and outcome.failure["kind"] != "race":
            sys.exit(str(outcome.failure))
        steps += outcome.steps
    executions += 8
took = process_time() - begun
print(executions / took, 1e6 * took / steps)
