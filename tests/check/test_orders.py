"""The graph of lock orders: which rings count, and which edges can meet."""

import json
from typing import Any

import pytest

from weft.check.lock_orders import MOST_OF_A_PAIR, Edge, Graph


def edge(had: str, wanted: str, **given: Any) -> Edge:
    """An edge between locks; `a1` is a lock of place `a`."""
    held = [had, *given.pop("gates", ())]
    fields = {
        "had": had[0],
        "wanted": wanted[0],
        "had_id": had,
        "wanted_id": wanted,
        "held": [(lock, lock[0]) for lock in held],
        "test": "t",
        "thread": "main",
        "name": "MainThread",
        "main": given.get("thread", "main") == "main",
        "clock": {given.get("thread", "main"): 1},
        "had_at": [],
        "wanted_at": [],
        "whole": True,
    }
    return Edge(**(fields | given))


def rings(*edges: Edge, proved: tuple[str, ...] = ()) -> list[tuple[str, bool, bool]]:
    """Of each ring: its locks, whether one thread alone shows it, whether its objects are in a ring."""
    graph = Graph()
    graph.proved.update(proved)
    for each in edges:
        graph.add(each)
    again = Graph()
    again.take(json.loads(json.dumps(graph.plain)))
    found = [["".join(e.had_id for e in r.edges), r.alone, r.same] for r in graph.rings()]
    assert [["".join(e.had_id for e in r.edges), r.alone, r.same] for r in again.rings()] == found
    return [tuple(each) for each in found]  # type: ignore[misc]


def test_two_threads_of_one_test() -> None:
    one = edge("a1", "b1", thread="x")
    assert rings(one, edge("b1", "a1", thread="y")) == [("a1b1", False, True)]
    assert rings(one, edge("b2", "a2", thread="y")) == [("a1b2", False, False)]
    assert rings(one, edge("a2", "b1", thread="y")) == []


def test_one_thread_of_one_test_is_set_apart() -> None:
    assert rings(edge("a1", "b1"), edge("b1", "a1")) == [("a1b1", True, True)]


def test_two_tests_are_two_uses() -> None:
    assert rings(edge("a1", "b1"), edge("b2", "a2", test="u")) == [("a1b2", False, False)]


def test_a_thread_that_outlives_a_test_is_still_one() -> None:
    one, other = edge("a1", "b1", thread="x"), edge("b1", "a1", thread="x", test="u")
    assert rings(one, other) == []


def test_a_gate_keeps_two_apart() -> None:
    one = edge("a1", "b1", thread="x", gates=["g1"])
    assert rings(one, edge("b1", "a1", thread="y", gates=["g1"])) == []
    assert len(rings(one, edge("b1", "a1", thread="y", gates=["g2"]))) == 1, "it is another lock"
    assert rings(one, edge("b2", "a2", test="u", gates=["g2"])) == [], "in another test, it is the same place"
    free = edge("b1", "a1", thread="y")
    assert len(rings(one, edge("b1", "a1", thread="y", gates=["g1"]), free)) == 1


def test_starts_and_joins_keep_two_apart() -> None:
    first = edge("a1", "b1", thread="x", clock={"x": 2})
    assert rings(first, edge("b1", "a1", thread="y", clock={"y": 1, "x": 2})) == []
    assert len(rings(first, edge("b1", "a1", thread="y", clock={"y": 1, "x": 1}))) == 1
    assert len(rings(first, edge("b1", "a1", thread="y", clock={"x": 2}, test="u"))) == 1


def test_locks_of_one_place_go_by_what_they_are() -> None:
    one = edge("a1", "a2", thread="x")
    assert rings(one, edge("a3", "a4", thread="y")) == []
    assert rings(one, edge("a2", "a1", thread="y")) == [("a1a2", False, True)]
    assert rings(one, edge("a2", "a1", thread="x")) == [("a1a2", True, True)]
    assert rings(one, edge("a2", "a1", thread="y", gates=["a9"])) == [("a1a2", False, True)]
    three = [edge(f"a{i}", f"a{i % 3 + 1}", thread=f"{i}") for i in (1, 2, 3)]
    assert rings(*three) == [("a1a2a3", False, True)]
    assert rings(one, edge("a2", "a1", thread="y", test="u")) == [("a1a2", False, True)]


def test_longer_rings_and_several() -> None:
    abc = [edge("a1", "b1", thread="x"), edge("b1", "c1", thread="y"), edge("c1", "a1", thread="z")]
    assert rings(*abc) == [("a1b1c1", False, True)]
    assert rings(*abc[:2], edge("c1", "a1", thread="y")) == [("a1b1c1", True, True)]
    more = [edge("d1", "e1", thread="x"), edge("e1", "d1", thread="y"), edge("a1", "d1", thread="x")]
    assert rings(*abc, *more) == [("d1e1", False, True), ("a1b1c1", False, True)]


def test_what_every_schedule_of_a_test_has_shown_is_no_deadlock() -> None:
    two = [edge("a1", "b1", thread="x"), edge("b1", "a1", thread="y")]
    assert rings(*two, proved=("t",)) == []
    assert len(rings(*two, edge("b2", "a2", test="u"), proved=("t",))) == 1


def test_several_threads_and_the_same_objects_are_shown_rather() -> None:
    edges = [edge("a1", "b1"), edge("b2", "a2", thread="y"), edge("b1", "a1", thread="y"), edge("b1", "a1")]
    assert rings(*edges) == [("a1b1", False, True)]


def test_the_tests_of_an_edge_are_kept_where_the_edge_is_not() -> None:
    graph = Graph()
    for number in range(MOST_OF_A_PAIR + 5):
        if graph.wants("a", "b", 2, f"t{number}"):
            graph.add(edge("a1", "b1", test=f"t{number}", gates=["g1"]))
    graph.add(edge("a1", "b1", test="free"))
    graph.add(edge("b1", "a1", test="back", gates=["g1"]))
    (ring,) = graph.rings()
    assert [each.test for each in ring.edges] == ["free", "back"]
    assert len(ring.tests[0]) == MOST_OF_A_PAIR + 6
    assert len(graph) == 2
    assert graph.places == 2


@pytest.mark.parametrize("size", [6, 40])
def test_a_big_tangle_comes_to_an_end(size: int) -> None:
    graph = Graph()
    names = [chr(ord("A") + i) for i in range(size)]
    for a in names:
        for b in names:
            if a != b:
                graph.add(edge(f"{a}1", f"{b}1", thread="x", gates=["g1"]))
                graph.add(edge(f"{a}1", f"{b}1", thread="y", gates=["g1"]))
    assert graph.rings() == []
