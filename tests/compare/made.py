"""Outcomes made by hand: what a comparison would have found."""

from collections.abc import Sequence
from typing import Any

from weft.compare.outcome import Comparison, Counts, Outcome, Run


def run(wall: float = 1.0, **other: Any) -> Run:
    made = {
        "cpu": wall / 2,
        "memory": 10_000_000,
        "voluntary": 10,
        "involuntary": 1,
        "status": 0,
        "hung": False,
    }
    return Run(wall, **{**made, **other})


def outcome(
    model: str,
    walls: Sequence[float] = (1.0, 1.01, 1.02, 1.03, 1.04),
    *,
    counts: Counts | None = None,
    startup: float = 0.01,
    differing: int = 0,
    **other: Any,
) -> Outcome:
    """A model with a timed run for each wall time."""
    made = Outcome(model, run(9.0, **other), counts, [run(wall, **other) for wall in walls])
    made.startups = [startup] * len(walls)
    made.outputs, made.differing = len(made.runs), differing
    return made


def comparison(*outcomes: Outcome, reference: str | None = "plain", title: str = "p.py") -> Comparison:
    runs = max((len(found.timed) for found in outcomes), default=0)
    return Comparison(title, outcomes, reference, runs, 300.0, "3.13.0", 2, "0.1")
