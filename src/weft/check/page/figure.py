"""A schedule as a figure: a column for each thread, a row for each step, and what lies over the rows."""

import linecache
from typing import Any

from weft.check.page.conflict import Conflict, Item, Tie
from weft.check.page.model import Arrow, Bar, Figure, Lane, Row, Segment
from weft.check.page.told import COLOURS, Note, Told, clean, parted

__all__ = ["MOST_CHOSEN", "MOST_ROWS", "Places", "figure"]

MOST_ROWS = 1_200  # of a figure; what is more is folded
MOST_CHOSEN = 80  # of one with chosen steps
HEAD = 5  # the part of the rows that is kept for the beginning: one in so many
AROUND = 15  # rows on each side of what a finding is about that stay
LANE, ROW = 100.0, 100.0  # units of the arrows
LEFT, RIGHT = 12.0, 94.0  # where a step's box lies in its lane
_ENDS = {"conflict": 0.34, "flow": 0.68}  # where in its row an arrow ends, so that two do not meet
LONGEST = 160  # characters of a line of source

_WORDS = {
    "start": "starts a thread",
    "exit": "the program is at its end",
    "sleep": "sleeps",
    "loop": "goes round again",
    "clock": "looks at the clock",
}


class Places:
    """How places are shown, and which line of which listing each is."""

    def __init__(self, told: list[Told], also: list[str]) -> None:
        every = [place for each in told for _, _, place in each.steps]
        every += [place for each in told for _, place, *_ in each.ends]
        every += [note.place for each in told for note in each.notes]
        self.lines: dict[str, set[int]] = {}
        for place in (*every, *also):
            path, line, _ = parted(place)
            if line:
                self.lines.setdefault(path, set()).add(line)
        self.paths = list(self.lines)

    def short(self, place: str) -> str:
        """A place for people: the line alone where all are in one file."""
        path, line, _ = parted(place)
        if not line:
            return clean(place)
        return str(line) if len(self.paths) == 1 else f"{clean(path.rpartition('/')[2])}:{line}"

    def at(self, place: str) -> str:
        """The listing and the line."""
        path, line, _ = parted(place)
        return f"{self.paths.index(path)}:{line}" if line else ""

    def code(self, place: str) -> str:
        """The line of the source."""
        path, line, _ = parted(place)
        return clean(linecache.getline(path, line).strip()[:LONGEST]) if line else ""


def figure(
    told: Told,
    finding: dict[str, Any] | None,
    found: Conflict,
    places: Places,
    name: str,
    title: str,
    chosen: set[int] | None = None,
) -> Figure:
    """One way to show an execution.

    Args:
        told: the execution.
        finding: what went wrong in it, if anything did.
        found: which steps it is about.
        places: how places are shown.
        name: of the figure, for addresses within the page; title: for people.
        chosen: the steps to show, by index; None: all of them.
    """
    return _Drawing(told, finding, found, places, chosen).figure(name, title)


class _Drawing:
    def __init__(
        self,
        told: Told,
        finding: dict[str, Any] | None,
        found: Conflict,
        places: Places,
        chosen: set[int] | None,
    ) -> None:
        self.told = told
        self.finding = finding
        self.found = found
        self.places = places
        self.chosen = chosen
        self.rows: list[Row] = []
        self.row_of: dict[Item, int] = {}
        self.folded = 0
        self._time = 0.0
        self.started = {(first, by): told.name(n) for n, (first, _, by) in told.lives.items()}
        items = self._items()
        kept = self._kept(items)
        shown = {self._thread(item) for position, item in enumerate(items) if position in kept}
        self.threads = sorted(shown - {-1})
        self.column = {number: index for index, number in enumerate(self.threads)}
        self._write(items, kept)

    # -- rows

    def _items(self) -> list[Item]:
        """All that may have a row, in the order of time."""
        told = self.told
        notes: dict[int, list[Item]] = {}
        for number, note in enumerate(told.notes):
            notes.setdefault(note.gap, []).append(("note", number))
        items: list[Item] = []
        for index in range(len(told.steps)):
            items += [*notes.get(index, ()), ("step", index)]
        items += notes.get(len(told.steps), ())
        items += [("end", index) for index in range(len(told.ends))]
        if not told.ends and self._failing() is not None:
            items.append(("fail", 0))
        return items

    def _failing(self) -> int | None:
        """The thread that a finding ends, where it ends one."""
        finding = self.finding
        if finding is None or finding["kind"] not in ("exception", "assertion", "exit"):
            return None
        return min((number for name in finding["threads"] for number in self.told.called(name)), default=None)

    def _thread(self, item: Item) -> int:
        kind, index = item
        if kind == "step":
            return self.told.steps[index][0]
        if kind == "note":
            return self.told.notes[index].thread
        if kind == "end":
            return self.told.ends[index][0]
        return -1 if (failing := self._failing()) is None else failing

    def _kept(self, items: list[Item]) -> set[int]:
        """The positions of the items that have a row of their own."""
        wanted = {item for tie in self.found.ties for item in (tie.source, tie.target)} | set(
            self.found.parts
        )
        if self.chosen is None:
            keep = set(range(len(items)))
        else:
            things = {self.told.details[index][0] for index in self.chosen} | {
                end[3] for end in self.told.ends
            }
            keep = {
                position
                for position, (kind, index) in enumerate(items)
                if kind in ("end", "fail")
                or (kind == "step" and index in self.chosen)
                or (kind == "note" and self.told.notes[index].thing in things - {0})
                or (kind, index) in wanted
            }
        most = MOST_ROWS if self.chosen is None else MOST_CHOSEN
        if len(keep) > most:
            marked = [position for position, item in enumerate(items) if item in wanted][:20]
            near = {p for mark in marked for p in range(mark - AROUND, mark + AROUND + 1)} & keep
            ordered = sorted(keep)
            head = most // HEAD
            tail = max(0, most - head - len(near))
            keep = {*ordered[:head], *near, *ordered[len(ordered) - tail :]}
        return keep

    def _write(self, items: list[Item], kept: set[int]) -> None:
        fold: list[Item] = []
        for position, item in enumerate(items):
            if position in kept:
                self._close(fold)
                fold = []
                self.row_of[item] = len(self.rows)
                self.rows.append(self._row(item))
            else:
                fold.append(item)
                self.row_of[item] = len(self.rows)
        self._close(fold)

    def _close(self, fold: list[Item]) -> None:
        steps = sum(kind == "step" for kind, _ in fold)
        if not fold:
            return
        names = list(dict.fromkeys(self.told.name(self._thread(item)) for item in fold))
        whose = ", ".join(names[:3]) + (" and others" if len(names) > 3 else "")
        what = f"{steps:,} step{'s' * (steps != 1)}" if steps else f"{len(fold)} more"
        self.folded += steps
        self.rows.append(Row("fold", 0, -1, "", "", "", clean(f"{what} of {whose}"), ""))

    def _row(self, item: Item) -> Row:
        kind, index = item
        told, lane = self.told, self.column[self._thread(item)]
        part = self.found.parts.get(item, 0)
        if kind == "step":
            _, what, place = told.steps[index]
            said = told.details[index][1] or self._operation(index, what)
            step = index + 1
        elif kind == "note":
            place, said, step = told.notes[index].place, told.notes[index].text, 0
        elif kind == "end":
            _, place, said, _ = told.ends[index]
            step = 0
        else:
            assert self.finding is not None
            place, said, step = (self.finding["places"] or ["?"])[-1], self.finding["title"], 0
        shown = {"end": "waits", "fail": "fails"}.get(kind, kind)
        where = self.places
        time = self._time_at(index) if kind == "step" else ""
        function = clean(parted(place)[2])
        return Row(
            shown,
            step,
            lane,
            where.short(place),
            where.at(place),
            where.code(place),
            clean(said),
            time,
            part,
            function,
        )

    def _operation(self, index: int, what: str) -> str:
        if what == "start":
            started = self.started.get((index + 1, self.told.steps[index][0]))
            return f"starts {started}" if started else _WORDS[what]
        if what.startswith("join "):
            return f"{what.removeprefix('join ')} has ended"
        return _WORDS.get(what.partition(" ")[0], what)

    def _time_at(self, index: int) -> str:
        times = self.told.times
        if index >= len(times) or times[index] == self._time:
            return ""
        self._time = times[index]
        return f"{self._time:.6f}".rstrip("0").rstrip(".") + " s"

    # -- what lies over them

    def _row_of_step(self, step: int) -> int:
        if step < len(self.told.steps):
            return self.row_of["step", max(0, step)]
        return len(self.rows)

    @property
    def _last_step(self) -> int:
        """The row of the last step, before those that tell how it ends."""
        ends = len(self.told.ends) or int(self._failing() is not None)
        return len(self.rows) - ends - 1

    def _lanes(self) -> list[Lane]:
        lanes = []
        for number in self.threads:
            first, last, parent = self.told.lives.get(number, (0, None, -1))
            top = 0 if number == 0 else self._row_of_step(first)
            bottom = len(self.rows) - 1 if last is None else self._row_of_step(last)
            by = clean(self.told.name(parent)) if parent >= 0 else ""
            colour = number % COLOURS
            lanes.append(
                Lane(number, clean(self.told.name(number)), colour, top, bottom, by, last is not None)
            )
        return lanes

    def _bars(self, colours: dict[int, int]) -> list[Bar]:
        bars: list[Bar] = []
        notes: dict[int, list[tuple[int, Note]]] = {}
        for number, note in enumerate(self.told.notes):
            notes.setdefault(note.gap, []).append((number, note))
        open_until: dict[int, list[int]] = {}  # by lane: the last row of the bar at each depth
        for hold in sorted(self.told.holds, key=lambda hold: hold.first):
            if hold.thread not in self.column:
                continue
            top = self._row_of_step(hold.first)
            bottom = len(self.rows) - 1 if hold.last is None else self._row_of_step(hold.last)
            until = -1 if hold.last is None else hold.last + 1
            for number, note in notes.get(until, ()):  # still in the step in which it is let go
                if (note.thread, note.thing) == (hold.thread, hold.thing):
                    bottom = max(bottom, self.row_of["note", number])
            if top == bottom and self.rows[top].kind == "fold":
                continue
            lane = self.column[hold.thread]
            depths = open_until.setdefault(lane, [])
            depth = next((d for d, row in enumerate(depths) if row < top), len(depths))
            depths[depth : depth + 1] = [bottom]
            text = f"holds {self._lock(hold.thing)}"
            bars.append(Bar("held", lane, top, bottom, text, depth, colours[hold.thing]))
        for wait in self.told.waits:
            top = self._row_of_step(wait.first)
            bottom = self._last_step if wait.last is None else self._row_of_step(wait.last)
            if wait.thread in self.column and top <= bottom:
                if top == bottom and self.rows[top].kind == "fold":
                    continue
                bars.append(Bar("waits", self.column[wait.thread], top, bottom, self._waiting(wait)))
        return bars

    def _lock(self, thing: int) -> str:
        return clean(self.told.thing(thing)) or f"lock {thing}"

    def _waiting(self, wait: Any) -> str:
        holder = "" if wait.holder is None else self.told.name(wait.holder)
        if wait.kind == "join":
            text = f"waits for the end of {holder}"
        elif wait.kind == "sleep":
            text = f"sleeps until {wait.until:g} s" if wait.until is not None else "sleeps"
        elif wait.kind == "loop":
            text = "has gone round, and nothing has changed"
        else:
            name = self.told.thing(wait.thing)
            words = {"wait": "waits on", "get": "waits for an item of", "put": "waits for room in"}
            text = f"{words.get(wait.kind, 'waits for')} {name or 'a lock'}"
            if holder and wait.kind != "wait":
                text += f", held by {holder}"
            if wait.until is not None:
                text += f", until {wait.until:g} s"
        return clean(text)

    def _arrow(self, tie: Tie) -> Arrow | None:
        source, target = self.row_of.get(tie.source), self.row_of.get(tie.target)
        if source is None or target is None or source == target:
            return None
        one, other = self.rows[source], self.rows[target]
        if one.lane < 0 or other.lane < 0:
            return None
        y1, y2 = (source + 0.5) * ROW, (target + _ENDS[tie.kind]) * ROW
        if one.lane == other.lane:
            x1 = x2 = one.lane * LANE + RIGHT
            bend = min(22.0, 8.0 + 2.0 * abs(target - source))
            path = f"M{x1:g} {y1:g}C{x1 + bend:g} {y1:g} {x2 + bend:g} {y2:g} {x2:g} {y2:g}"
            return Arrow(path, x2, y2, "left", tie.text, tie.kind, source, target)
        right = other.lane > one.lane
        x1 = one.lane * LANE + (RIGHT if right else LEFT)
        x2 = other.lane * LANE + (LEFT if right else RIGHT)
        bend = max(12.0, abs(x2 - x1) / 2) * (1 if right else -1)
        path = f"M{x1:g} {y1:g}C{x1 + bend:g} {y1:g} {x2 - bend:g} {y2:g} {x2:g} {y2:g}"
        return Arrow(path, x2, y2, "right" if right else "left", tie.text, tie.kind, source, target)

    def figure(self, name: str, title: str) -> Figure:
        """All of it."""
        things = list(dict.fromkeys(hold.thing for hold in self.told.holds))
        colours = {thing: self.told.colour(thing) for thing in things}
        bars = self._bars(colours)
        shown = {bar.colour for bar in bars if bar.kind == "held"}
        locks = [(colours[thing], self._lock(thing)) for thing in things if colours[thing] in shown]
        arrows = [arrow for tie in self.found.ties if (arrow := self._arrow(tie)) is not None]
        total = len(self.told.steps)
        if self.folded:
            about = f"{total - self.folded:,} of {total:,} steps; what is left out is counted where it was"
        else:
            about = f"all {total:,} steps"
        lanes = self._lanes()
        return Figure(name, title, about, lanes, self.rows, bars, self._segments(lanes, bars), arrows, locks)

    def _segments(self, lanes: list[Lane], bars: list[Bar]) -> list[list[Segment]]:
        """What lies over the rows, row by row: so that a page may end between any two."""
        found: list[list[Segment]] = [[] for _ in self.rows]
        lives = [
            Bar("lives", column, lane.top, lane.bottom, "", 0, lane.colour)
            for column, lane in enumerate(lanes)
        ]
        for bar in (*lives, *bars):
            for row in range(bar.top, bar.bottom + 1):
                found[row].append(
                    Segment(
                        bar.kind, bar.lane, bar.depth, bar.colour, row == bar.top, row == bar.bottom, bar.text
                    )
                )
        return found
