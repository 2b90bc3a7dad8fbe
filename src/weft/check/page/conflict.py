"""Which steps a finding is about, and the arrows between them.

A finding names threads and places, and a place may be passed many times. The steps meant are those that fit
its threads, places, order and what they touch.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from weft.check.page.told import Hold, Told

__all__ = ["Conflict", "Item", "Tie", "conflict", "edges_of", "open_hold"]

Item = tuple[str, int]
"""What may have a row: "step", "note" or "end" with its index, or ("fail", 0)."""

_LOOKS = ("reads ", "decides by ")
_THREE = {  # what the arrows say: from the first step to the third, and from the second to the third
    "race": ("is made of this value", "overwrites it"),
    "stale-read": ("is decided by this value", "does not know of it"),
    "access-between": ("belong together", "comes between"),
}
_TAKES = ("acquire ", "try ", "wait ")


@dataclass(frozen=True)
class Tie:
    """An arrow to be drawn; `kind` is "conflict" for what goes wrong, "flow" for what leads to it."""

    source: Item
    target: Item
    text: str
    kind: str = "conflict"


@dataclass
class Conflict:
    """What a finding is about: the number of each item among the finding's lines, and arrows."""

    parts: dict[Item, int] = field(default_factory=dict)
    ties: list[Tie] = field(default_factory=list)


def conflict(finding: dict[str, Any] | None, told: Told) -> Conflict:
    """The items of a finding and its arrows; none where they cannot be told."""
    if finding is None:
        return Conflict()
    kind = finding["kind"]
    if kind in _THREE and len(finding["places"]) == len(finding["lines"]) == 3:
        return _of_three(finding, told)
    if kind == "data-race" and len(finding["places"]) == len(finding["lines"]) == 2:
        return _of_two(finding, told)
    if kind == "lock-order":
        return _of_order(finding, told)
    if told.ends:
        return _of_waits(finding, told)
    if kind in ("exception", "assertion", "exit"):
        return _of_failure(finding, told)
    return Conflict()


def _looks(what: str) -> bool:
    return what.startswith(_LOOKS)


def _fits(finding: dict[str, Any], told: Told) -> list[list[int]]:
    """For each line of a finding the steps that it may be: by place, thread, and whether it only looks."""
    found = []
    for line, place in zip(finding["lines"], finding["places"], strict=True):
        names = [name for name in finding["threads"] if line.startswith(f"{name} ")]
        name = max(names, key=len, default="")
        looks = _looks(line[len(name) + 1 :])
        threads = told.called(name)
        found.append(
            [
                index
                for index, (number, what, where) in enumerate(told.steps)
                if number in threads and where == place and _looks(what) == looks
            ]
        )
    return found


def _of_three(finding: dict[str, Any], told: Told) -> Conflict:
    firsts, middles, lasts = _fits(finding, told)
    thing, steps = told.details, told.steps
    for last in lasts:
        before = [m for m in middles if m < last and steps[m][0] != steps[last][0]]
        for middle in reversed([m for m in before if thing[m][0] == thing[last][0]] or before):
            mine = [f for f in firsts if f < middle and steps[f][0] == steps[last][0]]
            if mine:
                items: list[Item] = [("step", mine[-1]), ("step", middle), ("step", last)]
                flow, wrong = _THREE[finding["kind"]]
                return Conflict(
                    {item: number for number, item in enumerate(items, 1)},
                    [Tie(items[0], items[2], flow, "flow"), Tie(items[1], items[2], wrong)],
                )
    return Conflict()


def _of_two(finding: dict[str, Any], told: Told) -> Conflict:
    ones, others = _fits(finding, told)
    same = [
        (abs(one - other), one, other)
        for one in ones
        for other in others
        if told.steps[one][0] != told.steps[other][0] and told.details[one][0] == told.details[other][0]
    ]
    if not same:
        return Conflict()
    _, one, other = min(same)
    items: list[Item] = [("step", one), ("step", other)]
    first, last = sorted(items)
    parts = {item: number for number, item in enumerate(items, 1)}
    return Conflict(parts, [Tie(first, last, "nothing orders them")])


def edges_of(finding: dict[str, Any], told: Told) -> Iterator[tuple[str, int, int]]:
    """Of locks in two orders: whose, the step that took one lock and the step that takes the next."""
    places = finding["places"]
    for name, had_at, wanted_at in zip(finding["threads"], places[::2], places[1::2], strict=False):
        threads = told.called(name)
        taken = [
            index
            for index, (number, what, place) in enumerate(told.steps)
            if number in threads and what.startswith(_TAKES) and place in (had_at, wanted_at)
        ]
        for wanted in taken:
            had = [index for index in taken if index < wanted and told.steps[index][2] == had_at]
            held = [index for index in had if told.details[index][0] != told.details[wanted][0]]
            if told.steps[wanted][2] == wanted_at and held:
                yield name, held[-1], wanted
                break


def _of_order(finding: dict[str, Any], told: Told) -> Conflict:
    found = Conflict()
    for number, (_, had, wanted) in enumerate(edges_of(finding, told), 1):
        found.parts |= {("step", had): number, ("step", wanted): number}
        found.ties.append(Tie(("step", had), ("step", wanted), "still holds it"))
    return found


def open_hold(told: Told, thing: int) -> Hold | None:
    """Who holds a lock in the end."""
    return next((hold for hold in told.holds if hold.thing == thing and hold.last is None), None)


def _of_waits(finding: dict[str, Any], told: Told) -> Conflict:
    found = Conflict()
    for index, (thread, _, text, thing) in enumerate(told.ends):
        if index < len(finding["lines"]):
            found.parts["end", index] = index + 1
        hold = open_hold(told, thing)
        if hold is not None and (", held by " in text or hold.thread == thread):
            found.ties.append(Tie(("end", index), ("step", hold.first), "held since here"))
        for number, note in enumerate(told.notes):
            if note.thing == thing and thing and "nobody" in note.text:
                found.ties.append(Tie(("note", number), ("end", index), "came before the wait"))
    return found


def _of_failure(finding: dict[str, Any], told: Told) -> Conflict:
    """The last thing that the failing thread read and another had written."""
    threads = {number for name in finding["threads"] for number in told.called(name)}
    writer: dict[int, int] = {}
    last: tuple[int, int] | None = None
    for index, ((number, what, _), (thing, _)) in enumerate(zip(told.steps, told.details, strict=True)):
        if not thing:
            continue
        if what.startswith(("writes ", "calls ")):
            writer[thing] = index
        elif _looks(what) and number in threads and thing in writer:
            written = writer[thing]
            if told.steps[written][0] != number:
                last = (written, index)
    if last is None:
        return Conflict()
    wrote, read = last
    name = told.name(told.steps[wrote][0])
    return Conflict({}, [Tie(("step", wrote), ("step", read), f"reads what {name} wrote")])
