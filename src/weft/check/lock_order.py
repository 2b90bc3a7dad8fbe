"""Locks taken in two orders: a deadlock that has not struck yet (Goodlock, Havelund 2000).

Whoever takes a lock while it holds others draws an edge from each of them to it. A ring of edges is a
deadlock in waiting if the threads differ, no lock that two of them hold keeps them apart (a gate), and
nothing but chance orders the moments: starts, joins, events and queues do. A lock that is only tried, or
waited for with a timeout, draws no edge.
"""

import sys
from typing import Any

from weft.check.clocks import Clock
from weft.check.locks import Lock, RLock
from weft.check.stacks import NOTING, Frames, frames_of, places_of
from weft.models.controlled import Task

__all__ = ["Edge", "LockOrder"]

MOST_EDGES = 2_000  # of one execution
LONGEST = 5  # locks in a ring


class Edge:
    """A thread took `wanted` at one place while it held `had`, which it had taken at another."""

    __slots__ = (
        "clock",
        "count",
        "had",
        "had_at",
        "had_stack",
        "held",
        "holds",
        "number",
        "thread",
        "wanted",
        "wanted_at",
        "wanted_stack",
    )

    def __init__(self, task: Task, had: Any, had_at: str, wanted: Any, wanted_at: str) -> None:
        self.number = task.number
        self.thread = task.name
        self.had = had
        self.had_at = had_at
        self.wanted = wanted
        self.wanted_at = wanted_at
        self.held: frozenset[int] = frozenset()
        self.clock: Clock = {}
        self.count = 0
        self.holds: list[Any] = []  # where stacks are noted: the locks of `held`
        self.had_stack: Frames = []
        self.wanted_stack: Frames = []

    def plain(self, test: str) -> dict[str, Any]:
        """As the edge of a graph of many tests has it (weft.check.lock_orders)."""
        held = [_named(lock, test) for lock in self.holds]
        (had_id, had), (wanted_id, wanted) = _named(self.had, test), _named(self.wanted, test)
        return {
            "had": had,
            "wanted": wanted,
            "had_id": had_id,
            "wanted_id": wanted_id,
            "held": held,
            "test": test,
            "thread": f"{test}.{self.number}",
            "name": self.thread,
            "main": self.number == 0,
            "clock": {f"{test}.{number}": count for number, count in self.clock.items()},
            "had_at": places_of(self.had_stack),
            "wanted_at": places_of(self.wanted_stack),
            "whole": True,
        }

    def apart(self, other: "Edge") -> bool:
        """Whether something keeps the two from happening at the same time."""
        if self.number == other.number or not self.held.isdisjoint(other.held):
            return True
        return other.clock.get(self.number, 0) >= self.count or self.clock.get(other.number, 0) >= other.count


class LockOrder:
    """The locks that the threads of one execution hold, and the edges between them."""

    def __init__(self) -> None:
        self.begin()

    def begin(self) -> None:
        """An execution begins."""
        self._held: dict[int, list[tuple[Any, str, Frames]]] = {}
        self._edges: dict[int, list[Edge]] = {}  # by the id of the lock that was held
        self._known: set[tuple[Any, ...]] = set()

    def step(self, task: Task, order: Clock, place: str) -> None:
        """A thread is about to take a lock, or tries to."""
        target = task.target
        if type(target) not in (Lock, RLock) or task.kind not in ("acquire", "wait", "try"):
            return
        if target._owner is not None:  # it will not get it
            return
        held = self._held.setdefault(task.number, [])
        stack = frames_of(sys._getframe(1)) if NOTING.on else []
        if task.kind == "wait" or (task.kind == "acquire" and task.deadline is None):
            ids = frozenset(id(lock) for lock, _, _ in held)
            for lock, at, taken in held:
                known = (task.number, id(lock), id(target), ids)
                if known in self._known or len(self._known) > MOST_EDGES:
                    continue
                self._known.add(known)
                edge = Edge(task, lock, at, target, place)
                edge.held, edge.clock, edge.count = ids, dict(order), order[task.number]
                if NOTING.on:
                    edge.holds = [each[0] for each in held]
                    edge.had_stack, edge.wanted_stack = taken, stack
                self._edges.setdefault(id(lock), []).append(edge)
        held.append((target, place, stack))

    def released(self, target: Any) -> None:
        """Somebody lets a lock go: its holder as a rule."""
        for held in self._held.values():
            for at in range(len(held) - 1, -1, -1):
                if held[at][0] is target:
                    del held[at]
                    return

    def edges(self) -> list[Edge]:
        """All of them."""
        return [edge for edges in self._edges.values() for edge in edges]

    def rings(self) -> list[list[Edge]]:
        """The rings of edges; each once."""
        found: list[list[Edge]] = []
        seen: set[frozenset[int]] = set()
        for edges in list(self._edges.values()):
            for edge in edges:
                self._follow([edge], found, seen)
        return found

    def _follow(self, path: list[Edge], found: list[list[Edge]], seen: set[frozenset[int]]) -> None:
        for edge in self._edges.get(id(path[-1].wanted), ()):
            if any(edge.apart(other) for other in path):
                continue
            ring = [*path, edge]
            if edge.wanted is path[0].had:
                members = frozenset(map(id, ring))
                if members not in seen:
                    seen.add(members)
                    found.append(ring)
            elif len(ring) < LONGEST:
                self._follow(ring, found, seen)


def _named(lock: Any, test: str) -> tuple[str, str]:
    """Which lock it is, in all executions of the test, and the place that has made it."""
    place, number = getattr(lock, "_site", None) or (f"{type(lock).__name__} made at ?", "?")
    within = f" {test}" if number.endswith("the test") else ""
    return f"{place} {number}{within}", place
