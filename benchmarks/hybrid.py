"""What several carriers cost and give, beside the user model and kernel threads; a child for each figure.

    python benchmarks/hybrid.py [--rounds 5] [--carriers 2]

Children of the two that are compared run in turn, round by round, and the median of the ratios counts:
what else the machine does then meets both.
"""

import argparse
import json
import os
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from keep import add_option, keep

TURNS = 10_000  # of a ping-pong
LOOPS = 50_000  # of an uncontended operation
STRETCH = 0.4  # seconds that throughput is measured for


def model() -> Any:
    import weft.runtime

    return weft.runtime.runtime().model


def started(*jobs: Callable[[], object], where: Any = None) -> None:
    """The jobs in a thread each, placed on the carriers in `where` in turn, to their end."""
    import threading

    if where is not None:
        places = iter(where)
        model()._place = lambda: next(places)
        for loop in model().loops:
            loop.steal = None  # they are to stay there
    threads = [threading.Thread(target=job) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def ping_pong() -> tuple[Callable[[], None], Callable[[], None]]:
    import threading

    one, two = threading.Lock(), threading.Lock()
    one.acquire()
    two.acquire()

    def ping() -> None:
        for _ in range(TURNS):
            one.release()
            two.acquire()

    def pong() -> None:
        for _ in range(TURNS):
            one.acquire()
            two.release()

    return ping, pong


def switch(which: str) -> dict[str, float]:
    """A wake and a switch between two threads of one carrier, CPU time."""
    where = [model().loop] * 2 if which == "hybrid" else None
    started(int)
    begun = time.process_time()
    started(*ping_pong(), where=where)
    return {"a switch within a carrier, µs": (time.process_time() - begun) / (2 * TURNS) * 1e6}


def across(which: str) -> dict[str, float]:
    """A wake from one carrier to another, against a byte through a pipe between two kernel threads."""
    import threading

    name = "a wake across carriers, µs"
    if which == "hybrid":
        started(int)
        jobs, where = ping_pong(), model().loops[:2]
    else:
        near, far = os.pipe(), os.pipe()

        def ping() -> None:
            for _ in range(TURNS):
                os.write(near[1], b"x")
                os.read(far[0], 1)

        def pong() -> None:
            for _ in range(TURNS):
                os.read(near[0], 1)
                os.write(far[1], b"x")

        jobs, where = (ping, pong), None
    assert threading.active_count() == 1
    begun = time.perf_counter()
    started(*jobs, where=where)
    return {name: (time.perf_counter() - begun) / (2 * TURNS) * 1e6}


def uncontended(which: str) -> dict[str, float]:
    """Operations that wait for nobody, CPU time, ns."""
    import queue
    import threading

    started(int)
    if which == "hybrid":
        loop = model().loop
        model()._place = lambda: loop
    free = threading.Event()
    free.set()
    direct: Any = queue.Queue()
    found = {}
    for name, cost in (
        ("Lock", both(threading.Lock())),
        ("RLock", both(threading.RLock())),
        ("Semaphore", both(threading.Semaphore())),
        ("Event.wait", free.wait),
        ("Queue put, get", lambda: (direct.put(1), direct.get())),
        ("Thread start, join", lambda: started(int)),
    ):
        rounds = LOOPS // 20 if name.startswith("Thread") else LOOPS
        best = float("inf")
        for _ in range(3):
            begun = time.process_time()
            for _ in range(rounds):
                cost()
            best = min(best, (time.process_time() - begun) / rounds * 1e9)
        found[f"{name}, ns"] = best
    return found


def both(lock: Any) -> Callable[[], None]:
    def use() -> None:
        with lock:
            pass

    return use


def stuck(which: str) -> dict[str, float]:
    """Work done a second on one carrier, beside one that is free or sits in C with threads behind it."""
    import threading

    from weft.host import clock

    started(int)
    done, over = [0], threading.Event()

    def work() -> None:
        total = 0
        while not over.is_set():
            for number in range(200):
                total += number
            done[0] += 1

    main, other = model().loops[:2]
    model()._place = lambda: main
    workers = [threading.Thread(target=work) for _ in range(4)]
    for worker in workers:
        worker.start()
    if which == "stuck":
        model()._place = lambda: other
        threading.Thread(target=lambda: clock.sleep(3 * STRETCH), daemon=True).start()
        threading.Thread(target=int).start()  # stands behind it, until another carrier takes it
    time.sleep(STRETCH / 4)
    before, begun = done[0], time.perf_counter()
    time.sleep(STRETCH)
    rate = (done[0] - before) / (time.perf_counter() - begun)
    over.set()
    return {"rounds of work a second": rate}


FIGURES: dict[str, tuple[Callable[[str], dict[str, float]], str, str]] = {
    "switch": (switch, "user", "hybrid"),
    "across": (across, "plain", "hybrid"),
    "uncontended": (uncontended, "user", "hybrid"),
    "stuck": (stuck, "free", "stuck"),
}


def child(name: str, which: str, carriers: int) -> None:
    if which != "plain":
        import weft

        if which == "user":
            weft.install("user", blocked_limit=0)
        else:
            weft.install("hybrid", blocked_limit=0, carriers=carriers)
    print(json.dumps(FIGURES[name][0](which)), flush=True)
    os._exit(0)


def measure(name: str, which: str, carriers: int) -> dict[str, float]:
    import subprocess  # it leads to threading, which children of weft must not have yet

    command = [sys.executable, __file__, "--child", name, which, "--carriers", str(carriers)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    found: dict[str, float] = json.loads(done.stdout)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--carriers", type=int, default=2)
    add_option(parser)
    parser.add_argument("--child", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        child(*options.child, options.carriers)
    print("| figure | against | that | this | ratio |\n| --- | --- | --- | --- | --- |")
    found: dict[str, Any] = {}
    for name, (_, that, this) in FIGURES.items():
        pairs = [
            (measure(name, that, options.carriers), measure(name, this, options.carriers))
            for _ in range(options.rounds)
        ]
        for figure in pairs[0][0]:
            ratio = statistics.median(b[figure] / a[figure] for a, b in pairs)
            sides = [[pair[side][figure] for pair in pairs] for side in (0, 1)]
            found[figure] = {"against": that, "that": sides[0], "this": sides[1]}
            a, b = map(statistics.median, sides)
            print(f"| {figure} | {that} | {a:,.2f} | {b:,.2f} | {ratio:.2f} |", flush=True)
    keep(options.json, found)


if __name__ == "__main__":
    main()
