"""The critical path: from the end of a program backwards, always along who was waited for.

While the last thread ran, it is on the path. Where another thread woke it (or started it), the path goes on
with that one, at the moment of the wake. So the path has at each moment one thread; what it did then (ran,
stood ready, waited for the clock or the machine) is what the program's end waited for.
"""

from array import array
from collections import deque

from weft.watch.record import Stint, Wait

__all__ = ["Path", "Segment", "Wakes"]

MOST = 4_000_000  # wakes that are kept, some 28 bytes each
NOTHING = -1


class Wakes:
    """Who was woken when, by whom and where, each with the wake before it on the path.

    Of very many the older half is forgotten; a path then begins where memory does.
    """

    def __init__(self, most: int = MOST) -> None:
        self.most = most
        self.forgotten = 0
        self._last: dict[int, int] = {}  # by thread: its latest wake, counted from the first ever
        self._threads = array("q")
        self._times = array("d")
        self._places = array("i")  # of the call that woke; -1: nobody knows
        self._before = array("q")  # the latest wake of who woke, and who that was
        self._by = array("q")

    def _forget(self) -> None:
        """Forget the older half."""
        half = self.most // 2
        self.forgotten += half
        for column in (self._threads, self._times, self._places, self._before, self._by):
            del column[:half]

    def add(self, thread: int, time: float, by: int, place: int | None) -> None:
        """A thread was woken, or started, by another."""
        number = self.forgotten + len(self._times)
        self._threads.append(thread)
        self._times.append(time)
        self._places.append(NOTHING if place is None else place)
        self._before.append(self._last.get(by, NOTHING))
        self._by.append(by)
        self._last[thread] = number
        if len(self._times) >= self.most:
            self._forget()

    def path(self, thread: int, end: float, begin: float = 0.0) -> "Path":
        """The path that ends with a thread, oldest segment first.

        Args:
            end: when the thread was last heard of.
            begin: when the recording begins: the path goes no further.
        """
        segments: list[Segment] = []
        at = self._last.get(thread, NOTHING)
        place = NOTHING  # where the segment hands over to the one after it
        while True:
            known = at >= self.forgotten
            woken = self._times[at - self.forgotten] if known else begin
            segments.append(Segment(thread, min(woken, end), end, None if place == NOTHING else place))
            if not known:
                break
            row = at - self.forgotten
            thread, place, end, at = self._by[row], self._places[row], woken, self._before[row]
        segments.reverse()
        return Path(segments, cut=at != NOTHING)


class Segment:
    """A stretch of the path on one thread.

    Attributes:
        begin, end: seconds.
        place: where it handed over: the call that woke or started the next; None at the end.
        ran, waited: seconds of it on a carrier, and parked until the clock, the machine or nobody; the rest
            the thread stood ready.
    """

    __slots__ = ("begin", "end", "place", "ran", "thread", "waited")

    def __init__(self, thread: int, begin: float, end: float, place: int | None) -> None:
        self.thread = thread
        self.begin = begin
        self.end = end
        self.place = place
        self.ran = self.waited = 0.0

    @property
    def ready(self) -> float:
        """Seconds in which it could have run and had no carrier."""
        return max(0.0, self.end - self.begin - self.ran - self.waited)


class Path:
    """The segments in their order, filled with what their threads did by a second pass over the records.

    Attributes:
        segments: oldest first, each beginning where the one before it ends.
        cut: whether it goes further back than wakes were kept.
        waits: seconds parked on the path, by reason, object and place.
    """

    def __init__(self, segments: list[Segment], cut: bool = False) -> None:
        self.segments = segments
        self.cut = cut
        self.waits: dict[tuple[str, int | None, int | None], float] = {}
        # By thread, newest last; what has ended before the records that come is taken away from the front.
        self._ahead: dict[int, deque[Segment]] = {}
        for segment in segments:
            self._ahead.setdefault(segment.thread, deque()).append(segment)

    def take(self, record: Stint | Wait) -> None:
        """Count what a thread did while it was on the path; those of one thread come in their order."""
        ahead = self._ahead.get(record.thread)
        if not ahead:
            return
        begin, end = record.begin, record.end
        while ahead and (segment := ahead[0]).begin < end:
            length = min(end, segment.end) - max(begin, segment.begin)
            if length > 0:
                if isinstance(record, Stint):
                    segment.ran += length
                else:
                    segment.waited += length
                    key = record.reason, record.object, record.place
                    self.waits[key] = self.waits.get(key, 0.0) + length
            if segment.end > end:
                break
            ahead.popleft()

    def threads(self) -> list[tuple[int, float, float, float, int]]:
        """By thread: seconds it ran, stood ready and waited on the path, and in how many segments."""
        found: dict[int, tuple[float, float, float, int]] = {}
        for segment in self.segments:
            ran, ready, waited, count = found.get(segment.thread, (0.0, 0.0, 0.0, 0))
            found[segment.thread] = (
                ran + segment.ran,
                ready + segment.ready,
                waited + segment.waited,
                count + 1,
            )
        rows = [(thread, *figures) for thread, figures in found.items()]
        return sorted(rows, key=lambda row: (-(row[1] + row[2] + row[3]), row[0]))

    def places(self) -> list[tuple[int | None, float, int]]:
        """By the call that handed over: seconds of the segments that it ended, and how many they are."""
        found: dict[int | None, tuple[float, int]] = {}
        for segment in self.segments[:-1]:
            seconds, count = found.get(segment.place, (0.0, 0))
            found[segment.place] = seconds + segment.end - segment.begin, count + 1
        rows = [(place, seconds, count) for place, (seconds, count) in found.items()]
        return sorted(rows, key=lambda row: -row[1])
