"""Installs what `tests/peers` runs against, Dask for pools, what makes pages and a browser, as far as it can.

It says what is missing. The packages of the groups `peers`, `cluster`, `html`, `browser`, `viewer` and
`terminal` go into the environment of the Python that runs this. Redis, wrk and Chromium come from Debian if
this runs as root on such a system; PostgreSQL is used if it is there. The status is always 0: tests whose
other side is missing are skipped, and say so.
"""

import os
import shutil
import subprocess
import sys
import tomllib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LIMIT = 300.0  # seconds for each step, beside other work
SERVERS = {"redis-server": "redis-server", "wrk": "wrk"}  # program: its package in Debian
BROWSER = {"chromium": "chromium", "chromedriver": "chromium-driver"}


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


def from_debian(programs: dict[str, str]) -> None:
    """Install the packages of the programs that are not there."""
    wanted = [package for program, package in programs.items() if shutil.which(program) is None]
    if wanted and shutil.which("apt-get") and os.getuid() == 0:
        install = ("apt-get", "install", "-y", "-qq", "--no-install-recommends", *wanted)
        if not tried("apt-get", *install) and tried("apt-get update", "apt-get", "update", "-qq"):
            tried("apt-get", *install)


def packages() -> None:
    """Install the groups of packages."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input", "install", "--quiet"]
    groups = {
        "packages": extras["peers"],
        "cluster": extras["cluster"],
        "pages": extras["html"],
        "browser": extras["browser"],
        "viewer": extras["viewer"],
        "terminal": extras["terminal"],
    }
    together = tried(", ".join(groups), *pip, *(each for group in groups.values() for each in group))
    for name, group in groups.items():
        if together or tried(name, *pip, *group):
            print(f"{name}: all there")


def main() -> int:
    with ThreadPoolExecutor() as side_by_side:
        done = side_by_side.submit(packages)
        from_debian(SERVERS)
        from_debian(BROWSER)
        done.result()
    for program in (*SERVERS, *BROWSER, "postgres", "initdb"):
        where = shutil.which(program)
        print(f"{program}: {where or 'not there, its tests are skipped'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
