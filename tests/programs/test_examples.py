"""Every program under examples/ prints what its row promises, on every model.

Each runs in an interpreter of its own under `weft run`, as a person would start it; times are scaled down
where the program lets us, and the rows' own figures are held by the tests marked slow.
"""

import ast
import importlib.util
import math
import os
import re
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.support import MODELS, Finished, run_weft
from tests.support.programs import run_child

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
PROGRAMS = sorted(path.name for path in EXAMPLES.glob("r[0-9][0-9]_*.py"))
USE_WEFT = {"r05_control_block.py", "r08_policies.py", "r27_pools.py"}  # rows about weft itself
HAS_GIL = getattr(sys, "_is_gil_enabled", lambda: True)()
PLAIN = "plain"
ROUNDS = 3  # of a program whose times a busy machine spoils


def start(
    model: str,
    program: str,
    *arguments: str,
    options: tuple[str, ...] = (),
    typed: str = "",
    status: int = 0,
    limit: float = 30,
) -> Finished:
    """Run one example to its end, and hold its exit status."""
    if model == PLAIN:
        return run_plainly(program, *arguments)
    outcome = run_weft(
        "--model",
        model,
        *options,
        str(EXAMPLES / program),
        *arguments,
        input=typed,
        timeout=limit,
    )
    assert outcome.returncode == status, outcome
    return outcome


def run_plainly(program: str, *arguments: str) -> Finished:
    """Run one example under the plain interpreter: it looks for its models itself."""
    return run_child([sys.executable, str(EXAMPLES / program), *arguments]).check()


def in_time(most: float, model: str, measure: Callable[[str], float]) -> bool:
    """Whether a program takes less than so many seconds in one of some rounds, or hardly more than on the
    plain interpreter right after it: a busy machine spoils both.
    """
    for _ in range(ROUNDS):
        elapsed = measure(model)
        if elapsed < most or elapsed < 1.5 * measure(PLAIN):
            return True
    return False


def lines(outcome: Finished) -> list[str]:
    assert outcome.stderr == ""
    return outcome.stdout.splitlines()


def numbers(text: str) -> list[float]:
    return [float(found) for found in re.findall(r"(?<![\w.])\d+(?:\.\d+)?", text)]


# -- the collection as a whole -----------------------------------------------------------------------------


@pytest.mark.parametrize("program", PROGRAMS)
def test_an_example_says_its_row_and_is_an_ordinary_program(program: str) -> None:
    tree = ast.parse((EXAMPLES / program).read_text(encoding="utf-8"))
    assert (ast.get_docstring(tree) or "").startswith(f"Row {int(program[1:3])}: ")
    imported = {
        name.split(".")[0]
        for node in ast.walk(tree)
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    }
    assert ("weft" in imported) == (program in USE_WEFT)
    assert imported - {"weft"} <= sys.stdlib_module_names


def test_the_index_lists_every_example() -> None:
    index = (EXAMPLES / "README.md").read_text(encoding="utf-8")
    assert re.findall(r"\]\((r\d\d_\w+\.py)\)", index) == PROGRAMS


# -- what a thread is --------------------------------------------------------------------------------------


def test_threads_share_the_pid_and_user_threads_the_kernel_thread(model: str) -> None:
    text = "\n".join(lines(start(model, "r01_process_and_thread.py")))  # kernel threads may share a line
    found = re.findall(r"(main|thread \d|process \d) +pid +(\d+) +kernel thread +(\d+)", text)
    who = {name: (pid, carrier) for name, pid, carrier in found}
    assert sorted(who) == ["main", "process 1", "process 2", "thread 1", "thread 2"]

    threads = [who["main"], who["thread 1"], who["thread 2"]]
    assert {pid for pid, _ in threads} == {who["main"][0]}
    carriers = len({carrier for _, carrier in threads})
    assert carriers in {"kernel": (3,), "user": (1,), "hybrid": (1, 2)}[model]
    assert len({who[name][0] for name in ("main", "process 1", "process 2")}) == 3


def test_on_processes_no_two_threads_share_a_pid() -> None:
    text = "\n".join(lines(start("process", "r01_process_and_thread.py")))  # two may share a line
    found = re.findall(r"(main|thread \d|process \d) +pid +(\d+) +kernel thread +(\d+)", text)
    assert sorted(name for name, _, _ in found) == [
        "main",
        "process 1",
        "process 2",
        "thread 1",
        "thread 2",
    ]
    assert len({pid for _, pid, _ in found}) == 5
    assert all(pid == kernel_thread for _, pid, kernel_thread in found)


def test_user_threads_start_faster_than_kernel_threads_and_those_than_processes(model: str) -> None:
    rows = lines(start(model, "r02_cost_of_starting.py"))
    assert rows[0].startswith("100 workers")
    cost = {row[:16].strip(): numbers(row[16:]) for row in rows[2:]}
    in_all = {kind: figures[0] for kind, figures in cost.items()}
    models = ["kernel threads", "user threads", "hybrid threads", "process threads"]
    assert list(in_all) == [*models, "processes"]
    assert 0 < in_all["user threads"] < in_all["kernel threads"] < in_all["processes"]
    assert in_all["kernel threads"] < in_all["process threads"]
    assert all(each == pytest.approx(10 * total, rel=0.1) for total, each, _ in cost.values())


def test_a_process_has_its_own_global_and_a_thread_has_not(model: str) -> None:
    assert lines(start(model, "r03_what_is_shared.py")) == [
        "at first the main thread sees 100",
        "  the process set it and sees 0",
        "after the process the main thread sees 100",
        "  the thread set it and sees 0",
        "after the thread the main thread sees 0",
    ]


def test_on_processes_a_write_that_nobody_would_see_is_refused_at_the_start() -> None:
    outcome = start("process", "r03_what_is_shared.py", status=1)
    assert outcome.stdout.splitlines() == [
        "at first the main thread sees 100",
        "  the process set it and sees 0",
        "after the process the main thread sees 100",
    ]
    assert outcome.stderr.splitlines()[-1] == (
        "weft.errors.WeftError: spend_everything() sets the global balance (r03_what_is_shared.py:18): a"
        " process has a copy of its own, so nobody would see it; return the value through a queue, or pass"
        " --copy-globals if copies are what you want"
    )


def test_on_processes_that_may_copy_globals_the_parent_keeps_its_own() -> None:
    assert lines(start("process", "r03_what_is_shared.py", options=("--copy-globals",)))[3:] == [
        "  the thread set it and sees 0",
        "after the thread the main thread sees 100",
    ]


def test_nothing_typed_is_lost_and_typing_goes_on_while_the_disk_is_busy(model: str) -> None:
    rows = lines(start(model, "r04_word_processor.py", "--scale", "0.3"))
    saves = [numbers(row) for row in rows if row.startswith("saved")]
    assert len(saves) >= 3
    assert max(meanwhile for _, meanwhile in saves) >= 2
    assert [size for size, _ in saves] == sorted(size for size, _ in saves)
    assert saves[-1] == [186, 0]
    assert rows[-1] == "194 keys, 186 characters, 186 on disk: nothing lost"
    page = rows[rows.index("") + 1 : -2]
    assert all(len(line) <= 40 for line in page)
    assert " ".join(page).startswith("A word processor that did one thing at a time would stop")


def test_the_word_processor_takes_keys_from_standard_input(model: str) -> None:
    rows = lines(start(model, "r04_word_processor.py", "--stdin", "--scale", "0.1", typed="hello wr<orld"))
    assert rows[-1] == "13 keys, 11 characters, 11 on disk: nothing lost"
    assert "hello world" in rows


def test_every_live_thread_has_a_readable_control_block(model: str) -> None:
    rows = lines(start(model, "r05_control_block.py"))
    table = {row.split()[0]: row for row in rows[1 : rows.index("")]}
    assert sorted(table) == ["MainThread", "holder", "sleeper", "taker", "wanter"]
    assert "RUNNING" in table["MainThread"]
    blocked = {
        "holder": r"BLOCKED +waits for an event to be set +\S*r05_control_block\.py:\d+ in hold",
        "wanter": r"BLOCKED +waits for a lock +holder +\S*r05_control_block\.py:\d+ in want",
        "taker": r"BLOCKED +waits for an item of a queue +\S*r05_control_block\.py:\d+ in take_from",
        "sleeper": r"BLOCKED +sleeps",
    }
    for name, pattern in blocked.items():
        assert re.search(pattern, table[name]), table[name]

    text = "\n".join(rows)
    assert re.search(r"^holder owns what wanter waits for: .*lock", text, re.MULTILINE)
    assert re.search(r"^stack of taker \(ident \d+, \d+ thread-locals\):$", text, re.MULTILINE)
    assert re.search(r"^  \S*r05_control_block\.py:\d+ in take_from$", text, re.MULTILINE)
    states = rows[-2].removeprefix("states of the taker: ").split(" -> ")
    assert (states[0], states[2]) == ("BLOCKED", "DONE")
    assert states[1] == "READY" if model == "user" else states[1] in ("BLOCKED", "READY", "RUNNING", "DONE")
    assert rows[-1] == "still live: ['MainThread'], RUNNING"


def test_threads_share_files_timers_and_semaphores_and_user_threads_are_the_lighter() -> None:
    cost: dict[str, dict[str, float]] = {}
    for model in MODELS:
        rows = lines(start(model, "r06_light_and_sharing.py"))
        cost[model] = {row.split()[0]: numbers(row)[0] for row in rows[:3]}
        shared = re.fullmatch(r"one file +(\d+) lines from 5 threads, all there: True", rows[3])
        assert shared
        assert int(shared[1]) > 50
        assert rows[4:] == [
            "one timer      rang once and ended all 5",
            "one semaphore  is back at two: True",
        ]
    assert 0 < cost["user"]["creation"] < cost["kernel"]["creation"]
    assert 0 < cost["user"]["switch"] < cost["kernel"]["switch"]
    assert 0 < cost["user"]["memory"] < 25


def test_the_child_of_a_fork_has_the_calling_thread_alone_and_a_working_runtime(model: str) -> None:
    assert lines(start(model, "r07_fork_with_threads.py")) == [
        "parent has: MainThread, holder, waiter and soon forker",
        "child has:  forker",
        "child's main thread is: forker",
        "child gets the lock of a thread that is gone: False",
        "child's own threads made: [0, 1, 4, 9, 16]",
        "parent: child ended with 7",
        "parent goes on with: MainThread; its lock is free: True",
    ]


def test_closing_a_socket_wakes_user_threads_and_shutting_it_down_all(model: str) -> None:
    closed = "raised OSError (Bad file descriptor)" if model != "kernel" else "waits on"
    assert lines(start(model, "r07_closing_under_a_waiter.py")) == [
        f"close    recv   {closed}",
        f"close    accept {closed}",
        "shutdown recv   returned nothing",
        "shutdown accept raised OSError (Invalid argument)",
    ]


# -- who carries and who chooses ---------------------------------------------------------------------------


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


# -- the hazards and their cures ---------------------------------------------------------------------------


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
