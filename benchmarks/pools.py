"""What a call by way of a pool costs: UserExecutor beside CPython's ThreadPoolExecutor on kernel threads.

    python benchmarks/pools.py [--rounds 9]

Each pool lives in a process of its own, and the two are asked in turn, so that both meet the same spells of
the machine. `many` submits 10,000 calls of an empty function and then asks for all results, `one` waits for
each before it submits the next, both in CPU µs for each call; `start` is the time in µs to start and join 100
threads. `floor` is the least that a pool written in Python could do: a line of calls that one function makes
when the first result is asked for, with no thread, no waiting and no shutdown. Medians of the rounds, and the
median of the rounds' ratios.
"""

import argparse
import gc
import json
import os
import statistics
import subprocess
import sys
from collections import deque
from time import perf_counter, process_time
from typing import Any

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import goals
from keep import add_option, keep

COUNT = 10_000
WORKERS = 8
PEERS = {  # how each interpreter is started
    "floor": [],
    "threading": [],
    "weft": ["-m", "weft", "run", "--model", "user"],
}


def nothing() -> None:
    pass


class Call:
    """The least that a future can be: a call, its state and its result."""

    def __init__(self, pool: Any, fn: Any, args: Any) -> None:
        self.state = "PENDING"
        self.value = self.error = self.waiting = None
        self.pool = pool
        self.fn = fn
        self.args = args

    def result(self) -> Any:
        if self.state != "FINISHED":
            self.pool.work()
        if self.error is not None:
            raise self.error
        return self.value


class Floor:
    """The least that a pool can be: a line of calls."""

    def __init__(self) -> None:
        self.calls: deque[Call] = deque()
        self.closed = False

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Call:
        call = Call(self, fn, args)
        if self.closed:
            raise RuntimeError
        self.calls.append(call)
        return call

    def work(self) -> None:
        calls = self.calls
        while calls:
            call = calls.popleft()
            call.state = "RUNNING"
            try:
                value = call.fn(*call.args)
            except BaseException as error:
                call.error = error
                continue
            call.fn = call.args = None
            if call.waiting is None:
                call.value = value
                call.state = "FINISHED"

    def shutdown(self) -> None:
        self.closed = True


def many(pool: Any) -> float:
    submit = pool.submit
    then = process_time()
    futures = [submit(nothing) for _ in range(COUNT)]
    for future in futures:
        future.result()
    return (process_time() - then) / COUNT


def one(pool: Any) -> float:
    submit = pool.submit
    then = process_time()
    for _ in range(COUNT // 5):
        submit(nothing).result()
    return (process_time() - then) / (COUNT // 5)


def start_100() -> float:
    import threading  # weft's, by now, or CPython's

    then = perf_counter()
    threads = [threading.Thread(target=nothing) for _ in range(100)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return perf_counter() - then


def serve(kind: str) -> None:
    """Answer each line of standard input with one round's figures."""
    if kind == "weft":
        from weft.futures import executor

        pool = executor("user", max_workers=WORKERS)
    elif kind == "floor":
        pool = Floor()
    else:
        from concurrent.futures import ThreadPoolExecutor

        pool = ThreadPoolExecutor(WORKERS)
    many(pool), one(pool), start_100()
    for _ in sys.stdin:
        gc.collect()
        figures = {"many": many(pool), "one": one(pool), "start": min(start_100() for _ in range(5))}
        print(json.dumps(figures), flush=True)
    pool.shutdown()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--serve", choices=tuple(PEERS))
    add_option(parser)
    asked = parser.parse_args()
    if asked.serve:
        serve(asked.serve)
        return
    peers = {
        kind: subprocess.Popen(
            [sys.executable, *options, os.path.abspath(__file__), "--serve", kind],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for kind, options in PEERS.items()
    }
    rounds: list[dict[str, dict[str, float]]] = []
    for number in range(asked.rounds):
        answers = {}
        for kind in sorted(peers, reverse=bool(number % 2)):
            child = peers[kind]
            assert child.stdin is not None
            assert child.stdout is not None
            child.stdin.write("go\n")
            child.stdin.flush()
            answers[kind] = json.loads(child.stdout.readline())
        rounds.append(answers)
    for child in peers.values():
        child.communicate()
    keep(asked.json, rounds)
    print(f"Python {sys.version.split()[0]}, {asked.rounds} rounds; CPU µs, for 'start' wall µs")
    for bench in ("many", "one", "start"):
        mine, theirs = (statistics.median(r[kind][bench] for r in rounds) for kind in ("weft", "threading"))
        ratio = statistics.median(r["weft"][bench] / r["threading"][bench] for r in rounds)
        goal = f" (goal {goals.POOLS[bench]})" if bench in goals.POOLS else ""
        text = f"{bench:<6} weft {mine * 1e6:8.2f}  threading {theirs * 1e6:8.2f}  ratio {ratio:.3f}{goal}"
        if bench == "many":
            least = statistics.median(r["floor"][bench] for r in rounds)
            share = statistics.median(r["floor"][bench] / r["threading"][bench] for r in rounds)
            text += f"  floor {least * 1e6:.2f}, ratio {share:.3f}"
        print(text)


if __name__ == "__main__":
    main()
