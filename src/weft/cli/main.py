"""The `weft` command."""

import errno
import importlib
import os
import sys

TYPE_CHECKING = False  # as in `weft`: nothing is loaded that a command could do without
if TYPE_CHECKING:
    from typing import Any

__all__ = ["main"]

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)


def main() -> None:
    """Do what the command line asks; exits with the program's own status, or 2 for a bad call."""
    args = sys.argv[1:]
    if args[:1] == ["run"]:  # nothing is loaded that a program might see
        run: Any = importlib.import_module("weft.cli.run")
        run.run_command(args[1:])
        return
    if args[:1] in (["check"], ["replay"]):
        # The process begins anew, so before anything is loaded that would be loaded once more.
        importlib.import_module("weft.host.anew").with_fixed_hashes()
    commands: Any = importlib.import_module("weft.cli.commands")
    say: Any = importlib.import_module("weft.cli.output").say
    if len(args) == 2 and args[0] == "help":
        args = [args[1], "--help"]
    if args[:1] and args[0] in commands.COMMANDS:
        command = importlib.import_module(f"weft.cli.{args[0]}")
        _do(getattr(command, f"{args[0]}_command"), args[1:])
    elif args in (["-h"], ["--help"], ["help"]):
        _do(say, commands.usage())
    elif args in (["-V"], ["--version"]):
        _do(say, f"weft {importlib.import_module('weft.config').VERSION}\n")
    else:
        if args:
            print(f"weft: {_unknown(args, commands.COMMANDS)}", file=sys.stderr)
        print(commands.usage(), end="", file=sys.stderr)
        sys.exit(2)


def _do(command: "Any", given: "Any") -> None:
    """Do it, and say so if standard output takes no more: that is nobody's fault in here."""
    try:
        command(given)
    except OSError as error:
        if error.errno not in FULL or error.filename is not None:
            raise
        output: Any = importlib.import_module("weft.cli.output")
        output.discard_output()
        print(f"weft: {output.not_written(error)}", file=sys.stderr)
        sys.exit(2)


def _unknown(args: list[str], known: "Any") -> str:
    """What is wrong with the first word, and what to write instead."""
    word = args[0]
    meant = importlib.import_module("weft.cli.output").meant
    if word in ("-h", "--help", "help", "-V", "--version"):
        return f"nothing may follow {word}{meant(args[1], known)}"
    near = meant(word, ("--help", "--version")) if word.startswith("--") else meant(word, known)
    if near and not os.path.exists(word):
        return f"there is no {'option' if word.startswith('-') else 'command'} {word!r}{near}"
    if word.startswith("-") or os.path.exists(word):
        quoted = importlib.import_module("shlex").join(args)  # only who errs has need of it
        return f"there is no command {word!r}; to run a program: weft run {quoted}"
    return f"there is no command {word!r}"
