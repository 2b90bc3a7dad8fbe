"""What can be compared: the models, and the contests, programs that come with weft to be run on them."""

import ast
from collections.abc import Sequence
from pathlib import Path

from weft.config import MODELS, PLAIN
from weft.errors import WeftError
from weft.host.platform import FREE_THREADED

__all__ = ["ALL", "CONTESTS", "contest_file", "contests", "parse_models"]

ALL = (PLAIN, *MODELS)
CONTESTS = Path(__file__).resolve().parent.parent / "contests"


def parse_models(text: str | None) -> tuple[str, ...]:
    """Models out of "plain,user"; None: all that this interpreter can run.

    Raises:
        WeftError: there is no such model, one is named twice, or none is named.
    """
    if text is None:
        return tuple(name for name in ALL if not (FREE_THREADED and name == "kernel"))
    names = [name.strip() for name in text.split(",")]
    for name in names:
        if name not in ALL:
            raise WeftError(f"there is no model {name!r}; choose from: {', '.join(ALL)}")
        if names.count(name) > 1:
            raise WeftError(f"the model {name!r} is named twice")
    return tuple(names)


def contests() -> dict[str, str]:
    """The contests by name, each with the line that says what it is."""
    found = {}
    for path in sorted(CONTESTS.glob("[a-z]*.py")):
        text = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
        found[path.stem.replace("_", "-")] = text.partition("\n")[0].rstrip(".")
    return found


def contest_file(name: str) -> str:
    """The program of a contest.

    Raises:
        WeftError: there is none of that name.
    """
    known: Sequence[str] = tuple(contests())
    if name not in known:
        raise WeftError(f"there is no contest {name!r}; choose one of: {', '.join(known)}")
    return str(CONTESTS / f"{name.replace('-', '_')}.py")
