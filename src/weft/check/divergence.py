"""Where two executions under one schedule part."""

from typing import Any

from weft.check.schedule import Schedule
from weft.core.places import short

__all__ = ["divergence", "parting"]

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
    """The same step, in a copy of the program at another place."""
    return one[:2] == other[:2] and one[2].rpartition("/")[2] == other[2].rpartition("/")[2]


def _thread(number: int) -> str:
    return {-1: "the clock", -2: "no choice"}.get(number, f"thread {number}")
