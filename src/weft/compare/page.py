"""The comparison as one page of HTML that needs nothing else: the table, and plots that matplotlib draws.

The plots are SVG inside the page: text that can be searched, no scripts, nothing to fetch. matplotlib is big,
so it is an extra, and it is loaded before the first run: that it is missing is told at once, not at the end.
"""

import html
import io
import re
from typing import Any

from weft.compare.outcome import Comparison
from weft.compare.table import NOTES, head, rows, troubles
from weft.compare.words import memory, seconds
from weft.errors import WeftError
from weft.host.files import write_whole

__all__ = ["EXTRA", "load_plots", "write_page"]

EXTRA = "weft[html]"
COLOURS = (
    "#7a7a7a",
    "#3b6fb6",
    "#d1662f",
    "#2f8f5b",
    "#8a56ac",
    "#b08d2c",
)  # plain, kernel, user, and others

STYLE = """\
body { font: 15px/1.5 system-ui, sans-serif; max-width: 62rem; margin: 2rem auto; padding: 0 1rem;
       color: #222; background: #fff; }
h1 { font-size: 1.5rem; margin-bottom: 0; } h2 { font-size: 1.1rem; margin-top: 2rem; }
p.verdict { font-size: 1.15rem; border-left: 4px solid #3b6fb6; padding-left: .8rem; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { text-align: right; padding: .15rem .9rem; white-space: pre; } th:first-child { text-align: left; }
tbody th { font-weight: normal; } thead th { border-bottom: 1px solid #999; }
.faint { color: #888; } .best { color: #1c7c3c; font-weight: 600; } .bad { color: #b3261e; font-weight: 600; }
pre { background: #f5f5f5; padding: .6rem .9rem; overflow-x: auto; } svg { width: 100%; height: auto; }
p.note, footer { color: #666; font-size: .9rem; }
"""


def load_plots() -> Any:
    """What draws the plots.

    Raises:
        WeftError: it is not installed, or is broken.
    """
    try:
        from matplotlib.figure import Figure  # noqa: PLC0415 - an extra, which only this wants
    except ImportError as why:
        raise WeftError(
            f"--html draws its plots with matplotlib, which cannot be loaded ({why});"
            f" it comes with the extra {EXTRA}: python -m pip install '{EXTRA}'"
        ) from None
    return Figure


def write_page(path: str, figure: Any, comparison: Comparison, sentence: str) -> None:
    """Write the page, whole or not at all.

    Raises:
        WeftError: it cannot be written.
    """
    text = _page(comparison, sentence, _plots(figure, comparison))
    write_whole(path, text.encode())


def _page(comparison: Comparison, sentence: str, plots: str) -> str:
    title = html.escape(comparison.title)
    wrong = "".join(
        f'<p class="bad">{html.escape(told)}</p>' + (f"<pre>{html.escape(text)}</pre>" if text else "")
        for told, text in troubles(comparison)
    )
    notes = "".join(f'<p class="note">{html.escape(note)}.</p>' for note in NOTES)
    return f"""\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>weft compare: {title}</title>
<style>
{STYLE}</style>
</head>
<body>
<h1>weft compare</h1>
<p>{html.escape(head(comparison))}</p>
<p class="verdict">{html.escape(sentence)}</p>
{plots}
<h2>Figures</h2>
{_table(comparison)}
{notes}
{"<h2>What went wrong</h2>" + wrong if wrong else ""}
<footer>weft {html.escape(comparison.version)}; each dot is a run, the line is the median.</footer>
</body>
</html>
"""


def _table(comparison: Comparison) -> str:
    models = [outcome.model for outcome in comparison.outcomes]
    names = "".join(f'<th scope="col">{html.escape(model)}</th>' for model in models)
    lines = [f'<table>\n<thead><tr><th scope="col"></th>{names}</tr></thead>\n<tbody>']
    for row in rows(comparison):
        cells = ""
        for model, cell in zip(models, row.cells, strict=True):
            kind = "bad" if model in row.bad else "best" if model in row.best else ""
            cells += (
                f'<td class="{kind}">{html.escape(cell)}</td>' if kind else f"<td>{html.escape(cell)}</td>"
            )
        faint = ' class="faint"' if row.faint else ""
        lines.append(f'<tr{faint}><th scope="row">{html.escape(row.label)}</th>{cells}</tr>')
    return "\n".join([*lines, "</tbody></table>"])


def _plots(figure: Any, comparison: Comparison) -> str:
    """All plots as one SVG, so that no two share a name inside the page."""
    able = [outcome for outcome in comparison.outcomes if outcome.spread("wall")]
    if not able:
        return ""
    drawn = figure(figsize=(10, 5.4), layout="constrained")
    upper = drawn.subplots(2, 3).flatten()
    for axes, name, title, unit, show in (
        (upper[0], "wall", "wall time", 1, seconds),
        (upper[1], "cpu", "CPU time", 1, seconds),
        (upper[2], "memory", "peak memory", 1, memory),
    ):
        for place, outcome in enumerate(able):
            spread = outcome.spread(name)
            assert spread is not None
            colour = _colour(comparison, outcome.model)
            axes.plot([place] * len(spread.all), [v / unit for v in spread.all], "o", color=colour, alpha=0.5)
            axes.hlines(spread.median / unit, place - 0.3, place + 0.3, color=colour, linewidth=3)
            axes.annotate(
                show(spread.median),
                (place, spread.most),
                xytext=(0, 7),
                textcoords="offset points",
                ha="center",
            )
        _dress(axes, title, [outcome.model for outcome in able], show)
        axes.set_ylim(0, axes.get_ylim()[1] * 1.15)
    _bars(upper[3], comparison, "switches by the kernel", _kernel_switches(comparison))
    counted = {
        o.model: float(o.counts.switches) for o in comparison.outcomes if o.counts and o.counts.switches
    }
    _bars(upper[4], comparison, "switches by weft", counted)
    parked = {
        o.model: o.counts.parked
        for o in comparison.outcomes
        if o.counts is not None and o.counts.parked is not None
    }
    _bars(upper[5], comparison, "time parked, all threads", parked, seconds)
    return _svg(drawn, f"Plots of the figures below, for {', '.join(o.model for o in able)}")


def _kernel_switches(comparison: Comparison) -> dict[str, float]:
    found = {}
    for outcome in comparison.outcomes:
        voluntary, involuntary = outcome.spread("voluntary"), outcome.spread("involuntary")
        if voluntary and involuntary:
            found[outcome.model] = voluntary.median + involuntary.median
    return found


def _bars(axes: Any, comparison: Comparison, title: str, figures: dict[str, float], show: Any = None) -> None:
    words = show or (lambda value: f"{value:,.0f}")
    for place, (model, value) in enumerate(figures.items()):
        axes.bar(place, value, 0.6, color=_colour(comparison, model))
        axes.annotate(words(value), (place, value), xytext=(0, 3), textcoords="offset points", ha="center")
    _dress(axes, title, list(figures), words)
    axes.margins(y=0.15)
    if not figures:
        axes.set_axis_off()
        axes.text(0.5, 0.5, "none were counted", ha="center", transform=axes.transAxes, color="#888")


def _dress(axes: Any, title: str, models: list[str], show: Any) -> None:
    axes.set_title(title, loc="left", fontsize=11)
    axes.set_xticks(range(len(models)), models)
    axes.set_xlim(-0.6, len(models) - 0.4)
    axes.yaxis.set_major_formatter(lambda value, _: show(value) if value else "0")
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="y", alpha=0.25)
    axes.set_axisbelow(True)


def _colour(comparison: Comparison, model: str) -> str:
    place = [outcome.model for outcome in comparison.outcomes].index(model)
    return COLOURS[place % len(COLOURS)]


def _svg(figure: Any, words: str) -> str:
    """The figure as an element of the page, without the head of a file and without references to anywhere."""
    from matplotlib import rc_context  # noqa: PLC0415 - as above

    file = io.StringIO()
    nothing = dict.fromkeys(("Creator", "Date", "Format", "Type"))
    with rc_context({"svg.fonttype": "none", "font.family": "sans-serif", "svg.hashsalt": "weft"}):
        figure.savefig(file, format="svg", metadata=nothing)
    text = file.getvalue()
    text = re.sub(r"<metadata>.*?</metadata>", "", text[text.index("<svg") :], flags=re.DOTALL)
    return text.replace("<svg", f'<svg role="img" aria-label="{html.escape(words)}"', 1)
