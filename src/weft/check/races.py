"""Accesses that nothing orders (FastTrack, Flanagan and Freund, 2009), and others that come in between.

Of each place the last write and the reads since are kept, each as a count of its thread's clock: another
access is ordered after it if its thread's clock has that count. In CPython one load or store is atomic, so a
race is a note. Accesses in between are told by the three of them: mine, another thread's, mine again.
"""

from typing import Any

from weft.check.clocks import Clock
from weft.check.holding import hold
from weft.instrument import points
from weft.models.controlled import REBIND

__all__ = ["Access", "Races"]

READ = 1
MOST = 200  # of each kind, in one execution
RECENT = 12  # accesses of a place among which the three are looked for


class Access:
    """One access: whose, whether it writes, when, and where: a site, or the name of a call out of sight."""

    __slots__ = ("count", "number", "site", "thread", "writes")

    def __init__(self, number: int, thread: str, writes: bool, count: int, site: Any) -> None:
        self.number = number
        self.thread = thread
        self.writes = writes
        self.count = count
        self.site = site


class _Place:
    __slots__ = ("reads", "recent", "write")

    def __init__(self) -> None:
        self.write: Access | None = None
        self.reads: dict[int, Access] = {}
        self.recent: list[Access] = []


class Races:
    """What was found in one execution.

    Attributes:
        found: pairs of accesses that nothing orders.
        between: (mine, another's, mine) that no order of the two threads, one after the other, would have.
        unseen: names of calls that touched, out of sight, what another thread touches at the same time.
    """

    def __init__(self) -> None:
        self.begin()

    def begin(self) -> None:
        """An execution begins."""
        self.found: list[tuple[Access, Access]] = []
        self.between: list[tuple[Access, Access, Access]] = []
        self.unseen: set[str] = set()
        self._places: dict[int, dict[Any, _Place]] = {}
        self._kept: list[Any] = []  # objects whose ids we use
        self._known: set[tuple[Any, ...]] = set()

    def access(self, access: Access, kind: int, target: Any, key: Any, clock: Clock) -> None:
        """A thread touches a part of an object, or, with no key, the whole."""
        parts = self._places.get(id(target))
        if parts is None:
            places = self._places
            parts = places[id(target)] = {}
            self._kept.append(hold(target, lambda key: places.pop(key, None)))
        place = parts.get(key)
        if place is None:
            place = parts[key] = _Place()
        touched = list(parts.values()) if key is None else [place, *([parts[None]] if None in parts else [])]
        for other in touched:
            self._compare(other, access, clock)
        if access.site.__class__ is not str and kind != REBIND:
            self._three(place, access)
        if access.writes:
            place.write, place.reads = access, {}
        else:
            place.reads[access.number] = access

    def _compare(self, place: _Place, access: Access, clock: Clock) -> None:
        others = [place.write] if place.write is not None else []
        if access.writes:
            others += place.reads.values()
        for other in others:
            if other.number != access.number and clock.get(other.number, 0) < other.count:
                self._race(other, access)

    def _race(self, one: Access, other: Access) -> None:
        names = [access.site for access in (one, other) if access.site.__class__ is str]
        if names:
            self.unseen.update(names)
            return
        pair = (one.site, other.site)
        if pair not in self._known and len(self.found) < MOST:
            self._known |= {pair, pair[::-1]}
            self.found.append((one, other))

    def _three(self, place: _Place, access: Access) -> None:
        recent = place.recent
        deciding = points.decides(access.site)
        seen: set[Any] = set()
        for at in range(len(recent) - 1, -1, -1):
            mine = recent[at]
            if mine.number != access.number:
                continue
            if not seen or (mine.site in deciding and mine.site not in seen):
                for other in recent[at + 1 :]:
                    if other.number != mine.number and _crosses(mine.writes, other.writes, access.writes):
                        self._add(mine, other, access)
            seen.add(mine.site)
            if mine.writes or not deciding:  # what decided before that is of another round
                break
        recent.append(access)
        if len(recent) > RECENT:
            del recent[0]

    def _add(self, mine: Access, other: Access, again: Access) -> None:
        three = (mine.site, other.site, again.site)
        if three not in self._known and len(self.between) < MOST:
            self._known.add(three)
            self.between.append((mine, other, again))


def _crosses(mine: bool, other: bool, again: bool) -> bool:
    """Whether another's access between two of mine makes a difference: R W R, W W R, R W W, W R W."""
    if other:
        return not (mine and again)
    return mine and again
