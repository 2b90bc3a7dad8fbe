"""A check from its arguments to its verdict, and a replay: what the commands call.

The process that checks is made for it: a fixed hash seed, so that sets are ordered alike in each run. `ready`
says whether this one is, and starts it anew if not.
"""

import importlib
import os
import sys
from typing import Any

from weft.check.again import collect, replay_in_child
from weft.check.attended import Attended
from weft.check.divergence import divergence
from weft.check.emit import Emission
from weft.check.execution import Executor
from weft.check.explore import Explorer, Report
from weft.check.order import Named
from weft.check.program import Program, named, parse
from weft.check.schedule import Schedule, load, save
from weft.check.settings import Settings
from weft.check.steering import Steering
from weft.check.tell import story, told
from weft.check.world import NET
from weft.errors import WeftError

__all__ = ["FOLDER", "Attended", "Emission", "check", "named", "parse", "replay", "steer"]

FOLDER = ".weft"
AGES = 1e6  # seconds: who sits before a debugger has time


def check(
    program: Program,
    settings: Settings,
    attended: Attended | None = None,
    emission: Emission | None = None,
) -> tuple[Report, str | None]:
    """Search for failures; the report, and the file with the schedule of what was found.

    Args:
        attended: how the search is looked after; None: it is not.
        emission: writes a test of what was found, too.

    Raises:
        WeftError: the program cannot be checked.
    """
    if attended is not None:
        attended.settle(program, settings)
    network(settings.network)

    def search() -> tuple[Report, str | None]:
        explorer = Explorer(program, settings)
        report = explorer.explore() if attended is None else attended.explore(explorer)
        where = _kept(program, report)
        if emission is not None:
            emission.of(program, settings, report, where)
        return report, where

    return program.within(search)  # type: ignore[no-any-return]


def steer(
    words: list[str], choice: dict[str, Any], order: list[Named], settings: Settings, strict: bool
) -> tuple[Program, Report, str | None, list[int]]:
    """Search along an order, and a little beside it: the program, the report, the schedule's file, and the
    operations that never came.

    Raises:
        WeftError: the program cannot be checked.
    """
    network(settings.network)
    program = parse(words, choice)
    program.prepare()
    steering = Steering(program, order, settings, strict)
    report = steering.search()
    return program, report, _kept(program, report), steering.missed


def _kept(program: Program, report: Report) -> str | None:
    """The file in which the report's schedule is kept."""
    where = None
    if report.schedule is not None and report.schedule.finding is not None:
        where = os.path.join(FOLDER, f"{program.short}-{report.schedule.finding['kind']}.json")
        save(report.schedule, where)
    return where


def network(mode: str) -> None:
    """Say how programs get sockets (weft.check.world.NET), before any has asked for them.

    Raises:
        WeftError: it is too late: something has got simulated ones.
    """
    if mode == "pass" and "weft.check.network.module" in sys.modules:
        raise WeftError("net-pass comes too late: what runs the program has imported `socket` before")
    NET.mode = mode


def replay(
    path: str, program_path: str | None, terminal: Any = None, show: Any = None
) -> tuple[int, list[str]]:
    """Run a schedule again; the exit status and what to say.

    Args:
        path: the schedule's file.
        program_path: the program, where it is not the one that the file names.
        terminal: a Terminal (weft.check.debugger) to run it under pdb; None: it is only run.
        show: called with the schedule as it ran and with its findings, unless the program has changed;
            returns more to say.

    Raises:
        WeftError: the file is no schedule, or the program cannot be run.
    """
    schedule = load(path)
    network(schedule.network)
    program = named(schedule.kind, program_path or schedule.program, schedule.args, schedule.choice)
    return program.within(lambda: _replay(program, schedule, terminal, show))  # type: ignore[no-any-return]


def _replay(program: Program, schedule: Schedule, terminal: Any, show: Any) -> tuple[int, list[str]]:
    explorer = Explorer(program, Settings())
    explorer.import_all(judge=False)  # as the search did, so that the run has the same steps
    executor = Executor(program, schedule.seed)
    if terminal is None:
        again = replay_in_child(executor, schedule, 1_000_000, collect)
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
    first = [] if finding is None else [finding]
    also = [each for each in again["findings"] if each["level"] == "failure" and each not in first]
    shown = [] if show is None else show(schedule_now, first + also)
    if finding is None:
        return 0, [*lines, "", "the schedule ran to its end and nothing failed", *shown]
    return 1, [*lines, "", *told(first + also), *shown]


def _debugged(work: Any, executor: Executor, terminal: Any) -> list[Any]:
    debugger = importlib.import_module("weft.check.debugger")  # pdb leads to much

    def with_terminal(send: Any) -> None:
        terminal.take()
        debugger.Debugger().watch(executor)
        work(send)

    return collect(with_terminal, AGES)
