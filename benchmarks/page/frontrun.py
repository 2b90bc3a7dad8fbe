"""frontrun, the checker of benchmarks/rates beside weft: it has an interpreter of its own, made here once."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

__all__ = ["VERSION", "options"]

VERSION = "0.7.0"
WANTED = (f"frontrun=={VERSION}", "cachetools==7.0.4", "pykka==4.4.1")
ROOT = Path(__file__).resolve().parent.parent.parent
STAMP = "weft-frontrun"


def options() -> tuple[tuple[str, ...], str | None]:
    """What benchmarks/rates/run.py is told of it, or nothing, and why it could not be installed."""
    venv = ROOT / f".venv-frontrun-{sys.version_info[0]}.{sys.version_info[1]}"
    python = venv / "bin" / "python"
    wanted = json.dumps([*WANTED, str(ROOT)])
    stamp = venv / STAMP
    if not stamp.exists() or stamp.read_text() != wanted:
        print(f"bench: setting up {venv.name}, once", file=sys.stderr, flush=True)
        shutil.rmtree(venv, ignore_errors=True)
        for command in (
            [sys.executable, "-m", "venv", str(venv)],
            [str(python), "-m", "pip", "--disable-pip-version-check", "install", "--quiet", *WANTED],
        ):
            done = subprocess.run(command, capture_output=True, text=True)
            if done.returncode:
                said = (done.stderr or done.stdout).strip().splitlines() or ["no word of why"]
                return (), f"frontrun {VERSION} could not be installed: {said[-1]}"
        stamp.write_text(wanted)
    packages = next(venv.glob("lib/python*/site-packages"))
    return ("--frontrun", str(python), "--path", str(packages)), None
