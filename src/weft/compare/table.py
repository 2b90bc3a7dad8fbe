"""The comparison as a table for a terminal: a column a model, and what has to be told in full below it."""

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

from weft.compare.outcome import Comparison, Outcome, Spread
from weft.compare.verdict import apart
from weft.compare.words import NONE, count, memory, seconds

__all__ = ["NOTES", "Row", "render", "rows", "troubles"]

LABEL = 24  # characters of the first column, so that five models fit 94
COLUMN = 14
GOOD, BAD, FAINT, BOLD = "32", "31", "2", "1"

NOTES = (
    "least and most of the timed runs; the one in which weft counted is not among them",
    "plain has nothing of weft in it, so nobody counts there; of processes only the starts are counted",
)


@dataclass(frozen=True)
class Row:
    """A label, a cell for each model, and which models are clearly the best in it."""

    label: str
    cells: tuple[str, ...]
    best: frozenset[str] = frozenset()
    bad: frozenset[str] = frozenset()
    faint: bool = False


def rows(comparison: Comparison) -> list[Row]:
    """What the table says."""
    found = comparison.outcomes
    table: list[Row] = []
    for label, name, show in (
        ("wall time", "wall", seconds),
        ("CPU time", "cpu", seconds),
        ("peak memory", "memory", memory),
    ):
        spreads = [outcome.spread(name) for outcome in found]
        table.append(Row(label, tuple(show(s.median if s else None) for s in spreads), _best(found, spreads)))
        if comparison.runs > 1 and name != "memory":
            table.append(Row("  least", tuple(show(s.least if s else None) for s in spreads), faint=True))
            table.append(Row("  most", tuple(show(s.most if s else None) for s in spreads), faint=True))
    starts = [outcome.startup for outcome in found]
    table.append(Row("an empty program", tuple(seconds(s.median if s else None) for s in starts)))
    counts = [outcome.counts for outcome in found]
    table += [
        Row("threads started", tuple(count(c.threads if c else None) for c in counts)),
        Row("time parked, all threads", tuple(seconds(c.parked if c else None) for c in counts)),
        Row("switches by weft", tuple(count(c.switches if c else None) for c in counts)),
        Row("  kernel's, voluntary", _medians(found, "voluntary")),
        Row("  kernel's, involuntary", _medians(found, "involuntary")),
        Row("ended with", tuple(_ending(outcome) for outcome in found), bad=_bad(found)),
        Row(
            "output",
            tuple(_output(outcome, comparison) for outcome in found),
            bad=frozenset(outcome.model for outcome in found if outcome.differing),
        ),
    ]
    return table


def _best(found: Sequence[Outcome], spreads: Sequence[Spread | None]) -> frozenset[str]:
    """The models that none is clearly better than, if that leaves some out."""
    able = [(o.model, s) for o, s in zip(found, spreads, strict=True) if s and o.failed is None]
    best = {model for model, mine in able if not any(apart(other, mine) for _, other in able)}
    return frozenset(best if len(best) < len(able) else ())


def _bad(found: Sequence[Outcome]) -> frozenset[str]:
    return frozenset(outcome.model for outcome in found if outcome.failed is not None)


def _medians(found: Sequence[Outcome], name: str) -> tuple[str, ...]:
    spreads = [outcome.spread(name) for outcome in found]
    return tuple(count(spread.median if spread else None) for spread in spreads)


def _ending(outcome: Outcome) -> str:
    failed = outcome.failed
    return "status 0" if failed is None else failed.ending


def _output(outcome: Outcome, comparison: Comparison) -> str:
    if outcome.same is None:
        return NONE
    if outcome.model == comparison.reference:
        return "varies" if outcome.differing else "(the first)"
    return "same" if outcome.same else "differs"


def render(comparison: Comparison, sentence: str, width: int, colours: bool) -> str:
    """The whole answer, no line of ours longer than `width`."""
    paint = _paint if colours else _leave
    fit = max(1, (width - LABEL) // COLUMN)
    models = [outcome.model for outcome in comparison.outcomes]
    lines = [*textwrap.wrap(head(comparison), width), ""]
    table = rows(comparison)
    for start in range(0, len(models), fit):
        chosen = range(start, min(start + fit, len(models)))
        titles = " " * LABEL + "".join(f"{models[n][: COLUMN - 1]:>{COLUMN}}" for n in chosen)
        lines.append(paint(titles, BOLD))
        for row in table:
            cells = []
            for n in chosen:
                cell = f"{row.cells[n]:>{COLUMN}}"
                code = BAD if models[n] in row.bad else GOOD if models[n] in row.best else ""
                cells.append(paint(cell, code) if code else paint(cell, FAINT) if row.faint else cell)
            label = f"{row.label:<{LABEL}}"
            lines.append((paint(label, FAINT) if row.faint else label) + "".join(cells))
        lines.append("")
    for title, text in troubles(comparison):
        lines += [*(paint(line, BAD) for line in textwrap.wrap(title, width)), *_indented(text), ""]
    return "\n".join([*lines, *textwrap.wrap(sentence, width)])


def head(comparison: Comparison) -> str:
    """What was run, and on what."""
    title = " ".join(comparison.title.split())
    runs = "one timed run" if comparison.runs == 1 else f"medians of {comparison.runs} timed runs"
    return (
        f"{title if len(title) <= 60 else title[:57] + '...'}: {runs}, after one in which weft counts; "
        f"Python {comparison.python}, {comparison.processors} processor{'s' * (comparison.processors != 1)}"
    )


def troubles(comparison: Comparison) -> list[tuple[str, str]]:
    """What went wrong: a sentence, and what the program itself said or printed."""
    alike: dict[tuple[str, str], list[str]] = {}
    for outcome in comparison.outcomes:
        if outcome.failed is not None:
            alike.setdefault((_failure(outcome, comparison), outcome.failed.error), []).append(outcome.model)
    told = [
        (f"{', '.join(models)}: {'it' if len(models) == 1 else 'each'} {how}", error)
        for (how, error), models in alike.items()
    ]
    for outcome in comparison.outcomes:
        differs = outcome.difference
        if differs is None:
            continue
        first = comparison.reference
        mine = f"{outcome.differing} of {outcome.outputs} outputs differ"
        than = f"from {first}'s first" if outcome.model != first else "from its first"
        if comparison.unsteady and outcome.model != first:
            than += f", as {first}'s own do"
        told.append(
            (
                f"{outcome.model}: {mine} {than}, to begin with in line {differs.line}:",
                f"{first}: {differs.expected}\n{outcome.model}: {differs.got}",
            )
        )
    return told


def _failure(outcome: Outcome, comparison: Comparison) -> str:
    failed = outcome.failed
    assert failed is not None
    if failed.not_started:
        return "could not be started:"
    how = f"ended with {failed.ending}"
    if failed.hung:
        how = f"was still running after {seconds(comparison.timeout)} and was killed, with all it had started"
    times = sum(not run.ok for run in outcome.runs)
    often = f" in {times} of {len(outcome.runs)} runs" if len(outcome.runs) > 1 else ""
    return f"{how}{often}" + ("; on standard error:" if failed.error else ".")


def _indented(text: str) -> list[str]:
    return ["  " + line for line in text.splitlines()]


def _leave(text: str, _: str) -> str:
    return text


def _paint(text: str, code: str) -> str:
    return f"\033[{code}m{text}\033[0m"
