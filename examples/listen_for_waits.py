"""A recorder of one's own: how long each thread waited, and what for.

weft calls a listener for each thing that happens to a thread. This one notes when a thread parks and when
it runs again. Run it with `weft run --model user examples/listen_for_waits.py`, or on another model.
"""

import queue
import threading
import time
from collections import Counter

import weft

parked = {}  # by thread: when, and why
waited = Counter()  # seconds, by the name of the thread and the reason


def note(kind, thread, by):
    if kind is weft.Kind.PARKED:
        parked[thread] = time.monotonic(), thread.wait.reason.name if thread.wait else "OTHER"
    elif kind is weft.Kind.RUNNING and thread in parked:
        since, reason = parked.pop(thread)
        waited[thread.name, reason] += time.monotonic() - since


def make(items):
    for number in range(5):
        time.sleep(0.01)
        items.put(number)


def take(items):
    for _ in range(5):
        items.get()


def main():
    items = queue.Queue()
    threads = [
        threading.Thread(target=make, args=(items,), name="maker"),
        threading.Thread(target=take, args=(items,), name="taker"),
    ]
    with weft.listen(note):
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    for (name, reason), seconds in sorted(waited.items()):
        print(f"{name:<10} {reason:<10} {seconds * 1000:5.0f} ms")


if __name__ == "__main__":
    main()
