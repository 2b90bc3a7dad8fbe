"""Row 20: lock against join.

A hundred threads take one each from 100, and each needs half a second for it. Three ways to run them:

    unlocked   all at once: half a second, and wrong (about 0.52 s)
    locked     3 s that need no lock, then the half second under one: right (about 53.3 s)
    joined     the same 3.5 s, each thread joined before the next one starts: right (about 350.7 s)

A lock makes threads wait for each other where they must, a join everywhere. Prints the time and what is
left for each way. All three take nearly seven minutes; `--way` takes one, and `--scale 0.02` is fifty
times as fast.
"""

import argparse
import contextlib
import threading
import time

COUNT = 100
FREE, CRITICAL = 3.0, 0.5  # seconds
WAYS = ("unlocked", "locked", "joined")


class Account:
    """Something with a balance that takes its time to update."""

    def __init__(self, scale: float) -> None:
        self.scale = scale
        self.balance = COUNT

    def take_one(self, free: float, guard: "contextlib.AbstractContextManager[object]") -> None:
        time.sleep(free * self.scale)
        with guard:
            balance = self.balance
            time.sleep(CRITICAL * self.scale)
            self.balance = balance - 1


def run(way: str, account: Account) -> None:
    guard = threading.Lock() if way == "locked" else contextlib.nullcontext()
    free = 0.0 if way == "unlocked" else FREE
    threads = [threading.Thread(target=account.take_one, args=(free, guard)) for _ in range(COUNT)]
    for thread in threads:
        thread.start()
        if way == "joined":
            thread.join()
    for thread in threads:
        thread.join()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--scale", type=float, default=1.0, help="factor on all times")
    parser.add_argument("--way", choices=WAYS, help="this one alone")
    options = parser.parse_args()

    for way in [options.way] if options.way else WAYS:
        account = Account(options.scale)
        begin = time.monotonic()
        run(way, account)
        elapsed = time.monotonic() - begin
        verdict = "right" if account.balance == 0 else "wrong"
        print(f"{way:<9}{elapsed:>8.2f} s   {account.balance:>3} left   {verdict}", flush=True)


if __name__ == "__main__":
    main()
