"""Takes notes of what happens to threads, and streams them into a file while the program runs.

Switches and wakes are noted where they happen (`notes`), what is rare (starts, ends, preemptions) as a tuple
here. A kernel thread of weft's own comes round some twenty times a second, swaps the tapes for empty ones,
makes numbers of objects and words of places, and writes.

A tape is read one round after it was swapped: a carrier that was about to note something when it was may
still do so.
"""

import sys
from array import array
from collections import deque
from collections.abc import Callable
from typing import Any, Protocol

from weft.core.current import getcurrent
from weft.core.events import Kind
from weft.core.places import spot_of
from weft.core.thread import ControlBlock, explained
from weft.watch.notes import make_notes
from weft.watch.scribe import NOBODY, Scribe
from weft.watch.spool import Spool

__all__ = ["Recorder"]

ROUND = 0.05  # seconds between two rounds
QUIET = 0.2  # the same while nothing happens
PIECE = 2000  # entries that are encoded at once: the interpreter's lock is not let go meanwhile
OPEN = 1.0  # seconds after which a wait is written down although it has not ended
LOOKED_AT = 500  # threads that a round looks at for such waits


class _Bell(Protocol):
    """A raw lock that is taken: who acquires it sleeps until somebody releases it."""

    def acquire(self, blocking: bool = ..., timeout: float = ...) -> bool: ...

    def release(self) -> None: ...


class _Tape:
    """What one carrier has noted: who runs (None: nobody), and from when on.

    A carrier may be between its two notes as the tape is swapped, so either half may go to the next one.
    """

    __slots__ = ("_swap", "carrier", "rest", "swapped")

    def __init__(self, carrier: Any, swap: Callable[[], tuple[list[Any], "array[int]"]]) -> None:
        self.carrier = carrier
        self._swap = swap
        self.swapped = swap()
        self.rest = swap()

    def begin(self, block: ControlBlock, now: int) -> None:
        """Say who runs."""
        self.swapped[0].append(block)
        self.swapped[1].append(now)

    def turn(self) -> "tuple[list[Any], array[int]]":
        """Swap it, and give what it held at the swap before: nobody writes to that any more."""
        (who, when), self.swapped = self.swapped, self._swap()
        early, early_when = self.rest
        if early or early_when:
            who[:0], when[:0] = early, early_when
        count = min(len(who), len(when))
        self.rest = who[count:], when[count:]
        del who[count:], when[count:]
        return who, when

    def drop(self) -> None:
        """Forget what was noted: nobody writes it down."""
        self._swap()


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
        self._notes = make_notes(clock)
        self._scribe = Scribe(lambda: model.main, self._meet, self._notes)
        self._taken: list[tuple[Any, ...]] = []  # facts that are off the queue and not written
        self._ended: list[ControlBlock] = []  # whose end is among them
        # One that ran just after a swap is on the tape of the next swap, which is read at the one after.
        self._ended_before: deque[list[ControlBlock]] = deque(([],))
        self._told: dict[ControlBlock, float] = {}  # waits that were written down, by their beginning
        self._walk: Any = iter(())
        self._began = self._swapped = clock()  # when the tapes were swapped: what they hold was before
        self._tell = tell
        self._failed = False

    # -- what carriers and threads call -----------------------------------------------------------------

    def hooks(
        self, carrier: Any, take: Callable[[], Any], add: Callable[[Any], None]
    ) -> tuple[Callable[[Any], None], Callable[[], Any]]:
        """The `push` and the `pick` of a carrier that runs many threads."""
        tape = self._notes.tape(carrier, take, add)
        self._tapes.append(_Tape(carrier, tape.swap))
        return tape.push, tape.pick

    def __call__(self, kind: Kind, block: ControlBlock, by: ControlBlock | None) -> None:
        """Take note of what is rare, and of all on carriers that have one thread."""
        now, fact = self._now(), self._facts.append
        if kind is Kind.PARKED:
            on = block.on
            fact(("k", now, block, on, spot_of(sys._getframe(1)), explained(on, block)[2]))
        elif kind is Kind.READY:
            if by is not block:
                waker = by if by is not None and by.on is None else None
                spot = spot_of(sys._getframe(1)) if waker is not None else None
                self._notes.wake(now, block, block.on, None, block.alarm, waker, spot)
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
            self._notes.wakes(self._notes.waiting())
            for tape in self._tapes:
                tape.drop()
            return False
        watermark, self._swapped = self._swapped, self._now()
        tapes = [(tape, *tape.turn()) for tape in tuple(self._tapes)]
        # Whoever runs on a tape and has ended since then is among these facts.
        self._safely(lambda: self._write(watermark, tapes))
        return bool(self._facts or self._notes.waiting() or any(who for _, who, _ in tapes))

    def _meet(self, block: ControlBlock) -> int:
        """The number of a thread that was not met before."""
        if block.done:  # a worker between two threads, unless its start and its end have just been noted
            self._take_facts()
            return self._scribe.threads.get(block, NOBODY)
        if block is getattr(block.carrier, "keeper", None):
            return NOBODY
        return self._scribe.introduce(block)

    def _take_facts(self) -> None:
        facts = [self._facts.popleft() for _ in range(len(self._facts))]
        for fact in facts:
            if fact[0] == "s":
                self._scribe.introduce(fact[2])
            elif fact[0] == "e":
                self._ended.append(fact[2])
        self._taken += facts

    def _write(self, watermark: int, tapes: list[Any]) -> None:
        scribe = self._scribe
        self._ended_before.append(self._ended)
        self._ended = []
        for tape, who, when in tapes:
            for at in range(0, len(who), PIECE):
                spool, number = self._fresh(), scribe.carrier(tape.carrier)
                spool.tape(number, when[at : at + PIECE], scribe.run(who[at : at + PIECE]))
        wakes = self._notes.waiting()
        for at in range(0, wakes, PIECE):
            spool = self._fresh()
            spool.wakes(scribe.wakes(self._notes.wakes(min(PIECE, wakes - at))))
        self._take_facts()
        facts, self._taken = self._taken, []
        for at in range(0, len(facts), PIECE):
            self._fresh()  # what the facts are explained by comes with them
            found = [scribe.fact(fact) for fact in facts[at : at + PIECE]]
            self._say(found, watermark if at + PIECE >= len(facts) else 0)
        if not facts and (scribe.content or wakes or any(who for _, who, _ in tapes)):
            self._say([], watermark)
        for block in self._ended_before.popleft():  # all tapes that knew them are written
            self._told.pop(block, None)
            scribe.forget(block)
        self._look_for_long_waits()

    def _fresh(self) -> Spool:
        """The spool, with room for a piece."""
        if self._spool.full:
            self._spool.turn()
            self._scribe.begin_file()
        return self._spool

    def _say(self, facts: list[Any], watermark: int) -> None:
        content, self._scribe.content = self._scribe.content, {}
        self._spool.facts({**content, "f": facts, "w": watermark})

    # -- waits that have not ended ----------------------------------------------------------------------

    def _look_for_long_waits(self) -> None:
        """Write down waits that take long, so that a program that is killed while it is stuck says where."""
        if self._over:
            return
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
            if block.on is None or (age and since == self._told.get(block)) or now / 1e9 - since < age:
                continue
            fact = self._scribe.still(block, now)
            if fact is not None:
                self._told[block] = since
                found.append(fact)
        if found:
            self._safely(lambda: self._say(found, 0))
