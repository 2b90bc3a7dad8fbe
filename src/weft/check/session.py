"""A check from its arguments to its verdict, and a replay: what the commands call.

The process that checks is made for it: a fixed hash seed, so that sets are ordered alike in each run. `ready`
says whether this one is, and starts it anew if not.
"""

import os
import re
from typing import Any

from weft.check.again import replay_in_child
from weft.check.execution import Executor
from weft.check.explore import Explorer, Report
from weft.check.program import Program
from weft.check.schedule import Schedule, load, save
from weft.check.settings import Settings
from weft.check.tell import story
from weft.core.places import short
from weft.errors import WeftError
from weft.host.children import fork_child

__all__ = ["check", "replay"]

FOLDER = ".weft"
_STDLIB = re.compile(r"/python3\.\d+t?/(?!site-packages/|dist-packages/)")


def check(path: str, args: list[str], settings: Settings) -> tuple[Report, str | None]:
    """Search for failures; the report, and the file with the schedule of what was found.

    Raises:
        WeftError: the program cannot be checked.
    """
    program = Program(path, args)
    program.prepare()
    report = Explorer(program, settings).explore()
    where = None
    if report.schedule is not None and report.schedule.finding is not None:
        name = os.path.splitext(os.path.basename(path))[0]
        where = os.path.join(FOLDER, f"{name}-{report.schedule.finding['kind']}.json")
        save(report.schedule, where)
    return report, where


def replay(path: str, program_path: str | None) -> tuple[int, list[str]]:
    """Run a schedule again; the exit status and what to say.

    Raises:
        WeftError: the file is no schedule, or the program cannot be run.
    """
    schedule = load(path)
    program = Program(program_path or schedule.program, schedule.args)
    program.prepare()
    explorer = Explorer(program, Settings())
    explorer.import_all(judge=False)  # as the search did, so that the run has the same steps
    executor = Executor(program, schedule.seed)
    again = replay_in_child(executor, schedule, 1_000_000, _collect)
    if again is None:
        raise WeftError("the replay came to no end")
    schedule_now = Schedule(program.path, schedule.args, schedule.seed, schedule.choices)
    schedule_now.tell(again)
    schedule_now.finding = again["finding"]
    lines = _divergence(schedule, schedule_now, again)
    if lines:
        return 2, lines
    finding = again["finding"]
    lines = story(schedule_now)
    if finding is None:
        return 0, [*lines, "", "the schedule ran to its end and nothing failed"]
    lines += ["", f"{finding['level']}: {finding['kind']}: {finding['title']}"]
    return 1, lines + [f"    {line}" for line in finding["lines"]]


def _divergence(wanted: Schedule, got: Schedule, again: Any) -> list[str]:
    """Where a replay parts from what was recorded; empty if it does not."""
    if wanted.steps:
        end = (-3, "the end", "?")
        for index in range(max(len(wanted.steps), len(got.steps))):
            one = wanted.steps[index] if index < len(wanted.steps) else end
            other = got.steps[index] if index < len(got.steps) else end
            if one != other and not _alike(one, other):
                return [
                    f"diverged here, at step {index + 1}: the program is not the one that was recorded",
                    f"    expected {_step(one)}",
                    f"    got      {_step(other)}",
                ]
    if again["diverged"]:
        index, who, could = again["diverged"]
        came = ", ".join(map(_thread, could)) or "the end"
        return [f"diverged here, at choice {index + 1}: expected {_thread(who)}, got {came}"]
    return []


def _step(step: tuple[int, str, str]) -> str:
    number, what, place = step
    return what if number < 0 else f"thread {number}: {what} at {short(place)}"


def _alike(one: tuple[int, str, str], other: tuple[int, str, str]) -> bool:
    """The same step, in a copy of the program at another place, or as another Python names functions."""
    if one[:2] != other[:2]:
        return False
    if _STDLIB.search(one[2]) and _STDLIB.search(other[2]):  # whose lines each version has elsewhere
        return True
    places = (step[2].rpartition("/")[2].partition(" ")[0] for step in (one, other))
    return len(set(places)) == 1


def _thread(number: int) -> str:
    return {-1: "the clock", -2: "no choice"}.get(number, f"thread {number}")


def _collect(work: Any) -> list[Any]:
    child = fork_child(work)
    pieces = []
    try:
        while True:
            pieces.append(child.receive(60.0))
    except (EOFError, TimeoutError) as error:
        child.end(kill=isinstance(error, TimeoutError))
    return pieces
