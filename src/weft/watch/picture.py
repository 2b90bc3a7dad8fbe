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
        lanes: their slices; keys are ("thread", number) and ("carrier", number).
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
        self._shared = set(timeline.shared_carriers)
        self._last: dict[int, float] = {}

    def take(self, record: Record) -> None:
        """Draw a record."""
        if isinstance(record, (Stint, Wait)):
            thread = record.thread
            last = self._last.get(thread)
            begin = record.begin if last is None else max(record.begin, last)
            end = max(record.end, begin)
            self._last[thread] = end
            if last is not None and last < begin:
                self.counts.add(1, last, begin)
            running = isinstance(record, Stint)
            self.counts.add(0 if running else 2, begin, end)
            self.path.take(record)
            if thread in self._shown:
                what: int | Wait = record.carrier if isinstance(record, Stint) else record
                self.lanes.add(("thread", thread), begin, end, what)
            if isinstance(record, Stint) and record.carrier in self._shared:
                self.lanes.add(("carrier", record.carrier), begin, end, thread)
        elif isinstance(record, Start):
            self._last.setdefault(record.thread, record.time)
        elif isinstance(record, Preemption):
            if len(self.preempted) < MOST_MARKS:
                self.preempted.append((record.time, record.thread))
        elif (last := self._last.get(record.thread)) is not None and last < record.time:
            self.counts.add(1, last, record.time)
            self._last[record.thread] = record.time

    def settle(self) -> None:
        """All records were taken."""
        self.lanes.settle()

    def items(self, kind: str, number: int) -> list[Item]:
        """The slices of a lane."""
        return self.lanes.lanes.get((kind, number), [])


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
