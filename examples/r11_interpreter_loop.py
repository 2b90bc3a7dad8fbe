"""Row 11: the interpreter's loop and its lock (the GIL).

A kernel thread takes the lock, runs Python code, and lets go when it waits, when it yields
(`time.sleep(0)`), or when another has asked for one switch interval. Here an I/O-bound thread wakes
every few milliseconds while a CPU-bound one works. How late it wakes tells how long it had to ask for
the lock.

Prints a table: what the CPU-bound thread does, the switch interval, how late the other one woke at the
median and at worst, and how much work got done. C code that keeps the lock ignores the interval; C code
that lets go of it disturbs nobody. On a free-threaded interpreter there is no such lock, and the
program says so.
"""

import argparse
import hashlib
import statistics
import sys
import threading
import time
from collections.abc import Callable

NAP = 0.005
BUFFER = bytes(20_000_000)


def python_code() -> None:
    for _ in range(100_000):
        pass


def python_code_that_yields() -> None:
    for _ in range(10):
        for _ in range(10_000):
            pass
        time.sleep(0)


def c_code_that_keeps_the_lock() -> None:
    sum(range(2_000_000))


def c_code_that_lets_go() -> None:
    hashlib.sha256(BUFFER).digest()


CASES = [
    (python_code, 0.0005),
    (python_code, 0.005),
    (python_code, 0.05),
    (python_code_that_yields, 0.05),
    (c_code_that_keeps_the_lock, 0.0005),
    (c_code_that_lets_go, 0.0005),
]


def measure(work: Callable[[], None], naps: int) -> tuple[list[float], int]:
    """How late the napping thread woke each time, and how often `work` was done meanwhile."""
    lateness: list[float] = []
    done = 0

    def io_bound() -> None:
        for _ in range(naps):
            begin = time.perf_counter()
            time.sleep(NAP)
            lateness.append(time.perf_counter() - begin - NAP)

    def cpu_bound() -> None:
        nonlocal done
        while napper.is_alive():
            work()
            done += 1

    napper, worker = threading.Thread(target=io_bound), threading.Thread(target=cpu_bound)
    napper.start()
    worker.start()
    napper.join()
    worker.join()
    return lateness, done


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--naps", type=int, default=40, help="how often the I/O-bound thread wakes")
    naps = parser.parse_args().naps

    has_lock = getattr(sys, "_is_gil_enabled", lambda: True)()
    print("one lock for all threads (GIL)" if has_lock else "free-threaded: no lock to ask for")
    print(f"{'the CPU-bound thread runs':<28}{'interval':>10}{'late':>10}{'worst':>10}{'done':>7}")
    default = sys.getswitchinterval()
    for work, interval in CASES:
        sys.setswitchinterval(interval)
        lateness, done = measure(work, naps)
        late, worst = statistics.median(lateness) * 1e3, max(lateness) * 1e3
        name = work.__name__.replace("_", " ")
        print(f"{name:<28}{interval * 1e3:>7.1f} ms{late:>7.1f} ms{worst:>7.1f} ms{done:>7}")
    sys.setswitchinterval(default)


if __name__ == "__main__":
    main()
