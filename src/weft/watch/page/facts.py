"""The data of a page: plain lists and numbers, small enough to be looked at in a browser.

Times are ticks of a tenth of a microsecond. Texts, places, objects and whole waits stand once, in lists;
all else says which. A lane is a flat list of three numbers a slice: ticks since the slice before, ticks
that it takes, and what it is: the number of a detail, or BLEND, with ran, parked and count in a list
beside.
"""

from collections.abc import Hashable
from typing import Any

from weft.watch.critical import Segment
from weft.watch.lanes import Blend, Item
from weft.watch.picture import Picture
from weft.watch.record import Wait
from weft.watch.timeline import Contention, Life
from weft.watch.words import alike, clean, object_words, place_words, program_words, reason_words

__all__ = ["facts"]

TICKS = 10_000_000  # a second
BLEND = -1
OBJECTS = 300  # rows of the table of contention
SIDE = 8  # places, holders and wakers told of one object
SEGMENTS = 4_000  # of the critical path that are drawn and listed
ROWS = 200  # of the tables about the critical path


def ticks(seconds: float) -> int:
    """A time for the page."""
    return round(seconds * TICKS)


class _Numbered:
    """Things of a page, each once; what refers to one has its number."""

    def __init__(self) -> None:
        self.numbers: dict[Hashable, int] = {}

    def __call__(self, thing: Hashable) -> int:
        return self.numbers.setdefault(thing, len(self.numbers))

    @property
    def all(self) -> list[Any]:
        """In the order of their numbers."""
        return list(self.numbers)


class _Maker:
    def __init__(self, picture: Picture) -> None:
        self.picture = picture
        self.timeline = picture.timeline
        self.places, self.objects, self.reasons = _Numbered(), _Numbered(), _Numbered()
        self.details = _Numbered()
        # Threads with lanes come first; others follow as they are mentioned.
        self.threads = _Numbered()
        for number in picture.shown:
            self.threads(number)

    def place(self, number: int | None) -> int:
        return -1 if number is None else self.places(number)

    def thread(self, number: int | None) -> int:
        return -1 if number is None else self.threads(number)

    def object(self, number: int | None) -> int:
        return -1 if number is None else self.objects(number)

    # -- lanes -------------------------------------------------------------------------------------

    def lane(self, items: list[Item], carrier: bool) -> dict[str, list[int]]:
        """The slices of one lane; on a carrier's a number is a thread, on a thread's a carrier."""
        slices: list[int] = []
        blends: list[int] = []
        before = 0
        for begin, end, what in items:
            first = max(before, ticks(begin))
            until = max(first, ticks(end))
            slices += (first - before, until - first)
            before = until
            if isinstance(what, Blend):
                slices.append(BLEND)
                blends += (ticks(what.ran), ticks(what.parked), what.slices)
            elif isinstance(what, Wait):
                slices.append(self.details(self._wait(what)))
            else:
                slices.append(self.details(("t", self.thread(what)) if carrier else ("r", what)))
        return {"s": slices, "b": blends}

    def _wait(self, wait: Wait) -> tuple[Hashable, ...]:
        return (
            "w",
            self.reasons(wait.reason),
            self.object(wait.object),
            self.place(wait.place),
            self.thread(wait.holder),
            self.thread(wait.by),
            self.place(wait.by_place),
            wait.cause,
        )

    # -- tables ------------------------------------------------------------------------------------

    def life(self, number: int, life: Life, groups: _Numbered) -> list[Any]:
        """One row of the table of threads."""
        known = self.timeline.names.threads.get(number)
        return [
            number,
            groups(alike(clean(self.timeline.name(number)))),
            int(known.daemon and not known.main) if known else 0,
            ticks(life.first),
            ticks(life.last),
            ticks(life.ran),
            ticks(life.ready),
            [[self.reasons(reason), ticks(seconds)] for reason, seconds in sorted(life.parked.items())],
            life.stints,
            life.waits,
            life.preempted,
            self.thread(life.by),
            self.place(life.place),
            int(life.ended),
            int(life.open),
            clean(life.error) if life.error is not None else None,
        ]

    def group_rows(self, groups: _Numbered) -> list[list[Any]]:
        """Threads of alike names, all of them: how many, and what they did together."""
        found: dict[str, list[int]] = {}
        for number, life in self.timeline.lives.items():
            row = found.setdefault(alike(clean(self.timeline.name(number))), [0, 0, 0, 0])
            for at, value in enumerate((1, ticks(life.ran), ticks(life.ready), ticks(life.waited))):
                row[at] += value
        for name in found:
            groups(name)
        return [[name, *found[name]] for name in groups.all]

    def contention(self, number: int, found: Contention) -> dict[str, Any]:
        """One row of the table of contention."""
        thread, begin = found.worst
        return {
            "o": self.object(number),
            "r": [self.reasons(reason) for reason, _ in found.reasons.most_common()],
            "n": found.waits,
            "sum": ticks(found.total),
            "max": ticks(found.longest),
            "at": [self.thread(thread), ticks(begin)],
            "still": found.still,
            "places": self._most([(self.place(key), n) for key, n in found.places.most_common()]),
            "holders": self._most([(self.thread(key), n) for key, n in found.holders.most_common()]),
            "wakers": self._most([(self.place(key), n) for key, n in found.wakers.most_common()]),
        }

    def waits(self) -> list[list[int]]:
        """Waits by reason and place, those first that took the longest in all."""
        found = sorted(self.timeline.waits.items(), key=lambda pair: -pair[1][1])
        return [
            [self.reasons(reason), self.place(place), count, ticks(total), ticks(longest)]
            for (reason, place), (count, total, longest) in found
        ]

    @staticmethod
    def _most(pairs: list[tuple[int, int]]) -> dict[str, Any]:
        return {"all": len(pairs), "most": pairs[:SIDE]}

    def path(self) -> dict[str, Any]:
        """The critical path: totals of all of it, and its longest segments."""
        path = self.picture.path
        longest = sorted(path.segments, key=_length)[:SEGMENTS]
        drawn = sorted(longest, key=lambda segment: (segment.begin, segment.end))
        rest = sum(s.end - s.begin for s in path.segments) - sum(s.end - s.begin for s in drawn)
        threads, places = path.threads(), path.places()
        waits = sorted(path.waits.items(), key=lambda pair: -pair[1])
        return {
            "cut": path.cut,
            "all": len(path.segments),
            "rest": ticks(rest),
            "segments": [
                [self.thread(s.thread), *map(ticks, (s.begin, s.end, s.ran, s.waited)), self.place(s.place)]
                for s in drawn
            ],
            "threads": [[self.thread(n), *map(ticks, row[:3]), row[3]] for n, *row in threads[:ROWS]],
            "threads_all": len(threads),
            "places": [[self.place(place), ticks(seconds), n] for place, seconds, n in places[:ROWS]],
            "places_all": len(places),
            "waits": [
                [self.reasons(reason), self.object(thing), self.place(place), ticks(seconds)]
                for (reason, thing, place), seconds in waits[:ROWS]
            ],
            "waits_all": len(waits),
        }


def _length(segment: Segment) -> tuple[float, float]:
    return segment.begin - segment.end, segment.begin


def facts(picture: Picture) -> dict[str, Any]:
    """What the page is told.

    Args:
        picture: filled and settled.
    """
    timeline = picture.timeline
    about = timeline.names.about
    maker = _Maker(picture)
    groups = _Numbered()
    lanes = [maker.lane(picture.slices(n), carrier=False) for n in picture.shown]
    lives = [maker.life(n, timeline.lives[n], groups) for n in picture.shown]
    contended = timeline.contended()
    carriers = [
        {"n": number, "kernel": known.native_id if (known := timeline.names.carriers.get(number)) else None}
        | maker.lane(picture.carried(number), carrier=True)
        for number in timeline.drawn_carriers
    ]
    made = {
        "ticks": TICKS,
        "end": max(ticks(timeline.seconds), 1),
        "program": program_words(about),
        "model": str(about.get("model", "?")),
        "python": str(about.get("python", "?")),
        "weft": str(about.get("weft", "?")),
        "pid": about.get("pid"),
        "began": about.get("began"),
        "cut": bool(about.get("cut")),
        "lost": about.get("lost", 0),
        "records": timeline.records,
        "switches": timeline.switches,
        "grain": ticks(picture.lanes.grain),
        "blended": picture.lanes.blended,
        "total": len(timeline.lives),
        "lanes": lanes,
        "lives": lives,
        "carriers": carriers,
        "groups": maker.group_rows(groups),
        "counts": [[round(value, 3) for value in picture.counts.averages(kind)] for kind in range(3)],
        "preempted": [
            [maker.thread(n), ticks(time)] for time, n in picture.preempted if n in maker.threads.numbers
        ],
        "contended": [maker.contention(number, found) for number, found in contended[:OBJECTS]],
        "contended_all": len(contended),
        "waits": maker.waits()[:OBJECTS],
        "waits_all": len(timeline.waits),
        "path": maker.path(),
    }
    made["details"] = maker.details.all
    made["threads"] = [clean(timeline.name(number)) for number in maker.threads.all]
    made["places"] = [place_words(timeline.place(number)) for number in maker.places.all]
    made["objects"] = [object_words(timeline.object(number)) for number in maker.objects.all]
    made["reasons"] = [[reason, reason_words(reason)] for reason in maker.reasons.all]
    return made
