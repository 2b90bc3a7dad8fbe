"""`weft replay`: a recorded schedule once more."""

import importlib
import os
import sys

from weft.check.start import begin
from weft.errors import WeftError
from weft.host.children import mute

__all__ = ["replay_command"]

HELP = """\
usage: weft replay [--pdb] FILE [program.py]

Runs a schedule that `weft check` has written, and shows what happens, a column for each thread.

  --pdb  under the debugger: it stops before the program's first line, at breakpoint(), and where it fails

Exit status: 0 nothing failed, 1 it failed again, 2 it could not be run, or the program has changed.
"""


def replay_command(args: list[str]) -> None:
    """Run it and tell; exits with the status."""
    if args[:1] in (["-h"], ["--help"]):
        print(HELP, end="")
        return
    debug = args[:1] == ["--pdb"]
    args = args[1:] if debug else args
    if not 1 <= len(args) <= 2 or args[0].startswith("-"):
        print("weft replay: it takes the file of a schedule\nTry `weft replay --help`.", file=sys.stderr)
        sys.exit(2)
    try:
        session = begin()
    except WeftError as error:
        print(f"weft: {error}", file=sys.stderr)
        sys.exit(2)
    terminal = importlib.import_module("weft.check.debugger").Terminal() if debug else None
    out, errors = mute()
    try:
        status, lines = session.replay(args[0], args[1] if len(args) > 1 else None, terminal)
    except WeftError as error:
        out, status, lines = errors, 2, [f"weft: {error}"]
    os.write(out, ("\n".join(lines) + "\n" * bool(lines)).encode(errors="backslashreplace"))
    os._exit(status)
