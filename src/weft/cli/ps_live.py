"""`weft ps --watch`: the threads of a running program on a terminal, drawn anew each second, by rich."""

import importlib
import sys
from typing import Any

from weft.cli.ps import Connection, ask, duration, head_of
from weft.errors import WeftError
from weft.host.clock import monotonic, sleep
from weft.watch.dump import cycle_lines, cycle_marks, wait_words
from weft.wording import counted

__all__ = ["watch"]

STYLES = {"running": "bold green", "ready": "green", "new": "cyan", "blocked": "default"}
ORDER = ("running", "ready", "new", "blocked")


def watch(pid: int, question: str, timeout: float, each: float) -> None:
    """Show the threads until the program ends or Ctrl-C.

    Args:
        pid, question, timeout: as `weft.cli.ps.ask` takes them.
        each: seconds from one look to the next.

    Raises:
        WeftError: rich is not there, or the program cannot be asked.
    """
    try:
        console = importlib.import_module("rich.console").Console()
        live = importlib.import_module("rich.live").Live
    except ImportError:
        raise WeftError("--watch needs rich: pip install 'weft[terminal]'") from None
    connection = Connection(pid, timeout)
    rates = _Rates()
    try:
        with live(console=console, auto_refresh=False, screen=console.is_terminal) as screen:
            while True:
                begun = monotonic()
                listing = _asked(connection, pid, question, timeout)
                screen.update(_Screen(listing, rates.of(listing)), refresh=True)
                sleep(max(0.0, each - (monotonic() - begun)))
    except WeftError:
        if not rates.shown:
            raise
        print(f"weft ps: process {pid} has ended, or answers no more", file=sys.stderr)
    except KeyboardInterrupt:
        pass
    finally:
        connection.close()


def _asked(connection: Connection, pid: int, question: str, timeout: float) -> dict[str, Any]:
    try:
        return connection.ask(question)
    except WeftError:
        return ask(pid, question, timeout)  # its threads may be processes


class _Rates:
    """How much of a processor each thread had from one look to the next."""

    def __init__(self) -> None:
        self.shown = False
        self._before: dict[Any, float] = {}
        self._at = 0.0

    def of(self, listing: dict[str, Any]) -> dict[Any, float]:
        """By ident; nothing of those that were not there before."""
        members = [member for group in listing["groups"] for member in group["members"]]
        now, times = monotonic(), {m["ident"]: m["processor_time"] for m in members if "processor_time" in m}
        passed = now - self._at
        rates = {
            ident: max(0.0, spent - self._before[ident]) / passed
            for ident, spent in times.items()
            if ident in self._before
        }
        self._before, self._at, self.shown = times, now, True
        return rates


class _Screen:
    """One look, for rich."""

    def __init__(self, listing: dict[str, Any], rates: dict[Any, float]) -> None:
        self._listing = listing
        self._rates = rates

    def __rich__(self) -> Any:
        text = importlib.import_module("rich.text").Text
        group = importlib.import_module("rich.console").Group
        listing = self._listing
        counts: dict[str, int] = {}
        for each in listing["groups"]:
            counts[each["state"]] = counts.get(each["state"], 0) + each["count"]
        summary = ", ".join(f"{counts[state]:,} {state}" for state in ORDER if state in counts)
        head = text(_plain(head_of(listing)), style="bold")
        lines = [head, text(f"{counted(listing['threads'], 'thread')}: {summary}")]
        cycles = cycle_lines(listing)
        if cycles:
            lines.append(text(_plain("deadlock\n" + "\n".join(cycles)), style="bold red"))
        return group(*lines, self._table(text))

    def _table(self, text: Any) -> Any:
        table: Any = importlib.import_module("rich.table").Table(box=None, expand=True, pad_edge=False)
        for name, options in (
            ("thread", {"ratio": 3, "no_wrap": True}),
            ("state", {"no_wrap": True}),
            ("for", {"justify": "right", "no_wrap": True}),
            ("processor", {"justify": "right", "no_wrap": True}),
            ("carrier", {"justify": "right", "no_wrap": True}),
            ("does", {"ratio": 8, "overflow": "fold"}),
        ):
            table.add_column(name, **options)
        groups = sorted(self._listing["groups"], key=lambda group: ORDER.index(group["state"]))
        for group in groups:
            for member in group["members"]:
                table.add_row(*self._cells(text, group, member))
            left = group["count"] - len(group["members"])
            if left:
                table.add_row(text(f"and {left:,} more like it", style="dim"))
        return table

    def _cells(self, text: Any, group: dict[str, Any], member: dict[str, Any]) -> list[Any]:
        spent, rate = member.get("processor_time"), self._rates.get(member["ident"])
        words = wait_words(group, {name: value for name, value in member.items() if name != "age"})
        place = member.get("place", group["place"])
        does = f"{words}\nat {place}" if words and place else words or (f"at {place}" if place else "")
        style = (
            "bold red"
            if member["ident"] in cycle_marks(self._listing)
            else STYLES.get(group["state"], "default")
        )
        return [
            text(_plain(member["name"]), style=style),
            text(group["state"], style=style),
            text(duration(member["age"]) if "age" in member else ""),
            text(
                ""
                if spent is None
                else f"{rate:4.0%} {spent:.1f} s"
                if rate is not None
                else f"{spent:.1f} s"
            ),
            text(str(member["carrier"])),
            text(_plain(does)),
        ]


def _plain(words: str) -> str:
    return "".join(letter if letter.isprintable() or letter == "\n" else "?" for letter in words)
