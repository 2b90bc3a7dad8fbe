"""The plots of the page, as SVG that is read in light and dark; matplotlib draws them.

Text stays text, ink and lines take the reader's colours, and the same figures give the same file.
A comment at the end names the figures that a picture was made from, so that a test can tell without
matplotlib that picture and figures belong together.
"""

import io
import re
from typing import Any

from digests import comment
from matplotlib import rc_context
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator
from shapes import Plot, named, spread

__all__ = ["draw"]

INK, LINES, GOAL = "#222222", "#bbbbbb", "#d64545"  # replaced by the scheme's
DARK = {INK: "#dddddd", LINES: "#555555", GOAL: "#ff8080"}
LOOKS = {  # the same in each picture; colours of middle brightness stand out on white and on black
    "weft": ("#d1662f", "D"),
    "threading": ("#3b6fb6", "s"),
    "gevent": ("#2f8f5b", "o"),
    "gevent-patched": ("#79a845", "P"),
    "eventlet": ("#b08d2c", "v"),
    "asyncio": ("#8a56ac", "^"),
    "uvloop": ("#c45a9c", ">"),
    "raw": ("#808890", "X"),
}
OTHERS = (
    ("#30a0a8", "p"),
    ("#a0522d", "h"),
    ("#5f7d95", "<"),
    ("#8a56ac", "d"),
    ("#79a845", "*"),
    ("#3b6fb6", "s"),
    ("#b08d2c", "v"),
)
ALIKE = {"kernel": "threading", "hybrid": "weft", "recorded": "weft", "surw": "weft"}
FONTS = "'DejaVu Sans', Verdana, sans-serif"  # of the width that the picture is made for
WIDTH, ROW, HEAD = 8.6, 0.27, 1.25  # inches
SETTINGS: Any = {  # matplotlib has a type for the names, which not every version has
    "svg.fonttype": "none",
    "svg.hashsalt": "weft",
    "font.family": "sans-serif",
    "font.size": 9,
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": LINES,
    "xtick.color": INK,
    "ytick.color": INK,
}


def draw(plot: Plot) -> str:
    """A row for each thing measured: points at the medians, lines for the spread, a tick for the goal."""
    with rc_context(SETTINGS):
        figure = Figure(figsize=(WIDTH, HEAD + ROW * _height(plot)))
        axes = figure.add_subplot()
        peers = [peer for peer, rows in plot.values.items() if any(rows)]
        for index, (peer, looks) in enumerate(_looks(peers).items()):
            shift = (index - (len(peers) - 1) / 2) * min(0.12, 0.8 / len(peers))
            _points(axes, plot.values[peer], peer, shift, looks)
        goals = [(row, limit) for row, limit in enumerate(plot.goals) if limit is not None]
        if goals:
            rows, limits = zip(*goals, strict=True)
            axes.plot(
                limits,
                rows,
                linestyle="none",
                marker="|",
                markersize=13,
                color=GOAL,
                label="goal for weft",
                zorder=1,
            )
        _axes(axes, plot)
        if len(peers) > 1 or goals:
            axes.legend(
                loc="lower left",
                bbox_to_anchor=(0, 1),
                ncols=5,
                frameon=False,
                handletextpad=0.2,
                columnspacing=1.2,
            )
        return _svg(figure, plot)


def _height(plot: Plot) -> float:
    """In rows: more where many peers share one."""
    return len(plot.rows) * max(1.0, len(plot.values) / 5)


def _looks(peers: list[str]) -> dict[str, tuple[str, str]]:
    """Colour and marker of each peer."""
    found: dict[str, tuple[str, str]] = {}
    free = iter(OTHERS * 2)
    for peer in peers:
        name = peer.removeprefix("http-").removesuffix("-protocol")
        found[peer] = LOOKS.get(ALIKE.get(name, name)) or next(free)
    return found


def _points(
    axes: Any, rows: list[list[float] | None], peer: str, shift: float, looks: tuple[str, str]
) -> None:
    colour, marker = looks
    found = [(row + shift, spread(rounds)) for row, rounds in enumerate(rows) if rounds]
    for row, (low, _, high) in found:
        axes.plot((low, high), (row, row), color=colour, linewidth=1.2, zorder=2)
    axes.plot(
        [middle for _, (_, middle, _) in found],
        [row for row, _ in found],
        linestyle="none",
        marker=marker,
        markersize=5,
        color=colour,
        label=named(peer),
        zorder=3,
    )


def _axes(axes: Any, plot: Plot) -> None:
    axes.set_yticks(range(len(plot.rows)), [label.replace("`", "") for label in plot.rows])
    axes.set_ylim(len(plot.rows) - 0.5, -0.5)
    if plot.log:
        axes.set_xscale("log")
        axes.xaxis.set_major_locator(LogLocator(subs=_steps(plot)))
        axes.xaxis.set_minor_locator(NullLocator())
    else:
        axes.set_xlim(left=0)
    axes.xaxis.set_major_formatter(
        FuncFormatter(lambda value, _: f"{value:,.0f}" if value >= 10 else f"{value:g}")
    )
    axes.set_xlabel(f"{plot.title}: {plot.unit}" + (" (logarithmic)" if plot.log else ""))
    axes.grid(axis="x", color=LINES, linewidth=0.5)
    axes.grid(axis="y", color=LINES, linewidth=0.3)
    axes.set_axisbelow(True)
    axes.tick_params(length=0)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)


def _steps(plot: Plot) -> tuple[float, ...]:
    """Where a decade is labelled: the fewer of them, the more often."""
    found = [value for rows in plot.values.values() for rounds in rows for value in rounds or () if value > 0]
    decades = max(found) / min(found)
    return (1, 2, 5) if decades < 100 else (1, 3) if decades < 10_000 else (1,)


def _svg(figure: Figure, plot: Plot) -> str:
    file = io.StringIO()
    nothing = dict.fromkeys(("Creator", "Date", "Format", "Type"))
    figure.savefig(file, format="svg", metadata=nothing, transparent=True, bbox_inches="tight")
    text = file.getvalue()
    text = re.sub(r"<metadata>.*?</metadata>\s*", "", text[text.index("<svg") :], flags=re.DOTALL)
    text = re.sub(r"font-family: [^;\"]*", f"font-family: {FONTS}", text)
    names = {colour: f"--c{number}" for number, colour in enumerate(DARK)}
    for colour, name in names.items():
        text = text.replace(colour, f"var({name}, {colour})")
    light = "; ".join(f"{name}: {colour}" for colour, name in names.items())
    dark = "; ".join(f"{name}: {DARK[colour]}" for colour, name in names.items())
    style = f"<style>svg {{ {light} }} @media (prefers-color-scheme: dark) {{ svg {{ {dark} }} }}</style>"
    head, _, rest = text.partition(">")
    lines = [line.rstrip() for line in f"{head}>\n{style}{rest}".splitlines()]
    return "\n".join([*lines, comment(plot)]) + "\n"
