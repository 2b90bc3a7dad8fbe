"""Who waits for whom, as a graph: threads and what they wait for on a ring, with who only waits above it."""

from math import cos, hypot, pi, sin
from typing import Any

from weft.check.page.conflict import edges_of, open_hold
from weft.check.page.model import Graph, Line, Node
from weft.check.page.told import COLOURS, Told, clean

__all__ = ["graph"]

LETTER = 8.2  # width of a letter, in the units of the drawing
LEAST, MOST = 90.0, 240.0  # width of a node
HEIGHT = 34.0  # of a node
GAP = 80.0  # between two rows
BETWEEN = 40.0  # two nodes of a row
MARGIN = 8.0
LONGEST = 26  # letters of a name

_Key = tuple[str, Any]


class _Net:
    """Nodes by key, and who points to whom."""

    def __init__(self, told: Told) -> None:
        self.told = told
        self.nodes: dict[_Key, str] = {}
        self.arcs: list[tuple[_Key, _Key, str]] = []
        self.words: list[str] = []

    def thread(self, number: int) -> _Key:
        key = ("thread", number)
        self.nodes[key] = clean(self.told.name(number))
        return key

    def thing(self, number: int, name: str) -> _Key:
        key = ("thing", number)
        self.nodes[key] = clean(name)
        return key

    def point(self, source: _Key, target: _Key, text: str) -> None:
        arc = (source, target, text)
        if arc not in self.arcs:
            self.arcs.append(arc)

    def ring(self) -> list[_Key]:
        """The nodes of a cycle, in its order; empty if there is none."""
        following = {source: target for source, target, _ in self.arcs}
        for start in self.nodes:
            path: list[_Key] = []
            node: _Key | None = start
            while node is not None and node not in path:
                path.append(node)
                node = following.get(node)
            if node is not None:
                return path[path.index(node) :]
        return []


def graph(finding: dict[str, Any] | None, told: Told) -> Graph | None:
    """The graph of who waits for whom, or of locks in two orders; None: there is nothing to draw."""
    if finding is None:
        return None
    net = _Net(told)
    if finding["kind"] == "lock-order":
        _of_order(net, finding)
        title = "Locks in two orders"
    elif told.ends:
        _of_waits(net)
        title = "Who waits for whom"
    else:
        return None
    return _laid_out(net, title) if net.arcs else None


def _of_order(net: _Net, finding: dict[str, Any]) -> None:
    told = net.told
    for number, (name, had, wanted) in enumerate(edges_of(finding, told)):
        first, second = told.details[had][0], told.details[wanted][0]
        ends = [net.thing(thing, told.thing(thing) or f"lock {thing}") for thing in (first, second)]
        middle = ("thread", (number, told.steps[wanted][0]))
        net.nodes[middle] = clean(name)
        net.point(ends[0], middle, "held by")
        net.point(middle, ends[1], "takes")
        net.words.append(f"{clean(name)} takes {net.nodes[ends[1]]} while it holds {net.nodes[ends[0]]}")


def _of_waits(net: _Net) -> None:
    told = net.told
    for thread, _, text, thing in told.ends:
        me = net.thread(thread)
        net.words.append(f"{clean(told.name(thread))} {clean(text)}")
        wait = next((wait for wait in told.waits if wait.thread == thread and wait.last is None), None)
        if wait is not None and wait.kind == "join" and wait.holder is not None:
            net.point(me, net.thread(wait.holder), "waits for its end")
        elif thing:
            hold = open_hold(told, thing)
            what = net.thing(thing, told.thing(thing) or text.rpartition(" ")[2])
            net.point(me, what, "notify" if wait is not None and wait.kind == "wait" else "waits for")
            if hold is not None:
                net.point(what, net.thread(hold.thread), "held by")


def _laid_out(net: _Net, title: str) -> Graph:
    width = {
        key: min(MOST, max(LEAST, LETTER * min(LONGEST, len(name)) + 24)) for key, name in net.nodes.items()
    }
    ring = net.ring()
    place = _on_ring(ring, width)
    following = {source: target for source, target, _ in net.arcs}
    levels: dict[int, list[_Key]] = {}  # what only waits, by how many arrows it is away from what does not
    for key in net.nodes:
        level, node = 0, key
        while node not in place and node in following and level < len(net.nodes):
            node, level = following[node], level + 1
        if key not in ring:
            levels.setdefault(level, []).append(key)
    y = 0.0
    for level in sorted(levels):
        y -= GAP
        _on_row(levels[level], following, width, place, y)
    left = min(x - width[key] / 2 for key, (x, _) in place.items()) - MARGIN
    top = min(y for _, y in place.values()) - HEIGHT / 2 - MARGIN
    place = {key: (x - left, y - top) for key, (x, y) in place.items()}
    right = max(x + width[key] / 2 for key, (x, _) in place.items()) + MARGIN
    bottom = max(y for _, y in place.values()) + HEIGHT / 2 + MARGIN
    nodes = [
        Node(
            "thread" if key[0] == "thread" else "thing",
            _cut(name),
            *place[key],
            width[key],
            _colour(net, key),
        )
        for key, name in net.nodes.items()
    ]
    sizes = {key: (*place[key], width[key]) for key in net.nodes}
    lines = [
        _line(sizes[source], sizes[target], text, source in ring and target in ring)
        for source, target, text in net.arcs
        if source != target
    ]
    return Graph(title, right, bottom, nodes, lines, net.words)


def _colour(net: _Net, key: _Key) -> int:
    kind, number = key
    if kind == "thing":
        return net.told.colour(number)
    return int(number[1] if isinstance(number, tuple) else number) % COLOURS


def _cut(name: str) -> str:
    return name if len(name) <= LONGEST else name[: LONGEST - 1] + "…"


def _on_row(
    keys: list[_Key],
    following: dict[_Key, _Key],
    width: dict[_Key, float],
    place: dict[_Key, tuple[float, float]],
    y: float,
) -> None:
    """Each above what it waits for, as far as there is room."""
    wanted = {key: place.get(following.get(key, key), (0.0, 0.0))[0] for key in keys}
    free = -1e9
    for key in sorted(keys, key=lambda key: wanted[key]):
        x = max(wanted[key], free + width[key] / 2)
        place[key] = (x, y)
        free = x + width[key] / 2 + BETWEEN


def _on_ring(ring: list[_Key], width: dict[_Key, float]) -> dict[_Key, tuple[float, float]]:
    """Places on an ellipse, the first at the left, in the way of the clock."""
    if not ring:
        return {}
    widest = max(width[key] for key in ring)
    down = max(GAP * 0.75, len(ring) * 22.0)
    across = max(widest * 1.05, len(ring) * widest / 4.5)
    place = {}
    for index, key in enumerate(ring):
        angle = pi + 2 * pi * index / len(ring)
        place[key] = (across * cos(angle), down * sin(angle))
    left = min(x - width[key] / 2 for key, (x, _) in place.items())
    top = min(y for _, y in place.values())
    return {key: (x - left, y - top + HEIGHT) for key, (x, y) in place.items()}


def _line(
    source: tuple[float, float, float], target: tuple[float, float, float], text: str, within: bool
) -> Line:
    x1, y1 = _edge(source, target)
    x2, y2 = _edge(target, source)
    return Line(x1, y1, x2, y2, text, "ring" if within else "side")


def _edge(node: tuple[float, float, float], toward: tuple[float, float, float]) -> tuple[float, float]:
    """Where a line from one node's middle to another's leaves its box."""
    x, y, width = node
    dx, dy = toward[0] - x, toward[1] - y
    length = hypot(dx, dy) or 1.0
    half, high = width / 2 + 4, HEIGHT / 2 + 4
    share = min(half / abs(dx) if dx else 1e9, high / abs(dy) if dy else 1e9)
    share = min(share, (length / 2) / length)
    return x + dx * share, y + dy * share
