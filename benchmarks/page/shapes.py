"""What the page is made of: sections with tables and plots, and how figures and their spread are written."""

import statistics
import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

__all__ = [
    "HEADS",
    "Plot",
    "Section",
    "Table",
    "cell",
    "good",
    "median",
    "named",
    "ratio",
    "short",
    "spread",
    "troubles",
]

TEXTS = tomllib.loads((Path(__file__).resolve().parent / "texts.toml").read_text(encoding="utf-8"))
QUARTILES = 5  # rounds from which on quartiles are shown, and not the least and the most
HEADS = {"raw": "raw greenlet", "threading": "kernel threads", "kernel": "kernel threads"}


@dataclass
class Table:
    """Cells as they are shown; the first row is the head."""

    heads: list[str]
    rows: list[list[str]]
    caption: str = ""

    def text(self) -> str:
        lines = [self.heads, ["---"] * len(self.heads), *self.rows]
        table = "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
        return f"{self.caption}\n\n{table}" if self.caption else table


@dataclass
class Plot:
    """Points with their spread, a row for each thing measured, a colour for each peer.

    `values[peer][i]` are the rounds of row i, or None. `goals[i]` is the most that weft may have there.
    """

    name: str
    title: str
    unit: str
    rows: list[str]
    values: dict[str, list[list[float] | None]]
    goals: list[float | None] = field(default_factory=list)
    log: bool = True

    def empty(self) -> bool:
        return not any(rounds for row in self.values.values() for rounds in row)


@dataclass
class Section:
    """One heading of the page. What is measured and how comes before the tables, what went wrong after."""

    title: str
    words: str
    tables: list[Table] = field(default_factory=list)
    plots: list[Plot] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, name: str) -> "Section":
        """An empty one, with its words."""
        return cls(TEXTS[name]["title"], TEXTS[name]["words"].strip())


def named(peer: str) -> str:
    return HEADS.get(peer, peer)


def median(values: Sequence[float] | None) -> float | None:
    return statistics.median(values) if values else None


def spread(values: Sequence[float]) -> tuple[float, float, float]:
    """Low, median, high: quartiles, or of few rounds the least and the most."""
    middle = statistics.median(values)
    if len(values) < QUARTILES:
        return min(values), middle, max(values)
    low, _, high = statistics.quantiles(values, n=4, method="inclusive")
    return low, middle, high


def short(value: float) -> str:
    """Three digits that count."""
    size = abs(float(f"{value:.3g}"))
    if size >= 1000:
        return f"{value:,.0f}"
    places = 0 if size >= 100 else 1 if size >= 10 else 2 if size >= 1 else 3
    return f"{value:.{places}f}"


def cell(values: Sequence[float] | None, scale: float = 1.0) -> str:
    """The median, and under it the spread if there is any."""
    if not values:
        return "-"
    low, middle, high = (short(each * scale) for each in spread(values))
    return middle if low == high else f"{middle}<br><small>{low} to {high}</small>"


def ratio(ours: Sequence[float] | None, theirs: Sequence[float] | None) -> float | None:
    """Of the medians."""
    one, other = median(ours), median(theirs)
    return one / other if one is not None and other else None


def good(rounds: Iterable[dict[str, Any]] | None, key: str) -> list[float] | None:
    """A figure of the rounds that went well."""
    found = [one[key] for one in rounds or () if key in one]
    return found or None


def troubles(what: str, rounds: Iterable[dict[str, Any]] | None) -> list[str]:
    """What the rounds that went wrong said, each once."""
    said = dict.fromkeys(str(one["error"]) for one in rounds or () if "error" in one)
    return [f"{what}: {each}" for each in said]
