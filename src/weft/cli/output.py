"""What commands print, and how they say that they were called wrongly."""

import importlib
import os
import sys
from collections.abc import Iterable
from typing import NoReturn

__all__ = ["meant", "no_option", "refuse", "say", "write_all"]


def say(text: str) -> None:
    """Print it, and be content if nobody reads it to its end, as in `weft --help | head -1`."""
    if sys.stdout is None:
        return
    encoding = sys.stdout.encoding or "utf-8"
    try:
        sys.stdout.write(text.encode(encoding, "backslashreplace").decode(encoding))
        sys.stdout.flush()
    except BrokenPipeError:  # at exit the interpreter would flush what is left, and complain
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def write_all(fd: int, text: str) -> None:
    """The same for a descriptor, where `sys.stdout` is the checked program's."""
    data = text.encode(errors="backslashreplace")
    try:
        while data:
            data = data[os.write(fd, data) :]
    except BrokenPipeError:
        pass


def meant(word: str, known: Iterable[str]) -> str:
    """`; did you mean '--model'?`, or nothing where no word is near enough."""
    near = importlib.import_module("difflib").get_close_matches(word, list(known), 1, 0.65)
    return f"; did you mean {near[0]!r}?" if near else ""


def no_option(command: str, word: str) -> str:
    """What to say of an option that a command does not have."""
    name = word.partition("=")[0]
    known = importlib.import_module("weft.cli.commands").COMMANDS[command].options
    return f"there is no option {word!r}{meant(name, [name for option in known for name in option.names])}"


def refuse(command: str, why: str) -> NoReturn:
    """The call was wrong: say why and where to read on, and end with status 2."""
    print(f"weft {command}: {why}\nTry `weft {command} --help`.", file=sys.stderr)
    sys.exit(2)
