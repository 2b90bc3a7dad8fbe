"""Every program under examples/ prints what its row promises, on every model.

Each runs in an interpreter of its own under `weft run`, as a person would start it; times are scaled down
where the program lets us, and the rows' own figures are held by the tests marked slow.
"""

import ast
import re
import sys

import pytest

from tests.programs.examples import EXAMPLES, lines, numbers, start
from tests.support import MODELS

PROGRAMS = sorted(path.name for path in EXAMPLES.glob("r[0-9][0-9]_*.py"))
USE_WEFT = {"r05_control_block.py", "r08_policies.py", "r27_pools.py"}  # rows about weft itself


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
