"""Finds the Python interpreters of this machine and makes an environment with weft for each.

Shared by the programs that run other people's tests: run_all.py, ci_subset.py, scripts/real_programs.py.
Environments live in a cache folder and are made again when what they need changes.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FIRST, LAST = 11, 14  # the minor versions that weft runs on

_LOOK = """
import importlib.util, json, platform, sys
def has(name):
    try:
        return importlib.util.find_spec(name) is not None
    except ImportError:
        return False
print(json.dumps([list(sys.version_info[:2]), platform.python_version(), platform.python_implementation(),
                  sys._base_executable, has("test.support"), has("test.test_concurrent_futures.test_wait"),
                  bool(__import__("sysconfig").get_config_var("Py_GIL_DISABLED"))]))
"""


@dataclass(frozen=True)
class Interpreter:
    """A Python that can run the tests: its command, its versions, and which test packages it came with."""

    path: str
    minor: str  # "3.13"
    version: str  # "3.13.0"
    has_tests: bool
    has_pools: bool  # some installs of 3.11 and 3.12 lack test.test_concurrent_futures


def cache_folder() -> Path:
    """Where environments, downloads and results that need not be kept are put."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "weft"


def look_at(command: str) -> Interpreter | None:
    """The interpreter that `command` starts (the one under a virtual environment), or None."""
    try:
        out = subprocess.run(
            [command, "-c", _LOOK], capture_output=True, text=True, timeout=30, cwd="/", check=True
        ).stdout
        version, full, implementation, base, tests, pools, free = json.loads(out)
    except (OSError, subprocess.SubprocessError, ValueError):
        return None
    if implementation != "CPython" or free or version[0] != 3 or not FIRST <= version[1] <= LAST:
        return None
    return Interpreter(base, f"3.{version[1]}", full, tests, pools)


def find(named: list[str] | None = None) -> list[Interpreter]:
    """The interpreters named, or else one for each minor version that this machine has."""
    if named:
        found = [(name, look_at(shutil.which(name) or name)) for name in named]
        for name, interpreter in found:
            if interpreter is None:
                raise SystemExit(f"{name}: no CPython 3.{FIRST}-3.{LAST}")
        return [interpreter for _, interpreter in found if interpreter is not None]
    here = look_at(sys.executable)
    out = []
    for minor in range(FIRST, LAST + 1):
        names = [shutil.which(f"python3.{minor}") or ""]
        names += [str(p) for p in sorted(Path.home().glob(f".pyenv/versions/3.{minor}.*/bin/python"))]
        if here is not None and here.minor == f"3.{minor}":
            names.insert(0, here.path)
        seen = [i for i in map(look_at, filter(None, names)) if i is not None]
        if seen:  # one with its tests, if there is any
            out.append(max(seen, key=lambda i: (i.has_tests, i.has_pools)))
    return out


def weft_needs() -> list[str]:
    """What weft itself needs, as pyproject.toml says."""
    with open(ROOT / "pyproject.toml", "rb") as f:
        needs: list[str] = tomllib.load(f)["project"]["dependencies"]
    return needs


def environment(interpreter: Interpreter, folder: Path, needs: list[str]) -> str:
    """The python of a virtual environment with weft from this tree and `needs`; made if it is not there.

    Apart from the project's .venv, which a change of pyproject.toml makes anew, be it in the midst of a run.
    """
    needs = weft_needs() + needs
    stamp = hashlib.sha256(
        json.dumps([interpreter.path, interpreter.version, str(ROOT), needs]).encode()
    ).hexdigest()
    home = folder / f"env-{interpreter.minor}"
    python, mark = str(home / "bin" / "python"), home / "stamp"
    if mark.exists() and mark.read_text() == stamp:
        return python
    shutil.rmtree(home, ignore_errors=True)
    print(f"making the environment for {interpreter.version} ...", flush=True)
    subprocess.run([interpreter.path, "-m", "venv", str(home)], check=True)
    pip = subprocess.run([python, "-m", "pip", "install", "-q", *needs], capture_output=True, text=True)
    if pip.returncode:
        raise SystemExit(f"pip could not install {' '.join(needs)}:\n{pip.stderr}")
    (site,) = home.glob("lib/python3*/site-packages")
    (site / "weft-source.pth").write_text(str(ROOT / "src") + "\n")
    mark.write_text(stamp)
    return python
