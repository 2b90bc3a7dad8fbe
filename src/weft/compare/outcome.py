"""What came out of a comparison: the figures of each run, and of each model over its runs."""

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Comparison", "Counts", "Difference", "Outcome", "Run", "Spread", "as_json"]

FORMAT = 1  # of the JSON; a key that goes or changes its meaning makes it 2


@dataclass(frozen=True)
class Counts:
    """What weft counted inside a run: threads started, its own switches, seconds parked of all threads."""

    threads: int
    switches: int
    parked: float


@dataclass(frozen=True)
class Run:
    """One run: what it cost (seconds, bytes) and how it ended (`status` is -N if signal N ended it)."""

    wall: float
    cpu: float
    memory: int
    voluntary: int
    involuntary: int
    status: int
    hung: bool
    error: str = ""  # the end of its standard error, if it failed
    not_started: bool = False

    @property
    def ok(self) -> bool:
        """Whether it came to its end with status 0."""
        return self.status == 0 and not self.hung and not self.not_started

    @property
    def ending(self) -> str:
        """How it ended, in a word or two."""
        if self.not_started:
            return "not started"
        if self.hung:
            return "hung"
        return f"signal {-self.status}" if self.status < 0 else f"status {self.status}"


@dataclass(frozen=True)
class Difference:
    """Where an output first differs: the line, what the other model printed there and what this one did."""

    line: int
    expected: str
    got: str


@dataclass(frozen=True)
class Spread:
    """A figure over the timed runs."""

    median: float
    least: float
    most: float
    all: tuple[float, ...]

    @classmethod
    def of(cls, values: Iterable[float]) -> "Spread | None":
        """Of some values; None if there are none."""
        found = tuple(values)
        return cls(statistics.median(found), min(found), max(found), found) if found else None


@dataclass
class Outcome:
    """One model: the run in which weft counted, and the timed ones, in which it did not."""

    model: str
    counted: Run | None = None
    counts: Counts | None = None
    timed: list[Run] = field(default_factory=list)
    startups: list[float] = field(default_factory=list)
    outputs: int = 0  # runs whose output was looked at
    differing: int = 0
    difference: Difference | None = None

    @property
    def runs(self) -> list[Run]:
        """All runs of the program, the counted one first."""
        return ([self.counted] if self.counted is not None else []) + self.timed

    @property
    def failed(self) -> Run | None:
        """The first run that did not come to its end with status 0."""
        return next((run for run in self.runs if not run.ok), None)

    @property
    def given_up(self) -> bool:
        """Whether another run would only hang or not start again."""
        return any(run.hung or run.not_started for run in self.runs)

    @property
    def same(self) -> bool | None:
        """Whether every output was that of the reference; None if there was nothing to compare."""
        return None if not self.outputs else not self.differing

    def spread(self, name: str) -> Spread | None:
        """A field of Run over the timed runs that came to an end."""
        return Spread.of(getattr(run, name) for run in self.timed if not (run.hung or run.not_started))

    @property
    def startup(self) -> Spread | None:
        """Seconds that an empty program takes."""
        return Spread.of(self.startups)


@dataclass(frozen=True)
class Comparison:
    """All models, in the order in which they were named.

    Attributes:
        title: the program with its arguments, as a person would type it.
        reference: the model whose first output the others are held to; None if none came to an end.
        runs: how many timed runs were asked for.
    """

    title: str
    outcomes: Sequence[Outcome]
    reference: str | None
    runs: int
    timeout: float
    python: str
    processors: int
    version: str

    @property
    def unsteady(self) -> bool:
        """Whether the reference printed different things in its own runs."""
        return any(found.model == self.reference and found.differing for found in self.outcomes)

    @property
    def all_ok(self) -> bool:
        """Whether every run of every model came to its end with status 0."""
        return all(found.failed is None for found in self.outcomes)


def as_json(comparison: Comparison, winner: str | None, sentence: str) -> dict[str, Any]:
    """The comparison as plain data; docs/reference.md has the keys."""
    return {
        "format": FORMAT,
        "weft": comparison.version,
        "python": comparison.python,
        "processors": comparison.processors,
        "program": comparison.title,
        "runs": comparison.runs,
        "timeout": None if comparison.timeout == float("inf") else comparison.timeout,
        "reference": comparison.reference,
        "models": {found.model: _model(found) for found in comparison.outcomes},
        "verdict": {"model": winner, "text": sentence},
    }


def _model(found: Outcome) -> dict[str, Any]:
    failed, counts, differs = found.failed, found.counts, found.difference
    voluntary, involuntary = found.spread("voluntary"), found.spread("involuntary")
    return {
        "ok": failed is None,
        "endings": [run.ending for run in found.runs],
        "error": failed.error if failed is not None else None,
        "wall": _spread(found.spread("wall")),
        "cpu": _spread(found.spread("cpu")),
        "memory": _spread(found.spread("memory")),
        "startup": _spread(found.startup),
        "threads_started": counts.threads if counts else None,
        "parked": counts.parked if counts else None,
        "switches": {
            "weft": counts.switches if counts else None,
            "kernel_voluntary": voluntary.median if voluntary else None,
            "kernel_involuntary": involuntary.median if involuntary else None,
        },
        "output": {
            "same": found.same,
            "differing_runs": found.differing,
            "line": differs.line if differs else None,
            "expected": differs.expected if differs else None,
            "got": differs.got if differs else None,
        },
    }


def _spread(spread: Spread | None) -> dict[str, Any] | None:
    if spread is None:
        return None
    return {"median": spread.median, "least": spread.least, "most": spread.most, "all": list(spread.all)}
