"""A check from its arguments to its verdict, and a replay: what the commands call.

The process that checks is made for it: a fixed hash seed, so that sets are ordered alike in each run. `ready`
says whether this one is, and starts it anew if not.
"""

import importlib
import os
from typing import Any

from weft.check.again import replay_in_child
from weft.check.attended import Attended
from weft.check.divergence import divergence
from weft.check.execution import Executor
from weft.check.explore import Explorer, Report
from weft.check.program import Program, named, parse
from weft.check.schedule import Schedule, load, save
from weft.check.settings import Settings
from weft.check.tell import story
from weft.errors import WeftError
from weft.host.children import fork_child

__all__ = ["FOLDER", "Attended", "check", "named", "parse", "replay"]

FOLDER = ".weft"
AGES = 1e6  # seconds: who sits before a debugger has time


def check(
    program: Program, settings: Settings, attended: Attended | None = None
) -> tuple[Report, str | None]:
    """Search for failures; the report, and the file with the schedule of what was found.

    Args:
        attended: how the search is looked after; None: it is not.

    Raises:
        WeftError: the program cannot be checked.
    """
    if attended is not None:
        attended.settle(program, settings)

    def search() -> Report:
        explorer = Explorer(program, settings)
        return explorer.explore() if attended is None else attended.explore(explorer)

    report: Report = program.within(search)
    where = None
    if report.schedule is not None and report.schedule.finding is not None:
        where = os.path.join(FOLDER, f"{program.short}-{report.schedule.finding['kind']}.json")
        save(report.schedule, where)
    return report, where


def replay(path: str, program_path: str | None, terminal: Any = None) -> tuple[int, list[str]]:
    """Run a schedule again; the exit status and what to say.

    Args:
        path: the schedule's file.
        program_path: the program, where it is not the one that the file names.
        terminal: a Terminal (weft.check.debugger) to run it under pdb; None: it is only run.

    Raises:
        WeftError: the file is no schedule, or the program cannot be run.
    """
    schedule = load(path)
    program = named(schedule.kind, program_path or schedule.program, schedule.args, schedule.choice)
    return program.within(lambda: _replay(program, schedule, terminal))  # type: ignore[no-any-return]


def _replay(program: Program, schedule: Schedule, terminal: Any) -> tuple[int, list[str]]:
    explorer = Explorer(program, Settings())
    explorer.import_all(judge=False)  # as the search did, so that the run has the same steps
    executor = Executor(program, schedule.seed)
    if terminal is None:
        again = replay_in_child(executor, schedule, 1_000_000, _collect)
    else:
        again = replay_in_child(
            executor, schedule, 1_000_000, lambda work: _debugged(work, executor, terminal)
        )
        if again is None:
            return 0, []  # it was left
    if again is None:
        raise WeftError("the replay came to no end")
    schedule_now = Schedule(program.what, schedule.args, schedule.seed, schedule.choices)
    schedule_now.tell(again)
    schedule_now.finding = again["finding"]
    lines = divergence(schedule, schedule_now, again)
    if lines:
        return 2, lines
    finding = again["finding"]
    lines = story(schedule_now)
    if finding is None:
        return 0, [*lines, "", "the schedule ran to its end and nothing failed"]
    lines += ["", f"{finding['level']}: {finding['kind']}: {finding['title']}"]
    return 1, lines + [f"    {line}" for line in finding["lines"]]


def _debugged(work: Any, executor: Executor, terminal: Any) -> list[Any]:
    debugger = importlib.import_module("weft.check.debugger")  # pdb leads to much

    def with_terminal(send: Any) -> None:
        terminal.take()
        debugger.Debugger().watch(executor)
        work(send)

    return _collect(with_terminal, AGES)


def _collect(work: Any, patience: float = 60.0) -> list[Any]:
    child = fork_child(work)
    pieces = []
    try:
        while True:
            pieces.append(child.receive(patience))
    except (EOFError, TimeoutError) as error:
        child.end(kill=isinstance(error, TimeoutError))
    return pieces
