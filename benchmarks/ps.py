"""How long `weft ps` takes with very many threads, how long it stops the program, and its cost at the start.

    python benchmarks/ps.py [--threads 100000] [--model user] [--rounds 3]

A program has that many parked threads and a main thread that looks all the time at how much processor time
its process has had. The most between two of its looks is how long it was stopped for a listing: one thread of
the program runs at a time, and what else the machine does meanwhile does not count. So it is with the time of
a listing: it is how much processor time the program had from the question to the answer, its main thread's
part included. What it took by the clock is told, too. The start is CPU time of `weft run -c pass` with and
without `--no-ps`, in turn.
"""

import argparse
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from typing import Any

from weft.cli.ps import Connection

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from keep import add_option, keep

QUESTIONS = {
    "grouped": "weft-ps list",
    "with stacks": "weft-ps list stacks=1",
    "with times": "weft-ps list time=1",
    "each thread": "weft-ps list each=all",
}

PROGRAM = """
import sys, threading, time
count = int(sys.argv[1])
go = threading.Event()
def work():
    go.wait()
for number in range(count):
    threading.Thread(target=work, daemon=True).start()
time.sleep(0.1)
while threading.active_count() <= count:
    time.sleep(0.01)
print("ready", flush=True)
import os, select
os.set_blocking(0, False)
longest, last = 0.0, time.process_time()
looks = 0
while True:
    now = time.process_time()
    if now - last > longest:
        longest = now - last
    last = now
    looks += 1
    if looks % 20000 == 0:
        try:
            line = sys.stdin.buffer.raw.read(10)
        except BlockingIOError:
            line = None
        if line:
            print(longest * 1000, flush=True)
            longest, last = 0.0, time.process_time()
        elif line == b"":
            break
"""


def weft(*args: str, **options: Any) -> Any:
    return subprocess.run([sys.executable, "-m", "weft", *args], capture_output=True, text=True, **options)


def listings(threads: int, model: str, rounds: int) -> dict[str, Any]:
    """Times of listings, and the longest stops meanwhile and without, all rounds."""
    command = [sys.executable, "-m", "weft", "run", "--model", model, "-c", PROGRAM, str(threads)]
    figures: dict[str, Any] = {}
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as program:
        assert program.stdin is not None
        assert program.stdout is not None

        def stopped() -> float:
            program.stdin.write("?")
            program.stdin.flush()
            return float(program.stdout.readline())

        assert program.stdout.readline() == "ready\n"
        stopped()
        for name, question in QUESTIONS.items():
            clock, seconds, stops, idle = [], [], [], []
            for _ in range(rounds):
                connection = Connection(program.pid, 60.0)
                begun, before = time.perf_counter(), cpu_of(program.pid)
                told = connection.ask(question)
                seconds.append(cpu_of(program.pid) - before)
                clock.append(time.perf_counter() - begun)
                connection.close()
                assert told["threads"] == sum(group["count"] for group in told["groups"]) == threads + 1
                stops.append(stopped())
                time.sleep(min(1.0, clock[-1]))
                idle.append(stopped())
            figures[name] = {"cpu_s": seconds, "clock_s": clock, "stopped_ms": stops, "without_ms": idle}
        program.stdin.close()
        program.wait(60)
    return figures


def cpu_of(pid: int) -> float:
    """Nanoseconds that the system has run each kernel thread of a process, as seconds."""
    total = 0
    for task in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{task}/schedstat") as file:
            total += int(file.read().split()[0])
    return total / 1e9


def cpu_of_weft(*args: str) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = weft(*args)
    assert done.returncode == 0, done.stderr
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def start(rounds: int) -> dict[str, Any]:
    """Seconds of CPU of an empty program, with the server and without."""
    with_it, without = [], []
    weft("run", "-c", "pass")
    for _ in range(rounds):
        with_it.append(cpu_of_weft("run", "-c", "pass"))
        without.append(cpu_of_weft("run", "--no-ps", "-c", "pass"))
    return {"with_s": with_it, "without_s": without}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--threads", type=int, default=100_000)
    parser.add_argument("--model", default="user")
    parser.add_argument("--rounds", type=int, default=3)
    add_option(parser)
    args = parser.parse_args()
    os.environ.pop("WEFT_PS", None)
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # files are compiled once, as where weft is installed
    os.environ["PYTHONPYCACHEPREFIX"] = tempfile.mkdtemp(prefix="weft-bench-")
    try:
        show(args)
    finally:
        shutil.rmtree(os.environ["PYTHONPYCACHEPREFIX"])


def show(args: argparse.Namespace) -> None:
    found = {"threads": args.threads, "listings": listings(args.threads, args.model, args.rounds)}
    for name, listed in found["listings"].items():
        middle = {unit: statistics.median(listed[unit]) for unit in ("cpu_s", "clock_s")}
        print(f"{name:12} {middle['cpu_s']:.3f} s of CPU, {middle['clock_s']:.3f} s by the clock; ", end="")
        print(
            f"stopped {max(listed['stopped_ms']):.1f} ms, {max(listed['without_ms']):.1f} without", flush=True
        )
    found["start"] = both = start(args.rounds * 7)
    pairs = zip(both["with_s"], both["without_s"], strict=True)
    ratio = statistics.median(a / b for a, b in pairs)
    print(f"start        {statistics.median(both['with_s']):.3f} s of CPU, {ratio:.3f} times that without")
    keep(args.json, found)


if __name__ == "__main__":
    main()
