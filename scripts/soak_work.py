"""The program that `soak.py` runs: mixed threaded work whose every item, wake and count is accounted for.

Each station (`soak_stations.py`) has a thread that does rounds of it until the time is over. The
*pipeline* and the *pool* live for the whole run and are settled at its end. The main thread prints a line
of JSON at each interval: who has done how much, and what is alive.
"""

import gc
import json
import os
import queue
import random
import sys
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

from soak_stations import END, EXPECTED, STATIONS, count_hooked, faults, outcomes, risky, same

over = threading.Event()  # no further rounds


# -- what lives for the whole run ---------------------------------------------------------------------


class Pipeline:
    """Two producers, a Queue(10), three workers, an unbounded queue, one collector, from start to end."""

    def __init__(self) -> None:
        self.raw: queue.Queue[int] = queue.Queue(10)
        self.done: queue.Queue[int] = queue.Queue()
        self.sent = [0, 0]
        self.sum_sent = [0, 0]
        self.got = self.sum_got = 0
        jobs = [lambda: self.produce(0), lambda: self.produce(1), self.collect, *[self.work] * 3]
        self.threads = [threading.Thread(target=job, name="pipeline") for job in jobs]
        for thread in self.threads:
            thread.start()

    def produce(self, which: int) -> None:
        number = which
        while not over.is_set():
            for _ in range(20):
                self.raw.put(number)
                self.sent[which] += 1
                self.sum_sent[which] += number
                number += 2
            time.sleep(0.002)

    def work(self) -> None:
        while (item := self.raw.get()) != END:
            self.done.put(item)

    def collect(self) -> None:
        while (item := self.done.get()) != END:
            self.got += 1
            self.sum_got += item

    def settle(self) -> None:
        producers, collector, workers = self.threads[:2], self.threads[2], self.threads[3:]
        for thread in producers:
            thread.join()
        for _ in workers:
            self.raw.put(END)
        for thread in workers:
            thread.join()
        self.done.put(END)
        collector.join()
        same("through the pipeline", (self.got, self.sum_got), (sum(self.sent), sum(self.sum_sent)))


class Pool:
    """One pool that a thread feeds for the whole run."""

    def __init__(self) -> None:
        self.pool = ThreadPoolExecutor(4)
        self.count = 0
        self.thread = threading.Thread(target=self.feed, name="long pool")
        self.thread.start()

    def feed(self) -> None:
        while not over.is_set():
            futures = [self.pool.submit(risky, i) for i in range(50)]
            try:
                same("the long pool's results", outcomes(futures), EXPECTED)
            except BaseException as error:  # noqa: BLE001 - a fault, whatever it is
                faults.append(f"long pool: {error!r}")
                return
            self.count += 50
            time.sleep(0.002)

    def settle(self) -> None:
        self.thread.join()
        self.pool.shutdown()


# -- the run ------------------------------------------------------------------------------------------


def keep_at_it(name: str, seed: int, progress: Counter[str]) -> None:
    rng = random.Random(f"{seed} {name}")
    try:
        while not over.is_set() and not faults:
            progress[name] += STATIONS[name](rng)
            time.sleep(0.001)
    except BaseException as error:  # noqa: BLE001 - a fault, whatever it is
        faults.append(f"{name}: {type(error).__name__}: {error}")


def alive() -> dict[str, int]:
    """How many of each are there; the runtime's own numbers only where there is one."""
    counts = {"threads": threading.active_count()}
    runtime = sys.modules.get("weft.runtime")
    if runtime is not None:
        model = runtime.runtime().model
        counts["blocks"] = len(model.blocks())
        loop = getattr(model, "loop", None)
        if loop is not None:
            counts["spares"] = len(loop.spares)
            counts["timers"] = len(loop.timers.heap)
        preemption = getattr(model, "preemption", None)
        if preemption is not None:
            counts["preemptions"] = preemption.switches
    return counts


def main(seconds: float, interval: float, seed: int) -> int:
    threading.excepthook = count_hooked
    progress: Counter[str] = Counter(dict.fromkeys(STATIONS, 0))
    end = time.monotonic() + seconds
    pipeline, pool = Pipeline(), Pool()
    keepers = {
        name: threading.Thread(target=keep_at_it, args=(name, seed, progress), name=name) for name in STATIONS
    }
    for keeper in keepers.values():
        keeper.start()

    def report(phase: str) -> None:
        done = {**progress, "pipeline": pipeline.got, "long pool": pool.count}
        busy = [name for name, keeper in keepers.items() if keeper.is_alive()]
        if phase == "works":
            busy += ["pipeline", "long pool"]
        print(json.dumps({"phase": phase, "done": done, "busy": busy, "alive": alive()}), flush=True)

    while time.monotonic() < end and not faults:
        report("works")
        time.sleep(min(interval, max(0.0, end - time.monotonic())))
    over.set()
    for keeper in keepers.values():
        while keeper.is_alive():
            keeper.join(interval)
            report("ends")
            if faults:
                return verdict()
    if not faults:
        try:
            pipeline.settle()
            pool.settle()
            same("threads left", [t.name for t in threading.enumerate()], ["MainThread"])
        except AssertionError as error:
            faults.append(str(error))
    gc.collect()
    report("ended")
    return verdict()


def verdict() -> int:
    for fault in faults:
        print(json.dumps({"fault": fault}), flush=True)
    return 1 if faults else 0


if __name__ == "__main__":
    code = main(float(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3]))
    if code:
        os._exit(code)  # threads that wait for ever must not hold up the verdict
