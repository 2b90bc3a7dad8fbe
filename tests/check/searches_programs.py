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
    """Fails if one thread runs between two pairs of steps of the other, and not otherwise."""
    seen = []
    state = {"at": 0}

    def one():
        for number in range(1, 7):
            state["at"] = number

    def other():
        while len(seen) < 3:
            seen.append(state["at"])

    run(one, other)
    assert seen != [2, 3, 6]


def ring():
    """A deadlock of three threads and three locks, of which one is taken at the end of its work only."""
    locks = [threading.Lock() for _ in range(3)]
    state = {"at": 0}

    def work(number):
        def body():
            for _ in range(2):
                with locks[number]:
                    state["at"] = number
            with locks[number]:
                state["last"] = number
                if state["at"] != number:
                    with locks[(number + 1) % 3]:
                        state["at"] = number

        return body

    run(work(0), work(1), work(2))


def tried():
    """A lock that is tried only where another thread has come first; then letting it go is a point, too."""
    lock = threading.Lock()
    state = {"at": 0, "missed": 0}

    def one():
        for _ in range(4):
            with lock:
                state["at"] = state["at"] + 1

    def other():
        for wanted in (2, 3):
            if state["at"] == wanted:
                if lock.acquire(blocking=False):
                    lock.release()
                else:
                    state["missed"] += 1

    run(one, other)
    assert state["missed"] < 2


def timed():
    """A timeout that is over when two of three steps are done that come after what is waited for."""
    ready = threading.Event()
    state = {"at": 0}

    def one():
        time.sleep(0.05)
        for number in range(1, 4):
            state["at"] = number
        ready.set()

    def other():
        first = ready.wait(0.05)
        at = state["at"]
        second = ready.is_set()
        assert first or at != 2 or not second

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
    """Three threads that read and write one variable, and nothing fails: 36 orders differ."""
    state = {"at": 0}

    def work(number):
        def body():
            state[number] = state["at"]
            state["at"] = number

        return body

    run(work(1), work(2), work(3))


def four():
    """Four threads that read and write one variable, and nothing fails: 576 orders differ."""
    state = {"at": 0}

    def work():
        look = state["at"]
        state["at"] = 1
        return look

    run(work, work, work, work)
