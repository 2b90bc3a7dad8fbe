"""The page's model, made from the facts that the checking process has sent."""

import linecache
import re
from typing import Any

from weft.check.page.conflict import Conflict, conflict
from weft.check.page.figure import MOST_CHOSEN, Places, figure
from weft.check.page.graph import graph
from weft.check.page.model import Figure, Listed, Listing, Page
from weft.check.page.told import Told, brief, clean
from weft.check.schedule import Schedule
from weft.check.tell import steps_that_matter
from weft.wording import counted

__all__ = ["build"]

AROUND = 4  # lines of a listing before and after one that is passed
MOST_LINES = 2_000  # of all listings
_PATH = re.compile(r"\bat (/[^:]+:\d+)")
LEVELS = ("failure", "warning", "note")


def build(facts: dict[str, Any]) -> Page:
    """The page.

    Args:
        facts: as weft.check.page.paper has them, and `python`, the version of the interpreter.
    """
    found = [finding for finding in facts["findings"] if finding["level"] in LEVELS]
    minimal = facts["runs"].get("minimal")
    full = facts["runs"].get("full")
    told = Told(minimal) if minimal else None
    whole = Told(full) if full and full["steps"] != minimal["steps"] else None
    shown = facts["shown"]
    if shown is not None and shown["kind"] == "livelock":
        for run in filter(None, (told, whole)):
            run.tell_spinning()
    runs = [each for each in (told, whole) if each is not None]
    places = Places(runs, list(shown["places"]) if shown else [])
    figures: list[Figure] = []
    drawn = None
    numbered = False
    if told is not None and told.steps:
        about = conflict(shown, told)
        numbered = bool(about.parts)
        figures = _figures(told, whole, minimal, shown, about, places)
        drawn = graph(shown, told)
    level = found[0]["level"] if found else "clean"
    return Page(
        title=f"{clean(found[0]['title'])}" if found else _clean_title(facts),
        command=clean(facts["command"]),
        verdict=level,
        headline=clean(found[0]["kind"]) if found else "nothing found",
        facts=_facts(facts),
        findings=[_listed(finding, numbered and finding == shown) for finding in found],
        unseen=[clean(each) for each in facts["unseen"]],
        notes=[clean(each) for each in facts["notes"]],
        figures=figures,
        graph=drawn,
        listings=_listings(places),
        footer=clean(f"weft {facts['version']}, Python {facts['python']}"),
    )


def _clean_title(facts: dict[str, Any]) -> str:
    return "nothing failed in this run" if facts["replayed"] else "no failure found"


def _listed(finding: dict[str, Any], parts: bool) -> Listed:
    lines = [clean(_shortened(line)) for line in finding["lines"]]
    return Listed(finding["level"], finding["kind"], clean(finding["title"]), lines, parts)


def _shortened(line: str) -> str:
    return _PATH.sub(lambda match: f"at {brief(match[1])}", line)


def _facts(facts: dict[str, Any]) -> list[tuple[str, str]]:
    """What was done, as pairs of a word and what there is to say."""
    rows = [("command", facts["command"])]
    if not facts["replayed"]:
        rows.append(("searched", f"{counted(facts['executions'], 'execution')} in {facts['seconds']:.2f} s"))
        if facts["complete"]:
            rows.append(("complete", "yes: there is no schedule that does anything else"))
        elif facts["exhausted"]:
            rows.append(("complete", "for what was seen"))
        elif facts["bound"] is not None:
            within = f"at most {counted(facts['bound'], facts['bounded'].removesuffix('s'))}"
            rows.append(("bound", f"all {facts['within']:,} schedules with {within} were run"))
        elif not any(finding["level"] == "failure" for finding in facts["findings"]):
            rows.append(("complete", "no: there are schedules that were not run"))
    if facts["preemptions"] is not None:
        rows.append(("preemptions", f"{facts['preemptions']:,} in the schedule below"))
    if facts["schedule"]:
        rows.append(("once more", f"weft replay {facts['schedule']}"))
    return [(word, clean(text)) for word, text in rows]


def _figures(
    told: Told,
    whole: Told | None,
    minimal: dict[str, Any],
    shown: dict[str, Any] | None,
    about: Conflict,
    places: Places,
) -> list[Figure]:
    matter = _that_matter(minimal, shown)
    made = []
    if matter and (len(matter) < len(told.steps) or len(told.steps) > MOST_CHOSEN):
        made.append(figure(told, shown, about, places, "key", "What matters", matter))
    made.append(figure(told, shown, about, places, "all", "Smallest schedule" if whole else "Whole schedule"))
    if whole is not None:
        made.append(figure(whole, shown, conflict(shown, whole), places, "found", "As first found"))
    return made


def _that_matter(run: dict[str, Any], shown: dict[str, Any] | None) -> set[int]:
    count = len(run["steps"])
    if shown is not None and shown["kind"] == "livelock":  # it is in all threads' last rounds
        return set(range(max(0, count - MOST_CHOSEN), count))
    schedule = Schedule("", [], 0, [])
    schedule.tell(run)
    schedule.finding = shown
    return set(steps_that_matter(schedule, MOST_CHOSEN))


def _listings(places: Places) -> list[Listing]:
    """The files that the schedules come by, around the lines that they pass."""
    made = []
    left = MOST_LINES
    for path in places.paths:
        lines = linecache.getlines(path)
        wanted = sorted(
            {
                near
                for line in places.lines[path]
                for near in range(line - AROUND, line + AROUND + 1)
                if 1 <= near <= len(lines)
            }
        )[:left]
        left -= len(wanted)
        pieces: list[list[tuple[int, str]]] = []
        for number in wanted:
            if not pieces or pieces[-1][-1][0] != number - 1:
                pieces.append([])
            pieces[-1].append((number, clean(lines[number - 1].rstrip("\r\n"))))
        made.append(Listing(brief(f"{path}:0").removesuffix(":0"), pieces))
    return made
