"""The whole look: every fact in order, as text and as JSON."""

from collections.abc import Iterable
from typing import Any

from weft.config import VERSION
from weft.doctor.facts import NOTE, OK, PROBLEM, Fact
from weft.doctor.interpreter import extras, interpreter
from weft.doctor.limits import limits, settings
from weft.doctor.trials import early, models

__all__ = ["as_json", "look", "render", "works"]

MARKS = {OK: "ok", NOTE: "note", PROBLEM: "PROBLEM"}
COLOURS = {OK: "\033[32m", NOTE: "\033[33m", PROBLEM: "\033[31;1m"}
PLAIN, BOLD = "\033[0m", "\033[1m"


def look() -> list[Fact]:
    """Look at everything; half a second, most of it the models that are tried."""
    return [*interpreter(), *early(), *models(), *settings(), *limits(), *extras()]


def works(facts: Iterable[Fact]) -> bool:
    """Whether nothing is a problem."""
    return all(fact.level != PROBLEM for fact in facts)


def render(facts: list[Fact], colours: bool) -> str:
    """For people: a line a fact under its part, what to do below it, and one sentence at the end."""
    width = max(len(fact.name) for fact in facts)
    lines: list[str] = []
    part = ""
    for fact in facts:
        if fact.part != part:
            part = fact.part
            lines += [""] * bool(lines) + [f"{BOLD}{part}{PLAIN}" if colours else part]
        mark = f"{MARKS[fact.level]:7}"
        mark = f"{COLOURS[fact.level]}{mark}{PLAIN}" if colours else mark
        lines.append(f"  {mark}  {fact.name:{width}}  {fact.text}")
        if fact.advice:
            lines.append(f"  {'':7}  {'':{width}}  -> {fact.advice}")
    return "\n".join([*lines, "", _sentence(facts)]) + "\n"


def _sentence(facts: list[Fact]) -> str:
    problems = [fact.name for fact in facts if fact.level == PROBLEM]
    notes = [fact.name for fact in facts if fact.level == NOTE]
    if problems:
        return f"weft does not work here as it should: {', '.join(problems)}"
    return f"weft works here{'; notes: ' + ', '.join(notes) if notes else ''}"


def as_json(facts: list[Fact]) -> dict[str, Any]:
    """For programs: the keys stay, others may come."""
    parts: dict[str, dict[str, Any]] = {}
    for fact in facts:
        parts.setdefault(fact.part, {})[fact.name] = {
            "level": fact.level,
            "text": fact.text,
            "advice": fact.advice or None,
            "value": fact.value,
        }
    return {"format": 1, "weft": VERSION, "ok": works(facts), "parts": parts}
