"""What a check says: the verdict, the story of a failure with a column for each thread, and JSON for
machines.
"""

import json
import linecache
from typing import TYPE_CHECKING

from weft.core.places import short

if TYPE_CHECKING:
    from weft.check.explore import Report
    from weft.check.schedule import Schedule

__all__ = ["as_json", "exit_status", "story", "verdict"]

MOST_STEPS = 30  # of a story
WIDTH = 100


def exit_status(report: "Report", strict: bool = False) -> int:
    """0: no failure found; 1: there is one (strict: or a warning)."""
    levels = {"failure", "warning"} if strict else {"failure"}
    return int(any(finding["level"] in levels for finding in report.findings))


def as_json(report: "Report", path: str | None) -> str:
    """The report as one JSON object."""
    first = next((each for each in report.findings if each["level"] != "note"), None)
    return json.dumps(
        {
            "kind": first["kind"] if first else None,
            "findings": report.findings,
            "executions": report.executions,
            "seconds": round(report.seconds, 3),
            "complete": report.complete,
            "exhausted": report.exhausted,
            "unseen": report.unseen,
            "bound": report.bound,
            "schedule": path,
            "preemptions": report.preemptions,
            "stuck": report.stuck,
            "unconfirmed": report.unconfirmed,
            "silenced": len(report.silenced),
            "problems": report.problems,
        }
    )


def verdict(report: "Report", path: str | None) -> str:
    """The report for people."""
    lines: list[str] = []
    for finding in report.findings:
        lines.append(f"{finding['level']}: {finding['kind']}: {finding['title']}")
        lines += [f"    {_shorten(line)}" for line in finding["lines"]]
    if report.schedule is not None and report.schedule.steps:
        lines += ["", *story(report.schedule)]
    ran = f"{report.executions:,} executions in {report.seconds:.2f} s"
    if any(finding["level"] == "failure" for finding in report.findings):
        lines += ["", f"found in {ran}"]
        if path is not None:
            lines.append(f"replay: weft replay {path}")
    else:
        lines += [""] * bool(lines)
        lines.append(f"no failure found in {ran}")
        if path is not None:
            lines.append(f"replay the first warning: weft replay {path}")
        if report.complete:
            lines.append("complete: there is no schedule that does anything else")
        elif report.exhausted:
            lines.append("complete for what was seen; not seen:")
            lines += [f"    {each}" for each in report.unseen]
        elif report.bound is not None:
            lines.append(f"all schedules with at most {report.bound} {report.bounded} are among them")
    for count, text in (
        (report.stuck, "executions did not come to a scheduling point in time and were broken off"),
        (report.over_bound, "executions were longer than the bound on steps"),
        (len(report.silenced), "findings are declared harmless by the program"),
        (report.unconfirmed, "failures did not show again in a fresh process and are not counted"),
    ):
        if count:
            lines.append(f"note: {count} {text}")
    lines += [f"note: {problem}" for problem in report.problems]
    return "\n".join(lines)


def _shorten(line: str) -> str:
    """A line of a finding with the paths in it made short."""
    head, at, place = line.rpartition("at /")
    return f"{head}at {short('/' + place)}" if at else line


def story(schedule: "Schedule") -> list[str]:
    """The end of the execution, a column for each thread, a line for each step."""
    steps = schedule.steps[-MOST_STEPS:]
    threads = sorted({step[0] for step in steps})
    width = max(24, (WIDTH - 2) // max(1, len(threads)))
    column = {number: index for index, number in enumerate(threads)}
    titles = [("main" if number == 0 else f"thread {number}").ljust(width) for number in threads]
    lines = ["".join(titles).rstrip()]
    if len(steps) < len(schedule.steps):
        lines.append(f"... {len(schedule.steps) - len(steps)} steps before")
    for number, what, place in steps:
        path, _, rest = place.partition(":")
        line, _, _ = rest.partition(" ")
        source = linecache.getline(path, int(line)).strip() if line.isdigit() else ""
        text = f"{line}: {source}" if source else what
        text = text if len(text) < width else text[: width - 4] + "..."
        lines.append((" " * width * column[number] + text).rstrip())
    return lines
