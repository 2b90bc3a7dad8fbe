"""Exhaustive search visits each class of executions once: known numbers, and numbers by brute force."""

from itertools import permutations
from pathlib import Path

import pytest

from tests.check.programs import asked, write

LOCKED = """
    import sys, threading
    n, k = map(int, sys.argv[1:])
    lock = threading.Lock()

    def work():
        for _ in range(k):
            with lock:
                pass

    threads = [threading.Thread(target=work) for _ in range(n)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
"""
UNLOCKED = LOCKED.replace("with lock:\n                pass", "count[0] += 1").replace(
    "lock = threading.Lock()", "count = [0]"
)


def counted(folder: Path, program: str, *args: int) -> tuple[int, int, str]:
    """Executions that ran to their end, those given up as known, whether the search says it is complete."""
    path = write(folder, program)
    ran, pruned, complete, *_ = asked("counting", path, *args).split()
    return int(ran), int(pruned), complete


def classes(n: int, k: int) -> int:
    """Executions of n threads with k increments, a read and a write each, that matter differently."""
    steps = sorted([*range(n)] * 2 * k)
    seen = set()
    for order in set(permutations(steps)):
        at = [0] * n
        events = []
        for thread in order:
            events.append((thread, at[thread]))
            at[thread] += 1
        seen.add(
            frozenset(
                (one, other)
                for place, one in enumerate(events)
                for other in events[place + 1 :]
                if one[0] != other[0] and (one[1] % 2 or other[1] % 2)
            )
        )
    return len(seen)


@pytest.mark.parametrize(("n", "k", "orders"), [(2, 1, 2), (2, 3, 20), (3, 1, 6), (3, 2, 90)])
def test_locked_steps(tmp_path: Path, n: int, k: int, orders: int) -> None:
    assert counted(tmp_path, LOCKED, n, k) == (orders, 0, "True")


@pytest.mark.parametrize(("n", "k", "orders"), [(2, 1, 4), (3, 1, 36), (4, 1, 576), (2, 2, 34), (2, 3, 328)])
def test_unlocked_increments(tmp_path: Path, n: int, k: int, orders: int) -> None:
    assert counted(tmp_path, UNLOCKED, n, k) == (orders, 0, "True")


@pytest.mark.parametrize(("n", "k", "orders"), [(2, 1, 4), (3, 1, 36), (2, 2, 34)])
def test_the_known_numbers_are_those_of_brute_force(n: int, k: int, orders: int) -> None:
    assert classes(n, k) == orders
