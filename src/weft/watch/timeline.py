"""From a recording to what people ask of it: who ran, who was ready, who waited, for what and for whom.

One pass over the records; what is kept grows with the threads and the objects, not with the records.
Between two records of a thread it was ready: woken, started or preempted, and not on a carrier yet.
"""

from array import array
from collections import Counter
from collections.abc import Iterable

from weft.watch.critical import Wakes
from weft.watch.record import End, Names, Preemption, Record, Start, Stint, Wait

__all__ = ["CONTENDED", "Contention", "Life", "Timeline", "gather"]

#: Waits for what other threads hold, give or take: the table of contention is about these.
CONTENDED = frozenset(
    {"LOCK", "CONDITION", "SEMAPHORE", "EVENT", "QUEUE_GET", "QUEUE_PUT", "QUEUE_JOIN", "FUTURE"}
)


class Life:
    """What one thread did, in seconds.

    Attributes:
        first, last: when it is first and last heard of; `first` is its start, where that was recorded.
        ran, ready: on a carrier, and waiting for one.
        parked: by reason.
        stints, waits, preempted: how many.
        by, place: who started it, and where.
        ended: whether its end was recorded; `error` is what left it.
        open: whether it still waits at the end.
    """

    __slots__ = (
        *("by", "ended", "error", "first", "last", "open", "parked", "place"),
        *("preempted", "ran", "ready", "stints", "waits"),
    )

    def __init__(self, first: float) -> None:
        self.first = self.last = first
        self.ran = self.ready = 0.0
        self.parked: dict[str, float] = {}
        self.stints = self.waits = self.preempted = 0
        self.by: int | None = None
        self.place: int | None = None
        self.ended = self.open = False
        self.error: str | None = None

    @property
    def waited(self) -> float:
        """Seconds parked, for whatever reason."""
        return sum(self.parked.values())


class Contention:
    """What there was of waiting for one object.

    Attributes:
        reasons: why threads waited, with how often.
        waits, total, longest: how many, and the seconds of all and of the longest.
        still: how many had not ended when the recording did.
        worst: thread and beginning of the longest.
        places, wakers: places of waiting calls, and of calls that ended waits, with how often.
        holders: threads that could have ended the waits as they began, with how often.
    """

    __slots__ = ("holders", "longest", "places", "reasons", "still", "total", "waits", "wakers", "worst")

    def __init__(self) -> None:
        self.reasons: Counter[str] = Counter()
        self.waits = self.still = 0
        self.total = self.longest = 0.0
        self.worst: tuple[int, float] = (0, 0.0)
        self.places: Counter[int | None] = Counter()
        self.holders: Counter[int] = Counter()
        self.wakers: Counter[int] = Counter()

    def take(self, wait: Wait, length: float) -> None:
        """Count one wait in."""
        self.reasons[wait.reason] += 1
        self.waits += 1
        self.total += length
        if length >= self.longest:
            self.longest = length
            self.worst = wait.thread, wait.begin
        self.places[wait.place] += 1
        if wait.holder is not None:
            self.holders[wait.holder] += 1
        if wait.by_place is not None:
            self.wakers[wait.by_place] += 1
        if wait.cause == "open":
            self.still += 1


class Timeline:
    """The figures of a recording.

    Attributes:
        names: what numbers stand for.
        lives: by thread.
        objects: by object, all that somebody waited on.
        waits: by reason and place, how many, and the seconds of all and of the longest.
        wakes: who was woken by whom, for the critical path.
        carried: by carrier, how many threads ran on it (2 stands for several).
        switches: how often a carrier left one thread for another.
        records: how many there were.
        end: the time of the last.
    """

    def __init__(self, names: Names) -> None:
        self.names = names
        self.lives: dict[int, Life] = {}
        self.objects: dict[int, Contention] = {}
        self.waits: dict[tuple[str, int | None], tuple[int, float, float]] = {}
        self.wakes = Wakes()
        self.carried: dict[int, int] = {}
        self.switches = self.records = 0
        self.end = 0.0

    @property
    def seconds(self) -> float:
        """How long was recorded."""
        said = self.names.about.get("seconds")
        return max(self.end, float(said)) if isinstance(said, (int, float)) else self.end

    @property
    def drawn_carriers(self) -> list[int]:
        """All carriers if one carried several threads; else none: the threads' own lanes say it all."""
        return sorted(self.carried) if 2 in self.carried.values() else []

    def name(self, thread: int | None) -> str:
        """A thread's name; its number if nobody told."""
        if thread is None:
            return ""
        known = self.names.threads.get(thread)
        return known.name if known is not None else f"thread {thread}"

    def place(self, place: int | None) -> str:
        """A place in words; empty if nobody knows."""
        return self.names.places.get(place, "") if place is not None else ""

    def object(self, number: int | None) -> str:
        """An object in words."""
        return self.names.objects.get(number, f"object {number}") if number is not None else ""

    def contended(self) -> list[tuple[int, Contention]]:
        """Locks, queues and their like, those first for which threads waited the longest in all."""
        found = [
            (number, each) for number, each in self.objects.items() if not CONTENDED.isdisjoint(each.reasons)
        ]
        return sorted(found, key=lambda pair: (-pair[1].total, pair[0]))

    def last_to_end(self) -> int | None:
        """The thread from which the critical path goes back: the last that the program waited for."""
        best: tuple[tuple[bool, float, float, bool], int] | None = None
        for number, life in self.lives.items():
            known = self.names.threads.get(number)
            daemon, main = (known.daemon and not known.main, known.main) if known else (False, False)
            rank = (not daemon, life.last, life.ran, main)
            if best is None or rank > best[0]:
                best = rank, number
        return best[1] if best is not None else None


def gather(names: Names, records: Iterable[Record]) -> Timeline:
    """The figures of a recording, in one pass; the records come in the order of their ends."""
    made = Timeline(names)
    lives = made.lives
    on: dict[int, int] = {}  # by carrier: who ran last
    count = switches = 0
    latest = 0.0
    for record in records:
        count += 1
        if isinstance(record, Stint):
            begin, end, thread, carrier = record
            life = lives.get(thread)
            if life is None:
                life = lives[thread] = Life(begin)
            last = life.last
            if begin > last:
                life.ready += begin - last
            else:
                begin = last
            if end > begin:
                life.ran += end - begin
                life.last = end
            life.stints += 1
            before = on.get(carrier)
            if before != thread:
                on[carrier] = thread
                if before is None:
                    made.carried[carrier] = 1
                else:
                    switches += 1
                    made.carried[carrier] = 2
        elif isinstance(record, Wait):
            end = _take_wait(made, record)
        else:
            end = _take_rest(made, record)
        if end > latest:
            latest = end
    made.records, made.switches, made.end = count, switches, latest
    return made


def _take_wait(made: Timeline, wait: Wait) -> float:
    life = made.lives.get(wait.thread)
    if life is None:
        life = made.lives[wait.thread] = Life(wait.begin)
    begin = max(wait.begin, life.last)
    end = max(wait.end, begin)
    life.ready += begin - life.last
    life.parked[wait.reason] = life.parked.get(wait.reason, 0.0) + (end - begin)
    life.last = end
    life.waits += 1
    life.open = wait.cause == "open"
    key = wait.reason, wait.place
    count, total, longest = made.waits.get(key, (0, 0.0, 0.0))
    made.waits[key] = count + 1, total + (end - begin), max(longest, end - begin)
    if wait.object is not None:
        found = made.objects.get(wait.object)
        if found is None:
            found = made.objects[wait.object] = Contention()
        found.take(wait, end - begin)
    if wait.by is not None and wait.by != wait.thread:
        made.wakes.add(wait.thread, end, wait.by, wait.by_place)
    return end


def _take_rest(made: Timeline, record: Start | Preemption | End) -> float:
    life = made.lives.get(record.thread)
    if life is None:
        life = made.lives[record.thread] = Life(record.time)
    if isinstance(record, Start):
        life.by, life.place = record.by, record.place
        if record.by is not None and record.by != record.thread:
            made.wakes.add(record.thread, record.time, record.by, record.place)
    elif isinstance(record, Preemption):
        life.preempted += 1
    else:
        life.ended, life.error = True, record.error
        life.ready += max(0.0, record.time - life.last)
        life.last = max(life.last, record.time)
    return record.time


class Counts:
    """How many threads ran, were ready and were parked, as averages over equal pieces of the time.

    Args:
        seconds: how long it all takes.
        pieces: how many.
    """

    def __init__(self, seconds: float, pieces: int) -> None:
        self.pieces = pieces
        self.width = max(seconds, 1e-9) / pieces
        self._scale = 1 / self.width
        # Of each kind: seconds in the piece itself, and by how much whole pieces change from there on.
        self._parts = tuple(array("d", bytes(8 * (pieces + 1))) for _ in range(3))
        self._steps = tuple(array("d", bytes(8 * (pieces + 1))) for _ in range(3))

    def add(self, kind: int, begin: float, end: float) -> None:
        """A thread was so from one time to another: 0 it ran, 1 it was ready, 2 it was parked."""
        scale = self._scale
        first, last = int(begin * scale), int(end * scale)
        parts = self._parts[kind]
        if first == last < self.pieces:
            parts[first] += end - begin
            return
        width = self.width
        if last >= self.pieces:
            last = self.pieces - 1
            if first >= last:
                parts[last] += end - begin
                return
        parts[first] += (first + 1) * width - begin
        parts[last] += end - last * width
        steps = self._steps[kind]
        steps[first + 1] += 1
        steps[last] -= 1

    def averages(self, kind: int) -> list[float]:
        """How many threads there were in each piece, on average."""
        found, whole = [], 0.0
        for part, step in zip(self._parts[kind], self._steps[kind], strict=True):
            whole += step
            found.append(whole + part / self.width)
        return found[: self.pieces]
