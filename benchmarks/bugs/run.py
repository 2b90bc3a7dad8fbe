"""Bugs of published libraries, unmodified, each in a program of about ten lines: does `weft check` find them?

  python benchmarks/bugs/run.py                      every program, five seeds, on this Python
  python benchmarks/bugs/run.py --python python3.11 --only pykka --only tenacity --seeds 20
  python benchmarks/bugs/run.py --plain 20           also: how many of 20 runs fail on plain Python

The head of each program names the package and the version that has the bug, what goes wrong, and the kind
that is expected. pip installs those versions from PyPI into an environment of their own, which is kept in a
cache folder. Each program is checked as it would be by hand, with the default budget. Prints a table; exit
status 1 if a bug was not found with one of the seeds, or something else was found in its place.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shlex
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "conformance"))

import interpreters  # noqa: E402
from verdict import table  # noqa: E402

PROGRAMS = Path(__file__).with_name("programs")
HEAD = re.compile(r"(?P<library>[\w-]+) (?P<version>[\d.]+), (?P<bug>.+)", re.DOTALL)
BUDGET = 10.0  # seconds of search, as `weft check` has by default
HANGS = 10.0  # seconds after which a run on plain Python is ended; none takes one


@dataclass(frozen=True)
class Bug:
    """A program and what its head says.

    Attributes:
        version: of the package; of CPython, the first minor version that has the bug.
        where: the function, class or method that is at fault.
        expected: the kind that is to be among the failures.
        options: what `weft check` needs besides.
        missed: why it is known not to be found, or nothing.
    """

    path: Path
    library: str
    version: str
    where: str
    text: str
    expected: str
    options: tuple[str, ...] = ()
    missed: str = ""

    @property
    def name(self) -> str:
        return self.path.stem

    def concerns(self, minor: str) -> bool:
        """Whether a Python of this minor version has the bug."""
        return self.library != "CPython" or int(minor.split(".")[1]) >= int(self.version.split(".")[1])


@dataclass
class Result:
    """What came of the runs of one program on one interpreter."""

    kinds: list[str | None] = field(default_factory=list)
    found: int = 0
    executions: list[int] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    plain: int = 0  # runs on plain Python that failed


def read(path: Path) -> Bug:
    """The program's head.

    Raises:
        SystemExit: it lacks something.
    """
    text = re.match(r'"""(.*?)"""', path.read_text(), re.DOTALL)
    parts = text[1].strip().split("\n\n") if text else [""]
    fields = dict(line.split(": ", 1) for line in "\n".join(parts[1:]).splitlines() if ": " in line)
    head = HEAD.fullmatch(" ".join(parts[0].split()))
    if head is None or "Expected" not in fields:
        raise SystemExit(f'{path}: it begins with """LIBRARY VERSION, WHERE: WHAT.""" and `Expected: KIND`')
    where, _, what = head["bug"].partition(": ")
    options = tuple(shlex.split(fields.get("Options", "")))
    return Bug(
        path,
        head["library"],
        head["version"],
        where,
        what,
        fields["Expected"],
        options,
        fields.get("Missed", ""),
    )


def bugs() -> list[Bug]:
    return [read(path) for path in sorted(PROGRAMS.glob("*.py"))]


def main() -> int:
    a = options()
    chosen = [b for b in bugs() if not a.only or any(b.name.startswith(only.lower()) for only in a.only)]
    if not chosen:
        raise SystemExit(
            f"no such program: {', '.join(a.only)}; there are {', '.join(b.name for b in bugs())}"
        )
    needs = sorted({f"{b.library}=={b.version}" for b in bugs() if b.library != "CPython"})
    bad = 0
    for interpreter in interpreters.find(a.python or [sys.executable]):
        python = interpreters.environment(interpreter, a.cache, needs)
        results: dict[Bug, Result] = {}
        for bug in chosen:
            if bug.concerns(interpreter.minor):
                results[bug] = examine(bug, python, a)
                tell(bug, results[bug], a)
        print(f"\nCPython {interpreter.version}\n\n{table(rows(results, a))}\n")
        missed = [bug.name for bug, r in results.items() if r.found < a.seeds and not bug.missed]
        print(f"{sum(r.found == a.seeds for r in results.values())} of {len(results)} found with every seed")
        print(f"missed: {', '.join(missed)}\n" if missed else "", flush=True)
        bad += len(missed)
    return 1 if bad else 0


def options() -> argparse.Namespace:
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--python", action="append", help="an interpreter; default: the one that runs this")
    p.add_argument("--only", action="append", default=[], help="programs whose name begins so")
    p.add_argument("--seeds", type=int, default=5, help="how many searches of each program; from seed 0 on")
    p.add_argument("--plain", type=int, default=0, metavar="N", help="runs on plain Python")
    p.add_argument("--cache", type=Path, default=interpreters.cache_folder() / "bugs")
    a = p.parse_args()
    if a.seeds < 1 or a.plain < 0:
        p.error("--seeds takes 1 or more, --plain 0 or more")
    a.cache.mkdir(parents=True, exist_ok=True)
    return a


def examine(bug: Bug, python: str, a: argparse.Namespace) -> Result:
    """All runs of one program."""
    result = Result()
    for seed in range(a.seeds):
        report = check(bug, python, seed)
        kinds = [f["kind"] for f in report["findings"] if f["level"] == "failure"]
        result.found += bug.expected in kinds
        result.kinds.append(bug.expected if bug.expected in kinds else (report["kind"] or None))
        result.executions.append(report["executions"])
        result.seconds.append(report["seconds"])
        result.problems += report["problems"]
    result.plain = sum(fails(bug, python) for _ in range(a.plain))
    return result


def check(bug: Bug, python: str, seed: int) -> dict[str, Any]:
    """What `weft check --json` says of it."""
    command = [python, "-m", "weft", "check", "--json", "--seed", str(seed), *bug.options, str(bug.path)]
    with tempfile.TemporaryDirectory(prefix="bugs-") as place:  # where schedules are written
        done = subprocess.run(
            command, cwd=place, env=environment(), capture_output=True, text=True, timeout=30 * BUDGET
        )
    if done.returncode not in (0, 1) or not done.stdout:
        said = done.stderr.strip() or f"status {done.returncode}, no word"
        return {"findings": [], "kind": None, "executions": 0, "seconds": 0.0, "problems": [said]}
    report: dict[str, Any] = json.loads(done.stdout)
    return report


def fails(bug: Bug, python: str) -> bool:
    """Whether one run on plain Python shows the bug."""
    try:
        done = subprocess.run([python, str(bug.path)], env=environment(), capture_output=True, timeout=HANGS)
    except subprocess.TimeoutExpired:
        return True
    return done.returncode != 0 or b"Traceback" in done.stderr  # in a thread: the status is 0


def environment() -> dict[str, str]:
    return {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "WEFT"))}


def tell(bug: Bug, r: Result, a: argparse.Namespace) -> None:
    kinds = ", ".join(sorted({str(kind or "nothing") for kind in r.kinds}))
    spent = f"{statistics.median(r.executions):.0f} executions, {statistics.median(r.seconds):.1f} s"
    print(f"{bug.name}: {kinds}; {r.found} of {a.seeds}; {spent}", *r.problems[:1], flush=True)


def rows(results: dict[Bug, Result], a: argparse.Namespace) -> list[list[str]]:
    head = ["library", "version", "where", "kind", "executions", "seconds", "found"]
    out = [head + (["plain fails"] if a.plain else [])]
    for bug, r in results.items():
        kinds = sorted({kind or "nothing" for kind in r.kinds}, key=lambda kind: (kind != bug.expected, kind))
        version = f"{bug.version}+" if bug.library == "CPython" else bug.version
        row = [bug.library, version, bug.where, ", ".join(kinds), f"{statistics.median(r.executions):.0f}"]
        row += [f"{statistics.median(r.seconds):.1f}", f"{r.found} of {a.seeds}"]
        out.append(row + ([f"{r.plain} of {a.plain}"] if a.plain else []))
    return out


if __name__ == "__main__":
    sys.exit(main())
