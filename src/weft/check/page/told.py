"""One execution as the checking process tells it: typed, with what the rest asks of it."""

import os
from dataclasses import dataclass
from typing import Any

from weft.core.places import short

__all__ = ["COLOURS", "Hold", "Note", "Told", "Wait", "brief", "clean", "parted"]

LIBRARY = os.path.dirname(os.path.abspath(os.__file__)) + os.sep
COLOURS = 8  # of threads, and of locks: more of them begin again


@dataclass(frozen=True)
class Hold:
    """A lock, whose it is, the step that takes it and that in which it is let go (None: to the end)."""

    thing: int
    thread: int
    first: int
    last: int | None


@dataclass(frozen=True)
class Wait:
    """A thread that cannot go on, from one gap to another (None: to the end)."""

    thread: int
    first: int
    last: int | None
    kind: str
    thing: int
    holder: int | None
    until: float | None


@dataclass(frozen=True)
class Note:
    """What happened in a gap and is no step."""

    gap: int
    thread: int
    place: str
    text: str
    thing: int


class Told:
    """An execution.

    Attributes:
        steps: of each the thread, the operation and "file:line in function".
        details: of each the number of what it touches (0: nothing that matters) and what there is to say.
        ends: where and for what threads wait in the end: thread, place, text, thing.
    """

    def __init__(self, data: dict[str, Any]) -> None:
        lanes = data.get("lanes") or {}
        self.steps = [(int(n), str(what), str(place)) for n, what, place in data["steps"]]
        self.details = [(int(thing), str(text)) for thing, text in data["details"]]
        self.ends = [(int(n), str(place), str(text), int(thing)) for n, place, text, thing in data["waits"]]
        self.times: list[float] = list(lanes.get("times", []))
        self.lives = {n: (first, _end(last), parent) for n, _, first, last, parent in lanes.get("lives", [])}
        self.names: dict[int, str] = {n: name for n, name, *_ in lanes.get("lives", [])}
        self.names |= dict(data["threads"])
        self.holds = [Hold(t, n, first, _end(last)) for t, n, first, last in lanes.get("holds", [])]
        self.waits = [
            Wait(n, first, _end(last), kind, thing, _end(holder), until)
            for n, first, last, kind, thing, holder, until in lanes.get("waits", [])
        ]
        self.notes = [Note(*note) for note in lanes.get("notes", [])]
        self._things = self._called()
        self._colours = {
            thing: index for index, thing in enumerate(dict.fromkeys(hold.thing for hold in self.holds))
        }

    def name(self, thread: int) -> str:
        """What a thread is called."""
        return self.names.get(thread, f"thread {thread}")

    def called(self, name: str) -> set[int]:
        """The threads of that name."""
        return {number for number, given in self.names.items() if given == name}

    def colour(self, thing: int) -> int:
        """Which of the colours a lock has: they are given in the order in which locks are taken."""
        return self._colours.get(thing, len(self._colours)) % COLOURS

    def tell_spinning(self) -> None:
        """Say of each thread that goes round in the end that it does."""
        last = {number: (what, place) for number, what, place in self.steps}
        for number, (_, end, _) in self.lives.items():
            waits = any(
                wait.thread == number and wait.last is None for wait in self.waits if wait.kind != "loop"
            )
            if end is None and number in last and not waits:
                self.ends.append((number, last[number][1], "goes round, and nothing changes", 0))

    def thing(self, number: int) -> str:
        """What the program calls a lock or the like: each name once, since functions have their own."""
        return " = ".join(list(self._things.get(number, ()))[:2])

    def _called(self) -> dict[int, dict[str, None]]:
        """The names of each thing, in the order in which they come up."""
        found: dict[int, dict[str, None]] = {}
        for thing, text in self.details:
            verb, _, name = text.rpartition(" ")
            if verb in ("takes", "waits on", "tries", "gets from", "puts into") and name:
                found.setdefault(thing, {})[name] = None
        for _, _, text, thing in self.ends:
            name = text.partition(", held by ")[0].partition(", which ")[0].rpartition(" ")[2]
            found.setdefault(thing, {})[name] = None
        return found


def _end(number: int) -> int | None:
    return None if number < 0 else number


def clean(text: str) -> str:
    """Text in which nothing is hidden: what cannot be printed, or turns the writing round, as its escape."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else "    " if c == "\t" else ascii(c)[1:-1] for c in text)


def parted(place: str) -> tuple[str, int, str]:
    """A place as path, line and function; line 0 where it is none."""
    path, _, rest = place.rpartition(":")
    line, _, function = rest.partition(" in ")
    if not path or not line.isdigit():
        return place, 0, ""
    return path, int(line), function


def brief(place: str) -> str:
    """A place with its path as short as it can be; from the library's folder if it is in there."""
    return clean(place.removeprefix(LIBRARY) if place.startswith(LIBRARY) else short(place))
