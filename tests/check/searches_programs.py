"""Functions to search, most of them wrong where chance seldom comes: what is found must not depend on who
searches.
"""

import threading
import time


def run(*targets):
    threads = [threading.Thread(target=target) for target in targets]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def narrow():
    """Fails if one thread runs between four pairs of steps of the other, and not otherwise."""
    seen = []
    state = {"at": 0}

    def one():
        for number in range(1, 7):
            state["at"] = number

    def other():
        while len(seen) < 5:
            seen.append(state["at"])

    run(one, other)
    assert seen != [1, 2, 4, 5, 6]


def ring():
    """A deadlock of three threads and three locks, each held for some steps."""
    locks = [threading.Lock() for _ in range(3)]
    state = {"at": 0}

    def work(number):
        def body():
            for _ in range(3):
                state["at"] = number
            with locks[number]:
                with locks[(number + 1) % 3]:
                    state["at"] = number

        return body

    run(work(0), work(1), work(2))


def tried():
    """A lock that is tried only where another thread has come first; then letting it go is a point, too."""
    lock = threading.Lock()
    state = {"at": 0, "held": 0, "missed": 0}

    def one():
        for _ in range(4):
            with lock:
                state["at"] += 1
            state["held"] = state["at"]

    def other():
        for _ in range(3):
            if state["held"] == 2 and not lock.acquire(blocking=False):
                state["missed"] += 1
            elif lock.locked() and state["held"] == 2:
                lock.release()
        assert state["missed"] < 2

    run(one, other)


def timed():
    """A timeout that is over just before what it waits for."""
    ready = threading.Event()
    state = {"at": 0}

    def one():
        for number in range(5):
            state["at"] = number
        time.sleep(0.05)
        ready.set()

    def other():
        came = ready.wait(0.05)
        assert came or state["at"] != 4 or not ready.is_set()

    run(one, other)


def twice(threads=3, steps=2):
    """Correct, and a warning: the first use is decided on by a read that may be stale."""
    lock = threading.Lock()
    other_lock = threading.Lock()
    state = {"at": 0}

    def work():
        for _ in range(steps):
            with lock:
                state["at"] += 1

    def in_order():
        with lock:
            with other_lock:
                state["at"] += 1

    run(*[work] * (threads - 1), in_order)
    with other_lock:
        with lock:
            assert state["at"] == (threads - 1) * steps + 1


def unlocked():
    """Three threads that read and write one variable, and nothing fails: 3,600 orders differ."""
    state = {"at": 0}

    def work(number):
        def body():
            state[number] = state["at"]
            state["at"] = number

        return body

    run(work(1), work(2), work(3))
