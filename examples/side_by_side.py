"""Index every call in Python's own standard library, with 2,000 threads.

An ordinary program: it imports the standard library and nothing else, and prints the same answer however its
threads are carried. 1,600 *readers* take source files from one queue and find the names that are called or
defined there; 400 *owners* each keep one part of the index and take what they are sent from a bounded queue.
A lock guards the totals, a semaphore limits the files open at once, an event starts all together, a timer
stands by in case the work never ends, and a *ticker* that sleeps 10 ms at a time notes how late it wakes.

The answer goes to stdout. What differs from run to run (how late the ticker was) goes to stderr.
"""

import hashlib
import json
import os
import queue
import re
import sys
import threading
import time
import zlib
from collections import Counter

READERS = 1_600
OWNERS = 400
OPEN_FILES = 32
BACKLOG = 4  # batches that may wait for one owner before its senders have to
TICK = 0.010
GIVE_UP = 120.0
CALL = re.compile(r"\b([A-Za-z_]\w*)\(")

# A batch is what one file has for one owner: its path and, for each name, how often it stands there.
Batch = tuple[str, dict[str, int]]
Index = dict[str, dict[str, int]]


class Totals:
    """What all readers add to; a lock, since `+=` on an attribute is a read and a write."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.files = 0
        self.lines = 0
        self.calls = 0

    def add(self, lines: int, calls: int) -> None:
        with self.lock:
            self.files += 1
            self.lines += lines
            self.calls += calls


class Ticker(threading.Thread):
    """Sleeps for one tick at a time and remembers by how much it was woken too late."""

    def __init__(self) -> None:
        super().__init__(name="ticker", daemon=True)
        self.done = threading.Event()
        self.late: list[float] = []

    def run(self) -> None:
        while not self.done.is_set():
            start = time.perf_counter()
            time.sleep(TICK)
            self.late.append(time.perf_counter() - start - TICK)


def sources(root: str) -> list[str]:
    """The library's own modules, sorted; its tests and installed packages are not part of it."""
    left_out = {"test", "tests", "idle_test", "site-packages", "dist-packages", "__pycache__"}
    found = []
    for folder, inner, files in os.walk(root):
        inner[:] = [name for name in inner if name not in left_out]
        found += [os.path.join(folder, name) for name in files if name.endswith(".py")]
    return sorted(found)


def read(
    root: str,
    files: "queue.Queue[str]",
    owners: "list[queue.Queue[Batch | None]]",
    totals: Totals,
    begin: threading.Event,
    may_open: threading.Semaphore,
) -> None:
    """One reader: take a file, find the calls in it, send each owner its share, until no file is left."""
    begin.wait()
    while True:
        try:
            path = files.get_nowait()
        except queue.Empty:
            return
        with may_open, open(path, encoding="utf-8", errors="replace") as source:
            text = source.read()
        counts = Counter(CALL.findall(text))
        shares: dict[int, dict[str, int]] = {}
        for name, count in counts.items():
            shares.setdefault(zlib.crc32(name.encode()) % OWNERS, {})[name] = count
        where = os.path.relpath(path, root)
        for number, share in shares.items():
            owners[number].put((where, share))
        totals.add(text.count("\n"), counts.total())


def own(inbox: "queue.Queue[Batch | None]", part: Index) -> None:
    """One owner: its part of the index is touched by no other thread, so it needs no lock."""
    while (batch := inbox.get()) is not None:
        where, share = batch
        for name, count in share.items():
            part.setdefault(name, {})[where] = count


def build(root: str, totals: Totals) -> Index:
    """Run all the threads and return the whole index.

    All are joined; they are daemons so that an error here ends the program instead of leaving it to wait.
    """
    files: queue.Queue[str] = queue.Queue()
    for path in sources(root):
        files.put(path)
    begin = threading.Event()
    may_open = threading.Semaphore(OPEN_FILES)
    inboxes: list[queue.Queue[Batch | None]] = [queue.Queue(BACKLOG) for _ in range(OWNERS)]
    parts: list[Index] = [{} for _ in range(OWNERS)]

    owners = [
        threading.Thread(target=own, args=pair, name=f"owner-{number}", daemon=True)
        for number, pair in enumerate(zip(inboxes, parts, strict=True))
    ]
    readers = [
        threading.Thread(
            target=read,
            args=(root, files, inboxes, totals, begin, may_open),
            name=f"reader-{number}",
            daemon=True,
        )
        for number in range(READERS)
    ]
    for thread in owners + readers:
        thread.start()
    begin.set()
    for thread in readers:
        thread.join()
    for inbox in inboxes:
        inbox.put(None)
    for thread in owners:
        thread.join()
    return {name: places for part in parts for name, places in part.items()}


def show(index: Index, totals: Totals) -> None:
    """Print the answer: totals, a digest of the whole index, and a few questions put to it."""
    whole = json.dumps(index, sort_keys=True).encode()
    print(f"{totals.files:,} files, {totals.lines:,} lines, {totals.calls:,} calls of {len(index):,} names")
    print(f"the whole index: sha256 {hashlib.sha256(whole).hexdigest()[:16]}")
    print("called in the most files:")
    for name in sorted(index, key=lambda name: (-len(index[name]), name))[:8]:
        print(f"  {name:<12} in {len(index[name]):3,} files, {sum(index[name].values()):5,} times")
    print("where the library itself uses threads:")
    for name in ("Thread", "Lock", "acquire", "notify", "sleep"):
        places = index.get(name, {})
        best = sorted(places, key=lambda where: (-places[where], where))[:3]
        listed = ", ".join(f"{where} {places[where]}" for where in best)
        print(f"  {name:<12} in {len(places):3,} files: {listed}")


def give_up() -> None:
    print(f"no answer after {GIVE_UP:.0f} s", file=sys.stderr, flush=True)
    os._exit(3)


def main() -> None:
    root = os.path.dirname(os.__file__)
    totals = Totals()
    alarm = threading.Timer(GIVE_UP, give_up)
    alarm.daemon = True
    alarm.start()
    ticker = Ticker()
    ticker.start()
    index = build(root, totals)
    alarm.cancel()
    ticker.done.set()
    ticker.join()
    show(index, totals)
    late = sorted(ticker.late)
    notes = {"ticks": len(late), "late_median": late[len(late) // 2], "late_worst": late[-1]}
    print(json.dumps(notes), file=sys.stderr)


if __name__ == "__main__":
    main()
