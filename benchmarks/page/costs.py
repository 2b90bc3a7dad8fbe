"""The sections on what operations and threads cost: micro, start, scale, pools, contest."""

import statistics
import sys
from pathlib import Path
from typing import Any

from shapes import Plot, Section, Table, cell, good, median, named, ratio, short, troubles

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
import goals

__all__ = ["contest", "goal_figures", "micro", "pools", "scale", "start"]

Json = dict[str, Any]


def micro(figures: Json) -> Section:
    """One operation of each kind, for each peer."""
    found = figures.get("all", {})
    peers = list(dict.fromkeys(peer for row in found.values() for peer in row))
    section = Section.of("micro")
    heads = ["bench", *(named(peer) for peer in peers), "weft is", "goal", ""]
    rows, benches = [], [bench for bench in goals.WHAT if bench in found]
    limits: list[float | None] = []
    for bench in benches:
        row = found[bench]
        wanted = [goal for goal in goals.RATIOS if goal.bench == bench]
        costs = {peer: good(answers, "cpu") for peer, answers in row.items()}
        ratios = [(goal, ratio(costs.get("weft"), costs.get(goal.against))) for goal in wanted]
        rows.append(
            [
                goals.WHAT[bench],
                *(cell(costs.get(peer), 1e6) for peer in peers),
                "; ".join(f"{value:.2f} x {goal.against}" for goal, value in ratios if value),
                "; ".join(f"{goal.limit:g}" for goal in wanted),
                "; ".join(goals.judge(value, goal.limit) for goal, value in ratios),
            ]
        )
        allowed = [
            goal.limit * against * 1e6 for goal in wanted if (against := median(costs.get(goal.against)))
        ]
        limits.append(min(allowed, default=None))
        for peer, answers in row.items():
            section.notes += troubles(named(peer), answers)
    section.tables.append(Table(heads, rows))
    values = {peer: [_scaled(good(found[bench].get(peer), "cpu")) for bench in benches] for peer in peers}
    section.plots.append(
        Plot("micro", "One operation", "CPU µs", [goals.WHAT[bench] for bench in benches], values, limits)
    )
    return section


def _scaled(values: list[float] | None) -> list[float] | None:
    return [value * 1e6 for value in values] if values else None


# -- single figures that have goals --------------------------------------------------------------------


def goal_figures(parts: dict[str, Json]) -> Section:
    """What the goals say of weft alone."""
    section = Section.of("goals")
    rows = []
    for goal in goals.FIGURES:
        values = _figure(parts, goal.key)
        middle = median(values)
        scaled = None if middle is None else middle / goal.scale
        shown = f"{cell(values, 1 / goal.scale)} {goal.unit}" if values else "not in this run"
        rows.append([goal.what, shown, f"{goal.limit:g} {goal.unit}", goals.judge(scaled, goal.limit)])
    section.tables.append(Table(["", "weft", "goal", ""], rows))
    return section


def _figure(parts: dict[str, Json], key: str) -> list[float] | None:
    """All rounds of the figure that a goal names, in the goal's base unit."""
    sleepers = parts.get("micro", {}).get("all", {}).get("sleepers", {}).get("weft", [])
    sizes, ways = parts.get("scale", {}), parts.get("start", {})
    starts, both = ways.get("start", {}), ways.get("preempted", {})
    if key in ("late_p50", "late_p99"):
        extras = [answer["extra"] for answer in sleepers if answer.get("extra")]
        return good(extras, "p50_ms" if key == "late_p50" else "p99_ms")
    if key == "rss_100000":
        return good(sizes.get("many", {}).get("100000", {}).get("weft"), "rss")
    if key == "total_100000":
        return good(sizes.get("many", {}).get("100000", {}).get("weft"), "total_rss")
    if key == "total_1000000":
        return good(sizes.get("a million", {}).get("1000000", {}).get("weft"), "total_rss")
    if key == "serial_grown":
        return good(sizes.get("serial", {}).get("1000000", {}).get("weft"), "rss_grown")
    if key == "start_added":
        plain = statistics.median(starts["python"]) if starts else 0.0
        return [taken - plain for taken in starts["weft user"]] if starts else None
    if key == "preempted":
        return [b / a for a, b in zip(both["row"], both["together"], strict=True)] if both else None
    raise ValueError(f"a goal on {key!r}, which no part measures")


def start(figures: Json) -> Section:
    """What `weft run` adds, and what preemption costs."""
    section = Section.of("start")
    if starts := figures.get("start"):
        plain = statistics.median(starts["python"])
        rows = [[way, cell(taken), short(statistics.median(taken) - plain)] for way, taken in starts.items()]
        section.tables.append(Table(["an empty script", "ms", "more than python"], rows))
        values: dict[str, list[list[float] | None]] = {"weft": [[*taken] for taken in starts.values()]}
        section.plots.append(
            Plot("start", "An empty script", "ms", list(starts), {"wall time": values["weft"]}, log=False)
        )
    if both := figures.get("preempted"):
        times = [b / a for a, b in zip(both["row"], both["together"], strict=True)]
        rows = [["in a row", cell(both["row"]), ""], ["at once", cell(both["together"]), cell(times)]]
        section.tables.append(Table(["two that compute", "CPU s", "ratio"], rows))
    return section


# -- many threads --------------------------------------------------------------------------------------


def scale(figures: Json) -> Section:
    """Memory and time of many blocked threads."""
    section = Section.of("scale")
    rows: list[list[str]] = []
    sizes: dict[int, dict[str, list[float] | None]] = {}
    for key in ("kernel threads", "ten thousand", "many", "a million"):
        for n, row in figures.get(key, {}).items():
            for peer, rounds in row.items():
                section.notes += troubles(f"{named(peer)}, {int(n):,}", rounds)
                sizes.setdefault(int(n), {})[peer] = good(rounds, "rss")
                rows.append(
                    [
                        f"{named(peer)}, {int(n):,}",
                        cell(good(rounds, "rss")),
                        cell(good(rounds, "vm")),
                        cell(good(rounds, "make_us")),
                        cell(good(rounds, "end_us")),
                        cell(good(rounds, "total_rss"), 1e-6),
                    ]
                )
    heads = ["blocked threads", "resident, bytes each", "mapped", "make, µs", "end, µs", "in all, MB"]
    section.tables.append(Table(heads, rows))
    for n, row in figures.get("serial", {}).items():
        rounds = row["weft"]
        section.notes += troubles(f"{int(n):,} one after another", rounds)
        grown, each = good(rounds, "rss_grown"), good(rounds, "each_us")
        section.tables.append(
            Table(
                ["weft", "CPU µs each", "memory grown, MB"],
                [[f"{int(n):,} threads, one after another", cell(each), cell(grown, 1e-6)]],
            )
        )
    peers = list(dict.fromkeys(peer for row in sizes.values() for peer in row))
    section.plots.append(
        Plot(
            "scale",
            "A blocked thread",
            "resident bytes",
            [f"{n:,} threads" for n in sorted(sizes)],
            {peer: [sizes[n].get(peer) for n in sorted(sizes)] for peer in peers},
        )
    )
    return section


# -- pools and the contests ----------------------------------------------------------------------------


POOLS = {
    "many": "submit and result, 10,000 at once",
    "one": "submit and result, one at a time",
    "start": "100 threads, started and joined",
}


def pools(figures: Json) -> Section:
    """Calls by way of a pool."""
    rounds = figures.get("all", [])
    section = Section.of("pools")
    rows: list[list[str]] = []
    values: dict[str, list[list[float] | None]] = {"threading": [], "weft": [], "floor": []}
    for bench, what in POOLS.items():
        taken = {kind: [one[kind][bench] * 1e6 for one in rounds] for kind in values}
        shown = [cell(taken["threading"]), cell(taken["weft"])]
        times = [a / b for a, b in zip(taken["weft"], taken["threading"], strict=True)]
        limit = goals.POOLS.get(bench)
        judged = ["", ""]
        if bench == "start":
            judged = [f"{goals.START_100:g} µs", goals.judge(median(taken["weft"]), goals.START_100)]
        elif limit:
            judged = [f"{limit:g}", goals.judge(median(times), limit)]
        rows.append([what, *shown, cell(times), *judged, cell(taken["floor"]) if bench == "many" else ""])
        for kind, each in taken.items():
            values[kind].append(each if kind != "floor" or bench == "many" else None)
    heads = ["", "kernel threads", "weft", "ratio", "goal", "", "floor"]
    section.tables.append(Table(heads, rows))
    theirs = median(values["threading"][0])
    limits = [goals.POOLS["many"] * theirs if theirs else None, None, goals.START_100]
    section.plots.append(Plot("pools", "Pools", "µs", list(POOLS.values()), values, limits))
    return section


def contest(figures: Json) -> Section:
    """100 threads in locked sections, in unlocked ones, and one after another."""
    section = Section.of("contest")
    rows = []
    for peer, found in figures.items():
        one = found["section"]
        rows.append(
            [
                named(peer),
                cell(found["threads"], 1e3),
                cell(found["locked"], 1 / (100 * one)),
                cell(found["free"], 1 / one),
                cell(found["row"], 1 / (700 * one)),
            ]
        )
    processes = [
        [f"multiprocessing, {kind}", cell(taken, 1e3)]
        for found in figures.values()
        for kind, taken in found["processes"].items()
    ]
    sections = sorted({found["section"] for found in figures.values()})
    said = " and ".join(f"{one * 1e3:g}" for one in sections)
    heads = ["", "100 threads, ms", "locked, x", "unlocked, x", "one after another, x"]
    section.tables.append(Table(heads, rows, f"Sections of {said} ms." if said else ""))
    section.tables.append(Table(["", "100 processes, ms"], processes))
    values: dict[str, list[list[float] | None]] = {
        peer: [[taken * 1e3 for taken in found["threads"]]] for peer, found in figures.items()
    }
    section.plots.append(Plot("contest", "100 threads started and joined", "ms", ["100 threads"], values))
    return section
