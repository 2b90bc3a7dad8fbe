"""What a search shows of itself while it goes on."""

import os
from types import SimpleNamespace
from typing import Any

import pytest

from weft.check.frontier import BoundedFrontier, DporFrontier
from weft.check.progress import Progress, told
from weft.check.settings import Settings


def explorer(**settings: Any) -> Any:
    """As much of one as is shown."""
    plan = SimpleNamespace(frontiers={"dpor": DporFrontier(), "dfs": BoundedFrontier(2)})
    report = SimpleNamespace(executions=1_200, bound=None, within=0, bounded="preemptions")
    return SimpleNamespace(
        settings=Settings(**settings), report=report, plan=plan, others={}, left=4.4, before=0
    )


def test_it_says_how_many_how_fast_and_how_long_still() -> None:
    assert told(explorer(), 1_234, 99.6) == "1,234 executions, 100/s | nothing found | 0:04 left"


def test_it_says_what_is_covered_and_what_was_found() -> None:
    search = explorer(schedules=2_000)
    search.report.bound, search.report.within = 1, 78
    search.plan.frontiers["dpor"].runs = 40
    search.plan.frontiers["dfs"].runs = 90
    search.plan.frontiers["dfs"].level = 2
    search.others = {
        str(n): {"finding": {"level": level}} for n, level in enumerate(("warning", "note", "note"))
    }
    assert told(search, 1_200, 10) == (
        "1,200 executions, 10/s | all 78 with 1 preemption | dpor 40, 1 part left | dfs at 2, 1 part left"
        " | 1 warning | 2 notes | 800 executions or 0:04 left"
    )


@pytest.mark.parametrize("terminal", [True, False])
def test_a_terminal_gets_one_line_and_all_else_lines(terminal: bool) -> None:
    read, write = os.pipe()
    shown = Progress(write, terminal)
    shown(explorer(), 5)
    shown.done()
    os.set_blocking(read, False)
    with pytest.raises(BlockingIOError):
        os.read(read, 1)  # so short a search shows nothing
    for running in (5, 3):
        shown._next = 0.0
        shown(explorer(), running)
    shown.done()
    text = os.read(read, 10_000).decode()
    os.close(read)
    assert text.count("1,205 executions") == 2, "it does not go back"
    if terminal:
        assert text.startswith("\r[###########---------] 1,205")
        assert text.endswith("\r\x1b[K")
        assert "\n" not in text
    else:
        assert [line.startswith("weft check: 1,205 ") for line in text.splitlines()] == [True, True]
    shown._next = 0.0
    shown(explorer(), 5)  # nobody reads it any more: a search is not ended by that
    os.close(write)
