"""The text of a test that is kept, as `ruff format` would leave it, and the file that it is written to.

Programs are named from the folder that the check was made in, and that folder from the test's own: so all of
it can be moved.
"""

import os
import re
import shlex
from collections.abc import Iterable
from typing import Any

from weft.check.findings import Finding
from weft.check.order import Named
from weft.errors import WeftError

__all__ = ["MARK", "Text", "claim", "write"]

MARK = "# Emitted by weft: while this line stands, `weft check --emit-test` may write the file anew."
WIDTH = 88
LONGEST = 60  # characters of a test's name


def claim(path: str) -> None:
    """Make sure that a test can be written there, before anything is searched for.

    Raises:
        WeftError: it cannot be, or what stands there is not ours.
    """
    if not path.endswith(".py"):
        raise WeftError(f"--emit-test takes the path of a test, which ends with .py, not {path!r}")
    if os.path.lexists(path):
        _refuse_foreign(path)
        if not os.access(path, os.W_OK):
            raise WeftError(f"{path!r} cannot be written")
        return
    folder = os.path.dirname(os.path.abspath(path))
    while not os.path.lexists(folder):  # it will be made
        folder = os.path.dirname(folder)
    if not os.path.isdir(folder):
        raise WeftError(f"{path!r} cannot be written: {os.path.relpath(folder)!r} is no folder")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise WeftError(
            f"{path!r} cannot be written: the folder {os.path.relpath(folder)!r} does not allow it"
        )


def _refuse_foreign(path: str) -> None:
    if os.path.isdir(path):
        raise WeftError(f"{path!r} is a folder: --emit-test takes the path of a file")
    try:
        with open(path, encoding="utf-8") as file:
            lines = file.read().splitlines()
    except (OSError, ValueError) as error:
        raise WeftError(f"{path!r} is there already and cannot be read: {error}") from None
    if MARK not in lines:
        raise WeftError(
            f"{path!r} is there already and was not emitted by weft (or its first line was taken away): it is"
            " left as it is; name another file"
        )


def write(path: str, text: str) -> None:
    """Write it.

    Raises:
        WeftError: that cannot be.
    """
    try:
        os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        raise WeftError(f"the test cannot be written to {path!r}: {error.strerror}") from None


class Text:
    """The text of a test.

    Args:
        path: where it will stand.
        kind, what, args: of the program, as weft.check.program has them.
    """

    def __init__(self, path: str, kind: str, what: str, args: list[str]) -> None:
        file, colon, name = what.rpartition(":") if kind == "function" else (what, "", "")
        here = os.path.realpath(os.curdir)
        is_file = os.path.isabs(file)
        inside = not is_file or os.path.realpath(file).startswith(os.path.join(here, ""))
        self._folder = here if inside else os.path.dirname(os.path.realpath(file))
        if is_file:
            file = os.path.relpath(os.path.realpath(file), self._folder)
        words = [f"{file}{colon}{name}", *args]
        self._words = ["-m", *words] if kind == "module" else words
        self._name = file.removesuffix(".py").rpartition("/")[2] + (f"_{name}" if name else "")
        self._home = os.path.dirname(os.path.realpath(path))

    def of(
        self, finding: Finding, order: Iterable[Named], replay: str | None, options: dict[str, Any]
    ) -> str:
        """The whole file.

        Args:
            finding: what the schedule shows.
            order: the operations that lead there.
            replay: the schedule's file.
            options: of `weft.steer`, where they are not what they are by default.
        """
        arguments = [
            *_laid_out(_listed(self._words) if len(self._words) > 1 else [_literal(self._words[0])], 8),
            "        folder=ROOT,",
            "        order=[",
            "            # the thread, what it does, in which function, on which line",
            *(line for named in order for line in _laid_out(_tupled(named), 12)),
            "        ],",
        ]
        for name, value in options.items():
            parts = _listed(value) if isinstance(value, list) else [repr(value)]
            parts[0] = f"{name}={parts[0]}"
            arguments += _laid_out(parts, 8)
        warned = finding["level"] == "warning"
        return "\n".join(
            [
                MARK,
                "from pathlib import Path",
                "",
                "import weft",
                "",
                f"ROOT = {self._root()}",
                "",
                "",
                f"def {self._function(finding)}() -> None:",
                *self._told(finding, replay),
                "    found = weft.steer(",
                *arguments,
                "    )",
                f"    assert {'not found.findings' if warned else 'found.ok'}, str(found)",
                "",
            ]
        )

    def _root(self) -> str:
        parts = os.path.relpath(self._folder, self._home).split(os.sep)
        up = parts.count(os.pardir)
        below = [part for part in parts if part not in (os.pardir, os.curdir)]
        root = f"Path(__file__).resolve().parents[{up}]"
        return f"{root} / {_literal('/'.join(below))}" if below else root

    def _function(self, finding: Finding) -> str:
        about = finding["title"] if finding["kind"] in ("race", "stale-read") else finding["kind"]
        words = re.sub(r"[^A-Za-z0-9]+", "_", f"test_{self._name}_{about}").lower()
        return words[:LONGEST].strip("_")

    def _told(self, finding: Finding, replay: str | None) -> list[str]:
        command = shlex.join(self._words)
        title = (finding["title"].splitlines() or [""])[0].rstrip(".") + "."
        if not title.startswith(tuple(finding["threads"])):
            title = title[0].upper() + title[1:]
        lines = [title, ""]
        lines += [f"    {self._short(line)}" for line in finding["lines"]]
        lines += [""] * bool(finding["lines"])
        lines.append(f"Found by `weft check {command}`.")
        if replay is not None:
            lines.append(f"Seen step by step with `weft replay {replay}`.")
        safe = [_escaped(line, "").replace('"""', "'''").rstrip() for line in lines]
        first = safe[0].lstrip()
        first = f" {first}" if first.startswith('"') else first
        return [f'    """{first}', *(f"    {line}".rstrip() for line in safe[1:]), '    """']

    def _short(self, line: str) -> str:
        """A line of a finding with no path in it that another machine does not have."""
        head, at, place = line.rpartition("at /")
        if at:
            path, colon, rest = f"/{place}".partition(":")
            inside = path.startswith(os.path.join(self._folder, ""))
            path = os.path.relpath(path, self._folder) if inside else os.path.basename(path)
            line = f"{head}at {path}{colon}{rest}"
        return " ".join(line.split())


def _listed(values: Iterable[str]) -> list[str]:
    """The pieces of a list: what opens it, its parts, what closes it."""
    return ["[", *map(_literal, values), "]"]


def _tupled(named: Named) -> list[str]:
    fields = list(named)
    while not fields[-1]:
        fields.pop()
    parts = list(map(_literal, fields))
    return ["(", *parts, ")"] if len(parts) > 1 else [f"({parts[0]},)"]


def _laid_out(pieces: list[str], indent: int) -> list[str]:
    """One line if it fits, else one for each part."""
    margin = " " * indent
    line = margin + pieces[0] + ", ".join(pieces[1:-1]) + "".join(pieces[1:][-1:]) + ","
    if len(line) <= WIDTH or len(pieces) == 1:
        return [line]
    inner = [f"{margin}    {piece}," for piece in pieces[1:-1]]
    return [margin + pieces[0], *inner, f"{margin}{pieces[-1]},"]


def _literal(text: str) -> str:
    """The text in the quotes that need fewer escapes, double ones if they are even."""
    quote = "'" if text.count('"') > text.count("'") else '"'
    return f"{quote}{_escaped(text, quote)}{quote}"


def _escaped(text: str, quote: str) -> str:
    return "".join(
        f"\\{char}" if char in ("\\", quote) else char if char.isprintable() else repr(char)[1:-1]
        for char in text
    )
