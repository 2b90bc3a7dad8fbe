"""`ours.py NAME SECONDS [PROCESSES]`: executions a second of weft under a random walk; whatever is found.

A second is one of the processor's: so the figures hold on a machine that has other work too. With a number of
processes it is one by the clock, and they are counted together.
"""

import sys
from time import monotonic, process_time  # the program gets others

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
processes = int(sys.argv[3]) if len(sys.argv) > 3 else 0
clock = monotonic if processes else process_time


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


def search(number: int) -> tuple[int, int, float]:
    """Executions, steps and seconds of one process."""
    walk = Walk(Stream(1 + number), (0.0,))
    begun = clock()
    executions = steps = 0
    while clock() - begun < seconds:
        for _ in range(8):
            outcome = executor.run(walk)
            if outcome.failure is not None and outcome.failure["kind"] != "race":
                sys.exit(str(outcome.failure))
            steps += outcome.steps
        executions += 8
    return executions, steps, clock() - begun


def together(parts: int) -> tuple[int, int, float]:
    """The same of so many processes at a time."""
    begun = clock()
    reader, writer = os.pipe()
    for number in range(parts):
        if os.fork() == 0:
            executions, steps, _ = search(number)
            os.write(writer, b"%d %d\n" % (executions, steps))
            os._exit(0)
    os.close(writer)
    if any(os.wait()[1] for _ in range(parts)):
        sys.exit("a process has failed")
    took = clock() - begun
    with open(reader) as told:
        counts = [tuple(map(int, line.split())) for line in told]
    return sum(count for count, _ in counts), sum(steps for _, steps in counts), took


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
executions, steps, took = together(processes) if processes else search(0)
print(executions / took, 1e6 * took / steps)
