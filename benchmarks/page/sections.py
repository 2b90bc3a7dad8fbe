"""The page: its head, and a section for each part of a run, from the results alone."""

import itertools
from collections.abc import Callable, Iterator
from typing import Any

import costs
import servers
import tools
from kept import BadResultsError
from shapes import Plot, Section, Table

__all__ = ["PICTURES", "page"]

PICTURES = "pictures/benchmarks"  # beside the page
Json = dict[str, Any]
MADE: dict[str, Callable[[Json], Section]] = {
    "micro": costs.micro,
    "start": costs.start,
    "scale": costs.scale,
    "pools": costs.pools,
    "contest": costs.contest,
    "net": servers.net,
    "http": servers.http,
    "tls": servers.tls,
    "get": servers.get,
    "scale_net": servers.scale_net,
    "hybrid": servers.hybrid,
    "tracing": tools.tracing,
    "ps": tools.ps,
    "checking": tools.checking,
    "rates": tools.rates,
    "sct": tools.sct,
    "instrumented": tools.instrumented,
}


def page(results: Json, source: str) -> tuple[str, list[Plot]]:
    """The text and the plots that it shows.

    Raises:
        BadResultsError: the results lack something, or have it in another shape; `source` names their file.
    """
    try:
        head = Section.of("page")
        texts = [f"# {head.title}\n\n{head.words}\n", "\n".join(_run(results))]
        plots: list[Plot] = []
        for section in _sections(results, source):
            shown = [plot for plot in section.plots if not plot.empty()]
            plots += shown
            texts.append("\n\n".join(_section(section, shown)) + "\n")
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        raise BadResultsError(f"{source}: damaged: {_told(error)}; make it again: ./dev bench") from None
    return "\n".join(texts), plots


def _told(error: Exception) -> str:
    return f"there is no {error}" if isinstance(error, KeyError) else str(error)


def _run(results: Json) -> Iterator[str]:
    """When, where and with what it was made."""
    made, machine = results["made"], results["machine"]
    versions = results["versions"]
    absent = [name for name, version in versions.items() if not version]
    few = f", {made['rounds']} rounds of each part" if made["rounds"] else ""
    loads = [value for part in results["parts"].values() for value in part["load"]]
    memory = f", {machine['memory_gb']:g} GB" if "memory_gb" in machine else ""
    rows = [
        ["run", f"{made['date']}, {made['form']} form{few}, {made['seconds'] / 60:.0f} minutes"],
        ["machine", f"{machine['processors']} processors ({machine['processor']}){memory}"],
        ["system", f"{machine['kernel']}, {machine['libc']}"],
        ["load", f"{min(loads):.1f} to {max(loads):.1f}, this run's own included" if loads else "-"],
        ["versions", ", ".join(f"{name} {version}" for name, version in versions.items() if version)],
        *([["not installed", ", ".join(absent)]] if absent else []),
    ]
    yield "## The run\n"
    yield Table(["", ""], rows).text() + "\n"


def _sections(results: Json, source: str) -> Iterator[Section]:
    figures = {name: part["figures"] for name, part in results["parts"].items()}
    for name, make in MADE.items():
        part = results["parts"].get(name, {"figures": {}, "errors": {}})
        try:
            section = make(part["figures"])
        except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
            raise BadResultsError(
                f"{source}: damaged: in the part {name!r}, {_told(error)}; make it again: ./dev bench"
            ) from None
        if name not in results["parts"]:
            section.notes.append("not in this run")
        for key, why in part["errors"].items():
            section.notes.append(why if key == "all" else f"{key}: {why}")
        yield section
        if name == "micro":
            yield costs.goal_figures(figures)


def _section(section: Section, plots: list[Plot]) -> Iterator[str]:
    yield f"## {section.title}\n\n{section.words}"
    for table in section.tables:
        if table.rows:
            yield table.text()
    for plot in plots:
        yield f"![{plot.title}: {plot.unit}]({PICTURES}/{plot.name}.svg)"
    if section.notes:
        notes = itertools.chain(*(note.splitlines()[:1] for note in dict.fromkeys(section.notes)))
        yield "Without figures:\n\n" + "\n".join(f"* {note.replace('|', '/')}" for note in notes)
