"""Small programs for the checker, run by `weft check` in processes of their own."""

import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

SECONDS = 60  # until a check that does not end is killed


def weft(*args: str, cwd: Path, path: Path | None = None) -> "subprocess.CompletedProcess[str]":
    """Run the command, with hashes fixed as it would fix them itself, by starting anew; modules are found in
    `path` too.
    """
    environment = {**os.environ, "PYTHONHASHSEED": "0"}
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
