"""Locks taken in two orders: a deadlock that has not struck yet (Goodlock, Havelund 2000).

Whoever takes a lock while it holds others draws an edge from each of them to it. A ring of edges is a
deadlock in waiting if the threads differ, no lock that two of them hold keeps them apart (a gate), and
nothing but chance orders the moments: starts, joins, events and queues do. A lock that is only tried, or
waited for with a timeout, draws no edge.
"""

from typing import Any

from weft.check.clocks import Clock
from weft.check.locks import Lock, RLock
from weft.models.controlled import Task

__all__ = ["Edge", "LockOrder"]

MOST_EDGES = 2_000  # of one execution
LONGEST = 5  # locks in a ring


class Edge:
    """A thread took `wanted` at one place while it held `had`, which it had taken at another."""

    __slots__ = ("clock", "count", "had", "had_at", "held", "number", "thread", "wanted", "wanted_at")

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
        self._held: dict[int, list[tuple[Any, str]]] = {}
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
        if task.kind == "wait" or (task.kind == "acquire" and task.deadline is None):
            ids = frozenset(id(lock) for lock, _ in held)
            for lock, at in held:
                known = (task.number, id(lock), id(target), ids)
                if known in self._known or len(self._known) > MOST_EDGES:
                    continue
                self._known.add(known)
                edge = Edge(task, lock, at, target, place)
                edge.held, edge.clock, edge.count = ids, dict(order), order[task.number]
                self._edges.setdefault(id(lock), []).append(edge)
        held.append((target, place))

    def released(self, target: Any) -> None:
        """Somebody lets a lock go: its holder as a rule."""
        for held in self._held.values():
            for at in range(len(held) - 1, -1, -1):
                if held[at][0] is target:
                    del held[at]
                    return

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
