"""What it costs to start a thread, beside what it costs to start a process."""

import multiprocessing
import threading
import time
from collections.abc import Callable
from typing import Any

COUNT = 10


def trivial() -> None:
    pass


def time_for(kind: Callable[..., Any]) -> float:
    begin = time.perf_counter()
    workers = [kind(target=trivial) for _ in range(COUNT)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return time.perf_counter() - begin


if __name__ == "__main__":
    threads = min(time_for(threading.Thread) for _ in range(3))
    processes = time_for(multiprocessing.Process)
    print("threads are cheaper to start than processes:", threads < processes)
    print("by more than a factor of two:", 2 * threads < processes)
