"""The sections on servers and connections: net, http, tls, get, scale_net, hybrid."""

import statistics
import sys
from pathlib import Path
from typing import Any

from shapes import Plot, Section, Table, cell, good, median, named, ratio, troubles

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
import goals

__all__ = ["get", "http", "hybrid", "net", "scale_net", "tls"]

Json = dict[str, Any]
COST = "server_us_per_req"
SHOWN = ((COST, 1.0), ("rps", 1.0), ("p50_us", 1e-3), ("p99_us", 1e-3), ("rss_kb", 1 / 1024))
HEADS = ["server", "CPU µs a request", "requests/s", "p50, ms", "p99, ms", "memory, MB"]


def _answered(figures: Json, key: str) -> Json:
    """The rounds of each number of connections and server; one without a single answer has no figures."""
    silent = {"error": "no request was answered in a round"}
    return {
        connections: {
            name: [silent if one.get("rps") == 0 else one for one in rounds] for name, rounds in row.items()
        }
        for connections, row in figures.get(key, {}).items()
    }


def net(figures: Json) -> Section:
    """The echo servers, and weft's models beside each other."""
    section = Section.of("net")
    echo = _answered(figures, "echo")
    for connections, found in echo.items():
        _servers(section, int(connections), found, "weft", goals.ECHO.get(int(connections), {}))
    section.plots.append(_plot("net", "A request to an echo server", echo, goals.ECHO))
    for connections, found in _answered(figures, "models").items():
        caption = (
            f"weft's models, {int(connections):,} connections; `weft-traced` is recorded by `weft trace`."
        )
        _servers(section, int(connections), found, "weft", {}, caption)
    return section


def _servers(
    section: Section,
    connections: int,
    found: Json,
    ours: str,
    limits: dict[str, float],
    caption: str = "",
) -> None:
    """A table of servers; ratios and goals are of the one that is ours to each other one."""
    mine = good(found.get(ours), COST)
    rows = []
    for name, rounds in found.items():
        section.notes += troubles(f"{named(name)}, {connections:,}", rounds)
        theirs = good(rounds, COST)
        times = ratio(mine, theirs)
        limit = limits.get(name)
        rows.append(
            [
                named(name),
                *(cell(good(rounds, figure), scale) for figure, scale in SHOWN),
                "" if times is None or name == ours else f"{times:.2f} x",
                f"{limit:g}" if limit else "",
                goals.judge(times, limit) if limit else "",
            ]
        )
    heads = [*HEADS, f"{ours} is", "goal", ""]
    what = f"{connections:,} connection{'s' if connections > 1 else ''}."
    section.tables.append(Table(heads, rows, caption or what + _slowest(found.get(ours), connections, ours)))


def _slowest(rounds: list[Json] | None, connections: int, ours: str) -> str:
    """What the goal on the slowest hundredth says."""
    late, middle = good(rounds, "p99_us"), good(rounds, "p50_us")
    if ours != "weft" or not late or not middle:
        return ""
    times = statistics.median(a / b for a, b in zip(late, middle, strict=True))
    verdict = goals.judge(times, goals.SLOWEST)
    told = f" The slowest hundredth of weft's answers begins at {times:.1f} times the median"
    return f"{told} (goal {goals.SLOWEST:g}: {verdict})."


def _plot(name: str, title: str, found: dict[str, Json], limits: dict[int, dict[str, float]]) -> Plot:
    peers = list(dict.fromkeys(peer for row in found.values() for peer in row))
    allowed: list[float | None] = []
    for connections, row in found.items():
        costs = {peer: median(good(row.get(peer), COST)) for peer in peers}
        wanted = limits.get(int(connections), {}).items()
        allowed.append(
            min((limit * cost for peer, limit in wanted if (cost := costs.get(peer))), default=None)
        )
    return Plot(
        name,
        title,
        "CPU µs of the server",
        [f"{int(connections):,} connection{'s' if connections != '1' else ''}" for connections in found],
        {peer: [good(row.get(peer), COST) for row in found.values()] for peer in peers},
        allowed,
    )


def http(figures: Json) -> Section:
    """CPython's http.server."""
    found = _answered(figures, "all")
    section = Section.of("http")
    for connections, row in found.items():
        limits = goals.HTTP if int(connections) > 1 else {}
        _servers(section, int(connections), row, "http-weft", limits)
    section.plots.append(
        _plot("http", "A request to http.server", found, dict.fromkeys((100, 1000), goals.HTTP))
    )
    return section


def tls(figures: Json) -> Section:
    """An echo server over TLS."""
    found = figures.get("all", {})
    section = Section.of("tls")
    rows, values = [], {}
    mine = found.get("weft", {}).get("request_us")
    for peer, one in found.items():
        section.notes += troubles(named(peer), [one])
        taken = one.get("request_us")
        times = ratio(mine, taken)
        values[peer] = [taken]
        connection = one.get("connection_us")
        rows.append(
            [
                named(peer),
                cell(taken),
                cell([connection] if connection else None),
                "" if times is None or peer == "weft" else f"{times:.2f} x",
            ]
        )
    section.tables.append(Table(["", "request, µs", "connection, µs", "weft's request is"], rows))
    section.plots.append(Plot("tls", "A request over TLS", "CPU µs of the server", ["request"], values))
    return section


def get(figures: Json) -> Section:
    """Many clients in one process."""
    found = figures.get("all", {})
    section = Section.of("get")
    rows = []
    mine = good(found.get("weft"), "cpu_us")
    for peer, rounds in found.items():
        section.notes += troubles(named(peer), rounds)
        times = ratio(mine, good(rounds, "cpu_us"))
        rows.append(
            [
                named(peer),
                cell(good(rounds, "cpu_us")),
                cell(good(rounds, "wall_s")),
                cell(good(rounds, "rss_kb"), 1 / 1024),
                cell(good(rounds, "right")),
                "" if times is None or peer == "weft" else f"{times:.2f} x",
            ]
        )
    heads = ["client", "CPU µs a GET", "wall, s", "memory, MB", "right answers", "weft is"]
    section.tables.append(Table(heads, rows))
    values = {peer: [good(rounds, "cpu_us")] for peer, rounds in found.items()}
    section.plots.append(Plot("get", "A GET", "CPU µs of the client", ["GET"], values))
    return section


def scale_net(figures: Json) -> Section:
    """Very many connections and waits in one process."""
    found = figures.get("all", {})
    section = Section.of("scale_net")
    if held := found.get("held"):
        count = held[0]["connections"]
        shown = [
            ("bytes_each", 1 / 1024),
            ("total_bytes", 2**-20),
            ("opened_s", 1),
            ("answered_s", 1),
            ("cpu_us", 1),
        ]
        cells = [cell(good(held, key), scale) for key, scale in shown]
        heads = ["held", "KB each", "MB in all", "opened and answered, s", "asked again, s", "CPU µs each"]
        section.tables.append(Table(heads, [[f"{count:,} connections", *cells]]))
    if active := found.get("active"):
        first = next(iter(active.values()))
        rows = [
            [
                f"100 of {int(count):,}",
                cell(costs),
                f"{statistics.median(costs) / statistics.median(first):.2f}",
            ]
            for count, costs in active.items()
        ]
        section.tables.append(Table(["active", "CPU µs a request", "times the first"], rows))
        section.plots.append(
            Plot(
                "scale_net",
                "A request among connections that do nothing",
                "CPU µs of the server",
                [f"100 of {int(count):,}" for count in active],
                {"weft": list(active.values())},
                log=False,
            )
        )
    if parked := found.get("parked"):
        one = parked[0]
        shown = [
            ("begun_s", 1),
            ("bytes_each", 1 / 1024),
            ("total_bytes", 2**-20),
            ("pipes_s", 1),
            ("late_s", 1),
        ]
        cells = [cell(good(parked, key), scale) for key, scale in shown]
        heads = [
            "parked",
            "begun in, s",
            "KB each",
            "MB in all",
            "pipes answered, s",
            "timers woken within, s",
        ]
        what = f"{one['pipes']:,} threads on pipes, {one['threads'] - one['pipes']:,} on timers"
        section.tables.append(Table(heads, [[what, *cells]]))
    return section


def hybrid(figures: Json) -> Section:
    """Several carriers beside the user model and kernel threads."""
    found = figures.get("all", {})
    section = Section.of("hybrid")
    rows, labels = [], []
    limits = [goals.HYBRID.get(figure) for figure in found]
    values: dict[str, list[list[float] | None]] = {"hybrid": []}
    for figure, one in found.items():
        times = [b / a for a, b in zip(one["that"], one["this"], strict=True)]
        limit = goals.HYBRID.get(figure)
        judged = [f"at most {limit:g}", goals.judge(median(times), limit)] if limit else ["", ""]
        if one["against"] == "free":
            least = goals.HYBRID_STUCK
            judged = [f"at least {least:g}", goals.judge_least(median(times), least)]
        against = {"plain": "a pipe", "free": "both free"}.get(one["against"], one["against"])
        rows.append([figure, against, cell(one["that"]), cell(one["this"]), cell(times), *judged])
        labels.append(figure.rpartition(",")[0] or "work beside a stuck carrier")
        values["hybrid"].append(times)
    heads = ["figure", "against", "that", "hybrid", "ratio", "goal", ""]
    section.tables.append(Table(heads, rows))
    section.plots.append(
        Plot("hybrid", "Hybrid", "times what it is held against", labels, values, limits, log=False)
    )
    return section
