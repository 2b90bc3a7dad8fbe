"""`weft.steer`: a program run along an order of named operations, in a process of its own.

What `weft check --emit-test` writes calls it. The program is given as on the command line of `weft check`.
"""

import os
import sys
from collections.abc import Iterable, Sequence
from typing import Any

from weft.check.called import Checked, ask, patterns
from weft.check.order import Named, parse
from weft.check.settings import Settings
from weft.errors import WeftError

__all__ = ["Steered", "steer"]


class Steered(Checked):
    """What was found along an order and beside it.

    Attributes:
        missed: the operations of the order that did not come in their place any more.
    """

    def __init__(self, said: dict[str, Any], text: str, missed: list[Named]) -> None:
        super().__init__(said, text)
        self.missed = [_written(named) for named in missed]


def steer(
    program: "str | os.PathLike[str] | Sequence[str]",
    order: Iterable[Sequence[str]],
    *,
    folder: "str | os.PathLike[str] | None" = None,
    schedules: int | None = None,
    steps: int | None = None,
    net_faults: bool | str | None = None,
    net_pass: bool | None = None,
    strict: bool = False,
    only: Iterable[str] = (),
    exclude: Iterable[str] = (),
    stdlib: bool = False,
) -> Steered:
    """Run a program so that named operations come in this order, and some schedules beside it.

    An operation that does not come any more is left out. The same program gives the same answer each time.

    Args:
        program: "program.py", "package.module:function", or all words of a command line: ["program.py",
            "argument"], ["-m", "module"].
        order: tuples of a thread's name, what it does ("reads total", "acquire Lock"), the function and the
            text of the line in which it does it; what is left out at the end fits anything. At
            ("the clock",) time passes though a thread could run.
        folder: where the program is run; where we are, if None.
        schedules: how many executions at most beside the order (300).
        steps: after how many steps one is broken off (20000).
        net_faults, net_pass: what may happen to simulated connections; whether sockets are the machine's.
        strict: whether warnings are findings too.
        only, exclude, stdlib: what is rewritten, as for weft.check.

    Raises:
        WeftError: the program cannot be checked, or an argument cannot be.
    """
    settings = {"schedules": schedules, "steps": steps, "net_faults": net_faults, "net_pass": net_pass}
    Settings(**settings)  # refuses what cannot be, here
    named = parse(order)
    request = {
        "kind": "order",
        "words": _words(program),
        "order": named,
        "from": os.getcwd(),
        "path": _absolute(),
        "choice": {"only": patterns(only), "exclude": patterns(exclude), "stdlib": bool(stdlib)},
        "settings": {name: value for name, value in settings.items() if value is not None},
        "strict": bool(strict),
    }
    said = ask(request, _folder(folder))
    return Steered(said["report"], said["text"], [named[index] for index in said["missed"]])


def _written(named: Named) -> tuple[str, ...]:
    """As short as it can be written."""
    fields = tuple(named)
    while not fields[-1]:
        fields = fields[:-1]
    return fields


def _words(program: Any) -> list[str]:
    if isinstance(program, (str, os.PathLike)):
        program = [program]
    try:
        words = [os.fspath(word) for word in program]
    except TypeError:
        words = []
    if not words or not all(isinstance(word, str) for word in words):
        raise WeftError(f"a program is a path, a name, or the words of a command line, not {program!r}")
    return words


def _folder(given: "str | os.PathLike[str] | None") -> str | None:
    if given is None:
        return None
    folder = os.fspath(given)
    if not os.path.isdir(folder):
        raise WeftError(f"there is no folder {folder!r} to run the program in")
    return folder


def _absolute() -> list[str]:
    """Where this process looks for modules: the other one stands in another folder."""
    return [os.path.abspath(path) for path in sys.path if path]
