"""`weft compare`: one program on every model, side by side."""

import json
import os
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

from weft.cli.output import no_option, refuse, say
from weft.compare.choice import ALL, contest_file, contests, parse_models
from weft.compare.outcome import Comparison, as_json
from weft.compare.page import load_plots, write_page
from weft.compare.runs import Program, compare, copy_input, silence
from weft.compare.table import render
from weft.compare.verdict import verdict
from weft.config import RUNS, TIMEOUT, parse_runs, parse_timeout, wants_colours
from weft.errors import WeftError
from weft.host.files import writable

__all__ = ["compare_command"]

HELP = f"""\
usage: weft compare [options] (program.py | -m module | -c code | -) [args]
       weft compare [options] --contest NAME

Runs one program on each thread model, each run in a process of its own, and shows what it cost there.

  --models A,B   which, of {", ".join(ALL)} (all);
                 plain is Python without weft; list: print them
  --runs N       how many timed runs each model gets, in turn ({RUNS}), after one in which weft counts
  --timeout T    how long a run may take, as 90 or 500ms ({TIMEOUT:g}); off: for ever
  --contest N    a program that comes with weft; list: print them
  --json         print JSON instead of the table
  --html FILE    write a page with plots, too; needs the extra weft[html]
  -m, -c, -      a module, a piece of code, standard input: as `weft run` has them

What is typed or piped into the command is given to every run.
Exit status: 0 every run ended with status 0, 1 one did not, 2 for a bad call, 130 Ctrl-C.
"""

WITH_VALUE = ("--models", "--runs", "--timeout", "--contest", "--html")
NARROWEST, WIDEST = 80, 100


def compare_command(args: list[str]) -> None:
    """Parse what comes before the program, run it on all models, and print what came out."""
    try:
        program, options = _parse(args)
        status = _compare(program, options)
        sys.stdout.flush()
        sys.exit(status)
    except BrokenPipeError:  # who read has gone, and wants no more
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        sys.exit(1)
    except WeftError as error:
        print(f"weft: {error}", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        print("\nweft compare: interrupted", file=sys.stderr)
        sys.exit(130)


def _parse(args: list[str]) -> tuple[Program, dict[str, str]]:
    options: dict[str, str] = {}
    rest = list(args)
    program: Program | None = None
    while rest and program is None:
        word = rest.pop(0)
        name, equals, value = word.partition("=")
        if word in ("-h", "--help"):
            say(HELP)
            sys.exit(0)
        if name in WITH_VALUE:
            if not equals:
                if not rest:
                    _refuse(f"{name} needs a value")
                value = rest.pop(0)
            options[name[2:]] = value
        elif word == "--json":
            options["json"] = ""
        elif word in ("-m", "-c"):
            if not rest:
                _refuse(f"{word} needs {'a module name' if word == '-m' else 'a piece of code'}")
            program = Program("module" if word == "-m" else "code", rest.pop(0), tuple(rest))
        elif word == "-":
            program = Program("stdin", "-", tuple(rest))
        elif word == "--" and rest:
            program = Program("script", rest.pop(0), tuple(rest))
        elif word.startswith("-"):
            _refuse(no_option("compare", word))
        else:
            program = Program("script", word, tuple(rest))
    if options.get("models") == "list":
        _print_and_exit(ALL)
    if options.get("contest") == "list":
        _print_and_exit(f"{name:<20} {what}" for name, what in contests().items())
    return _chosen(program, options), options


def _chosen(program: Program | None, options: dict[str, str]) -> Program:
    if "contest" in options:
        if program is not None:
            _refuse("a contest is a program already; name one or the other")
        return Program("script", contest_file(options["contest"]), name=f"contest {options['contest']}")
    if program is None:
        _refuse("no program was named")
    if program.kind == "script" and not Path(program.what).exists():
        raise WeftError(f"can't open file {program.what!r}: No such file or directory")
    if program.kind == "stdin" and sys.stdin.isatty():
        _refuse("standard input is a terminal; a program that is run several times has to be in a file")
    return program


def _compare(program: Program, options: dict[str, str]) -> int:
    if sys.stdout is None:
        raise WeftError("standard output is closed: there is nobody to tell")
    models = parse_models(options.get("models"))
    runs = parse_runs(options["runs"]) if "runs" in options else RUNS
    timeout = parse_timeout(options["timeout"]) if "timeout" in options else TIMEOUT
    page = writable(options["html"]) if "html" in options else None
    plots: Any = load_plots() if page is not None else None
    with tempfile.TemporaryDirectory(prefix="weft-compare-") as name:
        folder = Path(name)
        given = copy_input(folder, _tell)
        progress, clear = _progress(len(models) * (runs + 1))
        try:
            comparison = compare(program, models, runs, timeout, given, folder, progress)
        finally:
            clear()
    winner, sentence = verdict(comparison)
    if page is not None:
        write_page(page, plots, comparison, sentence)
    if "json" in options:
        print(json.dumps(as_json(comparison, winner, sentence), indent=2))
    else:
        _print_table(comparison, sentence)
        if page is not None:
            print(f"\nThe page is {page}.")
    return 0 if comparison.all_ok else 1


def _print_table(comparison: Comparison, sentence: str) -> None:
    terminal = sys.stdout.isatty()
    width = shutil.get_terminal_size((NARROWEST, 24)).columns if terminal else WIDEST
    text = render(comparison, sentence, min(max(width, NARROWEST), WIDEST), terminal and wants_colours())
    encoding = sys.stdout.encoding or "utf-8"
    print(text.encode(encoding, "backslashreplace").decode(encoding))


def _tell(words: str) -> None:
    print(f"weft compare: {words}", file=sys.stderr, flush=True)


def _progress(steps: int) -> tuple[Callable[[str, int, int], object], Callable[[], object]]:
    """What tells a person on a terminal how far it is, and what takes the line away again."""
    if sys.stderr is None or not sys.stderr.isatty():
        return silence, lambda: None
    done = 0

    def tell(model: str, turn: int, turns: int) -> None:
        nonlocal done
        done += 1
        what = "counting" if turn == 0 else f"round {turn} of {turns}"
        print(f"\r\033[K{done}/{steps}  {what}: {model}", end="", file=sys.stderr, flush=True)

    return tell, lambda: print("\r\033[K", end="", file=sys.stderr, flush=True)


def _print_and_exit(lines: Any) -> NoReturn:
    say("".join(f"{line}\n" for line in lines))
    sys.exit(0)


def _refuse(why: str) -> NoReturn:
    refuse("compare", why)
