"""Small programs for the checker, run by `weft check` in processes of their own."""

import json
import os
import subprocess
import sys
import tempfile
import textwrap
from pathlib import Path
from typing import Any

from tests.support import Finished
from tests.support.programs import run_child
from tests.support.source import ROOT

SECONDS = 60  # until a check that does not end is killed


def weft(*args: str, cwd: Path, path: Path | None = None) -> "subprocess.CompletedProcess[str]":
    """Run the command, with hashes fixed as it would fix them itself, by starting anew; modules are found in
    `path` too. Temporary files have a folder of their own: checks draw the same names, and so do those of
    another run of these tests beside this one.
    """
    with tempfile.TemporaryDirectory() as temporary:
        environment = {**os.environ, "PYTHONHASHSEED": "0", "TMPDIR": temporary}
        if path is not None:
            environment["PYTHONPATH"] = str(path)
        return subprocess.run(
            [sys.executable, "-m", "weft", *args],
            cwd=cwd,
            env=environment,
            capture_output=True,
            text=True,
            timeout=SECONDS,
        )


def asked(module: str, *args: object, input: str | None = None, seconds: float = SECONDS, **env: str) -> str:
    """What a module of this folder prints, which has a checker's interpreter for itself."""
    command = [sys.executable, "-m", f"tests.check.{module}", *map(str, args)]
    more = {"PYTHONHASHSEED": "0", **env}
    return run_child(command, input=input, timeout=seconds, env=more, cwd=ROOT).check().stdout


def pytest_in(folder: Path, *options: str) -> Finished:
    """A run of pytest over the tests of a folder, with our plugin; others are not loaded, to save time."""
    command = [sys.executable, "-m", "pytest", "-p", "pytest_weft", "-p", "no:cacheprovider", *options]
    env = {"PYTHONPATH": str(ROOT / "src"), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    return run_child(command, timeout=SECONDS, env=env, cwd=folder)


def write(folder: Path, program: str, name: str = "program.py") -> Path:
    path = folder / name
    path.write_text(textwrap.dedent(program))
    return path


def check(folder: Path, program: str, *options: str, status: int = 0) -> dict[str, Any]:
    """What `weft check --json` says of a program."""
    path = write(folder, program)
    done = weft("check", "--json", *options, str(path), cwd=folder)
    assert done.returncode == status, (done.stdout, done.stderr)
    said: dict[str, Any] = json.loads(done.stdout)
    return said
