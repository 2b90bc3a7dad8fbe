"""Row 2: what starting costs.

Starts and joins 100 threads, and 100 processes, of one trivial function. Threads are timed once on
every model: the program runs itself again under `weft run --model ...` for each.

Prints a table, one line a model and one for processes: time in all, time for each, and how many times
the cheapest it is.
"""

import argparse
import multiprocessing
import subprocess
import sys
import threading
import time

COUNT = 100
ROUNDS = 5
MODELS = ("kernel", "user", "hybrid", "process")


def trivial() -> None:
    pass


def start_and_join(kind: type) -> float:
    """Seconds for COUNT workers of this kind, started and joined."""
    begin = time.perf_counter()
    workers = [kind(target=trivial) for _ in range(COUNT)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return time.perf_counter() - begin


def time_threads_on(model: str) -> float:
    """The best round of threads, measured in an interpreter that runs this model."""
    command = [sys.executable, "-m", "weft", "run", "--model", model, __file__, "--threads-only"]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--threads-only", action="store_true", help="print the seconds for threads, here")
    if parser.parse_args().threads_only:
        print(min(start_and_join(threading.Thread) for _ in range(ROUNDS)))
        return

    seconds = {f"{model} threads": time_threads_on(model) for model in MODELS}
    seconds["processes"] = start_and_join(multiprocessing.Process)

    cheapest = min(seconds.values())
    print(f"{COUNT} workers of one trivial function, started and joined")
    print(f"{'':<16}{'in all':>12}{'each':>12}{'ratio':>9}")
    for kind, total in seconds.items():
        in_all, each = f"{total * 1e3:.2f} ms", f"{total / COUNT * 1e6:.1f} µs"
        print(f"{kind:<16}{in_all:>12}{each:>12}{total / cheapest:>8.1f}x")


if __name__ == "__main__":
    main()
