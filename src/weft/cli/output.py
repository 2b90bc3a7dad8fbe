"""What commands print, and how they say that they were called wrongly."""

import importlib
import os
import sys
from collections.abc import Iterable
from typing import NoReturn

__all__ = ["discard_output", "meant", "no_option", "not_written", "refuse", "say", "write_all"]


def say(text: str) -> None:
    """Print it, and be content if nobody reads it to its end, as in `weft --help | head -1`."""
    if sys.stdout is None:
        return
    encoding = sys.stdout.encoding or "utf-8"
    try:
        sys.stdout.write(text.encode(encoding, "backslashreplace").decode(encoding))
        sys.stdout.flush()
    except BrokenPipeError:
        discard_output()


def discard_output() -> None:
    """Let go what could not be written: at exit the interpreter would try again, and complain."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def write_all(fd: int, text: str, errors: int = 2) -> bool:
    """The same for a descriptor, where `sys.stdout` is the checked program's.

    Args:
        errors: the descriptor on which it is told if the text cannot be written.

    Returns: whether it could.
    """
    data = text.encode(errors="backslashreplace")
    try:
        while data:
            data = data[os.write(fd, data) :]
    except BrokenPipeError:
        pass
    except OSError as error:
        os.write(errors, f"weft: {not_written(error)}\n".encode(errors="backslashreplace"))
        return False
    return True


def not_written(error: OSError) -> str:
    """What to say where standard output takes no more, as on a full disk."""
    return f"what it has to say cannot be written: {error.strerror}"


def meant(word: str, known: Iterable[str]) -> str:
    """`; did you mean '--model'?`, or nothing where no word is near enough."""
    near = importlib.import_module("difflib").get_close_matches(word, list(known), 1, 0.65)
    return f"; did you mean {near[0]!r}?" if near else ""


def no_option(command: str, word: str) -> str:
    """What to say of an option that a command does not have."""
    name = word.partition("=")[0]
    commands = importlib.import_module("weft.cli.commands").COMMANDS
    known = {
        each: {name for option in told.options for name in option.names} for each, told in commands.items()
    }
    hint = meant(name, sorted(known[command]))
    having = [f"`weft {each}`" for each, names in known.items() if name in names]
    if having and f"{name}s'" not in hint:  # `--models` may well have been meant by `--model`
        hint = f"; it is one of {', '.join(having)}"
    return f"there is no option {word!r}{hint}"


def refuse(command: str, why: str) -> NoReturn:
    """The call was wrong: say why and where to read on, and end with status 2."""
    print(f"weft {command}: {why}\nTry `weft {command} --help`.", file=sys.stderr)
    sys.exit(2)
