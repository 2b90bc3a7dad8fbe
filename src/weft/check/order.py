"""Operations by name: what a test that is kept holds of a schedule.

A schedule counts choices, and fits one program to the letter. An order names a few operations, each by its
thread, by what it does, and by the function and the text of the line where it stands. So it fits after lines
have moved, and says what it is about to whoever reads it. How strictly a name is taken is the reader's
choice (weft.check.strategies.steered).
"""

import io
import linecache
import re
import tokenize
from collections.abc import Iterable
from functools import cache
from typing import Any, NamedTuple

from weft.errors import WeftError

__all__ = ["CLOCK", "Labels", "Named", "Spot", "alike", "code_of", "parse", "spot", "spot_at", "words_of"]

CLOCK = "the clock"  # in the place of a thread: time passes though a thread could run
FIELDS = "(thread, what it does, function, line of source)"
_PLACE = re.compile(r"(?P<file>.+):(?P<line>\d+) in (?P<function>.+)")


class Named(NamedTuple):
    """One operation by name; "" in a field fits anything."""

    thread: str
    what: str = ""  # as `operation` of weft.check.teller has it
    function: str = ""
    source: str = ""


class Spot(NamedTuple):
    """An operation as it can be compared: what, the innermost name of the function, the words of the line."""

    what: str
    function: str
    words: str


def parse(order: Any) -> list[Named]:
    """The operations that somebody has written down.

    Raises:
        WeftError: they are not `FIELDS`, each of text.
    """
    if isinstance(order, (str, bytes)) or not isinstance(order, Iterable):
        raise WeftError(f"an order is a list of {FIELDS}, not {order!r}")
    found = []
    for each in order:
        fits = isinstance(each, (tuple, list)) and 0 < len(each) <= len(Named._fields)
        if not fits or not all(isinstance(field, str) for field in each) or not each[0]:
            raise WeftError(f"an operation of an order is {FIELDS}, not {each!r}")
        found.append(Named(*each))
    return found


def spot(named: Named) -> Spot:
    """The operation that is wanted."""
    return Spot(named.what, _innermost(named.function), words_of(named.source))


def spot_at(what: str, place: str) -> Spot:
    """An operation that a thread is about to do, at "file:line in function"."""
    match = _PLACE.fullmatch(place)
    if match is None:
        return Spot(what, "", "")
    return Spot(what, _innermost(match["function"]), words_of(_line(match["file"], int(match["line"]))))


def code_of(place: str) -> tuple[str, str]:
    """The function of a place, and the text of its line without a comment."""
    match = _PLACE.fullmatch(place)
    if match is None:
        return "", ""
    line = _line(match["file"], int(match["line"])).strip()
    return match["function"].rpartition("<locals>.")[2], line[: _comment(line)].rstrip()


def alike(label: str) -> str:
    """A thread's name with its numbers left out, which depend on how many threads there are."""
    return re.sub(r"\d+", "#", re.sub(r" #\d+$", "", label))


class Labels:
    """Names for threads, in the order of their start: the second of a name is "name #2"."""

    def __init__(self) -> None:
        self._given: dict[str, int] = {}

    def give(self, name: str) -> str:
        """The label of the next thread."""
        count = self._given[name] = self._given.get(name, 0) + 1
        return name if count == 1 and name not in ("", CLOCK) else f"{name} #{count}"


@cache
def words_of(line: str) -> str:
    """The line's words, with neither comments nor what blanks there are."""
    tokens = _tokens(line.strip())
    if not tokens:  # in the middle of a text of several lines, say
        return " ".join(line.split())
    return " ".join(token.string for token in tokens if token.type != tokenize.COMMENT)


def _comment(line: str) -> int | None:
    """Where the comment of a line begins."""
    return next((token.start[1] for token in _tokens(line) if token.type == tokenize.COMMENT), None)


def _tokens(line: str) -> list[tokenize.TokenInfo]:
    found: list[tokenize.TokenInfo] = []
    try:
        found.extend(tokenize.generate_tokens(io.StringIO(line).readline))  # up to an error
    except (tokenize.TokenError, SyntaxError):  # a part of a longer expression: as far as it goes
        pass
    return [token for token in found if token.string.strip()]


@cache
def _line(file: str, line: int) -> str:
    return linecache.getline(file, line)


def _innermost(function: str) -> str:
    return function.rpartition(".")[2]
