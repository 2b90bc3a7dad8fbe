"""What a look at this place finds: one fact each, with what it means."""

from typing import Any, NamedTuple

__all__ = ["LEVELS", "NOTE", "OK", "PROBLEM", "Fact"]

OK, NOTE, PROBLEM = LEVELS = ("ok", "note", "problem")


class Fact(NamedTuple):
    """One thing that was looked at.

    Attributes:
        part: the heading under which it is told.
        name: what was looked at; unique in its part.
        level: OK; NOTE: something does not work here that not everybody needs; PROBLEM: weft does not work as
            it stands.
        text: what was found, for people.
        advice: what to do about it; "" for nothing.
        value: the same for programs: what JSON can have.
    """

    part: str
    name: str
    level: str
    text: str
    advice: str = ""
    value: Any = None
