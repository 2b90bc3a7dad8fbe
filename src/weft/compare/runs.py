"""Makes the runs of a comparison, one process at a time, round by round.

In the first round weft counts what threads do, which costs something at each switch; it is not timed, and it
brings the program's files into memory. In the timed rounds nothing is counted. The models take turns in each
round and the order is reversed from round to round, so that a machine that slows down does so to all of them.
An empty program is timed on each model too: what of the time is the start alone.
"""

import os
import platform
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest
from pathlib import Path

from weft.compare.outcome import Comparison, Counts, Difference, Outcome, Run
from weft.config import PLAIN, VERSION, with_counts_file
from weft.errors import WeftError
from weft.host import starter
from weft.host.platform import MAXRSS, readable_within

__all__ = ["Program", "compare", "copy_input", "silence"]

TOLD_BYTES = 20_000  # of a run's standard error, from its end
TOLD_LINES = 30
LINE_SHOWN = 200  # characters of a line that differs
PATIENCE = 2.0  # seconds for the first of standard input
EMPTY_LIMIT = 60.0  # seconds for an empty program

Progress = Callable[[str, int, int], object]


def silence(*_: object) -> None:
    """Progress that nobody is told of."""


@dataclass(frozen=True)
class Program:
    """What to run: `kind` is "script", "module", "code" or "stdin", as `weft run` has it."""

    kind: str
    what: str
    args: tuple[str, ...] = ()
    name: str = ""  # for a person, if not what was typed

    def words(self) -> list[str]:
        """What stands after `python`."""
        if self.kind == "script":
            # A name that begins with a dash would be taken for an option.
            return [os.path.join(".", self.what) if self.what.startswith("-") else self.what, *self.args]
        first = {"module": ["-m", self.what], "code": ["-c", self.what], "stdin": ["-"]}[self.kind]
        return [*first, *self.args]

    def command(self, model: str) -> list[str]:
        """How it is started on a model: with this interpreter and its options."""
        python = [sys.executable, *subprocess._args_from_interpreter_flags()]  # type: ignore[attr-defined]
        return [*python, *([] if model == PLAIN else ["-m", "weft", "run", "--model", model]), *self.words()]

    @property
    def title(self) -> str:
        """As a person would type it."""
        return self.name or shlex.join(self.words())


def compare(
    program: Program,
    models: Sequence[str],
    runs: int,
    timeout: float,
    into: str,
    folder: Path,
    progress: Progress = silence,
) -> Comparison:
    """Run the program on each model.

    Args:
        runs: how many timed runs each model gets.
        timeout: seconds for one run.
        into: the file that each run has for its standard input.
        folder: for files of ours.
        progress: called before each round of a model, with the number of the round and of all.
    """
    outcomes = {model: Outcome(model) for model in models}
    reference: str | None = None
    judge = folder / "reference"
    out, err = folder / "out", folder / "err"
    for turn in range(runs + 1):
        for model in models if turn % 2 == 0 else tuple(reversed(models)):
            found = outcomes[model]
            if found.given_up:
                continue
            progress(model, turn, runs)
            counts = folder / "counts" if turn == 0 and model != PLAIN else None
            run = start_one(program.command(model), timeout, into, out, err, counts, ask=model != PLAIN)
            if turn == 0:
                found.counted, found.counts = run, _read_counts(counts) if counts is not None else None
            else:
                found.timed.append(run)
                empty = Program("code", "pass").command(model)
                start = start_one(empty, EMPTY_LIMIT, os.devnull, folder / "no", folder / "no", None)
                if start.ok:
                    found.startups.append(start.wall)
            if run.hung or run.not_started:
                continue
            if reference is None:
                reference = model
                os.replace(out, judge)
                found.outputs += 1
            else:
                _hold_against(judge, out, found)
    processors = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return Comparison(
        program.title,
        list(outcomes.values()),
        reference,
        runs,
        timeout,
        platform.python_version(),
        processors,
        VERSION,
    )


def copy_input(folder: Path, tell: Callable[[str], object]) -> str:
    """What each run gets for its standard input: a copy of ours, or nothing if that is a terminal.

    Args:
        tell: called if nothing has come for a while.
    """
    if sys.stdin is None or sys.stdin.isatty():
        return os.devnull
    copy = folder / "input"
    with copy.open("wb") as file:
        if not readable_within(sys.stdin.fileno(), PATIENCE):
            tell(
                "waiting for the end of standard input, which every run is given (</dev/null gives them none)"
            )
        shutil.copyfileobj(sys.stdin.buffer, file)
    return str(copy)


def start_one(
    command: Sequence[str],
    timeout: float,
    into: str,
    out: Path,
    err: Path,
    counts: Path | None,
    ask: bool = False,
) -> Run:
    """One run in a process of its own, started by an interpreter that holds nothing (weft.host.starter).

    Raises:
        WeftError: this interpreter cannot be started.
    """
    if counts is not None:
        counts.unlink(missing_ok=True)
    options = [repr(timeout), "ask" if ask else "no", into, str(out), str(err)]
    try:
        helper = subprocess.Popen(
            [sys.executable, "-I", "-S", starter.__file__, *options, *command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=with_counts_file(str(counts) if counts is not None else None),
        )
    except OSError as why:
        raise WeftError(f"this interpreter, {sys.executable!r}, cannot be started: {why.strerror}") from None
    assert helper.stdin is not None
    assert helper.stdout is not None
    try:
        said = helper.stdout.read().decode("utf-8", "backslashreplace")
    finally:
        helper.stdin.close()  # this ends the program, if it has not ended
        helper.stdout.close()
        helper.wait()
    if said.startswith(starter.SPAWN):
        return Run(0.0, 0.0, 0, 0, 0, 0, False, said, not_started=True)
    figures = dict(zip(starter.FIGURES, said.split(), strict=True))
    run = Run(
        wall=float(figures["wall"]),
        cpu=float(figures["user"]) + float(figures["system"]),
        memory=int(figures["memory"]) * MAXRSS,
        voluntary=int(figures["voluntary"]),
        involuntary=int(figures["involuntary"]),
        status=int(figures["status"]),
        hung=figures["hung"] == "1",
    )
    return run if run.ok else replace(run, error=_end_of(err))


def _end_of(path: Path) -> str:
    """The last lines of a file."""
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - TOLD_BYTES))
        lines = file.read().decode("utf-8", "backslashreplace").rstrip().splitlines()
    return "\n".join(lines[-TOLD_LINES:])


def _read_counts(path: Path) -> Counts | None:
    """What weft left; None if the program ended in a way that left it no time (os._exit, exec, a signal)."""
    try:
        figures = dict(line.split() for line in path.read_text(encoding="ascii").splitlines())
        return Counts(int(figures["threads"]), int(figures["switches"]), float(figures["parked"]))
    except (OSError, ValueError, KeyError):
        return None


def _hold_against(judge: Path, out: Path, found: Outcome) -> None:
    """Note whether an output is that of the reference, and where it first is not."""
    found.outputs += 1
    difference = first_difference(judge, out)
    if difference is not None:
        found.differing += 1
        found.difference = found.difference or difference


def first_difference(judge: Path, out: Path) -> Difference | None:
    """The first line in which two files differ; None if they are the same, byte for byte."""
    with judge.open("rb") as first, out.open("rb") as second:
        for number, (expected, got) in enumerate(zip_longest(first, second), 1):
            if expected != got:
                return Difference(number, _shown(expected), _shown(got))
    return None


def _shown(line: bytes | None) -> str:
    if line is None:
        return "(nothing: it ends before)"
    if not line.endswith(b"\n"):
        line += b" (no end of line)"
    text = line.decode("utf-8", "backslashreplace").rstrip("\n")
    return text if len(text) <= LINE_SHOWN else text[: LINE_SHOWN - 3] + "..."
