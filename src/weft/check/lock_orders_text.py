"""What is said of the orders in which a run takes its locks."""

import linecache
from typing import Any

from weft.check.benign import Benign
from weft.check.lock_orders import Graph, Ring
from weft.check.stacks import program_place
from weft.core.places import short

__all__ = ["closing", "finding_of", "told"]

MOST_TESTS = 4  # that are named for an edge


def told(graph: Graph, benign: Benign) -> tuple[list[dict[str, Any]], list[dict[str, Any]], int]:
    """The rings as findings: those that count, those of one thread alone, and how many are silenced."""
    rings: list[dict[str, Any]] = []
    alone: list[dict[str, Any]] = []
    silenced = 0
    for ring in graph.rings():
        finding = finding_of(ring)
        if benign.covers(finding):
            silenced += 1
        else:
            (alone if ring.alone else rings).append(finding)
    return rings, alone, silenced


def closing(graph: Graph, rings: int, alone: int, silenced: int) -> list[str]:
    """What there is to say after the rings."""
    if not len(graph):
        return ["no lock was taken while another was held"]
    what = "no cycle" if not rings else f"{rings} cycle{'s' * (rings > 1)}"
    orders, places = len(graph), graph.places
    made = f"{places:,} place{'s make' if places > 1 else ' makes'}"
    lines = [f"{what} in {orders:,} order{'s' * (orders > 1)} of locks that {made}"]
    if alone:
        lines.append(f"{alone} more, each by one thread of one test: -v tells of them")
    if silenced:
        lines.append(f"{silenced} declared harmless")
    if graph.cut:
        lines.append("there were more orders than are kept: a cycle may have gone unseen")
    return lines


def finding_of(ring: Ring) -> dict[str, Any]:
    """The ring as a finding (weft.check.findings), which may be declared harmless."""
    places = []
    for edge in ring.edges:
        places += [program_place(edge.had_at), program_place(edge.wanted_at)]
        places.append(edge.had.partition(" made at ")[2].partition(" by ")[0])
    names = list(dict.fromkeys(edge.name for edge in ring.edges))
    return {
        "kind": "lock-order",
        "level": "warning",
        "title": _title(ring),
        "threads": names,
        "places": list(dict.fromkeys(places)),
        "names": [],
        "lines": _lines(ring),
    }


def _title(ring: Ring) -> str:
    """In one line."""
    if ring.edges[0].had == ring.edges[0].wanted:
        count = len(ring.edges)
        return (
            f"{count} locks made at {_brief(ring.edges[0].had)} are each taken while another of them is held,"
            " in a ring that can end in a deadlock"
        )
    places = " and ".join(_brief(edge.had) for edge in ring.edges)
    return f"locks made at {places} are taken in orders that can end in a deadlock"


def _lines(ring: Ring) -> list[str]:
    """Its locks, and for each edge who took what where, and the tests that show it."""
    letters = "ABCDEFGH"
    lines = []
    for letter, edge in zip(letters, ring.edges, strict=False):
        lines.append(f"{letter}: {_shortened(edge.had)}{_source(edge.had.partition(' made at ')[2])}")
    if not ring.same:
        several = "in different tests, and " if len({edge.test for edge in ring.edges}) > 1 else ""
        lines.append(f"({several}not the same objects, but ones of the same places)")
    for index, (edge, tests) in enumerate(zip(ring.edges, ring.tests, strict=True)):
        had, wanted = letters[index], letters[(index + 1) % len(ring.edges)]
        lines.append(f"{edge.name} takes {wanted} while it holds {had}, in {edge.test}")
        lines += _stack(had, edge.had_at, edge.whole)
        lines += _stack(wanted, edge.wanted_at, True)
        # Edges between locks of one place are one order: each has the tests of the others too.
        named = {each.test for each in ring.edges if each.had == each.wanted} | {edge.test}
        others = [test for test in tests if test not in named]
        if others:
            more = f" and {len(others) - MOST_TESTS} more" if len(others) > MOST_TESTS else ""
            lines.append(f"    also in {', '.join(others[:MOST_TESTS])}{more}")
    return lines


def _stack(letter: str, places: list[str], whole: bool) -> list[str]:
    lines = [f"    {letter} taken at"]
    if not whole:
        lines.append("        (the callers had returned)")
    lines += [f"        {short(place)}{_source(place)}" for place in places]
    return lines


def _source(place: str) -> str:
    path, _, rest = place.partition(" by ")[0].partition(":")
    line = rest.partition(" ")[0]
    source = linecache.getline(path, int(line)).strip() if line.isdigit() else ""
    return f":  {source}" if source else ""


def _shortened(name: str) -> str:
    kind, made, place = name.partition(" made at ")
    return f"{kind}{made}{short(place)}"


def _brief(name: str) -> str:
    return short(name.partition(" made at ")[2].partition(" by ")[0])
