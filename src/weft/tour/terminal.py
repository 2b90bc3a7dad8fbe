"""What a chapter looks like: drawn by Rich on a terminal if it is there, plain text anywhere else."""

import importlib
import re
import shlex
import shutil
import sys
import unicodedata
from collections.abc import Iterable
from typing import Any

from weft.config import wants_colours
from weft.tour.running import Ran
from weft.tour.words import Words

__all__ = ["Terminal", "open_terminal"]

WIDEST = 100  # columns: longer lines are hard to read
PIPE = 80  # columns where there is no terminal
GAP = " | "


class Terminal:
    """Plain text, as wide as the terminal, or 80 columns in a pipe."""

    def __init__(self, width: int) -> None:
        self.width = width

    def line(self, text: str) -> None:
        sys.stdout.write(_printable(text) + "\n")

    def heading(self, text: str, level: int = 1) -> None:
        self.line("")
        self.line(text)
        self.line(("=" if level == 1 else "-") * _columns(text))

    def paragraphs(self, texts: Iterable[str]) -> None:
        for text in texts:
            for line in wrapped(_without_marks(text), self.width):
                self.line(line)
            self.line("")

    def note(self, text: str) -> None:
        self.line(_without_marks(text))

    def program(self, title: str, source: str) -> None:
        self.heading(title, level=2)
        for number, line in enumerate(source.splitlines(), 1):
            self.line(f"{number:>3} | {line}".rstrip())
        self.line("")

    def command(self, words: list[str]) -> None:
        self.line("$ " + shlex.join(words))
        sys.stdout.flush()  # what comes takes a moment

    def outputs(self, words: Words, ran: Ran, expected: str, status: int) -> None:
        """What was printed, beside what should be printed if there is room for both."""
        said = _with_status(words, ran.output, ran.status)
        wanted = _with_status(words, expected, status)
        half = (self.width - len(GAP) - 2) // 2
        if max(map(_columns, [*said, *wanted]), default=0) <= half:
            self._beside(words, said, wanted, half)
        elif said == wanted:
            self._block(said)
        else:
            self.line(f"-- {words.printed}")
            self._block(said)
            self.line(f"-- {words.expected}")
            self._block(wanted)
        self.verdict(words, said == wanted)

    def verdict(self, words: Words, same: bool) -> None:
        self.line(words.same if same else words.different)
        self.line("")

    def pressed(self, prompt: str) -> bool:
        """Whether a person has asked for more; nobody is asked where there is no terminal."""
        if not (sys.stdin and sys.stdin.isatty() and sys.stdout.isatty()):
            return False
        try:
            input(_printable(prompt))
        except EOFError:
            self.line("")
            return False
        return True

    def _block(self, lines: list[str]) -> None:
        for line in lines:
            self.line(f"    {line}".rstrip())

    def _beside(self, words: Words, said: list[str], wanted: list[str], half: int) -> None:
        rows = max(len(said), len(wanted))
        left = [words.printed, *said, *[""] * (rows - len(said))]
        right = [words.expected, *wanted, *[""] * (rows - len(wanted))]
        wide = min(half, max(map(_columns, left)))
        for row, (mine, theirs) in enumerate(zip(left, right, strict=True)):
            mark = "  " if mine == theirs or row == 0 else "! "
            self.line(f"{mark}{mine}{' ' * (wide - _columns(mine))}{GAP}{theirs}".rstrip())


class _Rich(Terminal):
    """The same with colours, and with programs and texts laid out by Rich."""

    def __init__(self, width: int, console: Any) -> None:
        super().__init__(width)
        self._console = console

    def heading(self, text: str, level: int = 1) -> None:
        self.line("")
        self._text(text, "bold cyan" if level == 1 else "bold")

    def paragraphs(self, texts: Iterable[str]) -> None:
        markdown = importlib.import_module("rich.markdown").Markdown
        for text in texts:
            self._console.print(markdown(text), width=self.width)
            self.line("")

    def note(self, text: str) -> None:
        self._text(_without_marks(text), "dim")

    def program(self, title: str, source: str) -> None:
        syntax = importlib.import_module("rich.syntax").Syntax
        self.heading(title, level=2)
        self._console.print(
            syntax(source, "python", line_numbers=True, theme="ansi_dark", background_color="default"),
            width=max(self.width, 8 + max(map(len, source.splitlines()))),
            soft_wrap=True,
        )
        self.line("")

    def command(self, words: list[str]) -> None:
        self._text("$ " + shlex.join(words), "bold green")
        sys.stdout.flush()

    def verdict(self, words: Words, same: bool) -> None:
        self._text(words.same if same else words.different, "green" if same else "bold red")
        self.line("")

    def _text(self, text: str, style: str) -> None:
        self._console.print(text, style=style, markup=False, highlight=False, soft_wrap=True)


def open_terminal() -> Terminal:
    """What fits where standard output goes to."""
    if not sys.stdout.isatty():
        return Terminal(PIPE)
    width = min(shutil.get_terminal_size((PIPE, 24)).columns, WIDEST)
    try:
        console = importlib.import_module("rich.console").Console
    except ImportError:
        return Terminal(width)
    if not wants_colours():
        return Terminal(width)
    return _Rich(width, console())


def wrapped(text: str, width: int) -> list[str]:
    """A text in lines of so many columns: broken at spaces, and before any Chinese character."""
    pieces = re.findall(r"\s+|[^\s\u2e80-\uffef]+[，。；：？！、）」”]*|.[，。；：？！、）」”]*", text)
    lines, line = [], ""
    for piece in pieces:
        if line and _columns(line) + _columns(piece.rstrip()) > width:
            lines.append(line.rstrip())
            line = ""
        line += piece if line else piece.lstrip()
    return [*lines, line.rstrip()]


def _columns(text: str) -> int:
    """How wide it is on a terminal: Chinese characters take two columns."""
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)


def _without_marks(text: str) -> str:
    """Without the marks of emphasis, which plain text has no use for."""
    return re.sub(r"(\*\*?)(\S.*?)\1", r"\2", text)


def _with_status(words: Words, output: str, status: int) -> list[str]:
    return [*output.splitlines(), *([words.status.format(status=status)] if status else [])]


def _printable(text: str) -> str:
    encoding = sys.stdout.encoding or "utf-8"
    return text.encode(encoding, "backslashreplace").decode(encoding)
