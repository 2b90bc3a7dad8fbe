"""`weft check`: what can go wrong with a threaded program."""

import os
import sys
import traceback
from typing import Any, NoReturn

from weft.check import tell
from weft.check.emitted import claim
from weft.check.page.paper import Paper, facts_of_check
from weft.check.settings import Settings, option
from weft.check.start import begin
from weft.cli.check_all import check_all_command
from weft.errors import WeftError
from weft.host.children import mute

__all__ = ["check_command"]

HELP = """\
usage: weft check [options] program.py [args]
       weft check [options] -m module [args]
       weft check [options] package.module:function [args]
       weft check --all [options] [PATH | package]...

Runs a threaded program under many schedules, in virtual time, and says what can go wrong with it.
A function is called with no arguments, once in each execution; its module is imported once.
With --all it is the tests that pytest collects: `weft check --all --help`.

  --time T       how long to search, in seconds (10)
  --schedules N  how many executions at most
  --seed N       where chance begins (0): the same seed makes the same search
  --strategy S   portfolio, walk, uniform, pct, pos, surw, round-robin, dfs, delay or dpor (portfolio)
  --bound N      preemptions that dfs allows, delays that delay allows (2)
  --steps N      steps after which an execution is broken off (20000)
  --only P       rewrite the modules that fit these patterns and no others: package, package.*
  --exclude P    leave modules alone that fit these patterns
  --stdlib       rewrite the standard library too, as far as --only says
  --net-faults[=F]  let the simulated network fail: short, delay, reset, or some of them (all)
  --net-pass     let the program have the machine's sockets, of which a check sees nothing
  --strict       warnings count as failures
  --notes        tell of races that are no failures, too
  --emit-test F  write a test for pytest to the file F that fails until what was found is mended
  --json         one JSON object on standard output
  --html FILE    write a page that shows it, too; needs the extra weft[html]

Patterns stand with commas between them. The script itself is always rewritten.
Exit status: 0 no failure found, 1 a failure found, 2 the program could not be checked.
"""

VALUES = ("--time", "--schedules", "--seed", "--strategy", "--bound", "--steps")
PATTERNS = ("--only", "--exclude")
EMIT = "--emit-test"


def check_command(args: list[str]) -> None:
    """Parse, search, tell; exits with the status of the verdict."""
    settings = Settings()
    choice: dict[str, Any] = {}
    strict = as_json = False
    test: str | None = None
    html: str | None = None
    rest = list(args)
    while rest and rest[0].startswith("-") and rest[0] != "-m":
        word = rest.pop(0)
        name, equals, value = word.partition("=")
        if word in ("-h", "--help"):
            print(HELP, end="")
            return
        if word == "--":
            break
        if word == "--all":
            check_all_command(args)
            return
        if word == "--strict":
            strict = True
        elif word == "--json":
            as_json = True
        elif word == "--notes":
            settings.notes = True
        elif name == "--net-faults" or word == "--net-pass":
            try:
                settings.set(name[2:].replace("-", "_"), value if equals else True)
            except WeftError as error:
                _refuse(f"--{str(error).replace('_', '-', 1)}")
        elif word == "--stdlib":
            choice["stdlib"] = True
        elif name in (*VALUES, *PATTERNS, EMIT, "--html"):
            if not equals:
                if not rest:
                    _refuse(f"{name} needs a value")
                value = rest.pop(0)
            if name == EMIT:
                test = value
                continue
            if name == "--html":
                html = value
                continue
            if name in PATTERNS:
                choice.setdefault(name[2:], []).extend(_patterns(name, value))
                continue
            try:
                option(settings, name[2:], value)
            except WeftError as error:
                _refuse(f"--{error}" if name != "--strategy" else str(error))
        else:
            _refuse(f"there is no option {word!r}")
    if not rest:
        _refuse("no program was named")
    if any(word.partition("=")[0] == EMIT for word in rest) and "--" not in args:
        _refuse(f"{EMIT} stands before the program (what follows the program are its own arguments)")
    try:
        if test is not None:
            claim(test)
        session = begin()
        paper = None if html is None else Paper(html)
    except WeftError as error:
        _refuse(str(error))
    out, errors = mute()
    emission = session.Emission(test, strict) if test is not None else None
    try:
        report, path = session.check(session.parse(rest, choice), settings, emission)
    except WeftError as error:
        _leave(errors, f"weft: {error}", 2)
    except Exception:  # noqa: BLE001 - what the program prints is not heard here, nor is a traceback
        _leave(
            errors,
            f"weft: the checker itself failed, please report it:\n{traceback.format_exc().rstrip()}",
            2,
        )
    text = tell.as_json(report, path) if as_json else tell.verdict(report, path)
    status = tell.exit_status(report, strict)
    if emission is not None:
        text = emission.added(text, as_json)
    if paper is not None:
        try:
            paper.write(facts_of_check(report, path, args))
            text += "" if as_json else f"\npage: {html}"
        except WeftError as error:  # what was found is told all the same
            os.write(errors, f"weft: {error}\n".encode(errors="backslashreplace"))
            status = 2
    _leave(out, text, status)


def _patterns(name: str, value: str) -> list[str]:
    found = [word.strip() for word in value.split(",")]
    if not all(found):
        _refuse(f"{name} takes patterns of module names with commas between them, not {value!r}")
    return found


def _leave(fd: int, text: str, status: int) -> NoReturn:
    """Say it and be gone: what the program has left behind in this process does not run any more."""
    data = (text + "\n").encode(errors="backslashreplace")
    while data:
        data = data[os.write(fd, data) :]
    os._exit(status)


def _refuse(why: str) -> NoReturn:
    print(f"weft check: {why}\nTry `weft check --help`.", file=sys.stderr)
    sys.exit(2)
