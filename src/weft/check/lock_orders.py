"""The orders in which a whole run takes its locks: one graph of all tests, and its rings.

A node is a place that makes locks, since each test makes its own; an edge says that a thread took a lock of
one place while it held a lock of another (Goodlock, Havelund 2000). A ring of edges is a deadlock in waiting.
Two edges of one test can meet if their threads differ, no lock that both hold keeps them apart, and no start
or join orders them. Edges of two tests stand for two uses of the program, which might come at one time: there
only a lock of one place, held by both, keeps them apart, or that both are of one thread that outlives tests.

Locks of one place, such as two accounts, make a ring only if the objects themselves were taken in a ring.
"""

from collections.abc import Iterator
from typing import Any

__all__ = ["Edge", "Graph", "Ring"]

MOST_OF_A_PAIR = 24  # edges between two places that are kept
MOST_ALIKE = 3  # of them that differ in their objects alone
MOST_OF_A_PLACE = 400  # between objects of one place
LONGEST = 5  # locks in a ring
MOST_RINGS = 100
MOST_TRIES = 20_000  # choices of edges for one ring

CAN_MEET, ONE_THREAD, APART = 0, 1, 2


class Edge:
    """A thread took the lock `wanted` while it held `had`; sent between processes as `plain`.

    Attributes:
        had, wanted: the places that make these locks, with their kind.
        had_id, wanted_id: which locks they were, in one process.
        held: all that the thread held, as (id, place).
        test, thread, name: where, and by whom; `main` is whether it is the thread that runs the test.
        clock: of starts and joins in the test, thread to count.
        had_at, wanted_at: stacks, outermost place first; `whole` is False where that of `had_at` has a gap
            before its last place.
    """

    __slots__ = (
        "clock",
        "had",
        "had_at",
        "had_id",
        "held",
        "main",
        "name",
        "test",
        "thread",
        "wanted",
        "wanted_at",
        "wanted_id",
        "whole",
    )

    def __init__(self, **fields: Any) -> None:
        self.had: str = fields["had"]
        self.wanted: str = fields["wanted"]
        self.had_id: str = fields["had_id"]
        self.wanted_id: str = fields["wanted_id"]
        self.held: list[tuple[str, str]] = [(each[0], each[1]) for each in fields["held"]]
        self.test: str = fields["test"]
        self.thread: str = fields["thread"]
        self.name: str = fields["name"]
        self.main: bool = fields["main"]
        self.clock: dict[str, int] = fields["clock"]
        self.had_at: list[str] = fields["had_at"]
        self.wanted_at: list[str] = fields["wanted_at"]
        self.whole: bool = fields["whole"]

    @property
    def plain(self) -> dict[str, Any]:
        """Its fields, of plain types."""
        return {name: getattr(self, name) for name in self.__slots__}

    @property
    def ids(self) -> tuple[str, str]:
        """The two locks themselves."""
        return self.had_id, self.wanted_id

    def meets(self, other: "Edge") -> int:
        """Whether the two can come at one time: CAN_MEET, APART, or only if ONE_THREAD's code has two."""
        if self.test != other.test:
            if self.thread == other.thread and not self.main:
                return APART
            at = 1 if self.had != self.wanted else 0  # among objects of one place the places say nothing
            mine, theirs = ({each[at] for each in edge.held} for edge in (self, other))
            return CAN_MEET if mine.isdisjoint(theirs) else APART
        if not {each[0] for each in self.held}.isdisjoint(each[0] for each in other.held):
            return APART
        if self.thread == other.thread:
            return ONE_THREAD
        return APART if self._before(other) or other._before(self) else CAN_MEET

    def _before(self, other: "Edge") -> bool:
        return other.clock.get(self.thread, 0) >= self.clock.get(self.thread, 1)

    def like(self, other: "Edge") -> bool:
        """Whether it tells no more than the other."""
        same = (self.test, self.thread, self.clock) == (other.test, other.thread, other.clock)
        if self.had == self.wanted:
            return same and self.ids == other.ids
        return same and {each[1] for each in self.held} >= {each[1] for each in other.held}


class Ring:
    """Edges each of which begins where the one before it ends.

    Attributes:
        edges: them.
        alone: whether some are of one thread in one test, so that it takes a second one that does the same.
        same: whether the objects, and not only their places, are in a ring.
        tests: for each edge the tests that showed it.
    """

    def __init__(self, edges: list[Edge], alone: bool, tests: list[list[str]]) -> None:
        self.edges = edges
        self.alone = alone
        self.same = all(
            edge.wanted_id == after.had_id for edge, after in zip(edges, [*edges[1:], edges[0]], strict=True)
        )
        self.tests = tests


class Graph:
    """All that a run has shown.

    Attributes:
        cut: whether there was more than is kept.
        proved: tests of which every schedule was run: what they alone show is no deadlock.
    """

    def __init__(self) -> None:
        self.cut = False
        self.proved: set[str] = set()
        self._edges: dict[tuple[str, str], list[Edge]] = {}
        self._tests: dict[tuple[str, str], dict[str, None]] = {}

    def __len__(self) -> int:
        """How many pairs of places."""
        return len(self._edges)

    @property
    def places(self) -> int:
        """How many places make locks that were taken with others."""
        return len({place for pair in self._edges for place in pair})

    def wants(self, had: str, wanted: str, held: int, test: str) -> bool:
        """Note that a test has shown an order; whether the edge itself, with `held` locks, would be kept."""
        pair = (had, wanted)
        kept = self._edges.get(pair)
        if kept is None or had == wanted or len(kept) < MOST_OF_A_PAIR:
            return True
        self._tests[pair][test] = None
        return held < max(len(each.held) for each in kept)

    def add(self, edge: Edge) -> None:
        """One more edge."""
        pair = (edge.had, edge.wanted)
        self._tests.setdefault(pair, {})[edge.test] = None
        kept = self._edges.setdefault(pair, [])
        alike = [each.ids for each in kept if edge.like(each)]
        if edge.ids in alike or len(alike) >= MOST_ALIKE:
            return
        if len(kept) < (MOST_OF_A_PLACE if edge.had == edge.wanted else MOST_OF_A_PAIR):
            kept.append(edge)
            return
        self.cut = self.cut or edge.had == edge.wanted
        most = max(kept, key=lambda each: len(each.held))
        if len(edge.held) < len(most.held):  # a lock less that may keep it apart
            kept[kept.index(most)] = edge

    # -- between processes ------------------------------------------------------------------------------

    @property
    def plain(self) -> dict[str, Any]:
        """All of it, of plain types."""
        return {
            "edges": [edge.plain for edges in self._edges.values() for edge in edges],
            "tests": [[*pair, *tests] for pair, tests in self._tests.items()],
            "proved": sorted(self.proved),
            "cut": self.cut,
        }

    def take(self, plain: dict[str, Any]) -> None:
        """Add what another process has."""
        for fields in plain["edges"]:
            self.add(Edge(**fields))
        for had, wanted, *tests in plain["tests"]:
            self._tests.setdefault((had, wanted), {}).update(dict.fromkeys(tests))
        self.proved.update(plain["proved"])
        self.cut = self.cut or plain["cut"]

    # -- rings ------------------------------------------------------------------------------------------

    def rings(self) -> list[Ring]:
        """One for each ring of places, and one for each ring of objects of one place."""
        found: list[Ring] = []
        after: dict[str, list[str]] = {}
        for had, wanted in self._edges:
            if had != wanted:
                after.setdefault(had, []).append(wanted)
        for nodes in _rings_of(after):
            ring = self._best(list(zip(nodes, [*nodes[1:], nodes[0]], strict=True)))
            if ring is not None:
                found.append(ring)
        for (had, wanted), edges in self._edges.items():
            if had == wanted:
                ring = self._of_one_place(edges)
                if ring is not None:
                    found.append(ring)
        return sorted(found, key=lambda ring: (ring.alone, not ring.same, len(ring.edges)))

    def _of_one_place(self, edges: list[Edge]) -> Ring | None:
        """The best ring among objects that one place has made."""
        after: dict[str, list[str]] = {}
        between: dict[tuple[str, str], list[Edge]] = {}
        for edge in edges:
            between.setdefault((edge.had_id, edge.wanted_id), []).append(edge)
            after.setdefault(edge.had_id, []).append(edge.wanted_id)
        best = None
        for nodes in _rings_of(after):
            pairs = zip(nodes, [*nodes[1:], nodes[0]], strict=True)
            ring = self._choose([between[pair] for pair in pairs])
            if ring is not None and (best is None or ring.alone < best.alone):
                best = ring
            if best is not None and not best.alone:
                break
        return best

    def _best(self, pairs: list[tuple[str, str]]) -> Ring | None:
        return self._choose([self._edges[pair] for pair in pairs])

    def _choose(self, choices: list[list[Edge]]) -> Ring | None:
        """An edge of each list, so that all can meet; the same objects and several threads rather."""
        best: Ring | None = None
        tries = 0
        for edges, alone in _together(choices):
            tries += 1
            if tries > MOST_TRIES:
                self.cut = True
                break
            if edges is None:
                continue
            if {edge.test for edge in edges} <= self.proved and len({edge.test for edge in edges}) == 1:
                continue
            tests = [list(self._tests[edge.had, edge.wanted]) for edge in edges]
            ring = Ring(edges, alone, tests)
            if best is None or (ring.alone, not ring.same) < (best.alone, not best.same):
                best = ring
            if not best.alone and best.same:
                break
        return best


def _together(choices: list[list[Edge]]) -> Iterator[tuple[list[Edge] | None, bool]]:
    """The ways to take an edge of each list so that no two are apart; None for each step on the way there."""
    partial: list[tuple[list[Edge], bool]] = [([], False)]
    while partial:
        chosen, alone = partial.pop()
        if len(chosen) == len(choices):
            yield chosen, alone
            continue
        yield None, False
        for edge in reversed(choices[len(chosen)]):
            met = [edge.meets(other) for other in chosen]
            if APART not in met:
                partial.append(([*chosen, edge], alone or ONE_THREAD in met))


def _rings_of(after: dict[str, list[str]]) -> Iterator[list[str]]:
    """The rings of a graph of at most LONGEST nodes, each once, beginning with its smallest node."""
    found = 0
    for group in _strong(after):
        for start in sorted(group):
            paths = [[start]]
            while paths:
                path = paths.pop()
                for node in dict.fromkeys(after.get(path[-1], ())):
                    if node == start:
                        found += 1
                        yield path
                        if found >= MOST_RINGS:
                            return
                    elif node > start and node in group and node not in path and len(path) < LONGEST:
                        paths.append([*path, node])


def _strong(after: dict[str, list[str]]) -> list[set[str]]:
    """The groups of more than one node whose nodes all lead to each other (Kosaraju)."""
    order: list[str] = []
    seen: set[str] = set()
    for root, targets in after.items():
        stack = [(root, iter(targets))] if root not in seen else []
        seen.add(root)
        while stack:
            node, rest = stack[-1]
            new = next((each for each in rest if each not in seen), None)
            if new is None:
                order.append(node)
                stack.pop()
            else:
                seen.add(new)
                stack.append((new, iter(after.get(new, ()))))
    before: dict[str, list[str]] = {}
    for node, targets in after.items():
        for target in targets:
            before.setdefault(target, []).append(node)
    groups: list[set[str]] = []
    placed: set[str] = set()
    for root in reversed(order):
        if root in placed:
            continue
        group: set[str] = set()
        waiting = [root]
        while waiting:
            node = waiting.pop()
            if node not in placed:
                placed.add(node)
                group.add(node)
                waiting += before.get(node, ())
        if len(group) > 1:
            groups.append(group)
    return groups
