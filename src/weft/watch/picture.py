"""Chooses what the page of a timeline shows: which threads have lanes, and what their slices are.

It is filled by the second pass over the records, when the figures of the first say who matters. Whatever is
not shown is counted, and the page says so.
"""

from weft.watch.critical import Path
from weft.watch.lanes import MOST, Item, Lanes
from weft.watch.record import Preemption, Record, Start, Stint, Wait
from weft.watch.timeline import Counts, Timeline

__all__ = ["PIECES", "Picture"]

MOST_LANES = 2_000  # threads with a lane of their own
MOST_MARKS = 20_000  # preemptions that are marked
PIECES = 1_000  # of the time, for which threads are counted


class Picture:
    """What the page shows of a recording.

    Args:
        timeline: the figures.
        path: the critical path.
        most: slices that are drawn.

    Attributes:
        shown: threads with lanes, in the order of their numbers.
        lanes: their slices; the key of a carrier's lane is ~number.
        counts: running, ready and parked threads over time, of all threads.
        preempted: time and thread of preemptions, the first MOST_MARKS of them.
    """

    def __init__(
        self, timeline: Timeline, path: Path, most: int = MOST, most_lanes: int = MOST_LANES
    ) -> None:
        self.timeline = timeline
        self.path = path
        self.shown = sorted(_that_matter(timeline, path, most_lanes))
        self.lanes = Lanes(most)
        self.counts = Counts(timeline.seconds, PIECES)
        self.preempted: list[tuple[float, int]] = []
        self._shown = set(self.shown)
        self._shared = set(timeline.drawn_carriers)
        self._on_path = {segment.thread for segment in path.segments}
        self._last: dict[int, float] = {}

    def take(self, record: Record) -> None:
        """Draw a record."""
        if isinstance(record, Stint):
            thread, carrier = record.thread, record.carrier
            begin, end = self._span(thread, record.begin, record.end, 0)
            if thread in self._on_path:
                self.path.take(record)
            if thread in self._shown:
                self.lanes.add(thread, begin, end, carrier)
            if carrier in self._shared:
                self.lanes.add(~carrier, begin, end, thread)
        elif isinstance(record, Wait):
            thread = record.thread
            begin, end = self._span(thread, record.begin, record.end, 2)
            if thread in self._on_path:
                self.path.take(record)
            if thread in self._shown:
                self.lanes.add(thread, begin, end, record)
        elif isinstance(record, Start):
            self._last.setdefault(record.thread, record.time)
        elif isinstance(record, Preemption):
            if len(self.preempted) < MOST_MARKS:
                self.preempted.append((record.time, record.thread))
        else:
            self._span(record.thread, record.time, record.time, 0)

    def _span(self, thread: int, begin: float, end: float, kind: int) -> tuple[float, float]:
        """Count a stretch of a thread, and the time before it in which it was ready; as its lane has it."""
        last = self._last.get(thread, begin)
        if last < begin:
            self.counts.add(1, last, begin)
        elif begin < last:
            begin = last
            if end < begin:
                end = begin
        self._last[thread] = end
        if begin < end:
            self.counts.add(kind, begin, end)
        return begin, end

    def settle(self) -> None:
        """All records were taken."""
        self.lanes.settle()

    def slices(self, thread: int) -> list[Item]:
        """The slices of a thread's lane."""
        return self.lanes.lanes.get(thread, [])

    def carried(self, carrier: int) -> list[Item]:
        """The slices of a carrier's lane."""
        return self.lanes.lanes.get(~carrier, [])


def _that_matter(timeline: Timeline, path: Path, most: int) -> list[int]:
    """The threads that get lanes: all, or those on the critical path and of the worst waits, then others."""
    lives = timeline.lives
    if len(lives) <= most:
        return list(lives)
    first: dict[int, None] = {
        number: None for number, known in timeline.names.threads.items() if known.main and number in lives
    }
    for thread, *_ in path.threads()[: most // 2]:
        first[thread] = None
    for _, found in timeline.contended()[: most // 8]:
        for thread in (found.worst[0], *(holder for holder, _ in found.holders.most_common(1))):
            if thread in lives:
                first[thread] = None
    for number in sorted(lives, key=lambda n: (-(lives[n].stints + lives[n].waits), n)):
        if len(first) >= most:
            break
        first[number] = None
    return list(first)[:most]
