"""What the program declares harmless: by a comment on a line, or by an entry of its pyproject.toml.

`# weft: benign` on a line silences races that the line takes part in. `benign` in the table `[tool.weft]` is
a list of patterns for the same, each for a place ("*/cache.py:12*", "* in Counter.add") or for what stands
there ("self.hits"). What is silenced is counted. Failures that end a program are never silenced.
"""

import fnmatch
import importlib
import linecache
import os
import re
from typing import Any

from weft.check.findings import Finding
from weft.errors import WeftError

__all__ = ["Benign", "patterns_of"]

KINDS = frozenset({"race", "stale-read", "data-race", "access-between", "lock-order"})
_COMMENT = re.compile(r"#\s*weft:\s*benign\b")


class Benign:
    """Says of findings whether they are declared harmless."""

    def __init__(self, patterns: list[str]) -> None:
        self._patterns = patterns
        self._lines: dict[str, bool] = {}

    def covers(self, finding: Finding) -> bool:
        """Whether any of its places, or what stands there, is declared harmless."""
        if finding["kind"] not in KINDS:
            return False
        return any(map(self._harmless, finding["places"])) or any(
            fnmatch.fnmatchcase(text, pattern)
            for pattern in self._patterns
            for text in finding.get("names", ())
        )

    def _harmless(self, place: str) -> bool:
        known = self._lines.get(place)
        if known is None:
            path, _, rest = place.partition(":")
            line = rest.partition(" ")[0]
            source = linecache.getline(path, int(line)) if line.isdigit() else ""
            known = _COMMENT.search(source) is not None or any(
                fnmatch.fnmatchcase(place, pattern) for pattern in self._patterns
            )
            self._lines[place] = known
        return known


def patterns_of(folder: str) -> list[str]:
    """The patterns in the pyproject.toml of a folder, or of the nearest one above that has one.

    Raises:
        WeftError: the file, or the entry, cannot be understood.
    """
    while True:
        path = os.path.join(folder, "pyproject.toml")
        if os.path.isfile(path):
            return _patterns_in(path)
        above = os.path.dirname(folder)
        if above == folder:
            return []
        folder = above


def _patterns_in(path: str) -> list[str]:
    try:
        with open(path, encoding="utf-8") as file:
            text = file.read()
    except (OSError, UnicodeDecodeError) as error:
        raise WeftError(f"can't read {path!r}: {error}") from None
    if "benign" not in text:
        return []
    tomllib: Any = importlib.import_module("tomllib")  # few have need of it
    try:
        read: Any = tomllib.loads(text)
    except ValueError as error:
        raise WeftError(f"{path}: {error}") from None
    table = read.get("tool", {}).get("weft", {})
    found = table.get("benign", []) if isinstance(table, dict) else []
    if not isinstance(found, list) or not all(isinstance(each, str) for each in found):
        raise WeftError(f"{path}: `benign` in [tool.weft] has to be a list of texts, not {found!r}")
    return found
