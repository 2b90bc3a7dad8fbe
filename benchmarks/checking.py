#!/usr/bin/env python3
"""How fast the checker runs executions, and whether that holds as a search grows.

    python -P benchmarks/checking.py [--executions 20000] [name ...]     seconds; 100000 takes about a minute

For each program: executions a second in the first and the last tenth, microseconds a step, and how much
memory the process has gained between them. A step is one scheduling point; a walk switches at most of them.

`points` is no program: two threads that announce 10,000 operations in turn, on nothing, so that each step is
one scheduling point with its switch and no more.
"""

import os
import sys
import time

CPU_TIME = time.process_time  # a program that is checked gets a virtual one

if sys.flags.hash_randomization:
    os.execve(sys.executable, [sys.executable, *sys.orig_argv[1:]], {**os.environ, "PYTHONHASHSEED": "0"})

from weft.check import supply  # noqa: E402

supply.install()

sys.path.append(os.path.dirname(os.path.abspath(__file__)))
import argparse  # noqa: E402 - what it leads to is to find the checker's modules
import gc  # noqa: E402
import tempfile  # noqa: E402
from typing import Any  # noqa: E402

from keep import add_option, keep  # noqa: E402

from weft.check.execution import Executor  # noqa: E402
from weft.check.program import Script  # noqa: E402
from weft.check.state import Snapshot, modules_with_state  # noqa: E402
from weft.check.strategies.walk import Walk  # noqa: E402
from weft.check.world import MODEL  # noqa: E402
from weft.host.children import fork_child  # noqa: E402
from weft.host.entropy import Stream  # noqa: E402

PROGRAMS = {
    "long": """
import threading
count = [0]
def work():
    for _ in range(300):
        count[0]
threads = [threading.Thread(target=work) for _ in range(2)]
for t in threads: t.start()
for t in threads: t.join()
""",
    "counter": """
import threading
count = [0]
def work():
    t = count[0]
    count[0] = t + 1
threads = [threading.Thread(target=work) for _ in range(2)]
for t in threads: t.start()
for t in threads: t.join()
""",
    "locks": """
import threading
lock, count = threading.Lock(), [0]
def work():
    for _ in range(3):
        with lock:
            count[0] += 1
threads = [threading.Thread(target=work) for _ in range(4)]
for t in threads: t.start()
for t in threads: t.join()
""",
    "queue": """
import queue, threading
jobs, done = queue.Queue(2), []
def work():
    while (job := jobs.get()) is not None:
        done.append(job)
threads = [threading.Thread(target=work) for _ in range(2)]
for t in threads: t.start()
for n in (*range(6), None, None): jobs.put(n)
for t in threads: t.join()
""",
}


POINTS = "points"
EACH = 5_000  # operations of each of its threads


def resident() -> float:
    """Memory of this process in MB."""
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


def measure(path: str, executions: int) -> dict[str, Any]:
    """Executions a second in each tenth, microseconds a step, MB after each tenth."""
    program = Script(path, [])
    program.prepare()
    executor, walk = Executor(program), Walk(Stream(1), (0.0,))
    executor.run(walk)
    executor.snapshot = Snapshot(modules_with_state())
    gc.collect()
    gc.freeze()
    gc.disable()
    tenth = executions // 10
    rates, steps, memory = [], 0, []
    for _ in range(10):
        begun = CPU_TIME()
        for _ in range(tenth):
            steps += executor.run(walk).steps
        rates.append(tenth / (CPU_TIME() - begun))
        memory.append(resident())
    spent = sum(tenth / rate for rate in rates)
    return {"rates": rates, "step_us": spent / steps * 1e6, "memory_mb": memory}


class _Alternately:
    """A chooser that always switches."""

    def pick(self, enabled: list[Any], me: Any) -> Any:
        return enabled[1] if me is enabled[0] else enabled[0]


def measure_points(executions: int) -> dict[str, Any]:
    """The same of points alone."""

    def work(_: Any) -> None:
        point = MODEL.point
        for _ in range(EACH):
            point("write", None)

    def body() -> None:
        for _ in range(2):
            MODEL.start(work, False)

    gc.collect()
    gc.freeze()
    gc.disable()
    rates, memory, steps = [], [], 0
    tenth = max(1, executions // 10)
    for _ in range(10):
        begun = CPU_TIME()
        for _ in range(tenth):
            MODEL.execute(body, _Alternately(), 10 * EACH)
            steps += MODEL.steps
        rates.append(tenth / (CPU_TIME() - begun))
        memory.append(resident())
    spent = sum(tenth / rate for rate in rates)
    return {"rates": rates, "step_us": spent / steps * 1e6, "memory_mb": memory}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--executions", type=int, default=20_000)
    parser.add_argument("names", nargs="*", metavar="name", help=f"of {', '.join([*PROGRAMS, POINTS])} (all)")
    add_option(parser)
    options = parser.parse_args()
    found: dict[str, Any] = {}
    print(f"{'':10}{'first/s':>10}{'last/s':>10}{'us a step':>12}{'MB gained':>12}")
    for name in options.names or (*PROGRAMS, POINTS):
        with tempfile.NamedTemporaryFile("w", suffix=".py") as file:
            file.write(PROGRAMS.get(name, ""))
            file.flush()
            child = fork_child(
                lambda send, path=file.name, name=name: send(
                    measure_points(options.executions // 100)
                    if name == POINTS
                    else measure(path, options.executions)
                )
            )
            found[name] = one = child.receive(3600.0)
            child.end()
        rates, gained = one["rates"], one["memory_mb"][-1] - one["memory_mb"][0]
        print(
            f"{name:10}{rates[0]:>10,.0f}{rates[-1]:>10,.0f}{one['step_us']:>12.2f}{gained:>12.2f}",
            flush=True,
        )
    keep(options.json, found)


if __name__ == "__main__":
    main()
