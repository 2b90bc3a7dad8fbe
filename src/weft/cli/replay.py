"""`weft replay`: a recorded schedule once more."""

import importlib
import os
import sys
from typing import Any

from weft.check.page.paper import Paper, facts_of_replay
from weft.check.schedule import Schedule
from weft.check.start import begin
from weft.cli.output import no_option, refuse, say, write_all
from weft.errors import WeftError
from weft.host.children import mute

__all__ = ["replay_command"]

HELP = """\
usage: weft replay [options] SCHEDULE [program.py]

Runs a schedule that `weft check` has written, and shows what happens, a column for each thread.

  --pdb        under the debugger: it stops before the program's first line, at breakpoint() and where it
               fails
  --html FILE  write a page that shows it, too; needs the extra weft[html]

Exit status: 0 nothing failed, 1 it failed again, 2 it could not be run, or the program has changed.
"""
FOLDER = ".weft"  # where `weft check` writes them


def replay_command(args: list[str]) -> None:
    """Run it and tell; exits with the status."""
    if args[:1] in (["-h"], ["--help"]):
        say(HELP)
        return
    words = args
    debug = False
    html: str | None = None
    while args and args[0].startswith("-"):
        name, equals, value = args[0].partition("=")
        if args[0] == "--pdb":
            debug, args = True, args[1:]
        elif name == "--html" and (equals or len(args) > 1):
            html, args = (value, args[1:]) if equals else (args[1], args[2:])
        elif name == "--html":
            refuse("replay", "--html needs a value")
        else:
            refuse("replay", no_option("replay", args[0]))
    if not 1 <= len(args) <= 2:
        refuse("replay", "it takes the file of a schedule" + _newest())
    try:
        session = begin()
        paper = None if html is None else Paper(html)
    except WeftError as error:
        print(f"weft: {error}", file=sys.stderr)
        sys.exit(2)
    terminal = importlib.import_module("weft.check.debugger").Terminal() if debug else None

    def show(schedule: Schedule, findings: list[dict[str, Any]]) -> list[str]:
        if paper is None:
            return []
        paper.write(facts_of_replay(schedule, findings, args[0], words))
        return [f"page: {html}"]

    out, errors = mute()
    try:
        status, lines = session.replay(args[0], args[1] if len(args) > 1 else None, terminal, show)
    except WeftError as error:
        out, status, lines = errors, 2, [f"weft: {error}"]
    os._exit(status if write_all(out, "\n".join(lines) + "\n" * bool(lines), errors) else 2)


def _newest() -> str:
    """The schedule that a check has written last, for who has forgotten its name."""
    try:
        found = [
            entry
            for entry in os.scandir(FOLDER)
            if entry.name.endswith(".json") and not entry.name.endswith(".search.json")  # of --resume
        ]
        newest = max(found, key=lambda entry: entry.stat().st_mtime, default=None)
    except OSError:
        return ""
    return f"; the newest is {newest.path}" if newest is not None else ""
