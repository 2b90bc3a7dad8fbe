"""`weft trace`: a program is run and recorded, and a page and a file for Perfetto are made of it."""

import gc
import os
import subprocess
import sys
import webbrowser
from pathlib import Path
from typing import NoReturn

from weft.cli.output import no_option, refuse, say
from weft.cli.run import VALUED
from weft.config import parse_bytes, with_trace_file
from weft.errors import WeftError
from weft.host.files import writable
from weft.host.foreground import run_in_foreground
from weft.watch.export import NothingRecordedError, load_pages, write
from weft.watch.spool import old_name

__all__ = ["trace_command"]

HELP = """\
usage: weft trace [options] [options of weft run] (program.py | -m module | -c code | -) [args]
       weft trace --from SPOOL [-o FILE] [--open]

Runs a Python program as `weft run` does, records what its threads do (who ran, who waited, for what, who
held it and who woke whom), and writes a page with a timeline for a browser and a file for
https://ui.perfetto.dev.

  -o FILE, --output FILE
               where to: FILE.html and FILE.json; FILE alone if it ends in .html or .json (PROGRAM-trace)
  --open       show the page when it is made
  --ring N     record no more than the last N, as 64MB: for programs that run long
  --from SPOOL make the files of a recording that was left in .weft/, when the command itself was killed
  --model M    the thread model, and all other options of `weft run`: see `weft run --help`

The page is made with jinja2, which the extra weft[html] brings; without it there is the other file.
Exit status: the program's own, 128 + N if signal N ended it; 2 for a bad call, or if nothing was written.
"""

FOLDER = ".weft"
BIG = 20_000_000  # bytes of a recording from which on a person is told what takes so long


class _Options:
    """What was asked for.

    Attributes:
        output: as it was typed; "" for none.
        ring: bytes; 0: all is kept.
        spool: of an earlier recording; "" for none.
        rest: what goes to `weft run`.
        name: of the program, for files.
    """

    def __init__(self) -> None:
        self.output = ""
        self.open = False
        self.ring = 0
        self.spool = ""
        self.rest: list[str] = []
        self.name = ""


class _Files:
    """Where what is made goes; known to be writable, and that it can be made.

    Raises:
        WeftError: it cannot.
    """

    def __init__(self, options: _Options) -> None:
        name = options.output or f"{options.name}-trace"
        stem, ending = os.path.splitext(name)
        if ending not in (".html", ".json"):
            stem, ending = name, ""
        self.html = f"{stem}.html" if ending != ".json" else None
        self.json = f"{stem}.json" if ending != ".html" else None
        self.missing = ""
        if options.open and self.html is None:
            raise WeftError(
                "--open shows the page, and a file that ends in .json is none; leave one of them out"
            )
        if self.html is not None:
            try:
                load_pages()
            except WeftError as why:
                if ending or options.open:
                    raise
                self.html, self.missing = None, str(why)
        for file, what in ((self.html, "the page"), (self.json, "the trace")):
            if file is not None:
                writable(file, what, "-o")


def trace_command(args: list[str]) -> None:
    """Parse what comes before the program, run it, and make the files; exits with the program's status."""
    try:
        options = _parse(args)
        files = _Files(options)
        sys.exit(_make(options, files, options.spool, 0) if options.spool else _trace(options, files))
    except WeftError as error:
        print(f"weft trace: {error}", file=sys.stderr)
        sys.exit(2)


def _parse(args: list[str]) -> _Options:
    found = _Options()
    rest = list(args)
    while rest:
        word = rest.pop(0)
        name, equals, value = word.partition("=")
        if word in ("-h", "--help"):
            say(HELP)
            sys.exit(0)
        if name in ("-o", "--output", "--ring", "--from") or name in VALUED:
            if not equals:
                if not rest:
                    _refuse(f"{name} needs a value")
                value = rest.pop(0)
            _take(found, name, value)
        elif word == "--open":
            found.open = True
        elif word in ("--copy-globals", "--no-ps"):
            found.rest.append(word)
        elif word in ("-m", "-c"):
            if not rest:
                _refuse(f"{word} needs {'a module name' if word == '-m' else 'a piece of code'}")
            return _program(found, [word, *rest], rest[0].partition(":")[0] if word == "-m" else "code")
        elif word == "-":
            return _program(found, [word, *rest], "stdin")
        elif word == "--" and rest:
            return _program(found, ["--", *rest], _file_name(rest[0]))
        elif word.startswith("-"):
            _refuse(no_option("trace", word))
        else:
            return _program(found, [word, *rest], _file_name(word))
    if not found.spool:
        _refuse("no program was named")
    if found.ring or found.rest:
        _refuse("--from makes files of what was recorded already; it takes -o and --open alone")
    found.name = _file_name(found.spool).removesuffix("-trace")
    return found


def _take(found: _Options, name: str, value: str) -> None:
    if name in ("-o", "--output"):
        found.output = value
        if not value:
            _refuse(f"{name} needs a file")
    elif name == "--ring":
        found.ring = parse_bytes(value)
    elif name == "--from":
        found.spool = value
        if not value:
            _refuse("--from needs a recording")
    else:
        found.rest += [name, value]


def _program(found: _Options, words: list[str], name: str) -> _Options:
    if found.spool:
        _refuse("--from makes files of what was recorded already; it runs no program")
    found.rest += words
    found.name = name
    return found


def _file_name(path: str) -> str:
    """A name for files, out of that of a program or a recording."""
    return Path(os.path.abspath(path)).stem or "program"


def _trace(options: _Options, files: _Files) -> int:
    if files.missing:
        _tell(files.missing)
        _tell(f"so there will be {files.json} alone")
    try:
        os.makedirs(FOLDER, exist_ok=True)
    except OSError as why:
        raise WeftError(f"the recording needs the folder {FOLDER!r} here: {why.strerror}") from None
    spool = os.path.join(FOLDER, f"{options.name}-trace-{os.getpid()}.spool")
    # The program may change its folder.
    environment = with_trace_file(os.path.abspath(spool), options.ring)
    python = [sys.executable, *subprocess._args_from_interpreter_flags()]  # type: ignore[attr-defined]
    status = run_in_foreground([*python, "-m", "weft", "run", *options.rest], environment)
    try:
        if not os.path.exists(spool):  # it was refused, and has said why
            return status
        return _make(options, files, spool, status)
    finally:
        try:
            os.rmdir(FOLDER)
        except OSError:
            pass  # there is more in it


def _make(options: _Options, files: _Files, spool: str, status: int) -> int:
    """Make the files; the status to leave with."""
    kept = f"the recording is kept: weft trace --from {spool}"
    gc.disable()  # there is nothing but records here, by the million and without cycles
    try:
        if (size := _size(spool)) > BIG:
            _tell(f"making files of {size // 1_000_000} MB of recording")
        summary = write(spool, files.json, files.html)
    except NothingRecordedError as why:
        _tell(str(why))
        _drop(options, spool)
        return status if not options.spool else 2
    except WeftError as why:
        _tell(str(why))
        if not options.spool:
            _tell(kept)
        return status or 2
    except KeyboardInterrupt:
        _tell(f"interrupted; {kept}")
        return status or 130
    for number, line in enumerate(summary.lines()):
        _tell(line) if number == 0 else print(line, file=sys.stderr)
    _drop(options, spool)
    if options.open and files.html is not None and not webbrowser.open(Path(files.html).resolve().as_uri()):
        _tell(f"no browser could be started; open {files.html} in one")
    return status


def _drop(options: _Options, spool: str) -> None:
    """The recording is of no more use, if it is ours."""
    if options.spool:
        return
    for path in (spool, old_name(spool)):
        if os.path.exists(path):
            os.unlink(path)


def _size(spool: str) -> int:
    return sum(os.path.getsize(path) for path in (spool, old_name(spool)) if os.path.exists(path))


def _tell(words: str) -> None:
    print(f"weft trace: {words}", file=sys.stderr, flush=True)


def _refuse(why: str) -> NoReturn:
    refuse("trace", why)
