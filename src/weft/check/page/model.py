"""What is on the page, as values: everything is decided here, and the template only writes it down."""

from dataclasses import dataclass, field

__all__ = [
    "Arrow",
    "Bar",
    "Figure",
    "Graph",
    "Lane",
    "Line",
    "Listed",
    "Listing",
    "Node",
    "Page",
    "Row",
    "Segment",
]


@dataclass(frozen=True)
class Lane:
    """The column of one thread: its number, its name, and when it lives, in rows from the top."""

    number: int
    name: str
    colour: int
    top: int
    bottom: int
    started_by: str
    ends: bool


@dataclass(frozen=True)
class Row:
    """What stands in one row: a step, or one of the others.

    Attributes:
        kind: "step"; "note" for what happened and is no step; "waits", "fails" for how it ends; "fold" for
            what is left out.
        step: its number in the schedule, from 1; 0: it is no step.
        lane: the column, -1 for a fold.
        place: where, as people read it: "8" or "file.py:8".
        at: which line of which listing: "0:8", "" where there is none.
        code: the line of the source.
        said: what it did: "reads 7".
        time: seconds of virtual time, "" where it is that of the row before.
        part: its number among the places of the finding, 0: none.
    """

    kind: str
    step: int
    lane: int
    place: str
    at: str
    code: str
    said: str
    time: str
    part: int = 0
    function: str = ""


@dataclass(frozen=True)
class Bar:
    """What lasts: a lock that is held, a wait. From row `top` to row `bottom`, both included.

    Attributes:
        kind: "held" or "waits".
        depth: which of those of its thread at that time, from 0.
        colour: of the lock.
    """

    kind: str
    lane: int
    top: int
    bottom: int
    text: str
    depth: int = 0
    colour: int = 0


@dataclass(frozen=True)
class Segment:
    """The part of a bar, or of a thread's life, that lies in one row."""

    kind: str  # "lives", "held" or "waits"
    lane: int
    depth: int
    colour: int
    begins: bool
    ends: bool
    text: str


@dataclass(frozen=True)
class Arrow:
    """From one row to another, as it is drawn: a path in hundredths of a lane and of a row.

    Attributes:
        x, y: where its head is; `points` is "left" or "right".
        kind: "conflict" for what goes wrong, "flow" for what leads to it.
        source, target: the rows.
    """

    path: str
    x: float
    y: float
    points: str
    text: str
    kind: str
    source: int
    target: int


@dataclass(frozen=True)
class Figure:
    """One way to show a schedule: columns, rows, and what lies over them."""

    name: str
    title: str
    about: str
    lanes: list[Lane]
    rows: list[Row]
    bars: list[Bar]
    segments: list[list[Segment]]  # of each row
    arrows: list[Arrow]
    locks: list[tuple[int, str]]  # colour and name of each that is held

    @property
    def roomy(self) -> bool:
        """Whether something is written at the right of the last column."""
        return any(arrow.points == "left" and arrow.x > 100 * (len(self.lanes) - 1) for arrow in self.arrows)


@dataclass(frozen=True)
class Node:
    """A thread or a thing in a graph, with its middle."""

    kind: str
    name: str
    x: float
    y: float
    width: float
    colour: int = 0


@dataclass(frozen=True)
class Line:
    """An arrow of a graph between two points at the edges of nodes, with what it says."""

    x1: float
    y1: float
    x2: float
    y2: float
    text: str
    kind: str


@dataclass(frozen=True)
class Graph:
    """Who waits for whom."""

    title: str
    width: float
    height: float
    nodes: list[Node]
    lines: list[Line]
    words: list[str]  # the same in sentences


@dataclass(frozen=True)
class Listing:
    """A file of the program, as far as the schedule comes by: pieces of (line number, text)."""

    name: str
    pieces: list[list[tuple[int, str]]]


@dataclass(frozen=True)
class Listed:
    """A finding in words. `parts` says whether its lines are those that the figures number."""

    level: str
    kind: str
    title: str
    lines: list[str]
    parts: bool = False


@dataclass(frozen=True)
class Page:
    """All of it."""

    title: str
    command: str
    verdict: str  # "failure", "warning", "note" or "clean"
    headline: str
    facts: list[tuple[str, str]]
    findings: list[Listed]
    unseen: list[str]
    notes: list[str]
    figures: list[Figure] = field(default_factory=list)
    graph: Graph | None = None
    listings: list[Listing] = field(default_factory=list)
    footer: str = ""
