"""`weft check`: what can go wrong with a threaded program."""

import os
import shlex
import traceback
from typing import Any, NoReturn

from weft.check import tell
from weft.check.emitted import claim
from weft.check.page.paper import Paper, facts_of_check
from weft.check.settings import Settings, option
from weft.check.start import begin
from weft.cli.check_all import check_all_command
from weft.cli.output import no_option, refuse, say, write_all
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
  -j, --jobs N   processes that search at a time; auto, the default, is one for each processor
  --resume       go on where the same search has ended, with a budget of its own
  --cluster[=A]  search on a Dask cluster: that of the scheduler at tcp://host:8786, or one on this machine
  -q, --quiet    do not show how it gets on

Patterns stand with commas between them. The script itself is always rewritten.
Ctrl-C ends the search and tells what was found; a second one leaves at once.
Exit status: 0 no failure found, 1 a failure found, 2 the program could not be checked, 130 Ctrl-C.
"""

VALUES = ("--time", "--schedules", "--seed", "--strategy", "--bound", "--steps", "--jobs")
PATTERNS = ("--only", "--exclude")
FILES = ("--emit-test", "--html")
FLAGS = ("--strict", "--json", "--notes", "--stdlib", "--resume", "--quiet", "--net-pass")
SHORT = {"-j": "--jobs", "-q": "--quiet"}


class _Options:
    """What the command line asks for."""

    def __init__(self) -> None:
        self.settings = Settings()
        self.settings.jobs = _processors()
        self.given: set[str] = set()
        self.choice: dict[str, Any] = {}
        self.cluster: str | None = None
        self.files: dict[str, str] = {}
        self.flags: set[str] = set()

    def take(self, rest: list[str]) -> None:
        """Take one option off the words, with its value."""
        word = rest.pop(0)
        name, equals, value = word.partition("=")
        name = SHORT.get(name, name)
        if name.startswith("-j") and name[2:].isdigit():
            name, equals, value = "--jobs", "=", name[2:]
        if name in FLAGS and not equals:
            self._flag(name)
        elif name == "--net-faults":
            self._network(name, value if equals else True)
        elif name == "--cluster":
            address = rest.pop(0) if not equals and rest and _is_address(rest[0]) else value
            self.cluster = address
        elif name in (*VALUES, *PATTERNS, *FILES):
            if not equals:
                if not rest:
                    _refuse(f"{name} needs a value")
                value = rest.pop(0)
            self._value(name, value)
        else:
            _refuse(no_option("check", word))

    def _flag(self, name: str) -> None:
        self.flags.add(name)
        if name == "--notes":
            self.settings.notes = True
            self.given.add("notes")
        elif name == "--stdlib":
            self.choice["stdlib"] = True
        elif name == "--net-pass":
            self._network(name, True)

    def _network(self, name: str, value: str | bool) -> None:
        try:
            self.settings.set(name[2:].replace("-", "_"), value)
        except WeftError as error:
            _refuse(f"--{str(error).replace('_', '-', 1)}")
        self.given.add(name[2:])

    def _value(self, name: str, value: str) -> None:
        if name in FILES:
            self.files[name] = value
            return
        if name in PATTERNS:
            self.choice.setdefault(name[2:], []).extend(_patterns(name, value))
            return
        if (name, value) == ("--jobs", "auto"):
            return
        try:
            option(self.settings, name[2:], value)
        except WeftError as error:
            _refuse(f"--{error}" if name != "--strategy" else str(error))
        self.given.add(name[2:])


def check_command(args: list[str]) -> None:
    """Parse, search, tell; exits with the status of the verdict."""
    options = _Options()
    rest = list(args)
    while rest and rest[0].startswith("-") and rest[0] != "-m":
        if rest[0] in ("-h", "--help"):
            say(HELP)
            return
        if rest[0] == "--all":
            check_all_command(args)
            return
        if rest[0] == "--":
            rest.pop(0)
            break
        options.take(rest)
    if not rest:
        _refuse("no program was named")
    if any(word.partition("=")[0] == "--emit-test" for word in rest) and "--" not in args:
        _refuse("--emit-test stands before the program (what follows the program are its own arguments)")
    test, html = (options.files.get(name) for name in FILES)
    try:
        if test is not None:
            claim(test)
        session = begin()
        paper = None if html is None else Paper(html)
    except WeftError as error:
        _refuse(str(error))
    except KeyboardInterrupt:
        os._exit(130)
    out, errors = mute()
    text, status, facts = _searched(session, options, rest, args, errors)
    if paper is not None:
        try:
            paper.write(facts)
            text += "" if "--json" in options.flags else f"\npage: {html}"
        except WeftError as error:  # what was found is told all the same
            os.write(errors, f"weft: {error}\n".encode(errors="backslashreplace"))
            status = 2
    _leave(out, text, status, errors)


def _searched(
    session: Any, options: _Options, rest: list[str], args: list[str], errors: int
) -> tuple[str, int, Any]:
    """The verdict as text, the exit status, and what a page is made of."""
    flags = options.flags
    test = options.files.get("--emit-test")
    emission = session.Emission(test, "--strict" in flags) if test is not None else None
    try:
        attended = session.Attended(
            session.FOLDER,
            None if "--quiet" in flags else errors,
            resume="--resume" in flags,
            given=options.given,
            cluster=options.cluster,
        )
        program = session.parse(rest, options.choice)
        report, path = session.check(program, options.settings, attended, emission)
    except WeftError as error:
        _leave(errors, f"weft: {error}", 2)
    except Exception:  # noqa: BLE001 - what the program prints is not heard here, nor is a traceback
        _leave(
            errors,
            f"weft: the checker itself failed, please report it:\n{traceback.format_exc().rstrip()}",
            2,
        )
    text = tell.as_json(report, path) if "--json" in flags else tell.verdict(report, path)
    if report.threads == 1 and not report.findings and "--json" not in flags:
        text += _about_tests(rest[0])
    if emission is not None:
        text = emission.added(text, "--json" in flags)
    facts = facts_of_check(report, path, args) if "--html" in options.files else None
    return text, tell.exit_status(report, "--strict" in flags), facts


def _about_tests(path: str) -> str:
    """What to do with a file that only defines tests, by the names that pytest goes by."""
    name = os.path.basename(path)
    if not (name.startswith("test_") or name.endswith("_test.py")):
        return ""
    return f"\nnote: to check the tests in it: weft check --all {shlex.quote(path)}"


def _is_address(word: str) -> bool:
    """Whether it names a scheduler, and no function: those have no number for a name."""
    host, _, port = word.rpartition(":")
    return "://" in word or (bool(host) and port.isdigit())


def _processors() -> int:
    """How many this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _patterns(name: str, value: str) -> list[str]:
    found = [word.strip() for word in value.split(",")]
    if not all(found):
        _refuse(f"{name} takes patterns of module names with commas between them, not {value!r}")
    return found


def _leave(fd: int, text: str, status: int, errors: int = 2) -> NoReturn:
    """Say it and be gone: what the program has left behind in this process does not run any more."""
    os._exit(status if write_all(fd, text + "\n", errors) else 2)


def _refuse(why: str) -> NoReturn:
    refuse("check", why)
