"""The `weft` command."""

import importlib
import os
import sys

from weft.cli.run import run_command
from weft.config import VERSION

__all__ = ["main"]

USAGE = """\
usage: weft run [options] program.py [args]         run a program on a thread model
       weft compare [options] program.py [args]     run it on each model and show what it cost there
       weft trace [options] program.py [args]       record what its threads do, and show it
       weft check [options] program.py [args]       find what can go wrong with its threads
       weft check --all [options] [PATH]            the same for every test of a package
       weft ps [options] [PID]                      show the threads of a program that runs
       weft replay FILE                             run what was found again
       weft tour [NUMBER]                           learn threads by running them
       weft --version

`weft run --help`, `weft compare --help`, `weft trace --help` and `weft check --help` say more.
"""


def main() -> None:
    """Do what the command line asks; exits with the program's own status, or 2 for a bad call."""
    args = sys.argv[1:]
    if args[:1] == ["run"]:
        run_command(args[1:])
    elif args[:1] in (["check"], ["compare"], ["ps"], ["replay"], ["tour"], ["trace"]):
        command = importlib.import_module(f"weft.cli.{args[0]}")  # `run` has no need of it
        getattr(command, f"{args[0]}_command")(args[1:])
    elif args in (["-h"], ["--help"]):
        print(USAGE, end="")
    elif args in (["-V"], ["--version"]):
        print(f"weft {VERSION}")
    else:
        if args:
            print(f"weft: there is no command {args[0]!r}{_meant(args)}", file=sys.stderr)
        print(USAGE, end="", file=sys.stderr)
        sys.exit(2)


def _meant(args: list[str]) -> str:
    """What to write instead where only `run` was forgotten."""
    if not args[0].startswith("-") and not os.path.exists(args[0]):
        return ""
    quoted = importlib.import_module("shlex").join(args)  # only who errs has need of it
    return f"; to run a program: weft run {quoted}"
