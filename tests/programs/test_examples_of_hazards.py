"""The examples of what goes wrong among threads and what helps: rows 18 to 27, and their own figures."""

import importlib.util
import math
import re
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.programs.examples import in_time, lines, numbers, start
from tests.support import MODELS


def test_the_race_loses_ninety_nine_updates(model: str) -> None:
    (row,) = lines(start(model, "r18_the_race.py"))
    left = re.fullmatch(r"100 threads took one each from 100: (\d+) left", row)
    assert left
    assert 95 <= int(left[1]) <= 99


def test_the_lock_loses_none(model: str) -> None:
    def elapsed(model: str) -> float:
        (row,) = lines(start(model, "r19_the_lock.py", "--scale", "0.05"))
        found = re.fullmatch(r"100 threads took one each from 100: 0 left, in (\d+\.\d\d) s", row)
        assert found
        assert float(found[1]) >= 0.5
        return float(found[1])

    assert in_time(2, model, elapsed)


def way(model: str, name: str, scale: float, limit: float = 30) -> tuple[float, int, str]:
    (row,) = lines(
        start(model, "r20_lock_against_join.py", "--way", name, "--scale", str(scale), limit=limit)
    )
    found = re.fullmatch(rf"{name} +(\d+\.\d\d) s +(\d+) left   (right|wrong)", row)
    assert found, row
    return float(found[1]), int(found[2]), found[3]


def test_without_a_lock_it_is_quick_and_wrong(model: str) -> None:
    def elapsed(model: str) -> float:
        elapsed, left, verdict = way(model, "unlocked", 1)
        assert 95 <= left <= 99
        assert verdict == "wrong"
        assert elapsed >= 0.5
        return elapsed

    assert in_time(1, model, elapsed)


def test_a_lock_makes_wait_where_needed_and_a_join_everywhere(model: str) -> None:
    def elapsed(model: str, name: str, scale: float, least: float) -> float:
        elapsed, left, verdict = way(model, name, scale)
        assert (left, verdict) == (0, "right")
        assert elapsed >= least
        return elapsed

    assert in_time(1.5, model, lambda model: elapsed(model, "locked", 0.01, 0.53))
    assert in_time(2, model, lambda model: elapsed(model, "joined", 0.002, 0.7))


def test_all_three_ways_run_in_turn() -> None:
    rows = lines(start("user", "r20_lock_against_join.py", "--scale", "0.001"))
    assert [row.split()[0] for row in rows] == ["unlocked", "locked", "joined"]


def test_a_deadlock_is_reported_with_who_waits_for_whom(model: str) -> None:
    outcome = start(model, "r21_deadlock.py", status=1)
    owners = {thing: name for name, thing in re.findall(r"(\w+) has the (fork|noodles)", outcome.stdout)}
    assert sorted(owners) == ["fork", "noodles"]
    assert "eat" not in outcome.stdout

    report = outcome.stderr
    assert "DeadlockError" in report
    assert all(name in report for name in ("Ada", "Ben", "Cleo", "Dan", "MainThread"))
    has_fork, has_noodles = owners["fork"], owners["noodles"]
    for waiter, holder, place in (
        (has_fork, has_noodles, "eat_fork_first"),
        (has_noodles, has_fork, "eat_noodles_first"),
    ):
        waits = rf"'{waiter}' .*waits for a lock .*'{holder}'.*\s.*r21_deadlock\.py:\d+ in {place}"
        assert re.search(waits, report), report
    assert re.search(
        rf"cycle: .*'{has_fork}' -> '{has_noodles}'|cycle: .*'{has_noodles}' -> '{has_fork}'", report
    )


@pytest.mark.parametrize("program", ["r22_reentrant_lock.py", "r23_coarse_lock.py"])
def test_one_lock_for_the_whole_meal_lets_all_eat_in_turn(model: str, program: str) -> None:
    rows = lines(start(model, program))
    assert rows[-1] == "all have eaten"
    meals = [rows[place : place + 2] for place in range(0, 8, 2)]
    assert sorted(meal[0].split()[0] for meal in meals) == ["Ada", "Ben", "Cleo", "Dan"]
    for name, (takes, eats) in ((meal[0].split()[0], meal) for meal in meals):
        assert takes in (f"{name} has the fork", f"{name} has the noodles")
        assert eats.startswith(name)
        assert eats.endswith("eats")


def test_a_semaphore_lets_five_in_at_a_time(model: str) -> None:
    rounds = math.ceil(23 / 5)

    def elapsed(model: str) -> float:
        *guests, total = lines(start(model, "r24_semaphore.py", "--scale", "0.05"))
        inside = [numbers(row) for row in guests]
        assert sorted(guest for guest, _ in inside) == list(range(1, 24))
        assert max(count for _, count in inside) == 5
        people, most, elapsed = numbers(total)
        assert (people, most) == (23, 5)
        assert rounds * 3 * 0.05 <= elapsed
        return elapsed

    assert in_time(2 * rounds * 3 * 0.05, model, elapsed)


def test_a_timer_calls_once_and_a_cancelled_one_never(model: str) -> None:
    def late(model: str) -> float:
        rows = lines(start(model, "r25_timer.py"))
        assert [re.sub(r" \d\.\d s", "", row) for row in rows] == [
            "cancelled and gone after",
            "hello, after",
            "nothing more after",
        ]
        cancelled, hello, end = (numbers(row)[0] for row in rows)
        assert hello >= 1.0
        assert end >= 1.3
        return max(cancelled, hello - 1)

    assert in_time(0.5, model, late)


def test_queues_order_wait_join_and_shut_down(model: str) -> None:
    rows = lines(start(model, "r26_queues.py"))
    shutdown = ["shutdown: not in this Python"]
    if sys.version_info >= (3, 13):
        shutdown = ["shutdown: served last order", "shutdown: the waiter goes home"]
    assert [re.sub(r"after \d\.\d s", "after", row) for row in rows] == [
        "fifo:     [3, 1, 2]",
        "lifo:     [2, 1, 3]",
        "numbers:  [1, 2, 3]",
        "strings:  ['apple', 'fig', 'pear']",
        "tuples:   [(1, 'bread'), (1, 'rice'), (2, 'tea')]",
        "get on an empty queue waits: 'letter' after",
        "put on a full queue waits:   None after",
        "put with a timeout:          Full after",
        "get with a timeout:          Empty after",
        "get_nowait:                  Empty after",
        "join came back when all was done: [0, 1, 4, 9, 16, 25, 36, 49, 64, 81]",
        *shutdown,
    ]
    at_least = [0.2, 0.2, 0.1, 0.1, 0.0]
    for row, least in zip(rows[5:10], at_least, strict=True):
        assert least <= numbers(row)[-1] < least + 0.5


WITHOUT = "Dask's distributed is not installed (pip install 'weft[cluster]')"


@pytest.mark.parametrize(
    "kind",
    [
        "thread",
        "user",
        "process",
        pytest.param(
            "cluster",
            marks=[
                pytest.mark.slow,
                pytest.mark.skipif(importlib.util.find_spec("distributed") is None, reason=WITHOUT),
            ],
        ),
    ],
)
def test_pools_of_every_kind_print_the_same(model: str, kind: str) -> None:
    rows = lines(start(model, "r27_pools.py", "--kinds", kind))
    assert [re.sub(" +", " ", row) for row in rows] == [
        f"{kind}: submit and result: 144",
        f"{kind}: map keeps the order: [0, 1, 4, 9, 16, 25]",
        f"{kind}: a result with timeout: not there yet; later 0.4",
        f"{kind}: what a call raises: ValueError('no luck')",
        f"{kind}: the last one cancelled: True",
        f"{kind}: its result: CancelledError",
        f"{kind}: wait: 2 done, 0 not done",
        f"{kind}: as_completed: {[0.2] * 9}",
        f"{kind}: the callback heard: [25]",
        f"{kind}: after shutdown: cannot schedule new futures after shutdown",
    ]


# -- the rows' own figures ---------------------------------------------------------------------------------


@pytest.mark.slow
def test_the_race_and_the_lock_in_full_time(model: str) -> None:
    (row,) = lines(start(model, "r19_the_lock.py"))
    left, elapsed = numbers(row)[2:]
    assert left == 0
    assert 10.0 <= elapsed < 10.6


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    ("name", "least", "most", "verdict"),
    [("unlocked", 0.5, 0.6, "wrong"), ("locked", 53.0, 54.0, "right"), ("joined", 350.0, 352.0, "right")],
)
def test_lock_against_join_in_full_time(
    name: str,
    least: float,
    most: float,
    verdict: str,
) -> None:
    with ThreadPoolExecutor() as pool:  # minutes of sleep need not be taken in turn
        results = list(pool.map(lambda model: way(model, name, 1, limit=500), MODELS))
    for elapsed, left, found in results:
        assert least <= elapsed < most
        assert found == verdict
        assert left == 0 if verdict == "right" else 98 <= left <= 99
