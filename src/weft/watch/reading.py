"""Reads a recording: from the notes of carriers and threads to stints and waits."""

import os
from collections.abc import Iterator
from typing import Any

from weft.core.parking import SIGNAL, THROWN, TIMEOUT
from weft.core.wait import WaitReason
from weft.errors import WeftError
from weft.watch.record import Carrier, End, Names, Preemption, Record, Start, Stint, Thread, Wait
from weft.watch.spool import chunks, old_name

__all__ = ["read"]

_OF_THE_MACHINE = frozenset({"SLEEP", "DESCRIPTOR", "OFFLOAD"})  # reasons of waits that no thread ends
_PLACE_AT = {"s": 4, "k": 5, "u": 4}  # where in a fact a place stands, of the facts that processes note
_RUNS = "T"  # sorts before the facts of the same moment


def read(path: str) -> tuple[Names, Iterator[Record]]:
    """What a recording holds.

    Args:
        path: the spool; of a ring the newer file, the older is found by itself.

    Returns:
        The names, complete once all records were taken, and the records in the order of their ends.

    Raises:
        WeftError: it cannot be read, or is no recording. What was cut off is no error: `Names.about["cut"]`.
    """
    paths = [p for p in (old_name(path), path) if p == path or os.path.exists(p)]
    names = Names()
    streams = [chunks(p) for p in paths]
    for stream in streams:
        kind, content = next(stream, ("", None))
        if kind != "H" or not isinstance(content, dict):
            raise WeftError(f"{path}: the recording has no beginning")
        names.about.update(content)
    names.about["cut"] = True
    return names, _Reader(names).records(_joined(streams))


def _joined(streams: list[Iterator[tuple[str, Any]]]) -> Iterator[tuple[str, Any]]:
    for stream in streams:
        yield from stream


class _Reader:
    """Follows each thread and carrier through the notes."""

    def __init__(self, names: Names) -> None:
        self._names = names
        self._zero: int | None = None
        self._on: dict[int, tuple[int, int]] = {}  # by carrier: who runs, and since when
        self._carrier: dict[int, int] = {}  # by thread: where it runs
        self._left: dict[int, int] = {}  # by thread: when its last stint ended
        self._parked: dict[int, tuple[int, Any]] = {}  # by thread: when, and what was noted then
        self._open: dict[int, Any] = {}  # by thread: a wait that somebody looked at
        self._latest = 0
        self._place_of: dict[int, int] = {}  # where several processes have numbered places, each its own
        self._place_by_words: dict[str, int] = {}
        self._waits: dict[int, tuple[str, int | None]] = {0: (WaitReason.OTHER.name, None)}

    def records(self, content: Iterator[tuple[str, Any]]) -> Iterator[Record]:
        """The records, in the order of their ends."""
        waiting: list[tuple[int, str, Any]] = []
        for kind, chunk in content:
            if kind == "T":
                carrier, times, threads = chunk
                waiting += [(t, _RUNS, (carrier, n)) for t, n in zip(times, threads, strict=False)]
            elif kind == "W":
                waiting += [(row[0], "r", row) for row in zip(*chunk, strict=True)]
            elif kind == "F":
                self._take_names(chunk)
                if self._names.about.get("model") == "process":
                    self._renumber(chunk)
                waiting += [(fact[1], fact[0], fact) for fact in chunk.get("f", ())]
                watermark = chunk.get("w", 0)
                if watermark:
                    waiting.sort(key=_by_time)
                    until = self._split(waiting, watermark)
                    yield from self._follow(waiting[:until])
                    del waiting[:until]
            elif kind == "E":
                self._names.about["cut"] = False
                self._names.about["seconds"] = chunk["seconds"]
        waiting.sort(key=_by_time)
        yield from self._follow(waiting)
        yield from self._close()

    @staticmethod
    def _split(waiting: list[tuple[int, str, Any]], until: int) -> int:
        low, high = 0, len(waiting)
        while low < high:
            middle = (low + high) // 2
            if waiting[middle][0] <= until:
                low = middle + 1
            else:
                high = middle
        return low

    def _take_names(self, chunk: Any) -> None:
        names = self._names
        for number, name, daemon, main in chunk.get("t", ()):
            names.threads[number] = Thread(number, name, daemon, main)
        for number, native_id in chunk.get("c", ()):
            names.carriers[number] = Carrier(number, native_id)
        for number, words in chunk.get("p", ()):
            names.places[number] = words
        for number, words in chunk.get("o", ()):
            names.objects[number] = words
        for number, reason, thing in chunk.get("y", ()):
            self._waits[number] = reason, thing

    def _renumber(self, chunk: Any) -> None:
        """Places that several processes have met get one number, and a smaller one."""
        for number, words in chunk.get("p", ()):
            known = self._place_by_words.setdefault(words, len(self._place_by_words) + 1)
            self._place_of[number] = known
            self._names.places[known] = words
            del self._names.places[number]
        for fact in chunk.get("f", ()):
            at = _PLACE_AT.get(fact[0])
            if at is not None and fact[at] is not None:
                fact[at] = self._place_of.get(fact[at])

    def _seconds(self, now: int) -> float:
        return (now - self._zero) / 1e9 if self._zero is not None else 0.0

    def _follow(self, notes: list[tuple[int, str, Any]]) -> Iterator[Record]:
        if notes and self._zero is None:
            self._zero = notes[0][0]
        for now, kind, fact in notes:
            self._latest = max(self._latest, now)
            if kind == _RUNS:
                yield from self._runs(now, *fact)
            elif kind == "r":
                yield from self._wakes(now, *fact[1:])
            elif kind == "n":
                yield from self._notified(now, fact)
            elif kind == "b":
                yield from self._begins(now, *fact[2:])
            elif kind == "u":
                yield from self._told(now, *fact[2:])
            elif kind == "k":
                yield from self._leaves(now, fact[2])
                self._parked[fact[2]] = now, fact
            elif kind == "s":
                yield Start(self._seconds(now), *fact[2:])
            elif kind == "x":
                yield Preemption(self._seconds(now), *fact[2:])
            elif kind == "o":
                self._open[fact[2]] = fact
            elif kind == "e":
                yield from self._ends(now, fact)

    def _runs(self, now: int, carrier: int, thread: int) -> Iterator[Record]:
        """A carrier goes on with a thread; 0: with none."""
        before = self._on.get(carrier)
        if before is not None and before[0] == thread:
            return
        if before is not None:
            yield self._stint(before[1], now, before[0], carrier)
            del self._on[carrier]
        if thread:
            self._on[carrier] = thread, now
            self._carrier[thread] = carrier
            self._open.pop(thread, None)

    def _stint(self, begin: int, end: int, thread: int, carrier: int) -> Stint:
        self._left[thread] = end
        self._carrier.pop(thread, None)
        return Stint(self._seconds(begin), self._seconds(end), thread, carrier)

    def _begins(self, now: int, thread: int, carrier: int, cause: str = "timer") -> Iterator[Record]:
        """A thread on a carrier of its own goes on; nobody told of its wake if it was the clock."""
        if thread in self._parked:
            yield from self._woken(now, thread, "", None, None, None, None, cause)
        yield from self._runs(now, carrier, thread)

    def _told(self, now: int, thread: int, by: int, by_place: int | None) -> Iterator[Record]:
        """A thread that waits in one process was told by one in another."""
        if thread in self._parked:
            yield from self._woken(now, thread, "", None, None, by, by_place, "thread")

    def _leaves(self, now: int, thread: int) -> Iterator[Record]:
        """A thread leaves its carrier, which has nobody else."""
        carrier = self._carrier.get(thread)
        if carrier is not None:
            yield from self._runs(now, carrier, 0)

    def _wakes(
        self, now: int, thread: int, wait: int, place: int, by: int, by_place: int, alarm: int
    ) -> Iterator[Record]:
        """A thread was made ready; if a machine or a clock did it, that ran on some thread's stack."""
        if not thread:
            return
        reason, name = self._waits.get(wait, self._waits[0])
        if reason in _OF_THE_MACHINE or alarm & TIMEOUT:
            by = 0
        if alarm & (SIGNAL | THROWN):
            cause = "signal"
        elif alarm & TIMEOUT or reason == WaitReason.SLEEP.name:
            cause = "timer"
        else:
            cause = "thread" if by else "machine"
        at = by_place if by else 0
        yield from self._woken(now, thread, reason, name, place or None, by or None, at or None, cause)

    def _woken(
        self,
        now: int,
        thread: int,
        reason: str,
        name: int | None,
        place: int | None,
        by: int | None,
        by_place: int | None,
        cause: str,
    ) -> Iterator[Record]:
        since, holder = self._left.get(thread), None
        parked = self._parked.pop(thread, None)
        looked_at = self._open.pop(thread, None)
        if looked_at is not None:
            holder = looked_at[7]
        if parked is not None:  # what was noted at the park knows best
            since, noted = parked
            _, _, _, reason, name, place, holder = noted
        elif thread in self._carrier:
            since = now  # woken before it left: it never waited
        if since is None:
            since = looked_at[3] if looked_at is not None else now
        if since < now:
            if reason in ("LOCK", "JOIN") and holder is None:
                holder = by
            begin, end = self._seconds(since), self._seconds(now)
            yield Wait(begin, end, thread, reason, name, place, holder, by, by_place, cause)

    def _notified(self, now: int, fact: list[Any]) -> Iterator[Record]:
        """A wait for a notify is over, and one for the lock begins."""
        _, _, thread, name, place, by, by_place, lock = fact
        parked = self._parked.get(thread)
        since = parked[0] if parked is not None else self._left.get(thread, now)
        self._left[thread] = now
        if parked is not None:
            place = parked[1][5]
            self._parked[thread] = now, ["k", now, thread, "LOCK", lock, place, by]
        if since < now:
            begin, end = self._seconds(since), self._seconds(now)
            yield Wait(begin, end, thread, "CONDITION", name, place, None, by, by_place, "thread")

    def _ends(self, now: int, fact: list[Any]) -> Iterator[Record]:
        thread = fact[2]
        carrier = self._carrier.get(thread)
        if carrier is not None and self._on.get(carrier, (0,))[0] == thread:
            yield from self._runs(now, carrier, 0)
        self._left.pop(thread, None)
        self._open.pop(thread, None)
        yield End(self._seconds(now), thread, fact[3])

    def _close(self) -> Iterator[Record]:
        """What had not ended when the recording did."""
        end = self._latest
        for carrier, (thread, since) in list(self._on.items()):
            yield self._stint(since, end, thread, carrier)
        for thread, fact in self._open.items():
            _, _, _, since, reason, name, place, holder = fact
            begin = self._left.get(thread, since)
            if thread not in self._parked and begin < end:
                yield self._still(begin, thread, reason, name, place, holder)
        for thread, (since, fact) in self._parked.items():
            yield self._still(since, thread, *fact[3:])
        self._names.about.setdefault("seconds", self._seconds(end))

    def _still(self, since: int, thread: int, reason: Any, name: Any, place: Any, holder: Any) -> Wait:
        begin, end = self._seconds(since), self._seconds(self._latest)
        return Wait(begin, end, thread, reason, name, place, holder, None, None, "open")


def _by_time(note: tuple[int, str, Any]) -> int:
    return note[0]
