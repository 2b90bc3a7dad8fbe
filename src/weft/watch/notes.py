"""Notes of switches and wakes, taken where they happen and taken off by whoever writes them down.

A *tape* is of one carrier: who runs, and from when on. A wake is noted with its place as a number, which
`Notes.spots` explains as a code object and an offset in it.

`_notes.c` does the same at a fraction of the cost. It is there if weft was installed where a C compiler is,
and on builds with the interpreter's lock, which guards it.
"""

import sys
from array import array
from collections import deque
from collections.abc import Callable, Sequence
from types import CodeType
from typing import Any, NamedTuple, Protocol

from weft.config import wants_pure
from weft.core.current import getcurrent
from weft.core.places import spot_of, whose

__all__ = ["COMPILED", "FastNotes", "Notes", "PyNotes", "Spot", "Tape", "Wakes", "make_notes"]

Spot = tuple[CodeType, int]


class Wakes(NamedTuple):
    """Wakes by column.

    Attributes:
        when: nanoseconds.
        who: the threads that were woken.
        on: what each waited on.
        spots: where, as numbers; 0: nowhere.
        by: who woke them; None: no thread.
        by_spots: where these stood.
        alarms: bits of weft.core.parking.
    """

    when: "array[int]"
    who: Sequence[Any]
    on: Sequence[Any]
    spots: "array[int]"
    by: Sequence[Any]
    by_spots: "array[int]"
    alarms: "array[int]"


class Tape(Protocol):
    """What one carrier has noted."""

    def pick(self) -> Any:
        """Take the next resume callable off the queue, and note whose turn it is; IndexError: nobody's."""

    def push(self, resume: Any) -> None:
        """Note who is woken and by whom, and put the resume callable into the queue."""

    def swap(self) -> tuple[list[Any], "array[int]"]:
        """Take off who ran (None: nobody) and from when on.

        A carrier may be between its two notes just now, so one of the halves may be an entry longer; the
        other half of it comes with the next.
        """


class Notes(Protocol):
    """All notes of a recording."""

    spots: list[Spot | None]

    def tape(self, carrier: Any, take: Callable[[], Any], add: Callable[[Any], object]) -> Tape:
        """The tape of a carrier; `take` and `add` are those of its queue."""

    def wake(
        self, when: int, who: Any, on: Any, spot: Spot | None, alarm: int, by: Any, by_spot: Spot | None, /
    ) -> None:
        """Note a wake on a carrier that has no tape."""

    def waiting(self) -> int:
        """How many wakes are noted and not taken off."""

    def wakes(self, most: int, /) -> Wakes:
        """Take off the oldest wakes, so many of them."""

    def numbers(self, known: dict[Any, int], things: Sequence[Any], /) -> "array[int]":
        """The number of each thing in a dictionary; KeyError if one is not there."""

    def identities(self, known: dict[int, int], things: Sequence[Any], /) -> "array[int]":
        """The same by the identities of the things."""

    def looked_up(self, known: list[int], places: "array[int]", /) -> "array[int]":
        """The entries of a list that are at some places; IndexError if it is shorter."""


class PyTape:
    """A tape in Python: what is on the way of a switch is one frame and four calls into C."""

    def __init__(
        self,
        notes: "PyNotes",
        now: Callable[[], int],
        carrier: Any,
        take: Callable[[], Any],
        add: Callable[[Any], object],
    ) -> None:
        who: list[Any] = []
        when = array("Q")
        note, clock = who.append, when.append
        wake = notes.taken.append

        def pick() -> Any:
            try:
                resume = take()
            except IndexError:
                note(None)
                clock(now())
                raise
            try:
                note(resume.__self__.block)
            except AttributeError:
                note(_unbegun(resume))
            clock(now())
            return resume

        def push(resume: Any) -> None:
            try:
                stack = resume.__self__
            except AttributeError:  # of one that has not begun there is none
                add(resume)
                return
            block = stack.block
            on = block.on
            here: Any = getcurrent()
            frame = stack.gr_frame
            if frame is None:  # it sees to timers and descriptors on its own stack meanwhile
                frame = sys._getframe(1) if here is stack else carrier.frame(block)
            spot = spot_of(frame)
            try:
                waker = here.block
            except AttributeError:
                waker = None
            if waker is None or waker is block:
                wake((now(), block, on, spot, block.alarm, None, None))
            elif waker.on is not None:  # it waits itself, and has looked at the clock just now
                when = int(carrier.now * 1e9) if waker.carrier is carrier else now()
                wake((when, block, on, spot, block.alarm, None, None))
            else:
                wake((now(), block, on, spot, block.alarm, waker, spot_of(sys._getframe(1))))
            add(resume)

        def swap() -> tuple[list[Any], "array[int]"]:
            nonlocal who, when, note, clock
            full = who, when
            who, when = [], array("Q")
            note, clock = who.append, when.append
            return full

        self.pick = pick
        self.push = push
        self.swap = swap


def _unbegun(resume: Any) -> Any:
    """The thread that a callable begins, if it says which."""
    args = getattr(resume, "args", None)
    return args[0] if args else None


class PyNotes:
    """The same in Python.

    Args:
        now: monotonic nanoseconds.
    """

    def __init__(self, now: Callable[[], int]) -> None:
        self._now = now
        self.taken: deque[tuple[Any, ...]] = deque()
        self.spots: list[Spot | None] = [None]
        self._numbers: dict[tuple[int, int] | None, int] = {None: 0}

    def tape(self, carrier: Any, take: Callable[[], Any], add: Callable[[Any], object]) -> Tape:
        return PyTape(self, self._now, carrier, take, add)

    def wake(
        self, when: int, who: Any, on: Any, spot: Spot | None, alarm: int, by: Any, by_spot: Spot | None, /
    ) -> None:
        self.taken.append((when, who, on, spot, alarm, by, by_spot))

    def waiting(self) -> int:
        return len(self.taken)

    def wakes(self, most: int, /) -> Wakes:
        take = self.taken.popleft
        rows = [take() for _ in range(min(most, len(self.taken)))]
        when, who, on, spots, alarms, by, by_spots = zip(*rows, strict=True) if rows else ((),) * 7
        return Wakes(
            array("Q", when), who, on, self._numbered(spots), by, self._numbered(by_spots), array("I", alarms)
        )

    def numbers(self, known: dict[Any, int], things: Sequence[Any], /) -> "array[int]":
        return array("I", map(known.__getitem__, things))

    def identities(self, known: dict[int, int], things: Sequence[Any], /) -> "array[int]":
        return array("I", map(known.__getitem__, map(id, things)))

    def looked_up(self, known: list[int], places: "array[int]", /) -> "array[int]":
        return array("I", map(known.__getitem__, places))

    def _numbered(self, spots: Sequence[Spot | None]) -> "array[int]":
        known = self._numbers
        keys = [spot and (id(spot[0]), spot[1]) for spot in spots]  # to hash a code takes long
        for key in set(keys).difference(known):
            known[key] = len(self.spots)
            self.spots.append(next(spot for spot in spots if spot and (id(spot[0]), spot[1]) == key))
        return array("I", map(known.__getitem__, keys))


class FastTape:
    """The tape of a carrier in C."""

    def __init__(self, tape: Any) -> None:
        self.pick = tape.pick
        self.push = tape.push
        self._swap = tape.swap

    def swap(self) -> tuple[list[Any], "array[int]"]:
        who, when = self._swap()
        return who, array("Q", when)


class FastNotes:
    """Notes in C, where columns are bytes."""

    def __init__(self) -> None:
        made = _notes.Notes(getcurrent, whose)
        self._wakes = made.wakes
        self._tape = made.tape
        self.wake = made.wake
        self.waiting = made.waiting
        self._numbers = made.numbers
        self._identities = made.identities
        self._looked_up = made.looked_up
        self.spots = made.spots

    def tape(self, carrier: Any, take: Callable[[], Any], add: Callable[[Any], object]) -> Tape:
        return FastTape(self._tape(carrier, take, add))

    def wakes(self, most: int, /) -> Wakes:
        when, who, on, spots, by, by_spots, alarms = self._wakes(most)
        return Wakes(
            array("Q", when), who, on, array("I", spots), by, array("I", by_spots), array("I", alarms)
        )

    def numbers(self, known: dict[Any, int], things: Sequence[Any], /) -> "array[int]":
        return array("I", self._numbers(known, things))

    def identities(self, known: dict[int, int], things: Sequence[Any], /) -> "array[int]":
        return array("I", self._identities(known, things))

    def looked_up(self, known: list[int], places: "array[int]", /) -> "array[int]":
        return array("I", self._looked_up(known, places))


try:
    from weft.watch import _notes
except ImportError:
    _notes = None  # type: ignore[assignment]

REVISION = 2  # `_notes.c` has the same
#: Whether the version in C is there, and was compiled from the source that belongs to this one.
COMPILED = _notes is not None and getattr(_notes, "REVISION", 0) == REVISION


def make_notes(now: Callable[[], int]) -> Notes:
    """Notes, in C if it is there and wanted.

    Args:
        now: monotonic nanoseconds, of the clock of `time.monotonic_ns`.

    Raises:
        WeftError: WEFT_PURE is neither on nor off.
    """
    if not COMPILED or wants_pure():
        return PyNotes(now)
    return FastNotes()
