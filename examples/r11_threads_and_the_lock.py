"""Row 11: what the interpreter's lock (the GIL) leaves of 1, 2 and 4 threads, on every model.

The same work is split among 1, 2 and 4 threads: Python code, C code that lets go of the lock (hashing of
passwords), and waiting, as for a network. With the lock only one thread runs Python code at a time, so more
of them are no faster; C code that lets go uses the processors there are, on user threads as far as weft
offloads the calls to kernel threads; waiting takes turns with nobody.

Then two threads run Python code under three switch intervals. The interval is how long a kernel thread runs
while another asks for the lock: the work takes as long, and the kernel switches as often as it is told to.
User threads do not ask for it: their turns are weft's slices.

Runs itself again for each model; `--here` measures on the one it was started on. On a free-threaded
interpreter the program says so.
"""

import argparse
import hashlib
import resource
import subprocess
import sys
import threading
import time
from collections.abc import Callable

HASHES = 6_000
ROUNDS = 3
WAIT = 0.005
SHARES = 16  # the work is this many pieces, split evenly


def python_code(pieces: int, size: int) -> None:
    for _ in range(pieces * size * 40_000):
        pass


def c_code_that_lets_go(pieces: int, size: int) -> None:
    for _ in range(pieces * size // 4):
        hashlib.pbkdf2_hmac("sha256", b"password", b"salt", HASHES)


def waiting(pieces: int, size: int) -> None:
    for _ in range(pieces * size // 4):
        time.sleep(WAIT)


def seconds(work: Callable[[int, int], None], count: int, size: int) -> float:
    """How long all the pieces take on this many threads: the best of ROUNDS, the least disturbed."""
    return min(seconds_once(work, count, size) for _ in range(ROUNDS))


def seconds_once(work: Callable[[int, int], None], count: int, size: int) -> float:
    threads = [threading.Thread(target=work, args=(SHARES // count, size)) for _ in range(count)]
    begin = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return time.perf_counter() - begin


def kernel_switches() -> int:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_nvcsw + used.ru_nivcsw


def measure_here(model: str, size: int) -> None:
    for work in (python_code, c_code_that_lets_go, waiting):
        row = [seconds(work, count, size) for count in (1, 2, 4)]
        name = work.__name__.replace("_", " ")
        print(f"{model:<9}{name:<24}" + "".join(f"{taken:>8.3f} s" for taken in row), flush=True)
    default = sys.getswitchinterval()
    for interval in (0.0005, 0.005, 0.05):
        sys.setswitchinterval(interval)
        before = kernel_switches()
        taken = seconds_once(python_code, 2, size)
        switches = kernel_switches() - before
        what = f"interval of {interval * 1e3:g} ms"
        print(f"{model:<9}{what:<24}{'':>10}{taken:>8.3f} s{switches:>8} switches by the kernel", flush=True)
    sys.setswitchinterval(default)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--here", metavar="NAME", help="measure on the model at hand, and call it so")
    parser.add_argument("--size", type=int, default=16, help="how much work there is")
    chosen = parser.parse_args()
    if chosen.here:
        measure_here(chosen.here, chosen.size)
        return
    has_lock = getattr(sys, "_is_gil_enabled", lambda: True)()
    print("one lock for all threads (GIL)" if has_lock else "free-threaded: no lock to ask for")
    print(f"{'model':<9}{'work':<24}{'1 thread':>10}{'2':>10}{'4':>10}", flush=True)
    weft = [sys.executable, "-m", "weft"]
    listed = subprocess.run(
        [*weft, "compare", "--models", "list"], check=True, capture_output=True, text=True
    )
    for model in listed.stdout.split():
        start = [sys.executable] if model == "plain" else [*weft, "run", "--model", model]
        subprocess.run([*start, __file__, "--here", model, "--size", str(chosen.size)], check=True)


if __name__ == "__main__":
    main()
