"""Where two executions under one schedule part."""

import re
from typing import Any

from weft.check.schedule import Schedule
from weft.core.places import short

__all__ = ["divergence", "parting"]

_STDLIB = re.compile(r"/python3\.\d+t?/(?!site-packages/|dist-packages/)")
_Step = tuple[int, str, str]
_END: _Step = (-3, "the end", "?")


def parting(wanted: list[_Step], got: list[_Step]) -> tuple[int, str, str] | None:
    """The first step that differs, counted from 1, and what the two did there; None: they are alike."""
    for index in range(max(len(wanted), len(got))):
        one = wanted[index] if index < len(wanted) else _END
        other = got[index] if index < len(got) else _END
        if one != other and not _alike(one, other):
            return index + 1, _step(one), _step(other)
    return None


def divergence(wanted: Schedule, got: Schedule, again: Any) -> list[str]:
    """Where a replay parts from what was recorded; empty if it does not."""
    if wanted.steps:
        parted = parting(wanted.steps, got.steps)
        if parted is not None:
            return [
                f"diverged here, at step {parted[0]}: the program is not the one that was recorded",
                f"    expected {parted[1]}",
                f"    got      {parted[2]}",
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
