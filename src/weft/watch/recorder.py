"""Takes notes of what happens to threads, and streams them into a file while the program runs.

What is on the way of a switch is one frame and four calls into C: the resume callable and the time go onto a
*tape*,
a deque of the carrier's own. A wake is a tuple of what is at hand, with the place as a code object and an
offset; what
is rare (starts, ends, preemptions) is a tuple as well. A kernel thread of weft's own comes round some twenty
times a
second, swaps the tapes for empty ones, makes numbers of objects and words of places, and writes.

A tape is read one round after it was swapped: a carrier that was about to note something when it was may
still do so.
"""

import sys
from array import array
from collections import deque
from collections.abc import Callable
from types import CodeType
from typing import Any, Protocol

from weft.core.current import getcurrent
from weft.core.events import Kind
from weft.core.parking import SIGNAL, THROWN, TIMEOUT
from weft.core.places import spot_of, words_for
from weft.core.thread import ControlBlock
from weft.core.wait import WaitReason
from weft.watch.naming import Objects
from weft.watch.spool import Spool

__all__ = ["Recorder"]

ROUND = 0.05  # seconds between two rounds
QUIET = 0.2  # the same while nothing happens
PIECE = 2000  # facts that are encoded at once: the interpreter's lock is not let go meanwhile
OPEN = 1.0  # seconds after which a wait is written down although it has not ended
LOOKED_AT = 500  # threads that a round looks at for such waits
NOBODY = 0  # on a tape: the carrier has nobody to run

Spot = tuple[CodeType, int]


class _Bell(Protocol):
    """A raw lock that is taken: who acquires it sleeps until somebody releases it."""

    def acquire(self, blocking: bool = ..., timeout: float = ...) -> bool: ...

    def release(self) -> None: ...


class _Tape:
    """What one carrier has noted: who runs (None: nobody), and from when on.

    A carrier may be between its two notes as the tape is swapped, so either half may go to the next one.
    """

    __slots__ = ("carrier", "number", "pick", "rest", "swap", "swapped")

    def __init__(self, carrier: Any, number: int, take: Callable[[], Any], now: Callable[[], int]) -> None:
        who: list[Any] = []
        when = array("Q")
        note, clock = who.append, when.append

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

        def swap() -> "tuple[list[Any], array[int]]":
            nonlocal who, when, note, clock
            full = who, when
            who, when = [], array("Q")
            note, clock = who.append, when.append
            return full

        self.carrier = carrier
        self.number = number
        self.pick = pick
        self.swap = swap
        self.swapped = swap()
        self.rest = swap()

    def begin(self, block: ControlBlock, now: int) -> None:
        """Say who runs."""
        self.swapped[0].append(block)
        self.swapped[1].append(now)

    def turn(self) -> "tuple[list[Any], array[int]]":
        """Swap it, and give what it held at the swap before: nobody writes to that any more."""
        (who, when), self.swapped = self.swapped, self.swap()
        early, early_when = self.rest
        if early or early_when:
            who[:0], when[:0] = early, early_when
        count = min(len(who), len(when))
        self.rest = who[count:], when[count:]
        del who[count:], when[count:]
        return who, when


def _unbegun(resume: Any) -> Any:
    """The thread that a callable begins, if it says which."""
    args = getattr(resume, "args", None)
    return args[0] if args else None


class _Numbers(dict[Any, int]):
    """The numbers of threads; about one that is not there somebody is asked."""

    def __init__(self, ask: Callable[[ControlBlock], int]) -> None:
        super().__init__({None: NOBODY})
        self._ask = ask

    def __missing__(self, block: ControlBlock) -> int:
        return self._ask(block)


class Recorder:
    """A recorder (weft.core.events) that writes a spool.

    Args:
        model: whose threads it is about.
        spool: where to; it is closed at the end.
        clock: monotonic nanoseconds.
        bell: a raw lock that is taken.
        tell: is told, in a line, if the recording ends before the program does.

    Use: `model.listen(recorder)` after `begin()`; `serve` is what its kernel thread does until `call_off`;
    `close()` once that has ended.
    """

    def __init__(
        self,
        model: Any,
        spool: Spool,
        clock: Callable[[], int],
        bell: _Bell,
        tell: Callable[[str], object],
    ) -> None:
        self._model = model
        self._spool = spool
        self._now = clock
        self._bell = bell
        self._over = False
        self._tapes: list[_Tape] = []
        self._facts: deque[tuple[Any, ...]] = deque()
        self._numbers = _Numbers(self._ask)
        self._content: dict[str, Any] = {}  # what is to be said with the next facts
        self._last = 0
        self._objects = Objects()
        self._carriers: dict[Any, int] = {}
        self._last_carrier = 0
        self._places: dict[object, int] = {}  # by words, or by the code's identity and an offset
        self._codes: list[CodeType] = []  # so that no other has their identity
        self._place_words: list[str] = []
        self._said: set[tuple[str, int]] = set()  # what this file of the spool has explained
        self._taken: list[tuple[Any, ...]] = []  # facts that are off the queue and not written
        self._ended: list[ControlBlock] = []  # whose end is among them
        self._open: dict[ControlBlock, float] = {}  # waits that were written down, by their beginning
        self._walk: Any = iter(())
        self._began = self._swapped = clock()  # when the tapes were swapped: what they hold was before
        self._tell = tell
        self._failed = False

    # -- what carriers and threads call -----------------------------------------------------------------

    def hooks(
        self, carrier: Any, take: Callable[[], Any], add: Callable[[Any], None]
    ) -> tuple[Callable[[Any], None], Callable[[], Any]]:
        """The `push` and the `pick` of a carrier that runs many threads."""
        now, fact = self._now, self._facts.append
        tape = _Tape(carrier, self._carrier_number(carrier), take, now)
        self._tapes.append(tape)

        def push(resume: Any) -> None:
            stack = getattr(resume, "__self__", None)  # of one that has not begun there is none
            if stack is not None:
                block = stack.block
                on = block.on
                here = getcurrent()
                frame = stack.gr_frame
                if frame is None:  # it sees to timers and descriptors on its own stack meanwhile
                    frame = sys._getframe(1) if here is stack else carrier.frame(block)
                waker = getattr(here, "block", None)
                if waker is None or waker.on is not None or waker is block:
                    fact(("r", now(), block, on, spot_of(frame), block.alarm, None, None))
                else:
                    by = spot_of(sys._getframe(1))
                    fact(("r", now(), block, on, spot_of(frame), block.alarm, waker, by))
            add(resume)

        return push, tape.pick

    def __call__(self, kind: Kind, block: ControlBlock, by: ControlBlock | None) -> None:
        """Take note of what is rare, and of all on carriers that have one thread."""
        now, fact = self._now(), self._facts.append
        if kind is Kind.PARKED:
            on = block.on
            explain = getattr(on, "_explain", None)
            holder = explain(block)[2] if explain is not None else None
            fact(("k", now, block, on, spot_of(sys._getframe(1)), holder))
        elif kind is Kind.READY:
            if by is not block:
                waker = by if by is not None and by.on is None else None
                spot = spot_of(sys._getframe(1)) if waker is not None else None
                fact(("r", now, block, block.on, None, block.alarm, waker, spot))
        elif kind is Kind.RUNNING:
            fact(("b", now, block))
        elif kind is Kind.STARTED:
            waker = getattr(getcurrent(), "block", None)
            if waker is block:
                waker = None
            fact(("s", now, block, waker, spot_of(sys._getframe(1))))
        elif kind is Kind.NOTIFIED:
            waker = getattr(getcurrent(), "block", None)
            alone = block.carrier.poller is None  # its park was told, with the place
            spot = None if alone else spot_of(block.carrier.frame(block))
            fact(("n", now, block, block.on, spot, waker, spot_of(sys._getframe(1))))
        elif kind is Kind.PREEMPTED:
            fact(("x", now, block, spot_of(sys._getframe(1))))
        elif kind is Kind.ENDED:
            fact(("e", now, block, block.failure))

    # -- the kernel thread ------------------------------------------------------------------------------

    def begin(self) -> None:
        """Say which threads there are. From here on the model may be told to listen."""
        now = self._now()
        self._began = now
        for block in self._model.blocks():
            self._facts.append(("s", now, block, None, None))

    def begun(self) -> None:
        """Say who runs; called on the carrier of the calling thread once the model listens."""
        now, me = self._now(), getattr(getcurrent(), "block", None)
        for tape in self._tapes:
            if me is not None and tape.carrier is me.carrier:
                tape.begin(me, now)
        for block in self._model.blocks():
            if block.carrier.poller is None:
                self._facts.append(("b", now, block))

    def serve(self) -> None:
        """Come round until called off."""
        wait = ROUND
        while not self._bell.acquire(timeout=wait):
            wait = ROUND if self._round() else QUIET

    def call_off(self) -> None:
        """Have `serve` return."""
        self._bell.release()

    def close(self) -> None:
        """Write what is left, and the closing words. The model listens no more."""
        if self._over:
            return
        self._over = True
        self._round()
        self._round()
        if not self._failed:
            self._write_open(self._model.blocks(), 0.0)
            self._safely(lambda: self._spool.close((self._now() - self._began) / 1e9))

    def abandon(self) -> None:
        """In a forked child: the recording is the parent's."""
        self._over = True
        self._spool.abandon()

    def _safely(self, write: Callable[[], object]) -> None:
        """A disk that is full ends the recording and not the program."""
        try:
            write()
        except OSError as error:
            self._failed = True
            self._tell(f"the recording has ended: it cannot be written: {error.strerror}")

    def _round(self) -> bool:
        """One round; whether there was anything to write."""
        if self._failed:
            self._facts.clear()
            for tape in self._tapes:
                tape.swap()
            return False
        watermark, self._swapped = self._swapped, self._now()
        tapes = [(tape, *tape.turn()) for tape in tuple(self._tapes)]
        # Whoever runs on a tape and has ended since then is among these facts.
        self._safely(lambda: self._write(watermark, tapes))
        return bool(self._facts or any(who for _, who, _ in tapes))

    def _ask(self, block: ControlBlock) -> int:
        """The number of a thread that was not met before."""
        if block.done:  # a worker between two threads, unless its start and its end have just been noted
            self._take_facts()
            return self._numbers.get(block, NOBODY)
        if block is getattr(block.carrier, "keeper", None):
            return NOBODY
        return self._introduced(block)

    def _take_facts(self) -> None:
        facts = [self._facts.popleft() for _ in range(len(self._facts))]
        for fact in facts:
            if fact[0] == "s":
                self._introduced(fact[2])
            elif fact[0] == "e":
                self._ended.append(fact[2])
        self._taken += facts

    def _write(self, watermark: int, tapes: list[Any]) -> None:
        spool = self._spool
        if spool.full:
            spool.turn()
            self._said.clear()
            for block in self._numbers.keys() - {None}:
                self._introduced(block)
        ended, self._ended = self._ended, []
        for tape, who, when in tapes:
            if who:
                self._introduce_carrier(tape.number, tape.carrier)
                spool.tape(tape.number, when, array("I", map(self._numbers.__getitem__, who)))
        self._take_facts()
        facts, self._taken = self._taken, []
        for at in range(0, len(facts), PIECE):
            found = [self._fact(fact) for fact in facts[at : at + PIECE]]
            self._say(found, watermark if at + PIECE >= len(facts) else 0)
        if not facts and (self._content or any(who for _, who, _ in tapes)):
            self._say([], watermark)
        self._forget(ended)
        self._look_for_long_waits()

    def _say(self, facts: list[Any], watermark: int) -> None:
        content, self._content = self._content, {}
        self._spool.facts({**content, "f": facts, "w": watermark})

    def _forget(self, ended: list[ControlBlock]) -> None:
        """Threads that had ended a round ago: the tapes that still knew them are written."""
        for block in ended:
            self._open.pop(block, None)
            number = self._numbers.pop(block, None)
            if number is not None:
                self._said.discard(("t", number))

    # -- numbers and words ------------------------------------------------------------------------------

    def _carrier_number(self, carrier: Any) -> int:
        number = self._carriers.get(carrier)
        if number is None:
            self._last_carrier += 1
            number = self._carriers[carrier] = self._last_carrier
        return number

    def _introduced(self, block: ControlBlock) -> int:
        """A thread's number; the file says who that is, if it has not said so."""
        number = self._numbers.get(block)
        if number is None:
            self._last += 1
            number = self._numbers[block] = self._last
        if ("t", number) not in self._said:
            self._said.add(("t", number))
            main = block is self._model.main
            self._content.setdefault("t", []).append([number, block.name, bool(block.daemon), main])
        return number

    def _introduce_carrier(self, number: int, carrier: Any) -> None:
        if ("c", number) not in self._said:
            self._said.add(("c", number))
            self._content.setdefault("c", []).append([number, carrier.native_id])

    def _thread(self, block: ControlBlock | None) -> int | None:
        return None if block is None else self._introduced(block)

    def _place(self, spot: "Spot | str | None") -> int | None:
        if spot is None:
            return None
        key: object = (
            spot if isinstance(spot, str) else (id(spot[0]), spot[1])
        )  # a code's own hash reads all of it
        number = self._places.get(key)
        if number is None:
            number = self._places[key] = len(self._place_words)
            self._place_words.append(spot if isinstance(spot, str) else words_for(spot))
            if not isinstance(spot, str):
                self._codes.append(spot[0])
        if ("p", number) not in self._said:
            self._said.add(("p", number))
            self._content.setdefault("p", []).append([number, self._place_words[number]])
        return number

    def _object(self, on: object, place: int | None) -> int | None:
        if on is None:
            return None
        number, words = self._objects.number(on, None if place is None else self._place_words[place])
        if ("o", number) not in self._said:
            self._said.add(("o", number))
            self._content.setdefault("o", []).append([number, words])
        return number

    def _fact(self, fact: tuple[Any, ...]) -> list[Any]:
        """A fact as it is written."""
        kind, now, block = fact[:3]
        number = self._introduced(block)
        if kind == "r":
            _, _, _, on, spot, alarm, by, by_spot = fact
            reason, target = _explained(on, block)
            place = self._place(spot)
            waker = self._thread(by) if _is_woken_by_thread(reason, alarm) else None
            cause = _cause(reason, alarm, waker)
            by_place = self._place(by_spot) if waker is not None else None
            return [kind, now, number, reason, self._object(target, place), place, waker, by_place, cause]
        if kind == "n":
            _, _, _, on, spot, by, by_spot = fact
            place = self._place(spot)
            name = self._object(on, place)
            lock = self._object(getattr(on, "_lock", None), place)
            return [kind, now, number, name, place, self._thread(by), self._place(by_spot), lock]
        if kind == "k":
            _, _, _, on, spot, holder = fact
            reason, target = _explained(on, block)
            place = self._place(spot)
            return [kind, now, number, reason, self._object(target, place), place, self._thread(holder)]
        if kind == "b":
            carrier = self._carrier_number(block.carrier)
            self._introduce_carrier(carrier, block.carrier)
            return [kind, now, number, carrier]
        if kind == "s":
            return [kind, now, number, self._thread(fact[3]), self._place(fact[4])]
        if kind == "x":
            return [kind, now, number, self._place(fact[3])]
        if block.carrier.poller is None:
            self._carriers.pop(block.carrier, None)
        return [kind, now, number, fact[3]]

    # -- waits that have not ended ----------------------------------------------------------------------

    def _look_for_long_waits(self) -> None:
        """Write down waits that take long, so that a program that is killed while it is stuck says where."""
        if not self._over:
            looked = []
            for block in self._walk:
                looked.append(block)
                if len(looked) == LOOKED_AT:
                    break
            else:
                self._walk = iter(self._model.blocks())
            self._write_open(looked, OPEN)

    def _write_open(self, blocks: Any, age: float) -> None:
        now = self._now()
        found: list[Any] = []
        for block in blocks:
            since = block.since
            if block.on is None or (age and since == self._open.get(block)):
                continue
            if now / 1e9 - since < age:
                continue
            wait = block.wait
            if wait is None:
                continue
            self._open[block] = since
            place = self._place(wait.place)
            name = self._object(wait.on, place)
            holder, thread = self._thread(wait.holder), self._introduced(block)
            found.append(["o", now, thread, int(since * 1e9), wait.reason.name, name, place, holder])
        if found:
            self._safely(lambda: self._say(found, 0))


def _explained(on: Any, block: ControlBlock) -> tuple[str, object]:
    """Why and on what a thread waited; what it waits on says so of the past as well."""
    explain = getattr(on, "_explain", None)
    if explain is None:
        return WaitReason.OTHER.name, on
    reason, target, _ = explain(block)
    return reason.name, target


_OF_THE_MACHINE = frozenset({"SLEEP", "DESCRIPTOR", "OFFLOAD"})


def _is_woken_by_thread(reason: str, alarm: int) -> bool:
    return reason not in _OF_THE_MACHINE and not alarm & TIMEOUT


def _cause(reason: str, alarm: int, waker: int | None) -> str:
    """What ended a wait: a word of `record.Wait.cause`."""
    if alarm & (SIGNAL | THROWN):
        return "signal"
    if alarm & TIMEOUT or reason == "SLEEP":
        return "timer"
    return "machine" if waker is None else "thread"
