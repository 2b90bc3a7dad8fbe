"""The sections on what weft's tools cost and find: tracing, ps, checking, rates, sct, instrumented."""

import statistics
import sys
from pathlib import Path
from typing import Any

from shapes import Plot, Section, Table, cell, median, short

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "sct"))
import goals
from published import PUBLISHED

__all__ = ["checking", "instrumented", "ps", "rates", "sct", "tracing"]

Json = dict[str, Any]

CPU = "Executions a second of the processor's time, one process:"
CLOCK = "The same by the clock, weft with a process for each processor, as `weft check` has by default:"


def tracing(figures: Json) -> Section:
    """What recording costs."""
    found = {**figures.get("all", {}), **figures.get("echo", {})}
    section = Section.of("tracing")
    rows = []
    for what, one in found.items():
        times = [on / off for off, on in zip(one["off_us"], one["on_us"], strict=True)]
        limit = _limit_of(what)
        judged = [f"{limit:g}", goals.judge(median(times), limit)] if limit else ["", ""]
        rows.append([what, cell(one["off_us"]), cell(one["on_us"]), cell(times), *judged])
    section.tables.append(Table(["", "off, µs", "recorded, µs", "ratio", "goal", ""], rows))
    values: dict[str, list[list[float] | None]] = {
        "off": [one["off_us"] for one in found.values()],
        "recorded": [one["on_us"] for one in found.values()],
    }
    limits = [
        statistics.median(one["off_us"]) * limit if (limit := _limit_of(what)) else None
        for what, one in found.items()
    ]
    section.plots.append(Plot("tracing", "Off and recorded", "CPU µs", list(found), values, limits))
    return section


def _limit_of(what: str) -> float | None:
    """How many times as long it may take when it is recorded, if there is a goal."""
    if what.startswith("an echo"):
        return goals.RECORDED_REQUEST
    return goals.RECORDED if what.startswith("a switch") else None


def ps(figures: Json) -> Section:
    """What it takes to ask a program."""
    found = figures.get("all", {})
    section = Section.of("ps")
    if not found:
        return section
    rows = [
        [
            name,
            cell(one["cpu_s"]),
            cell(one["clock_s"]),
            short(max(one["stopped_ms"])),
            short(max(one["without_ms"])),
        ]
        for name, one in found["listings"].items()
    ]
    heads = [f"{found['threads']:,} threads", "CPU s", "clock, s", "stopped, ms at most", "without, ms"]
    section.tables.append(Table(heads, rows))
    both = found["start"]
    times = [a / b for a, b in zip(both["with_s"], both["without_s"], strict=True)]
    cells = [cell(both["with_s"], 1e3), cell(both["without_s"], 1e3), cell(times)]
    heads = ["`weft run -c pass`", "CPU ms", "with `--no-ps`", "ratio"]
    section.tables.append(Table(heads, [["an empty program", *cells]]))
    listings = found["listings"]
    values: dict[str, list[list[float] | None]] = {
        "CPU": [one["cpu_s"] for one in listings.values()],
        "clock": [one["clock_s"] for one in listings.values()],
    }
    section.plots.append(
        Plot("ps", f"A listing of {found['threads']:,} threads", "s", list(listings), values)
    )
    return section


def checking(figures: Json) -> Section:
    """Executions a second, and whether that holds."""
    found = figures.get("all", {})
    section = Section.of("checking")
    rows = [
        [
            name,
            cell(one["rates"]),
            short(one["rates"][0]),
            short(one["rates"][-1]),
            short(one["step_us"]),
            f"{one['memory_mb'][-1] - one['memory_mb'][0]:.2f}",
        ]
        for name, one in found.items()
    ]
    heads = ["program", "executions a second", "first tenth", "last tenth", "a step, µs", "MB gained"]
    section.tables.append(Table(heads, rows))
    values: dict[str, list[list[float] | None]] = {"weft": [one["rates"] for one in found.values()]}
    section.plots.append(Plot("checking", "Executions", "a second of CPU time", list(found), values))
    return section


def _rate_row(name: str, one: Json, suffix: str) -> list[str]:
    ours, step, dpor, random = (one[key + suffix] for key in ("ours", "step", "dpor", "random"))
    theirs = max(median(dpor) or 0.0, median(random) or 0.0)
    had = median(ours)
    times = had / theirs if had and theirs else None
    least = goals.RATES.get(name)
    return [
        name,
        *map(cell, (ours, step, dpor, random)),
        f"{times:.0f} x" if times else "-",
        f"at least {least}" if least else "",
        goals.judge_least(times, least) if least else "",
    ]


def rates(figures: Json) -> Section:
    """Beside frontrun."""
    found = figures.get("all", {})
    section = Section.of("rates")
    heads = ["program", "weft", "a step, µs", "frontrun, DPOR", "frontrun, random", "weft is", "goal", ""]
    for suffix, caption in (("", CPU), ("_clock", CLOCK)):
        rows = [_rate_row(name, one, suffix) for name, one in found.items() if one.get("ours" + suffix)]
        if rows:
            section.tables.append(Table(heads, rows, caption))
    names = {"ours": "weft", "dpor": "frontrun, DPOR", "random": "frontrun, random"}
    values: dict[str, list[list[float] | None]] = {
        label: [one[key] or None for one in found.values()] for key, label in names.items()
    }
    section.plots.append(Plot("rates", "Executions", "a second of CPU time", list(found), values))
    return section


def sct(figures: Json) -> Section:
    """How soon strategies find bugs, on a part of the programs."""
    found = figures.get("all", {})
    section = Section.of("sct")
    strategies = list(dict.fromkeys(strategy for row in found.values() for strategy in row))
    rows = []
    for name, row in found.items():
        cells = []
        for strategy in strategies:
            published = PUBLISHED.get(name, {}).get(strategy, ())
            text = _found(row.get(strategy))
            if published != ():
                text += f" / {published[0]:,}" if published else " / -"
            cells.append(text)
        rows.append([name, *cells])
    section.tables.append(Table(["program", *strategies], rows))
    shown = ("surw", "pct", "pos", "uniform", "portfolio")
    values: dict[str, list[list[float] | None]] = {
        strategy: [
            [float(count) for count in row.get(strategy, []) if count is not None] or None
            for row in found.values()
        ]
        for strategy in shown
        if strategy in strategies
    }
    section.plots.append(Plot("sct", "Schedules until the bug is found", "schedules", list(found), values))
    return section


def _found(trials: list[int | None] | None) -> str:
    if trials is None:
        return ""
    hits = [count for count in trials if count is not None]
    if not hits:
        return "-"
    mean = f"{statistics.mean(hits):,.0f}"
    return mean if len(hits) == len(trials) else f"{mean} ({len(hits)} of {len(trials)})"


def instrumented(figures: Json) -> Section:
    """What rewriting costs code that one thread runs."""
    found = figures.get("all", {})
    section = Section.of("instrumented")
    rows = [
        [name, cell(one["plain_ms"]), cell(one["silent"]), cell(one["told"]), f"{one['accesses']:,}"]
        for name, one in found.items()
    ]
    if found:
        means = [
            short(statistics.geometric_mean(statistics.median(one[key]) for one in found.values()))
            for key in ("silent", "told")
        ]
        rows.append(["geometric mean", "", *means, ""])
    heads = ["module", "plain, ms", "nobody listens, x", "a listener, x", "accesses told"]
    section.tables.append(Table(heads, rows))
    values: dict[str, list[list[float] | None]] = {
        "nobody listens": [one["silent"] for one in found.values()],
        "a listener": [one["told"] for one in found.values()],
    }
    section.plots.append(Plot("instrumented", "Rewritten", "times the plain one", list(found), values))
    return section
