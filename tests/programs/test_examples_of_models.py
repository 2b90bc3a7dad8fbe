"""The examples of who carries threads and who chooses among them: rows 8 to 17."""

import os
import re

import pytest

from tests.programs.examples import HAS_GIL, ROUNDS, lines, numbers, run_plainly, start
from tests.support import MODELS


def test_very_many_threads_wait_and_neither_waiting_nor_spinning_stops_others(model: str) -> None:
    count = {"kernel": 500, "user": 10_000, "hybrid": 10_000}[model]
    many, waiting, reading, spinning = lines(start(model, "r08_user_threads.py", "--count", str(count)))
    threads, carriers = numbers(many)
    assert threads == count
    assert carriers >= count + 1 if model == "kernel" else carriers <= {"user": 3, "hybrid": 5}[model]
    assert 0.2 <= numbers(waiting)[2] < 2
    readers, ticks, answered = numbers(reading)
    assert (readers, answered) == (100, 100)
    assert ticks >= 5
    assert numbers(spinning)[0] >= 8


@pytest.mark.parametrize(
    ("policy", "order"),
    [
        ("fifo", "A B C A B C A B C A B C"),
        ("priority", "B B B B A A A A C C C C"),
        ("r08_policies:LatestFirst", "A A A A B B B B C C C C"),
    ],
)
def test_the_program_picks_the_policy(policy: str, order: str) -> None:
    rows = lines(start("user", "r08_policies.py", options=("--policy", policy)))
    assert rows == [f"order: {order}"]


def test_the_fair_policy_serves_all_and_the_favoured_sooner() -> None:
    (row,) = lines(start("user", "r08_policies.py", options=("--policy", "fair")))
    steps = row.removeprefix("order: ").split()
    assert sorted(steps) == sorted("AAAABBBBCCCC")
    last = {name: max(place for place, step in enumerate(steps) if step == name) for name in "ABC"}
    assert last["B"] < last["A"] < last["C"]
    assert min(last.values()) > 3  # unlike strict priority, nobody runs through


def test_kernel_threads_are_one_to_one(model: str) -> None:
    rows = lines(start(model, "r09_kernel_threads.py"))
    threads, carriers = numbers(rows[1])
    assert threads == 4
    assert carriers in {"kernel": (4,), "user": (1,), "hybrid": (1, 2)}[model]
    if model == "user":
        assert numbers(rows[2])[1] < 1.15  # hashing is offloaded, and may keep more than one busy


@pytest.mark.slow
def test_kernel_threads_use_the_processors() -> None:
    """Slow for its reason, not its length: it needs a machine on which nothing else runs."""
    gain = 0.0
    for _ in range(5):
        rows = lines(start("kernel", "r09_kernel_threads.py"))
        python_code, c_code = numbers(rows[2])[1], numbers(rows[3])[1]
        if HAS_GIL:
            assert python_code < 1.15
        gain = max(gain, c_code / python_code if HAS_GIL else c_code)
        if gain > 1.2:
            return
    assert len(os.sched_getaffinity(0)) == 1, f"C code on two threads keeps {gain:.2f} processors busy"


def lateness(model: str) -> dict[tuple[str, float], float]:
    """Row 11's table: ms late at the median, by what the other thread does and the switch interval."""
    rows = lines(start(model, "r11_interpreter_loop.py", "--naps", "10"))
    assert rows[0].startswith("one lock" if HAS_GIL else "free-threaded")
    late = {}
    for row in rows[2:]:
        interval, median, worst, done = numbers(row[28:])
        late[row[:28].strip(), interval] = median
        assert median <= worst
        assert done > 0  # the CPU-bound thread worked, too
    assert len(late) == 6
    return late


def test_the_switch_interval_and_c_code_decide_how_late_a_waiting_thread_wakes(model: str) -> None:
    """Whatever else the machine does, nobody wakes within the interval; the rest a calm round tells."""
    for _ in range(ROUNDS):
        late = lateness(model)
        calm = late["python code", 5.0] < 100  # a thread that never waits does not starve the other
        if model == "kernel" and HAS_GIL:
            assert late["python code", 50.0] > 40
            assert late["python code", 5.0] > 4
            calm = (
                calm
                and late["python code", 50.0] > 3 * late["python code", 5.0]
                and late["python code that yields", 50.0] < late["python code", 50.0] / 2
                and late["c code that keeps the lock", 0.5] > 2 * late["c code that lets go", 0.5]
            )
        if calm:
            return
    pytest.fail(f"in none of {ROUNDS} rounds: {late}")


def test_waiting_is_split_among_threads_and_python_code_is_not() -> None:
    """Its times are for people: on a machine with other work no bound on them holds but from below."""
    rows = lines(run_plainly("r11_threads_and_the_lock.py", "--size", "4"))
    assert rows[0].startswith("one lock" if HAS_GIL else "free-threaded")
    taken = {(row[:9].strip(), row[9:33].strip()): numbers(row[33:]) for row in rows[2:]}
    models = list(dict.fromkeys(model for model, _ in taken))
    assert models[:1] == ["plain"]
    assert set(MODELS) <= set(models)
    assert len(taken) == 6 * len(models)
    for model in models:
        waits = taken[model, "waiting"]
        assert len(waits) == 3
        # 16 pieces of 5 ms each, shared out evenly
        assert all(each >= 0.9 * 0.080 / threads for each, threads in zip(waits, (1, 2, 4), strict=True))
        assert all(seconds > 0 for seconds in taken[model, "python code"])


def test_low_level_threads_die_with_the_main_thread(model: str) -> None:
    assert lines(start(model, "r12_low_level_module.py")) == [
        "first: hello from a thread that is not the main one: True",
        "second: hello from a thread that is not the main one: True",
        "leaver: before exit",
        "clock: tick 1",
        "clock: tick 2",
        "main: ends, and waits for nobody",
    ]


@pytest.mark.parametrize(
    ("model", "options"),
    [
        *[(model, ()) for model in MODELS],
        *[("process", ("--start-method", how)) for how in ("fork", "forkserver", "spawn")],
    ],
)
def test_one_program_has_threads_or_processes_by_a_word(model: str, options: tuple[str, ...]) -> None:
    assert lines(start(model, "r13_threads_or_processes.py", options=options)) == [
        "by workers: 550 primes below 4000",
        "by a pool:  550 primes below 4000",
        "computed in processes of their own" if model == "process" else "computed in the main process",
    ]


def test_a_thread_is_made_from_a_target_or_a_subclass(model: str) -> None:
    assert lines(start(model, "r14_two_ways.py")) == [
        "by target:   6 vowels in 'many hands make light work'",
        "by subclass: 9 vowels in 'too many cooks spoil the broth'",
    ]


def test_a_thread_answers_before_during_and_after(model: str) -> None:
    rows = lines(start(model, "r16_methods.py"))
    assert rows[:13] == [
        "before:",
        "  is_alive False, name 'first name', daemon False",
        "  has ident False, has native_id False",
        "  active_count 1, enumerate ['MainThread']",
        "inside: current_thread 'renamed', ident right True, native_id right True",
        "running:",
        "  is_alive True, name 'renamed', daemon False",
        "  has ident True, has native_id True",
        "  active_count 2, enumerate ['MainThread', 'renamed']",
        "after:",
        "  is_alive False, name 'renamed', daemon False",
        "  has ident True, has native_id True",
        "  active_count 1, enumerate ['MainThread']",
    ]
    assert "  isAlive: gone, now is_alive()" in rows
    for old in ("getName", "setName", "isDaemon", "currentThread", "activeCount"):
        assert any(re.match(rf"  {old}: (works, deprecated|gone), now", row) for row in rows)


@pytest.mark.parametrize("model", [*MODELS, "process"])
def test_daemons_stop_with_the_last_thread_that_is_none(model: str) -> None:
    rows = lines(start(model, "r17_daemons.py", status=3))
    assert 1 <= rows.count("daemon: tick") <= 4
    assert [row for row in rows if row != "daemon: tick"] == [
        "main: the child process ended with 5, left to reap: 0",
        "main: worker is a daemon False, ticker is a daemon True",
        "main: too late: cannot set daemon status of active thread",
        "main: ends with 3",
        "worker: done, the last thread that is no daemon",
        "exit handlers: after the worker",
    ]
    assert rows[-1] == "exit handlers: after the worker"
