"""Words of a timeline: names that spoil no line, times as people say them, waits as sentences."""

import os
import re
import shlex
from collections.abc import Mapping

from weft.core.places import short
from weft.core.wait import WaitReason

__all__ = [
    "alike",
    "clean",
    "duration",
    "object_words",
    "place_words",
    "program_words",
    "reason_words",
    "wait_words",
]

_PATH = re.compile(r"(?<![^\s,(])/(?:[^\s:/]+/)*[^\s:/]+/[^\s:/]+(?=:\d+ in )")
_DIGITS = re.compile(r"\d+")
_UNITS = ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs"))


def clean(text: str) -> str:
    """A text in which whatever cannot be printed, or turns the direction of writing, stands as its escape."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def alike(name: str) -> str:
    """The name that threads have in common which differ in numbers."""
    return _DIGITS.sub("#", name)


def place_words(place: str) -> str:
    """A place with its file as seen from here."""
    return clean(short(place)) if place else ""


def object_words(name: str) -> str:
    """An object's name; of a place in it what is below here, or the file and its folder, are enough."""
    return clean(_PATH.sub(_brief, name))


def _brief(match: re.Match[str]) -> str:
    here = os.path.relpath(match[0])
    return os.sep.join(match[0].split(os.sep)[-2:]) if here.startswith(os.pardir) else here


def program_words(about: Mapping[str, object]) -> str:
    """The command line of the program that was recorded."""
    program = about.get("program", "")
    words = [str(word) for word in program] if isinstance(program, (list, tuple)) else [str(program)]
    return clean(shlex.join(words) if len(words) > 1 else words[0])


def reason_words(reason: str) -> str:
    """Why a thread waits, as a phrase."""
    return WaitReason[reason].value if reason in WaitReason.__members__ else f"waits ({reason.lower()})"


def wait_words(reason: str, thing: str) -> str:
    """A wait as one phrase with what it is for."""
    if reason == WaitReason.SLEEP.name or not thing:
        return reason_words(reason)
    if reason in (WaitReason.DESCRIPTOR.name, WaitReason.OFFLOAD.name):
        return f"{reason_words(reason)} {thing}"
    return f"{reason_words(reason)}: {thing}"


def duration(seconds: float) -> str:
    """A time in three digits: "1.23 s", "45.6 ms", "789 µs"."""
    for factor, unit in _UNITS:
        if seconds >= factor * 0.9995 or unit == "µs":
            value = seconds / factor
            digits = 0 if value >= 99.95 else 1 if value >= 9.995 else 2
            return f"{value:,.{digits}f} {unit}"
    raise AssertionError
