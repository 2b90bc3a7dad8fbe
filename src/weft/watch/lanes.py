"""What a picture has room for: slices of lanes, the shortest drawn together once there are too many.

A *lane* is a row of slices in their order that do not overlap. While there are few, each is kept as it was.
Once there are more than the picture can hold, time is cut into equal grains, and slices of one lane that
lie within one grain become one *blend*: from when to when, how much of it was running and how much parked,
and how many they were. Grains double until few enough are left, so memory is bounded however long a
recording is, and what is longer than a grain keeps its exact bounds.
"""

from collections.abc import Hashable
from typing import NamedTuple, TypeAlias

from weft.watch.record import Wait

__all__ = ["Blend", "Item", "Lanes"]

MOST = 120_000  # slices in a picture


class Blend(NamedTuple):
    """Short slices of one lane, drawn together."""

    ran: float
    parked: float
    slices: int


#: From when, to when, and what: a carrier that the thread ran on, a wait, or a blend.
Item: TypeAlias = "tuple[float, float, int | Wait | Blend]"


class Lanes:
    """Slices by lane.

    Attributes:
        grain: seconds; slices that lie within one grain were drawn together; 0: none were.
        blended: how many slices are in blends.
    """

    def __init__(self, most: int = MOST) -> None:
        self.most = most
        self.grain = 0.0
        self.lanes: dict[Hashable, list[Item]] = {}
        self._count = 0
        self._limit = 2 * most  # slices at which it is time to settle

    def add(self, lane: Hashable, begin: float, end: float, what: int | Wait) -> None:
        """The next slice of a lane."""
        try:
            self.lanes[lane].append((begin, end, what))
        except KeyError:
            self.lanes[lane] = [(begin, end, what)]
        self._count += 1
        if self._count > self._limit:
            self.settle()

    def settle(self) -> None:
        """Draw together until there is room."""
        if self._count > self.most and not self.grain:
            self.grain = self._first_grain() / 2
        elif self.grain:
            self._blend_all()  # what came since the last time may be all there is to do
        while self._count > self.most:
            self.grain *= 2
            self._blend_all()
            if self._count <= 2 * len(self.lanes):  # no lane could be shorter
                return

    def _blend_all(self) -> None:
        self._count = 0
        for lane, items in self.lanes.items():
            merged = self.lanes[lane] = _blended(items, self.grain)
            self._count += len(merged)

    @property
    def blended(self) -> int:
        """How many slices are not drawn by themselves."""
        return sum(
            what.slices for items in self.lanes.values() for _, _, what in items if isinstance(what, Blend)
        )

    def _first_grain(self) -> float:
        """The power of two that the shortest quarter of all slices fits into."""
        lengths = sorted(end - begin for items in self.lanes.values() for begin, end, _ in items)
        wanted = max(lengths[len(lengths) // 4], 1e-7)
        grain = 2.0**-24  # seconds
        while grain < 2 * wanted:
            grain *= 2
        return grain


def _blended(items: list[Item], grain: float) -> list[Item]:
    made: list[Item] = []
    group: list[Item] = []
    cell = -1
    scale = 1 / grain
    for item in items:
        here = int(item[0] * scale)
        if here == cell and int(item[1] * scale) == here:
            group.append(item)
            continue
        if group:
            made.append(group[0] if len(group) == 1 else _blend(group))
        group, cell = [item], here if int(item[1] * scale) == here else -1
    if group:
        made.append(group[0] if len(group) == 1 else _blend(group))
    return made


def _blend(group: list[Item]) -> Item:
    ran = parked = 0.0
    count = 0
    for begin, end, what in group:
        if isinstance(what, Blend):
            ran += what.ran
            parked += what.parked
            count += what.slices
        else:
            count += 1
            if isinstance(what, Wait):
                parked += end - begin
            else:
                ran += end - begin
    return group[0][0], group[-1][1], Blend(ran, parked, count)
