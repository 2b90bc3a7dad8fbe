"""Makes of what a recorder has noted what a spool holds: numbers for threads, places and objects, and rows.

What there is much of is turned into columns of numbers by loops that run in C. Each number is explained in
the file before, or together with, what uses it; a fresh file of a ring has to be told all anew.
"""

from array import array
from collections.abc import Callable, Sequence
from types import CodeType
from typing import Any

from weft.core.places import words_for
from weft.core.thread import ControlBlock, explained
from weft.watch.naming import Objects
from weft.watch.notes import Notes, Spot, Wakes

__all__ = ["NOBODY", "Scribe"]

NOBODY = 0  # the number of no thread
NOWHERE = NOTHING = 0  # of no place, and of no wait that could be explained
KEPT = 1 << 16  # waits that are known again; what was waited on is kept alive for it


class _Asked(dict[Any, int]):
    """Numbers; about what is not there somebody is asked."""

    def __init__(self, known: dict[Any, int], ask: Callable[[Any], int]) -> None:
        super().__init__(known)
        self._ask = ask

    def __missing__(self, what: Any) -> int:
        return self._ask(what)


class Scribe:
    """Numbers and words.

    Args:
        main: the main thread.
        meet: asked for the number of a thread that was not introduced.
        notes: where the wakes come from: it knows what the numbers of their spots stand for.

    Attributes:
        content: what the next piece of JSON has to explain.
    """

    def __init__(
        self,
        main: Callable[[], ControlBlock],
        meet: Callable[[ControlBlock], int],
        notes: Notes,
    ) -> None:
        self._main = main
        self._notes = notes
        self._spot_places: list[int] = []
        self.threads = _Asked({None: NOBODY}, meet)
        self.content: dict[str, Any] = {}
        self._last_thread = 0
        self._carriers: dict[Any, int] = {}
        self._last_carrier = 0
        self._places: dict[object, int] = {None: NOWHERE}  # by words, or by a code's identity and an offset
        self._place_words = [""]
        self._codes: list[CodeType] = []  # so that no other gets their identity
        self._objects = Objects()
        self._waits: dict[int, int] = {id(None): NOTHING}  # by the identity of what was waited on
        self._waited_on: list[Any] = []  # so that nothing else gets its identity
        self._last_wait = 0
        self._said: set[tuple[str, int]] = set()
        self._begun_anew = False

    def begin_file(self) -> None:
        """Nothing is explained in a fresh file, and only what is used there will be."""
        self._said.clear()
        self._forget_waits()
        self._begun_anew = True

    def forget(self, block: ControlBlock) -> None:
        """A thread has ended, and all is written of it."""
        number = self.threads.pop(block, None)
        self._said.discard(("t", number or NOBODY))

    def forget_carrier(self, carrier: Any) -> None:
        """A kernel thread has ended with its thread."""
        self._carriers.pop(carrier, None)

    def _say(self, table: str, number: int, *words: object) -> None:
        if (table, number) not in self._said:
            self._said.add((table, number))
            self.content.setdefault(table, []).append([number, *words])

    # -- one number -------------------------------------------------------------------------------------

    def introduce(self, block: ControlBlock) -> int:
        """A thread's number."""
        number = self.threads.get(block)
        if number is None:
            self._last_thread += 1
            number = self.threads[block] = self._last_thread
        if ("t", number) not in self._said:
            self._say("t", number, block.name, bool(block.daemon), block is self._main())
        return number

    def carrier(self, carrier: Any) -> int:
        """A carrier's number."""
        number = self._carriers.get(carrier)
        if number is None:
            self._last_carrier += 1
            number = self._carriers[carrier] = self._last_carrier
        self._say("c", number, carrier.native_id)
        return number

    def place(self, spot: "Spot | str | None") -> int | None:
        """A place's number; None for none."""
        if spot is None:
            return None
        if isinstance(spot, str):
            return self._place_at(spot, spot)
        return self._place_at((id(spot[0]), spot[1]), spot)

    def _place_at(self, key: object, spot: "Spot | str") -> int:
        number = self._places.get(key)
        if number is None:
            number = self._places[key] = len(self._place_words)
            self._place_words.append(spot if isinstance(spot, str) else words_for(spot))
            if not isinstance(spot, str):
                self._codes.append(spot[0])
        self._say("p", number, self._place_words[number])
        return number

    def thing(self, on: object, place: int | None) -> int | None:
        """The number of an object that was waited for at a place; None for none."""
        if on is None:
            return None
        number, words = self._objects.number(on, self._place_words[place] if place else None)
        self._say("o", number, words)
        return number

    # -- columns ----------------------------------------------------------------------------------------

    def run(self, blocks: Sequence[Any]) -> "array[int]":
        """The numbers of those that ran, or that woke or were woken."""
        numbers = self._notes.numbers(self.threads, blocks)
        if self._begun_anew:  # until then each was explained as it was met
            for block in {*blocks}:
                if self.threads[block] != NOBODY:
                    self.introduce(block)
        return numbers

    def wakes(self, found: Wakes) -> list["array[int]"]:
        """Wakes by column: times, threads, waits, places, wakers, their places, alarm bits."""
        places = self._places_of(found.spots)
        return [
            found.when,
            self.run(found.who),
            self._what(found.on, found.who, places),
            places,
            self.run(found.by),
            self._places_of(found.by_spots),
            found.alarms,
        ]

    def _places_of(self, spots: "array[int]") -> "array[int]":
        known = self._spot_places
        for spot in self._notes.spots[len(known) :]:
            known.append(self.place(spot) or NOWHERE)
        numbers = self._notes.looked_up(known, spots)
        for number in {*numbers} if self._begun_anew else ():
            if number:
                self._say("p", number, self._place_words[number])
        return numbers

    def _what(self, on: Sequence[Any], who: Sequence[Any], places: "array[int]") -> "array[int]":
        """The numbers of what was waited on, which stand for a reason and an object each."""
        if len(self._waits) > KEPT:
            self._forget_waits()
        known = self._waits
        try:
            return self._notes.identities(known, on)
        except KeyError:
            for at, what in enumerate(on):
                if id(what) not in known:
                    self._meet_wait(what, who[at], places[at])
            return self._notes.identities(known, on)

    def _meet_wait(self, on: Any, block: ControlBlock, place: int) -> None:
        self._last_wait += 1
        self._waits[id(on)] = number = self._last_wait
        self._waited_on.append(on)
        reason, target, _ = explained(on, block)
        self._say("y", number, reason.name, self.thing(target, place))

    def _forget_waits(self) -> None:
        self._waits = {id(None): NOTHING}
        self._waited_on.clear()

    # -- facts ------------------------------------------------------------------------------------------

    def fact(self, fact: tuple[Any, ...]) -> list[Any]:
        """What is rare, as JSON has it."""
        kind, now, block = fact[:3]
        number = self.introduce(block)
        if kind == "n":
            _, _, _, on, spot, by, by_spot = fact
            place = self.place(spot)
            name = self.thing(on, place)
            lock = self.thing(getattr(on, "_lock", None), place)
            return [kind, now, number, name, place, self._thread(by), self.place(by_spot), lock]
        if kind == "k":
            _, _, _, on, spot, holder = fact
            reason, target, _ = explained(on, block)
            place = self.place(spot)
            return [kind, now, number, reason.name, self.thing(target, place), place, self._thread(holder)]
        if kind == "b":
            return [kind, now, number, self.carrier(block.carrier)]
        if kind == "s":
            return [kind, now, number, self._thread(fact[3]), self.place(fact[4])]
        if kind == "x":
            return [kind, now, number, self.place(fact[3])]
        if block.carrier.poller is None:
            self.forget_carrier(block.carrier)
        return [kind, now, number, fact[3]]

    def _thread(self, block: ControlBlock | None) -> int | None:
        return None if block is None else self.introduce(block)

    def still(self, block: ControlBlock, now: int) -> list[Any] | None:
        """A wait that has not ended, as a fact; None if there is none."""
        since, wait = block.since, block.wait
        if wait is None:
            return None
        place = self.place(wait.place)
        name = self.thing(wait.on, place)
        holder = self._thread(wait.holder)
        return ["o", now, self.introduce(block), int(since * 1e9), wait.reason.name, name, place, holder]
