"""A unit: a piece of a search that one process does by itself, and what comes of it.

A unit is data: which strategy, so many executions, where chance begins, for an exhaustive search which part.
Together with what was known when it was made it says all: whoever does it, and how often, the same comes of
it. So its size is a number of executions and of steps, never a time; time only cuts one off at the very end.

A *one-shot* runs one execution in fresh state. A *batch* runs many, putting the state of modules back between
them: a hundred times faster, but what it finds is believed only when a fresh process shows it again.
"""

import sys
from typing import Any, Protocol

from weft.check import findings
from weft.check.execution import Executor, Outcome, WithClock
from weft.check.settings import Settings
from weft.check.strategies.base import Strategy
from weft.check.strategies.delay import DelayDfs
from weft.check.strategies.dfs import BoundedDfs, pack
from weft.check.strategies.dpor import Dpor
from weft.check.strategies.pct import Pct
from weft.check.strategies.pos import Pos
from weft.check.strategies.robin import RoundRobin
from weft.check.strategies.surw import Surw
from weft.check.strategies.walk import Walk
from weft.check.world import MODEL, passed
from weft.host.entropy import Stream

__all__ = [
    "BATCH",
    "EXHAUSTIVE",
    "MOST_OTHERS",
    "SHOT",
    "Beat",
    "Knowledge",
    "Unit",
    "do",
    "left_of",
    "mixture",
    "strategy",
]

SHOT, BATCH = "shot", "batch"
EXHAUSTIVE = ("dfs", "delay", "dpor")
WITHOUT_CLOCK = (*EXHAUSTIVE, "round-robin")
STICKY = (0.0, 0.5, 0.8, 0.95)
MANY = 12  # threads
TIMED = 1_000.0  # MODEL.now of an execution in which nobody waited
LOOK_AT_FIRST = 24  # executions of a search that are looked at for warnings
LOOK_EVERY = 17  # executions of which one is, later
MOST_OTHERS = 20  # warnings and notes of a unit
BURIED = 200  # stacks that would not end, after which a batch gives up its process
PARTS = 2  # into which what is left of a part is split
ALTERNATIVES = 1_000  # in a part of what is left for later


class Unit:
    """A piece of a search.

    Attributes:
        number: its place among the units: what comes of them is put together in this order.
        size, steps: executions at most; and steps, after which no other execution is begun.
        seed: where chance begins.
        before: executions of the same kind in earlier units, as many as those might have had.
        part: for an exhaustive search, what frontier.wire gives.
    """

    def __init__(self, number: int, kind: str, strategy: str, size: int, steps: int, seed: int) -> None:
        self.number = number
        self.kind = kind
        self.strategy = strategy
        self.size = size
        self.steps = steps
        self.seed = seed
        self.before = 0
        self.part: Any = None

    @property
    def plain(self) -> list[Any]:
        """As plain types."""
        made = [self.number, self.kind, self.strategy, self.size, self.steps, self.seed]
        return [*made, self.before, self.part]

    @classmethod
    def of(cls, plain: list[Any]) -> "Unit":
        """The unit that was made plain."""
        unit = cls(*plain[:6])
        unit.before, unit.part = plain[6:]
        return unit


class Knowledge:
    """What a search has learned of the program, and later units go by.

    Attributes:
        release: kinds of primitives whose release is a point (MODEL.release_points).
        hot: the parts of the snapshot that executions change.
        timed: whether the program waits with a deadline.
        threads: most that a one-shot has had, up to MANY + 1.
        k: choices of the longest of the first executions.
        seen: signatures of failures that did not show again, and are no longer looked at.
    """

    def __init__(self) -> None:
        self.release: frozenset[str] = frozenset()
        self.hot: set[int] = set()
        self.timed = False
        self.threads = 0
        self.k = 20
        self.seen: set[str] = set()

    @property
    def plain(self) -> list[Any]:
        """As plain types."""
        return [sorted(self.release), sorted(self.hot), self.timed, self.threads, self.k, sorted(self.seen)]

    @classmethod
    def of(cls, plain: list[Any]) -> "Knowledge":
        """What was made plain."""
        made = cls()
        release, hot, made.timed, made.threads, made.k, seen = plain
        made.release, made.hot, made.seen = frozenset(release), set(hot), set(seen)
        return made


class Beat(Protocol):
    """How a unit shows that it is alive, and is told to stop."""

    def __call__(self) -> bool:
        """An execution is about to begin; True: there is no time for it."""


def strategy(name: str, stream: Stream, knowledge: Knowledge) -> Strategy:
    """A strategy of chance, by the name that people know it by."""
    if name == "walk":
        return Walk(stream)
    if name == "uniform":
        return Walk(stream, (0.0,))
    if name == "pct":
        return Pct(stream, k=knowledge.k)
    if name == "pos":
        return Pos(stream)
    if name == "surw":
        return Surw(stream)
    return RoundRobin()


def mixture(stream: Stream, knowledge: Knowledge) -> tuple[Strategy, ...]:
    """The strategies that take turns in a batch of the portfolio."""
    walk, pos, pct, surw = Walk(stream), Pos(stream), Pct(stream, k=knowledge.k), Surw(stream)
    if knowledge.threads > MANY:  # their orders are so many that what all others find is chance
        return (surw, walk, surw, pos, surw, pct)
    return (walk, pos, walk, pct, surw, pos, walk, pct, walk, surw)


def do(executor: Executor, settings: Settings, unit: Unit, knowledge: Knowledge, beat: Beat) -> Any:
    """Do a unit in this process; what comes of it, of plain types."""
    MODEL.release_points = knowledge.release
    executor.hot.update(knowledge.hot)
    stream = executor.chance = Stream(unit.seed)
    doing = _Doing(executor, settings.limit, knowledge, stream)
    if unit.kind == SHOT:
        beat()
        stickiness = STICKY[unit.before % len(STICKY)]
        chosen: Strategy = Walk(stream, (stickiness,)) if unit.strategy == "walk" else RoundRobin()
        return doing.one(chosen, audit=unit.strategy != "walk")
    if unit.strategy == "portfolio":
        return doing.many(unit, mixture(stream, knowledge), beat)
    if unit.strategy == "dpor":
        return doing.many(unit, (Dpor(*unit.part),), beat)
    if unit.strategy in EXHAUSTIVE:
        search = DelayDfs if unit.strategy == "delay" else BoundedDfs
        return doing.many(unit, (search(*unit.part),), beat)
    return doing.many(unit, (strategy(unit.strategy, stream, knowledge),), beat)


class _Doing:
    """A unit while it is done."""

    def __init__(self, executor: Executor, limit: int, knowledge: Knowledge, stream: Stream) -> None:
        self.executor = executor
        self.limit = limit
        self.knowledge = knowledge
        self.stream = stream
        self.runs = 0
        self.k = 0
        self.timed = False
        self.ends: dict[str, int] = {}
        self.found: dict[str, Any] = {}
        self.others: dict[str, dict[str, Any]] = {}
        self.silenced: set[str] = set()

    def one(self, strategy: Strategy, audit: bool) -> dict[str, Any]:
        """One execution."""
        executor = self.executor
        loaded = set(sys.modules)
        outcome = executor.run(strategy, self._clocked(strategy, 1), self.limit, analyse=True, audit=audit)
        self._note(outcome)
        changed = executor.snapshot.changed() if executor.snapshot is not None else []
        return {
            **self._told(),
            "news": [name for name in sys.modules if name not in loaded],
            "hot": changed,
            "unfit": outcome.unfit,
            "threads": MODEL.started,
            "unseen": [*outcome.unseen, *sorted(passed)],
        }

    def many(self, unit: Unit, turns: tuple[Strategy, ...], beat: Beat) -> dict[str, Any]:
        """Executions under strategies in turn, until something is found or the unit is at its end."""
        executor = self.executor
        steps = 0
        more = True
        cut = False
        before = unit.before
        while more and not self.found and self.runs < unit.size and steps < unit.steps:
            cut = beat()
            if cut or len(MODEL.buried) > BURIED:
                break
            number = before + self.runs
            chosen = turns[number % len(turns)]
            look = number < LOOK_AT_FIRST or number % LOOK_EVERY == 0
            look = look and chosen.name not in ("dfs", "dpor")
            outcome = executor.run(chosen, self._clocked(chosen, number), self.limit, analyse=look)
            more = chosen.end(outcome.steps, outcome.trace)
            self._note(outcome)
            steps += outcome.steps
            if self.runs == 1 and executor.snapshot is not None:
                executor.hot.update(executor.snapshot.changed())
        piece = self._told()
        piece["hot"] = sorted(executor.hot)
        piece["more"] = more
        piece["cut"] = cut
        piece["buried"] = len(MODEL.buried)
        piece["unseen"] = sorted(passed)
        if unit.part is not None:
            piece["left"] = left_of(turns[0])
        return piece

    def _clocked(self, strategy: Strategy, number: int) -> Any:
        """Every fourth execution of a program that waits with a deadline also lets time pass by itself."""
        if self.knowledge.timed and number % 4 == 1 and strategy.name not in WITHOUT_CLOCK:
            return WithClock(strategy, self.stream)
        return None

    def _note(self, outcome: Outcome) -> None:
        """What one execution has shown."""
        self.runs += 1
        self.k = max(self.k, len(outcome.choices))
        self.timed = self.timed or MODEL.now > TIMED
        self.ends[outcome.end] = self.ends.get(outcome.end, 0) + 1
        if outcome.findings:
            failure = outcome.failure
            if failure is not None and findings.signature(failure) not in self.knowledge.seen:
                self.found = _piece(outcome, failure)
            for each in outcome.others:
                self.others.setdefault(findings.signature(each), _piece(outcome, each))
        if outcome.silenced:
            self.silenced.update(map(findings.signature, outcome.silenced))

    def _told(self) -> dict[str, Any]:
        return {
            "runs": self.runs,
            "tried": sorted(self.executor.tried()),
            "k": self.k,
            "ends": self.ends,
            "timed": self.timed,
            "others": list(self.others.values())[:MOST_OTHERS],
            "silenced": sorted(self.silenced),
            **self.found,
        }


def _piece(outcome: Outcome, finding: findings.Finding) -> dict[str, Any]:
    release = sorted(MODEL.release_points)  # of this run: what it tries is a point in the next
    return {
        "finding": finding,
        "choices": outcome.choices,
        "clock": MODEL.offer_clock,
        "release": release,
    }


def left_of(search: Strategy) -> dict[str, Any]:
    """What is left of a part: what its frontier takes (weft.check.frontier)."""
    if isinstance(search, BoundedDfs):
        left = sum(len(alternatives) for _, alternatives in search.work)
        return {
            "runs": search.runs,
            "diverged": search.diverged,
            "cut": search.cut,
            "rest": _packed(search.work[::-1], -(-left // PARTS)),
            "later": [[level, _packed(entries, ALTERNATIVES)] for level, entries in search.later.items()],
        }
    assert isinstance(search, Dpor)
    floor = search.floor
    return {
        "runs": search.runs,
        "pruned": search.pruned,
        "diverged": search.diverged,
        "blurred": search.blurred,
        "stack": search.stack[floor:],
        "does": search.stack[floor - 1][5] if 0 < floor <= len(search.stack) else None,
        "asked": [[depth, list(initials), late] for depth, initials, late in search.asked],
    }


def _packed(entries: list[Any], most: int) -> list[bytes]:
    """Entries in parts of about so many alternatives."""
    parts: list[bytes] = []
    gathered: list[Any] = []
    count = 0
    for choices, alternatives in entries:
        at = len(alternatives)
        while at:
            some = alternatives[max(0, at - (most - count)) : at]
            at -= len(some)
            count += len(some)
            gathered.append((choices, some))
            if count >= most:
                parts.append(pack(gathered[::-1]))
                gathered, count = [], 0
    if gathered:
        parts.append(pack(gathered[::-1]))
    return parts
