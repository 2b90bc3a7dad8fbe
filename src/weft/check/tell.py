"""What a check says: the verdict, the story of a failure with a column for each thread, and JSON for
machines.
"""

import json
import linecache
from bisect import bisect
from collections import Counter
from typing import TYPE_CHECKING, Any

from weft.core.places import of_pools, short
from weft.wording import counted

if TYPE_CHECKING:
    from weft.check.report import Report
    from weft.check.schedule import Schedule

__all__ = ["as_json", "exit_status", "remarks", "steps_that_matter", "story", "told", "verdict"]

MOST_STEPS = 30  # of a story
MOST_THREADS = 3  # with a column each: more would be too narrow to read
WIDTH = 110


def exit_status(report: "Report", strict: bool = False) -> int:
    """0: no failure found; 1: there is one (strict: or a warning); 128 and a signal: it ended the search."""
    levels = {"failure", "warning"} if strict else {"failure"}
    if any(finding["level"] in levels for finding in report.findings):
        return 1
    return 128 + report.interrupted if report.interrupted else 0


def as_json(report: "Report", path: str | None) -> str:
    """The report as one JSON object."""
    first = next((each for each in report.findings if each["level"] != "note"), None)
    return json.dumps(
        {
            "kind": first["kind"] if first else None,
            "findings": report.findings,
            "executions": report.executions,
            "threads": report.threads,
            "seconds": round(report.seconds, 3),
            "complete": report.complete,
            "exhausted": report.exhausted,
            "unseen": report.unseen,
            "bound": report.bound,
            "within_bound": report.within,
            "schedule": path,
            "preemptions": report.preemptions,
            "stuck": report.stuck,
            "unconfirmed": report.unconfirmed,
            "silenced": len(report.silenced),
            "problems": report.problems,
            "interrupted": bool(report.interrupted),
            "rest": report.rest,
        }
    )


def verdict(report: "Report", path: str | None) -> str:
    """The report for people."""
    lines = told(report.findings)
    if report.schedule is not None and report.schedule.steps:
        lines += ["", *story(report.schedule)]
    ran = f"{counted(report.executions, 'execution')} in {report.seconds:.2f} s"
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
            within = counted(report.bound, report.bounded.removesuffix("s"))
            lines.append(f"all {counted(report.within, 'schedule')} with at most {within}: none fails")
        if report.rest is not None:
            why = "interrupted" if report.interrupted else "there is more to try"
            lines.append(f"{why}: the same command with --resume goes on")
    lines += [f"note: {remark}" for remark in remarks(report)]
    return "\n".join(lines)


def told(findings: list[Any]) -> list[str]:
    """Findings as lines."""
    lines: list[str] = []
    for finding in findings:
        lines.append(f"{finding['level']}: {finding['kind']}: {finding['title']}")
        lines += [f"    {_shorten(line)}" for line in finding["lines"]]
    return lines


def remarks(report: "Report") -> list[str]:
    """What else there is to say of a search."""
    counts = (
        (
            report.stuck,
            "execution did not come to a scheduling point in time and was broken off",
            "executions did not come to a scheduling point in time and were broken off",
        ),
        (
            report.over_bound,
            "execution was longer than the bound on steps",
            "executions were longer than the bound on steps",
        ),
        (
            len(report.silenced),
            "finding is declared harmless by the program",
            "findings are declared harmless by the program",
        ),
        (
            report.unconfirmed,
            "failure did not show again in a fresh process and is not counted",
            "failures did not show again in a fresh process and are not counted",
        ),
    )
    lines = [counted(count, one, many) for count, one, many in counts if count]
    if report.threads == 1 and not report.findings and report.complete:
        lines.append("the program has started no thread: there was no order to look for")
    return lines + report.problems


def _shorten(line: str) -> str:
    """A line of a finding with the paths in it made short."""
    head, at, place = line.rpartition("at /")
    return f"{head}at {short('/' + place)}" if at else line


def story(schedule: "Schedule") -> list[str]:
    """The steps that matter, a column for each thread, a line for each step, with values."""
    chosen = steps_that_matter(schedule)
    left_out = len(schedule.steps) - len(chosen)
    details = dict(enumerate(schedule.details))
    told: list[tuple[int, str, str, str | None]] = [
        (*schedule.steps[index], details.get(index, (0, ""))[1]) for index in chosen
    ]
    told += [(number, text, place, None) for number, place, text, _ in schedule.waits]
    if len({step[0] for step in told}) > MOST_THREADS:
        shown = _most_involved(schedule, [step[0] for step in told])
        left_out += sum(step[0] not in shown and step[3] is not None for step in told)
        told = [step for step in told if step[0] in shown]
    threads = sorted({step[0] for step in told})
    width = max(28, (WIDTH - 2) // max(1, len(threads)))
    column = {number: index for index, number in enumerate(threads)}
    titles = [
        _cut(schedule.threads.get(number, f"thread {number}"), width).ljust(width) for number in threads
    ]
    lines = ["".join(titles).rstrip()]
    for number, what, place, detail in told:
        path, _, rest = place.partition(":")
        line, _, _ = rest.partition(" ")
        source = linecache.getline(path, int(line)).strip() if line.isdigit() and detail is not None else ""
        text = f"{line}: {source or what}"
        if not line:  # it is not the program's
            text, detail = detail or what, None
        room = width
        if detail is None:  # who waits does no more: nothing stands beside it
            room = max(width, WIDTH - width * column[number])
        text = f"{_cut(text, width - len(detail) - 4)}  [{detail}]" if detail else _cut(text, room)
        lines.append((" " * width * column[number] + text).rstrip())
    if left_out > 0:
        lines.append(f"({counted(left_out, 'other step is', 'other steps are')} left out)")
    waiting = {number for number, *_ in schedule.waits}.difference(threads)
    if waiting:
        lines.append(f"({counted(len(waiting), 'other thread waits', 'other threads wait')} at the end)")
    return lines


def _involved(schedule: "Schedule") -> set[int]:
    """The threads that the finding names."""
    names = schedule.finding["threads"] if schedule.finding is not None else []
    return {number for number, name in schedule.threads.items() if name in names}


def _most_involved(schedule: "Schedule", told: list[int]) -> set[int]:
    """The threads that get a column where they are too many: those of the finding, else who does most."""
    count = Counter(told)
    involved = _involved(schedule) & set(count)
    if len(involved) > 1:
        return involved
    return set(sorted(count, key=lambda number: (number not in involved, -count[number]))[:MOST_THREADS])


def _cut(text: str, width: int) -> str:
    most = max(8, width - 2)
    return text if len(text) <= most else text[: most - 3] + "..."


def steps_that_matter(schedule: "Schedule", most: int = MOST_STEPS) -> list[int]:
    """The steps on what several threads touch, and those where the finding is; at most `most`.

    Where there are more, those on what the finding is about come first, then those of the same threads in the
    same files, the nearest first.
    """
    steps, details = schedule.steps, schedule.details
    if len(details) != len(steps):
        return list(range(len(steps)))[-most:]
    touching: dict[int, set[int]] = {}
    changed: set[int] = set()
    for (number, what, _), (thing, _) in zip(steps, details, strict=True):
        touching.setdefault(thing, set()).add(number)
        if not what.startswith("reads "):
            changed.add(thing)
    for number, _, _, thing in schedule.waits:
        touching.setdefault(thing, set()).add(number)
    shared = {thing for thing in changed if thing and len(touching[thing]) > 1}
    places = set(schedule.finding["places"]) if schedule.finding is not None else set()
    chosen = [
        index
        for index, (step, detail) in enumerate(zip(steps, details, strict=True))
        if detail[0] in shared or step[2] in places
    ]
    chosen = _without_pools(schedule, chosen, places) or chosen
    if len(chosen) <= most:
        return chosen
    about = {details[index][0] for index in chosen if steps[index][2] in places} & shared
    about |= {thing for _, _, _, thing in schedule.waits if thing in shared}
    involved = _involved(schedule)
    core = {index for index in chosen if details[index][0] in about}
    if len(involved) > 1:  # else what others did to it is how it came to that
        core = {index for index in core if steps[index][0] in involved} or core
    core = core or {chosen[-1]}
    threads = {steps[index][0] for index in core} | {number for number, _, _, _ in schedule.waits}
    files = {_file(place) for place in places} or {_file(steps[index][2]) for index in core}

    own = [
        index
        for index in chosen
        if index in core or (steps[index][0] in threads and _file(steps[index][2]) in files)
    ]

    ordered = sorted(core)

    def apart(index: int) -> tuple[bool, int, int]:
        """How little a step has to do with the finding."""
        at = bisect(ordered, index)
        return index not in core, min(abs(index - each) for each in ordered[max(0, at - 1) : at + 1]), -index

    return sorted(sorted(own, key=apart)[:most])


def _without_pools(schedule: "Schedule", chosen: list[int], places: set[str]) -> list[int]:
    """Those of some steps that are no matter of a pool's alone.

    A step has its place in `concurrent.futures` where no code of the program has called it: a worker takes a
    call out of its queue. What is touched there the program touches by the pool's methods: that is no story.
    """
    steps, details = schedule.steps, schedule.details
    told = {_file(place) for place in places}
    inner = {
        details[index][0] for index in chosen if of_pools(file := _file(steps[index][2])) and file not in told
    }
    inner -= {thing for _, _, _, thing in schedule.waits}
    return [index for index in chosen if details[index][0] not in inner or steps[index][2] in places]


def _file(place: str) -> str:
    return place.partition(":")[0]
