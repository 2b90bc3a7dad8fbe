"""How a search is getting on, while it does: a line that changes on a terminal, else a line now and then.

It is written by the process from which every execution is forked, so it is made of plain text: a library for
terminals would bring a thousand modules, and a lock of `threading`, into each of them.
"""

import os

from weft.check.explore import Explorer
from weft.check.frontier import DporFrontier
from weft.config import may_redraw
from weft.host.clock import monotonic
from weft.wording import counted

__all__ = ["Progress"]

QUIET = 1.0  # seconds: a search that is shorter shows nothing
EACH = 0.2  # seconds between two pictures of a bar
LINES = 5.0  # and between two lines, where there is no terminal
SPAN = 5.0  # seconds over which the rate is taken
BAR = 20
WIDTH = 80  # where the terminal does not say


class Progress:
    """Shows how a search is getting on.

    Args:
        fd: where to.
        terminal: whether that is one on which a line can be written over; None: find out.
    """

    def __init__(self, fd: int, terminal: bool | None = None) -> None:
        self._fd = fd
        self._terminal = _is_terminal(fd) if terminal is None else terminal
        self._begun = monotonic()
        self._next = self._begun + (QUIET if self._terminal else LINES)
        self._last: list[tuple[float, int]] = []
        self._most = 0
        self._shown = False

    def __call__(self, explorer: Explorer, running: int) -> None:
        """The search is at this point, and executions are being run whose outcome is not in yet."""
        now = monotonic()
        if now < self._next:
            return
        self._next = now + (EACH if self._terminal else LINES)
        # Units whose turn has not come yet are in neither number: it must not seem to go back.
        self._most = executions = max(self._most, explorer.report.executions + running)
        self._last = [each for each in self._last if each[0] > now - SPAN] or [(self._begun, explorer.before)]
        since, count = self._last[0]
        self._last.append((now, executions))
        rate = max(0.0, (executions - count) / max(now - since, 1e-3))
        words = told(explorer, executions, rate)
        if self._terminal:
            self._write("\r" + _cut(f"{_bar(explorer)} {words}", _width(self._fd)) + "\x1b[K")
            self._shown = True
        else:
            self._write(f"weft check: {words}\n")

    def done(self) -> None:
        """Take away what stands on the terminal."""
        if self._shown:
            self._write("\r\x1b[K")

    def _write(self, text: str) -> None:
        try:
            os.write(self._fd, text.encode())
        except OSError:  # nobody reads it any more
            self._next = float("inf")


def told(explorer: Explorer, executions: int, rate: float) -> str:
    """The words: how many, how fast, what is covered, what was found, how long it will go on."""
    report = explorer.report
    parts = [f"{counted(executions, 'execution')}, {rate:,.0f}/s"]
    if report.bound is not None:
        parts.append(f"all {report.within:,} with {counted(report.bound, report.bounded.removesuffix('s'))}")
    for name, frontier in explorer.plan.frontiers.items():
        if not frontier.runs:
            continue
        if isinstance(frontier, DporFrontier):
            parts.append(f"dpor {frontier.runs:,}, " + _parts(frontier.alive))
        elif not frontier.over:
            parts.append(f"{name} at {frontier.level}, {_parts(frontier.alive)}")
    levels = [piece["finding"]["level"] for piece in explorer.others.values()]
    parts += [counted(levels.count(level), level) for level in ("warning", "note") if level in levels]
    if not levels:
        parts.append("nothing found")
    parts.append(_time_left(explorer))
    return " | ".join(parts)


def _parts(alive: int) -> str:
    return "done" if not alive else f"{counted(alive, 'part')} left"


def _time_left(explorer: Explorer) -> str:
    left = max(0, round(explorer.left))
    text = f"{left // 60}:{left % 60:02} left"
    most = explorer.settings.schedules
    if most is not None:
        ran = explorer.report.executions - explorer.before
        text = f"{counted(max(0, most - ran), 'execution')} or {text}"
    return text


def _bar(explorer: Explorer) -> str:
    share = 1 - max(0.0, explorer.left) / explorer.settings.seconds
    most = explorer.settings.schedules
    if most is not None:
        share = max(share, (explorer.report.executions - explorer.before) / most)
    full = round(BAR * min(1.0, share))
    return "[" + "#" * full + "-" * (BAR - full) + "]"


def _cut(text: str, width: int) -> str:
    return text if len(text) < width else text[: max(0, width - 4)] + "..."


def _width(fd: int) -> int:
    try:
        return os.get_terminal_size(fd).columns or WIDTH
    except OSError:
        return WIDTH


def _is_terminal(fd: int) -> bool:
    return os.isatty(fd) and may_redraw()
