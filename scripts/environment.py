"""Makes the virtual environment that the project's commands run in, anew when what it was made from changes.

Standard library only, since it runs before anything is installed.
"""

import contextlib
import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
STAMP = "weft-environment"
COMPILED = sorted((ROOT / "src" / "weft").rglob("*.c"))  # as weft is installed
FACTS = """
import importlib.util, json, os, platform, sys
print(json.dumps({
    "version": platform.python_version(), "minor": "%d.%d" % sys.version_info[:2],
    "ok": sys.version_info >= (3, 11), "build": sys.version, "home": os.path.realpath(sys.base_prefix),
    "missing": [name for name in ("venv", "ensurepip") if importlib.util.find_spec(name) is None]}))
"""


class SetupError(Exception):
    """The environment cannot be made; the text says what is missing and what to do."""


def facts_about(interpreter: str) -> dict[str, object]:
    """What `interpreter` is: asked of itself, since it need not be the one that runs this."""
    try:
        asked = subprocess.run(
            [interpreter, "-c", FACTS], capture_output=True, text=True, check=True, stdin=subprocess.DEVNULL
        )
    except (OSError, subprocess.CalledProcessError) as error:
        raise SetupError(f"{interpreter} is not a Python that runs: {error}") from None
    facts: dict[str, object] = json.loads(asked.stdout)
    return facts


def python_in(venv: Path) -> Path:
    return venv / "bin" / "python"


def ensure(interpreter: str | None = None, extra: str = "dev") -> Path:
    """The Python of an environment with weft and the tools of an extra in it, made first if it is not there.

    Without an interpreter: `.venv`, from the Python that runs this. With one: `.venv-3.X`, so that several
    can stand side by side. With another extra than dev: `.venv-EXTRA`. Raises SetupError.
    """
    facts = facts_about(interpreter or sys.executable)
    if not facts["ok"]:
        raise SetupError(f"{interpreter} is Python {facts['version']}; weft needs 3.11 or newer")
    parts = [".venv", *([extra] if extra != "dev" else []), *([str(facts["minor"])] if interpreter else [])]
    venv = ROOT / "-".join(parts)
    wanted = stamp_of(facts)
    with only_one(venv):
        if (venv / STAMP).exists() and (venv / STAMP).read_text() == wanted and python_in(venv).exists():
            return python_in(venv)
        make(venv, interpreter or sys.executable, facts, extra)
        (venv / STAMP).write_text(wanted)
    return python_in(venv)


def stamp_of(facts: dict[str, object]) -> str:
    """What an environment was made from: when any of it differs, it is made anew."""
    made_from = [
        *(path.read_text() for path in (ROOT / "pyproject.toml", *COMPILED)),
        str(ROOT),
        str(facts["build"]),
        str(facts["home"]),
    ]
    return hashlib.sha256("\0".join(made_from).encode()).hexdigest() + "\n"


@contextlib.contextmanager
def only_one(venv: Path) -> Iterator[None]:
    """Two commands started at once must not both fill the same folder."""
    with open(f"{venv}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def make(venv: Path, interpreter: str, facts: dict[str, object], extra: str = "dev") -> None:
    missing = facts["missing"]
    if isinstance(missing, list) and missing:
        raise SetupError(
            f"Python {facts['version']} ({interpreter}) comes without {' and '.join(missing)}, which make "
            f"virtual environments; on Debian and Ubuntu: apt install python{facts['minor']}-venv"
        )
    if venv.exists():
        if not (venv / STAMP).exists():
            raise SetupError(f"{venv} was not made by this command; move or delete it, then try again")
        shutil.rmtree(venv)
    print(f"setting up {venv.name} with Python {facts['version']}, once", file=sys.stderr, flush=True)
    venv.mkdir()
    (venv / STAMP).write_text("unfinished\n")
    run([interpreter, "-m", "venv", str(venv)], "the virtual environment could not be made")
    pip = [str(python_in(venv)), "-m", "pip", "--disable-pip-version-check", "--no-input"]
    install = ["install", "--quiet", "--editable", f"{ROOT}[{extra}]"]
    run([*pip, *install], "pip could not install weft and its tools")


def run(command: list[str], failed: str) -> None:
    """Run a step of the set-up in silence; if it fails, show all it said and what is the likely cause."""
    environ = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "PYTHONHOME")}
    done = subprocess.run(
        command,
        cwd=ROOT,
        env=environ,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    )
    if done.returncode != 0:
        raise SetupError(f"{done.stdout.rstrip()}\n\n{failed}{likely_cause(done.stdout)}")


def likely_cause(said: str) -> str:
    """A sentence for the causes people meet: no network, or no compiler where no built wheel fits."""
    no_network = ("Temporary failure in name resolution", "NewConnectionError", "Network is unreachable")
    if any(sign in said for sign in no_network):
        return ": the package index could not be reached. Is there a network (or a PIP_INDEX_URL)?"
    if "Could not find a version" in said:
        return ": the package index lacks what pyproject.toml asks for, or could not be reached"
    if "error: command" in said or "Failed building wheel" in said or "Failed to build" in said:
        if not any(shutil.which(name) for name in (os.environ.get("CC", "cc"), "cc", "gcc", "clang")):
            return ": greenlet must be compiled, and there is no C compiler (apt install build-essential)"
        return ": greenlet must be compiled. Are Python's headers there (apt install python3-dev)?"
    return ""
