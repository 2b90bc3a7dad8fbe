"""Runs programs under weft in a child process, so that the tests' own interpreter stays a plain one.

A child that outlives its timeout is asked by SIGQUIT where its threads are, then killed with all it started;
the test fails with what it printed: a hang must say more than that it hung.
"""

import os
import signal
import subprocess
import sys
import tempfile
import textwrap
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.support.builds import HAS_GIL

#: Those that run here: without the interpreter's lock the kernel model is CPython's own threads.
MODELS = ("kernel", "user", "hybrid") if HAS_GIL else ("user", "hybrid")
TO_DUMP = 1.0  # seconds for the answer to SIGQUIT
TO_DIE = 5.0  # seconds for the pipes to close after SIGKILL


@dataclass(frozen=True)
class Finished:
    """A child that ended by itself; `returncode` is -N if signal N ended it, as in `subprocess`."""

    args: tuple[str, ...]
    returncode: int
    stdout: str
    stderr: str
    seconds: float

    def check(self) -> "Finished":
        """The same, or an AssertionError with all that it printed if its status is not 0."""
        if self.returncode != 0:
            raise AssertionError(f"status {self.returncode} of {report(self.args, self.stdout, self.stderr)}")
        return self

    def output(self) -> str:
        """What it has printed; an AssertionError if its status is not 0 or it has complained of anything."""
        if self.check().stderr:
            raise AssertionError(f"complaints of {report(self.args, self.stdout, self.stderr)}")
        return self.stdout


class ProgramHung(AssertionError):
    """A child was still running at its timeout; the text has all it printed, its dump included."""


def report(args: Sequence[str], stdout: str, stderr: str) -> str:
    return f"{' '.join(args)}\n--- stdout\n{stdout}\n--- stderr\n{stderr}"


def run_weft(
    *args: str,
    input: str | None = None,
    timeout: float = 60,
    env: Mapping[str, str] | None = None,
    cwd: Path | str | None = None,
) -> Finished:
    """`python -m weft run *args`, to its end; `env` is added to what the tests have. Raises ProgramHung."""
    return run_child(
        [sys.executable, "-m", "weft", "run", *args], input=input, timeout=timeout, env=env, cwd=cwd
    )


def run_code(
    code: str,
    *args: str,
    model: str | None = "user",
    options: Sequence[str] = (),
    input: str | None = None,
    timeout: float = 60,
    env: Mapping[str, str] | None = None,
) -> Finished:
    """Run `code` as `program.py` in a folder of its own, on a model or, with None, on the plain interpreter.

    `options` go to `weft run`, `args` to the program. Raises ProgramHung.
    """
    with tempfile.TemporaryDirectory(prefix="weft-test-") as folder:
        program = Path(folder, "program.py")
        program.write_text(textwrap.dedent(code), encoding="utf-8")
        start = [sys.executable] if model is None else [sys.executable, "-m", "weft", "run", "--model", model]
        return run_child(
            [*start, *options, str(program), *args], input=input, timeout=timeout, env=env, cwd=folder
        )


def run_child(
    command: Sequence[str],
    *,
    input: str | None = None,
    timeout: float = 60,
    env: Mapping[str, str] | None = None,
    cwd: Path | str | None = None,
) -> Finished:
    begun = time.perf_counter()
    child = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL if input is None else subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=cwd,
        env=environment(env),
        process_group=0,  # so that what it starts can be ended with it
    )
    out: bytes | None
    err: bytes | None
    try:
        out, err = child.communicate(None if input is None else input.encode(), timeout)
    except subprocess.TimeoutExpired:
        out, err = stop(child)
        raise ProgramHung(
            f"still running after {timeout:g} s: {report(command, text(out), text(err))}"
        ) from None
    finally:
        if child.returncode is None:  # not reaped, so the group's number cannot be another's by now
            os.killpg(child.pid, signal.SIGKILL)
            child.wait()
    return Finished(tuple(command), child.returncode, text(out), text(err), time.perf_counter() - begun)


def environment(more: Mapping[str, str] | None) -> dict[str, str]:
    """The tests' own, without settings of weft that would change what is tested."""
    return {name: value for name, value in os.environ.items() if not name.startswith("WEFT_")} | dict(
        more or {}
    )


def stop(child: "subprocess.Popen[bytes]") -> tuple[bytes | None, bytes | None]:
    """End the child and its group, after it has had time to print its threads; what it printed until then."""
    os.kill(child.pid, signal.SIGQUIT)
    try:
        return child.communicate(timeout=TO_DUMP)
    except subprocess.TimeoutExpired:
        pass
    os.killpg(child.pid, signal.SIGKILL)
    try:
        return child.communicate(timeout=TO_DIE)
    except subprocess.TimeoutExpired as error:  # a process that left the group still holds the pipes
        return error.output, error.stderr


def text(raw: bytes | None) -> str:
    return (raw or b"").decode("utf-8", "backslashreplace")
