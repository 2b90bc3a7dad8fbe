"""`weft check`: what can go wrong with a threaded program."""

import os
import sys
from typing import NoReturn

from weft.check import tell
from weft.check.settings import Settings
from weft.check.start import begin
from weft.errors import WeftError
from weft.host.children import mute

__all__ = ["check_command"]

HELP = """\
usage: weft check [options] program.py [args]

Runs a threaded program under many schedules, in virtual time, and says what can go wrong with it.

  --time T       how long to search, in seconds (10)
  --schedules N  how many executions at most
  --seed N       where chance begins (0): the same seed makes the same search
  --strategy S   portfolio, walk, uniform, pct, pos, round-robin, dfs or dpor (portfolio)
  --bound N      preemptions that dfs allows (2)
  --steps N      steps after which an execution is broken off (20000)
  --strict       warnings count as failures
  --notes        tell of races that are no failures, too
  --json         one JSON object on standard output

Exit status: 0 no failure found, 1 a failure found, 2 the program could not be checked.
"""

VALUES = ("--time", "--schedules", "--seed", "--strategy", "--bound", "--steps")
NAMES = ("portfolio", "walk", "uniform", "pct", "pos", "round-robin", "dfs", "dpor")


def check_command(args: list[str]) -> None:
    """Parse, search, tell; exits with the status of the verdict."""
    settings = Settings()
    strict = as_json = False
    rest = list(args)
    while rest and rest[0].startswith("-"):
        word = rest.pop(0)
        name, equals, value = word.partition("=")
        if word in ("-h", "--help"):
            print(HELP, end="")
            return
        if word == "--":
            break
        if word == "--strict":
            strict = True
        elif word == "--json":
            as_json = True
        elif word == "--notes":
            settings.notes = True
        elif name in VALUES:
            if not equals:
                if not rest:
                    _refuse(f"{name} needs a value")
                value = rest.pop(0)
            _set(settings, name, value)
        else:
            _refuse(f"there is no option {word!r}")
    if not rest:
        _refuse("no program was named")
    try:
        session = begin()
    except WeftError as error:
        _refuse(str(error))
    out, errors = mute()
    try:
        report, path = session.check(rest[0], rest[1:], settings)
    except WeftError as error:
        _leave(errors, f"weft: {error}", 2)
    _leave(
        out,
        tell.as_json(report, path) if as_json else tell.verdict(report, path),
        tell.exit_status(report, strict),
    )


def _leave(fd: int, text: str, status: int) -> NoReturn:
    """Say it and be gone: what the program has left behind in this process does not run any more."""
    data = (text + "\n").encode(errors="backslashreplace")
    while data:
        data = data[os.write(fd, data) :]
    os._exit(status)


def _set(settings: Settings, name: str, value: str) -> None:
    try:
        if name == "--strategy":
            if value not in NAMES:
                _refuse(f"there is no strategy {value!r}: {', '.join(NAMES)}")
            settings.strategy = value
            good = True
        elif name == "--time":
            settings.seconds = float(value.removesuffix("s"))
            good = 0 < settings.seconds < 1e9
        else:
            number = int(value)
            setattr(settings, "limit" if name == "--steps" else name[2:], number)
            good = number >= (1 if name in ("--schedules", "--steps") else 0)
    except ValueError:
        good = False
    if not good:
        _refuse(f"{name} takes a number, not {value!r}")


def _refuse(why: str) -> NoReturn:
    print(f"weft check: {why}\nTry `weft check --help`.", file=sys.stderr)
    sys.exit(2)
