"""Installs what `tests/peers` runs against, Dask for pools and what draws plots, as far as it can.

It says what is missing. The packages of the groups `peers`, `cluster` and `html` go into the environment of
the Python that runs this. Redis and wrk come from Debian if this runs as root on such a system; PostgreSQL is
used if it is there. The status is always 0: tests whose other side is missing are skipped, and say so.
"""

import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LIMIT = 300.0  # seconds for each step, beside other work
SERVERS = {"redis-server": "redis-server", "wrk": "wrk"}  # program: its package in Debian


def tried(what: str, *command: str) -> bool:
    """Run one step in silence; if it fails or takes too long, say so."""
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    try:
        done = subprocess.run(
            command, env=quiet, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=LIMIT
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        print(f"{what}: {error}")
        return False
    if done.returncode:
        last = (done.stderr.strip() or done.stdout.strip()).splitlines()[-1:]
        print(f"{what}: {' '.join(last)}")
    return done.returncode == 0


def main() -> int:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input", "install", "--quiet"]
    groups = {"packages": extras["peers"], "cluster": extras["cluster"], "plots": extras["html"]}
    together = tried("packages, cluster, plots", *pip, *(each for group in groups.values() for each in group))
    for name, group in groups.items():
        if together or tried(name, *pip, *group):
            print(f"{name}: all there")
    wanted = [package for program, package in SERVERS.items() if shutil.which(program) is None]
    if wanted and shutil.which("apt-get") and os.getuid() == 0:
        install = ("apt-get", "install", "-y", "-qq", "--no-install-recommends", *wanted)
        if not tried("apt-get", *install) and tried("apt-get update", "apt-get", "update", "-qq"):
            tried("apt-get", *install)
    for program in (*SERVERS, "postgres", "initdb"):
        where = shutil.which(program)
        print(f"{program}: {where or 'not there, its tests are skipped'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
