"""What recording costs: threads that give way, lock hand-offs and starts, with and without it in turn.

    python benchmarks/tracing.py [--rounds 9]

CPU time of the whole process, the recorder's own kernel thread included. The echo server is in
`benchmarks/tracing_echo.py`.
"""

import argparse
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from typing import Any

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from keep import add_option, keep

SWITCHES = 200_000


def give_way(threads: int) -> None:
    import threading

    def turn() -> None:
        sleep = time.sleep
        for _ in range(SWITCHES // threads):
            sleep(0)

    some = [threading.Thread(target=turn) for _ in range(threads)]
    for thread in some:
        thread.start()
    for thread in some:
        thread.join()


def hand_over() -> None:
    """One lock that is always wanted by the other one: each release hands it over."""
    import threading

    one, two = threading.Lock(), threading.Lock()
    one.acquire()
    two.acquire()

    def ping() -> None:
        for _ in range(SWITCHES // 8):
            one.release()
            two.acquire()

    def pong() -> None:
        for _ in range(SWITCHES // 8):
            one.acquire()
            two.release()

    some = [threading.Thread(target=ping), threading.Thread(target=pong)]
    for thread in some:
        thread.start()
    for thread in some:
        thread.join()


def start_and_join() -> None:
    import threading

    for _ in range(SWITCHES // 50):
        thread = threading.Thread(target=int)
        thread.start()
        thread.join()


WORK: tuple[tuple[str, Callable[[], None], int], ...] = (
    ("a switch, 2 threads that give way", lambda: give_way(2), SWITCHES),
    ("a switch, 100 threads", lambda: give_way(100), SWITCHES),
    ("a switch, 1,000 threads", lambda: give_way(1000), SWITCHES),
    ("a lock handed over, with its switch", hand_over, SWITCHES // 4),
    ("a thread started and joined", start_and_join, SWITCHES // 50),
)


def cpu(work: Callable[[], None]) -> float:
    before = time.process_time()
    work()
    return time.process_time() - before


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=9)
    add_option(parser)
    asked = parser.parse_args()
    rounds = asked.rounds
    found: dict[str, Any] = {}
    import weft

    weft.install("user")
    from weft.tracing import record_into

    print("| what | off, µs | recorded, µs | ratio, median of rounds | least, most |")
    print("| --- | --- | --- | --- | --- |")
    with tempfile.TemporaryDirectory() as folder:
        for name, work, count in WORK:
            work()
            off, on = [], []
            for _ in range(rounds):
                off.append(cpu(work))
                stop = record_into(os.path.join(folder, "spool"))
                before = time.process_time()
                work()
                stop()
                on.append(time.process_time() - before)
            found[name] = {
                kind: [taken / count * 1e6 for taken in times]
                for kind, times in (("off_us", off), ("on_us", on))
            }
            ratios = [b / a for a, b in zip(off, on, strict=True)]
            middles = [statistics.median(times) / count * 1e6 for times in (off, on)]
            ratio = f"{statistics.median(ratios):.2f} | {min(ratios):.2f}, {max(ratios):.2f}"
            print(f"| {name} | {middles[0]:.2f} | {middles[1]:.2f} | {ratio} |", flush=True)
    keep(asked.json, found)


if __name__ == "__main__":
    main()
