"""The test suites of well-known packages whose work is threads, unmodified: on plain Python and under weft.

  python scripts/real_programs.py                      every suite, on this Python, user model
  python scripts/real_programs.py --python python3.11 --only pykka --only tenacity
  python scripts/real_programs.py --plain              plain Python alone: has the machine what they need?

real_programs/suites.toml names the packages. Their source distributions come from PyPI by pip and stay in a
cache folder, as does one virtual environment for each Python. Each suite runs twice, each time in a fresh
copy and with the same options: `python -m pytest ...` and `python -m weft run --model user -m pytest ...`.
The outcomes are compared test by test. Prints each difference and a table; exit status 1 at a difference.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import signal
import subprocess
import sys
import tarfile
import tempfile
import time
import tomllib
import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests" / "conformance"))

import interpreters  # noqa: E402
from verdict import table  # noqa: E402

SUITES = Path(__file__).with_suffix("") / "suites.toml"


@dataclass(frozen=True)
class Suite:
    """One package's tests, and how pytest is to run them."""

    package: str
    paths: list[str]
    needs: list[str] = field(default_factory=list)
    plugins: list[str] = field(default_factory=list)
    options: list[str] = field(default_factory=list)
    leave_out: list[dict[str, object]] = field(default_factory=list)
    stall: float = 60  # seconds without a test that begins or ends
    limit: float = 300

    @property
    def name(self) -> str:
        return self.package.partition("==")[0]

    def pytest(self, report: Path) -> list[str]:
        args = ["pytest", "-v", "-p", "no:cacheprovider", "-o", "addopts=", f"--junitxml={report}"]
        args += [
            "-o",
            "junit_family=xunit1",
            "-W",
            "ignore::DeprecationWarning",
            "-W",
            "ignore::ResourceWarning",
        ]
        for plugin in self.plugins:
            args += ["-p", plugin]
        for group in self.leave_out:
            tests = group["tests"]
            assert isinstance(tests, list)
            for test in tests:
                args += ["--deselect", str(test)]
        return [*args, *self.options, *self.paths]


@dataclass
class Outcome:
    """What one run of a suite gave."""

    tests: dict[str, str] = field(default_factory=dict)
    messages: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.0
    problem: str = ""  # why there is no report

    @property
    def passed(self) -> int:
        return sum(o == "passed" for o in self.tests.values())


def main() -> int:
    a = options()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    with open(SUITES, "rb") as f:
        suites = [Suite(**s) for s in tomllib.load(f)["suite"]]
    unknown = set(a.only or ()) - {s.name for s in suites}
    if unknown:
        raise SystemExit(
            f"no such suite: {', '.join(sorted(unknown))}; there are {', '.join(s.name for s in suites)}"
        )
    chosen = [s for s in suites if not a.only or s.name in a.only]
    needs = sorted({"pytest>=9,<10", *(s.package for s in suites), *(n for s in suites for n in s.needs)})
    rows = [["python", "package", "plain passed", "weft passed", "differences", "plain", "weft", ""]]
    different = 0
    for interpreter in interpreters.find(a.python or [sys.executable]):
        python = interpreters.environment(interpreter, a.cache, needs)
        for suite in chosen:
            source = fetch(suite, python, a.cache)
            plain = run(suite, python, source, [], a)
            weft = Outcome() if a.plain else run(suite, python, source, weft_command(a), a)
            lines = [] if a.plain else differences(plain, weft)
            if plain.problem:
                lines.insert(0, f"plain Python: {plain.problem}")
            lines += (
                [f"{k}: {o} on plain Python {plain.messages.get(k, '')}" for k, o in failures(plain)]
                if a.plain
                else []
            )
            for line in lines[: a.lines]:
                print(f"  {line}", flush=True)
            if len(lines) > a.lines:
                print(f"  and {len(lines) - a.lines} more")
            different += bool(lines)
            row = [
                interpreter.minor,
                suite.package.replace("==", " "),
                f"{plain.passed} of {len(plain.tests)}",
            ]
            row += ["-" if a.plain else f"{weft.passed} of {len(weft.tests)}", str(len(lines))]
            row += [f"{plain.seconds:.1f} s", f"{weft.seconds:.1f} s", "DIFFERENT" if lines else "same"]
            rows.append(row)
    print("\n" + table(rows))
    print(f"\n{len(rows) - 1 - different} suites as on plain Python, {different} different")
    return 1 if different else 0


def options() -> argparse.Namespace:
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--python", action="append", help="an interpreter; default: the one that runs this")
    p.add_argument("--only", action="append", help="a suite, by the package's name")
    p.add_argument("--model", choices=("user", "kernel"), default="user")
    p.add_argument("--slice", help="passed to weft run")
    p.add_argument(
        "--plain", action="store_true", help="plain Python alone; what fails there counts as a difference"
    )
    p.add_argument("--cache", type=Path, default=interpreters.cache_folder() / "real_programs")
    p.add_argument("--lines", type=int, default=20, help="differences of a suite that are printed")
    p.add_argument(
        "--hangs", type=int, default=5, help="tests of a suite that may hang before it is given up"
    )
    p.add_argument("--logs", type=Path, help="keep what each run printed in this folder")
    a = p.parse_args()
    a.cache.mkdir(parents=True, exist_ok=True)
    return a


def weft_command(a: argparse.Namespace) -> list[str]:
    return ["-m", "weft", "run", "--model", a.model, *(["--slice", a.slice] if a.slice else [])]


def fetch(suite: Suite, python: str, cache: Path) -> Path:
    """The unpacked source distribution."""
    folder = cache / "sources" / suite.package.replace("==", "-")
    if not folder.exists():
        print(f"fetching {suite.package} ...", flush=True)
        with tempfile.TemporaryDirectory(dir=cache) as here:
            pip = [python, "-m", "pip", "download", "-q", "--no-deps", "--no-binary", suite.name, "-d", here]
            subprocess.run([*pip, suite.package], check=True, stderr=subprocess.DEVNULL)
            (archive,) = Path(here).glob("*.tar.gz")
            with tarfile.open(archive) as tar:
                tar.extractall(Path(here) / "unpacked", filter="data")
            (unpacked,) = (Path(here) / "unpacked").iterdir()
            folder.parent.mkdir(exist_ok=True)
            shutil.move(unpacked, folder)
    return folder


def run(suite: Suite, python: str, source: Path, launcher: list[str], a: argparse.Namespace) -> Outcome:
    """Runs the suite in a fresh copy of its source; again without a test that hung, to see the rest."""
    what = "weft " + " ".join(launcher[3:]) if launcher else "plain"
    print(f"{suite.package}, {Path(python).parents[1].name.removeprefix('env-')}, {what}", flush=True)
    hung: dict[str, str] = {}
    seconds = 0.0
    while True:
        with tempfile.TemporaryDirectory(prefix="real-", ignore_cleanup_errors=True) as place:
            command = [python, "-X", "faulthandler", *launcher]
            status, text, outcome = once(suite, command, source, Path(place), hung)
        if a.logs:
            a.logs.mkdir(parents=True, exist_ok=True)
            (a.logs / f"{suite.name}-{what.split()[0]}{len(hung) or ''}.log").write_text(text)
        seconds += outcome.seconds
        test = unfinished(text) if status is None and not outcome.tests else ""
        if not test or test in hung or len(hung) == a.hangs:
            break
        hung[test] = innermost(text)
        print(f"  hung in {test}: {hung[test]}", flush=True)
    outcome.seconds = seconds
    outcome.tests |= {as_reported(test): "hung" for test in hung}
    outcome.messages |= {as_reported(test): message for test, message in hung.items()}
    return outcome


def once(
    suite: Suite, python: list[str], source: Path, place: Path, without: Iterable[str]
) -> tuple[int | None, str, Outcome]:
    """One run in a session of its own: its status (None: had to be ended), what it printed, its outcome."""
    work, report, log = place / "work", place / "report.xml", place / "log"
    shutil.copytree(source, work)
    (place / "tmp").mkdir()
    env = {k: v for k, v in os.environ.items() if k != "PYTHONPATH" and not k.startswith("PYTEST")}
    env |= {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "TMPDIR": str(place / "tmp"), "PYTHONHASHSEED": "0"}
    command = [*python, "-m", *suite.pytest(report), *(f"--deselect={test}" for test in without)]
    began = time.monotonic()
    with open(log, "wb") as out:
        child = subprocess.Popen(
            command,
            cwd=work,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            start_new_session=True,
        )
        try:
            status = wait(child, log, suite)
        finally:
            sweep(place)
    text = log.read_text(errors="replace")
    outcome = Outcome(seconds=time.monotonic() - began)
    if report.exists():
        read(report, outcome)
        if status is None:
            outcome.problem = "the tests were done, the process did not end"
    elif status is None:
        outcome.problem = f"hung in {unfinished(text) or 'no test'}: {innermost(text)}"
    else:
        outcome.problem = f"no report, status {status}: {' '.join(text.split())[-400:]}"
    return status, text, outcome


def wait(child: subprocess.Popen[bytes], log: Path, suite: Suite) -> int | None:
    """The child's status, or None if it hung and had to be ended; nothing of its session is left."""
    end = time.monotonic() + suite.limit
    size, since = 0, time.monotonic()
    try:
        while time.monotonic() < min(end, since + suite.stall):
            try:
                return child.wait(0.2)
            except subprocess.TimeoutExpired:
                pass
            if log.stat().st_size != size:  # a line for each test: it is getting on
                size, since = log.stat().st_size, time.monotonic()
        child.send_signal(signal.SIGABRT)  # faulthandler writes the stacks
        time.sleep(1)
        return None
    finally:
        try:
            os.killpg(child.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        child.wait()


def sweep(place: Path) -> None:
    """Ends what left the session: it still has our TMPDIR in its environment."""
    mark = f"TMPDIR={place / 'tmp'}".encode()
    for entry in Path("/proc").glob("[0-9]*/environ"):
        try:
            if mark in entry.read_bytes().split(b"\0"):
                os.kill(int(entry.parent.name), signal.SIGKILL)
        except OSError:
            pass


def unfinished(text: str) -> str:
    """The test that was running when the log ended."""
    begun = [line for line in text.splitlines() if "::" in line and not line.startswith((" ", "="))]
    return (
        re.split(r" ([A-Z]+ +\[ *\d+%\])? *Fatal Python error| [A-Z]+ +\[ *\d+%\]", begun[-1])[0].strip()
        if begun
        else ""
    )


def as_reported(test: str) -> str:
    """A test's name in the report, from its name in the log."""
    file, *classes, name = test.split("::")
    return ".".join([file.removesuffix(".py").replace("/", "."), *classes]) + "::" + name


def innermost(text: str) -> str:
    """The innermost frames of faulthandler's last report."""
    stacks = text.rpartition("Fatal Python error")[2]
    frames = re.findall(r'^  File ".*?([^/"]+/[^/"]+)", line (\d+) in (\S+)', stacks, re.MULTILINE)
    return " < ".join(f"{file}:{line} {name}" for file, line, name in frames[:6])


def read(report: Path, outcome: Outcome) -> None:
    """Test by test, from pytest's report."""
    seen: Counter[str] = Counter()
    for case in ET.parse(report).iter("testcase"):  # noqa: S314 (written by our own child a moment ago)
        name = f"{case.get('classname')}::{case.get('name')}"
        kinds = {e.tag: e for e in case}
        kind = next((k for k in ("error", "failure", "skipped") if k in kinds), "passed")
        seen[name] += 1
        key = name if seen[name] == 1 else f"{name}#{seen[name]}"
        outcome.tests[key] = {"error": "error", "failure": "failed"}.get(kind, kind)
        if kind != "passed":
            text = kinds[kind].get("message") or ""
            if text in ("collection failure", "internal error"):
                text = " ".join((kinds[kind].text or "").splitlines()[-3:])
            outcome.messages[key] = " ".join(text.split())[:300]


def failures(outcome: Outcome) -> list[tuple[str, str]]:
    return [(k, o) for k, o in outcome.tests.items() if o not in ("passed", "skipped")]


def differences(plain: Outcome, weft: Outcome) -> list[str]:
    """Each test whose outcome differs, and each that only one run has."""
    if weft.problem and not weft.tests:
        return [weft.problem]
    out = [weft.problem] if weft.problem else []
    for key in {**plain.tests, **weft.tests}:
        before, after = plain.tests.get(key, "not run"), weft.tests.get(key, "not run")
        if before != after:
            message = weft.messages.get(key) or plain.messages.get(key, "")
            out.append(f"{key}: {before} on plain Python, {after} under weft {message}".rstrip())
    return out


if __name__ == "__main__":
    sys.exit(main())
