"""`weft check --all`: every test of a package under many schedules."""

import importlib
import json
import os
import sys
from importlib.machinery import PathFinder
from typing import Any, NoReturn

from weft.check.settings import Settings, option
from weft.check.start import begin
from weft.cli.output import no_option, say, write_all
from weft.errors import WeftError
from weft.host.children import mute
from weft.wording import counted

__all__ = ["check_all_command"]

HELP = """\
usage: weft check --all [options] [PATH | package]... [-- pytest's own options]

Runs every test that pytest collects there under many schedules; without a path, where pytest's own settings
say. A test without threads is run once. One that fails does not stop the rest.

  --time T         how long to search, in seconds, for each test (2)
  --total-time T   how long for all of them: each gets its share of what is left
  --schedules N    how many executions of each test at most
  --strict         warnings, and locks that tests take in orders that can end in a deadlock, are failures
  --json           one JSON object on standard output
  --seed N, --strategy S, --bound N, --steps N, --only P, --exclude P, --stdlib: as for `weft check`

Exit status: 0 no failure found, 1 a failure found, 2 nothing, or not everything, could be checked, 130 it was
interrupted and had found no failure.
"""

TIME = 2.0  # seconds for a test, unless it is said
VALUES = ("--time", "--schedules", "--seed", "--strategy", "--bound", "--steps")
PATTERNS = ("--only", "--exclude")
#: Verdicts in the order of the closing line: what is said of one test, and of several.
COUNTED = {
    "fails": ("fails", "fail"),
    "warns": ("warns", "warn"),
    "complete": ("complete", "complete"),
    "exhausted": ("complete for what was seen", "complete for what was seen"),
    "bounded": ("complete up to a bound", "complete up to a bound"),
    "no failure": ("without a failure when its time was up", "without a failure when their time was up"),
    "no threads": ("without threads", "without threads"),
    "skipped": ("skipped", "skipped"),
    "error": ("could not be checked", "could not be checked"),
    "not run": ("not run", "not run"),
}
QUIET = ("no threads", "skipped", "not run")  # without a line of its own in the table
MOST_NAMED = 5  # tests that are named for one reason


class _Wanted:
    """What the command line asks for."""

    def __init__(self) -> None:
        self.settings: dict[str, Any] = {"time": TIME}
        self.choice: dict[str, Any] = {}
        self.words: list[str] = []
        self.total: float | None = None
        self.strict = self.as_json = self.help = False


def check_all_command(args: list[str]) -> None:
    """Parse, check, tell; exits with the status of the whole."""
    wanted = _parse(args)
    if wanted.help:
        say(HELP)
        return
    try:
        session = begin()
        every = importlib.import_module("weft.check.every")  # pytest, which may not be there
    except ModuleNotFoundError as error:
        if error.name != "pytest":
            raise
        _refuse("it takes pytest, which is not installed here: pip install 'weft[pytest]'")
    except WeftError as error:
        _refuse(str(error))
    if os.getcwd() not in sys.path:  # as `python -m pytest` has it
        sys.path.insert(0, os.getcwd())
    out, errors = mute()
    run = every.Every(session, wanted.words, wanted.choice, wanted.settings, wanted.total)
    teller = _Teller(out, errors, wanted.as_json)
    try:
        run.run(teller.done, teller.begins)
    except WeftError as error:
        teller.clear()
        _write(errors, f"weft: {error}")
        os._exit(2)
    teller.clear()
    status = _status(run, wanted.strict)
    told = _json(run, status) if wanted.as_json else "\n".join(_summary(run))
    if not write_all(out, f"{told}\n", errors):
        status = 2
    os._exit(status)  # what tests have left behind in this process does not run any more


# -- the command line -----------------------------------------------------------------------------------


def _parse(args: list[str]) -> _Wanted:
    wanted = _Wanted()
    rest = list(args)
    flags = {"--strict": "strict", "--json": "as_json", "-h": "help", "--help": "help"}
    while rest:
        word = rest.pop(0)
        name, equals, value = word.partition("=")
        if word == "--":
            wanted.words += rest
            break
        if word == "--all":
            continue
        if word in flags:
            setattr(wanted, flags[word], True)
        elif word == "--stdlib":
            wanted.choice["stdlib"] = True
        elif name in VALUES or name in PATTERNS or name == "--total-time":
            if not equals:
                if not rest:
                    _refuse(f"{name} needs a value")
                value = rest.pop(0)
            _set(wanted, name, value)
        elif word.startswith("-"):
            _refuse(f"{no_option('check', word)} (pytest's own options stand after --)")
        else:
            wanted.words += _where(word)
    return wanted


def _set(wanted: _Wanted, name: str, value: str) -> None:
    if name in PATTERNS:
        patterns = [word.strip() for word in value.split(",")]
        if not all(patterns):
            _refuse(f"{name} takes patterns of module names with commas between them, not {value!r}")
        wanted.choice.setdefault(name[2:], []).extend(patterns)
        return
    settings = Settings()
    option_name = "time" if name == "--total-time" else name[2:]
    before = {"--total-time": "--total-", "--strategy": ""}.get(name, "--")
    try:
        option(settings, option_name, value)
    except WeftError as error:
        _refuse(f"{before}{error}")
    if name == "--total-time":
        wanted.total = settings.seconds
    else:
        field = {"time": "seconds", "steps": "limit"}.get(option_name, option_name)
        wanted.settings[option_name] = getattr(settings, field)


def _where(word: str) -> list[str]:
    """A path or a test as it is; a package by `--pyargs`."""
    path = word.partition("::")[0]
    if os.path.exists(path):
        return [word]
    if all(part.isidentifier() for part in path.split(".")):
        where = [os.getcwd(), *sys.path]
        if PathFinder.find_spec(path.partition(".")[0], where) is None:
            _refuse(f"there is no file, folder or package {path!r} here")
        return ["--pyargs", word]
    return _refuse(f"there is no {path!r} here, and it is not the name of a package")


def _refuse(why: str) -> NoReturn:
    print(f"weft check --all: {why}\nTry `weft check --all --help`.", file=sys.stderr)
    sys.exit(2)


# -- what is said ---------------------------------------------------------------------------------------


def _write(fd: int, text: str, end: str = "\n") -> None:
    write_all(fd, text + end)


class _Teller:
    """Says what goes on: on a terminal in one changing line, else a line for each file; failures at once."""

    def __init__(self, out: int, errors: int, as_json: bool) -> None:
        self._out = out
        self._errors = errors
        self._as_json = as_json
        self._terminal = os.isatty(errors)
        self._file = ""

    def begins(self, name: str, number: int, count: int) -> None:
        """A test begins."""
        if self._terminal:
            _write(self._errors, f"\r\x1b[K{number}/{count} {name[:100]}", end="")
        elif name.partition("::")[0] != self._file:
            self._file = name.partition("::")[0]
            _write(self._errors, f"{number}/{count} {self._file}")

    def done(self, tested: Any) -> None:
        """A test is done."""
        if self._as_json or tested.verdict not in ("fails", "warns", "error"):
            return
        self.clear()
        _write(self._out, f"== {tested.name}: {tested.verdict}\n{tested.text or tested.why}\n")

    def clear(self) -> None:
        """Take the line that changes away."""
        if self._terminal:
            _write(self._errors, "\r\x1b[K", end="")


def _counts(run: Any) -> dict[str, int]:
    counts = dict.fromkeys(COUNTED, 0)
    for tested in run.tests:
        counts[tested.verdict] += 1
    return counts


def _status(run: Any, strict: bool) -> int:
    counts = _counts(run)
    if counts["fails"] or (strict and (counts["warns"] or run.rings)):
        return 1
    if run.interrupted:
        return 130
    return 2 if counts["error"] else 0


def _json(run: Any, status: int) -> str:
    rings = [{name: ring[name] for name in ("title", "threads", "places", "lines")} for ring in run.rings]
    return json.dumps(
        {
            "tests": [tested.plain for tested in run.tests],
            "counts": _counts(run),
            "lock_order": rings,
            "silenced_lock_orders": run.silenced,
            "executions": sum(tested.executions for tested in run.tests),
            "seconds": round(run.seconds, 3),
            "interrupted": run.interrupted,
            "status": status,
        }
    )


def _summary(run: Any) -> list[str]:
    lines: list[str] = []
    for number, ring in enumerate(run.rings, 1):
        lines.append(f"== lock order of all tests, {number}: warning: {ring['title']}")
        lines += [*(f"    {line}" for line in ring["lines"]), ""]
    lines += _table([tested for tested in run.tests if tested.verdict not in QUIET])
    lines += _reasons([tested for tested in run.tests if tested.verdict in ("skipped", "not run")])
    counts = _counts(run)
    told = [f"{n:,} {COUNTED[word][n > 1]}" for word, n in counts.items() if n]
    if run.rings:
        told.append(f"{counted(len(run.rings), 'lock order')} that can end in a deadlock")
    executions = sum(tested.executions for tested in run.tests)
    if run.interrupted:
        lines.append("interrupted: what was found until then")
    lines.append(f"{counted(len(run.tests), 'test')}: {', '.join(told)}")
    lines.append(f"{counted(executions, 'execution')} in {run.seconds:.1f} s")
    return lines


def _table(tests: list[Any]) -> list[str]:
    if not tests:
        return []
    rows = [("test", "verdict", "executions", "seconds", "")]
    for tested in tests:
        why = "" if tested.verdict == "error" else tested.why
        rows.append((tested.name, tested.verdict, f"{tested.executions:,}", f"{tested.seconds:.1f}", why))
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    first, second, third, fourth = widths
    lines = [
        f"{name:{first}}  {word:{second}}  {runs:>{third}}  {seconds:>{fourth}}  {why}".rstrip()
        for name, word, runs, seconds, why in rows
    ]
    return [*lines, ""]


def _reasons(tests: list[Any]) -> list[str]:
    """Tests that were not checked, by the reason."""
    by_reason: dict[tuple[str, str], list[str]] = {}
    for tested in tests:
        by_reason.setdefault((tested.verdict, tested.why), []).append(tested.name)
    lines = []
    for (verdict, why), names in by_reason.items():
        more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
        lines.append(f"{verdict}: {why}: {', '.join(names[:MOST_NAMED])}{more}")
    return [*lines, ""] if lines else []
