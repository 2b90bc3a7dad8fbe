"""Makes a wheel and an sdist, and tries each as somebody would who has nothing else: in a fresh place."""

import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

from environment import ROOT, python_in

DIST = ROOT / "dist"
#: What is in the wheel beside the modules, and what the sdist needs to be built and tested from.
IN_WHEEL = ("weft/py.typed", "pytest_weft.py")
IN_SDIST = (
    "pyproject.toml",
    "README.md",
    "LICENSE",
    "mkdocs.yml",
    "dev",
    "src/weft/py.typed",
    "src/weft/core/_life.c",
    "src/weft/host/_guard.c",
    "src/weft/host/_tracer.c",
    "src/weft/stdlib/_calls.c",
    "src/weft/watch/_notes.c",
    "docs/index.md",
)
PROGRAM = """\
import queue, threading
box = queue.Queue()
for n in range(1000):
    threading.Thread(target=box.put, args=(n,)).start()
print(sum(box.get() for _ in range(1000)))
"""
RACE = """\
import threading
n = 0
def add():
    global n
    n += 1
threads = [threading.Thread(target=add) for _ in range(2)]
for thread in threads: thread.start()
for thread in threads: thread.join()
"""

INSIDE = """\
import pathlib, weft
weft.install()
import threading
print(weft.current().name, pathlib.Path(weft.__file__).with_name("py.typed").exists())
"""


def main(python: Path) -> int:
    """Build both, look into them, install each, and use it; 1 if anything is not as it should be."""
    shutil.rmtree(DIST, ignore_errors=True)
    if subprocess.run([str(python), "-m", "build", "--outdir", str(DIST), str(ROOT)]).returncode:
        return 1
    (wheel,), (sdist,) = DIST.glob("*.whl"), DIST.glob("*.tar.gz")
    faults = [*lacks(wheel, sdist)]
    for archive in (wheel, sdist):
        with tempfile.TemporaryDirectory(prefix="weft-package-") as folder:
            faults += [f"{archive.name}: {fault}" for fault in tried(archive, Path(folder), python)]
    for fault in faults:
        print(f"package: {fault}", file=sys.stderr)
    print(f"{wheel.name} and {sdist.name}: {'NOT GOOD' if faults else 'both install and work'}")
    return 1 if faults else 0


def lacks(wheel: Path, sdist: Path) -> list[str]:
    """What is missing in the archives, or has no business there."""
    with zipfile.ZipFile(wheel) as archive:
        in_wheel = set(archive.namelist())
    with tarfile.open(sdist) as archive_of_sources:
        in_sdist = {name.partition("/")[2] for name in archive_of_sources.getnames()}
    faults = [f"the wheel lacks {name}" for name in IN_WHEEL if name not in in_wheel]
    faults += [f"the sdist lacks {name}" for name in IN_SDIST if name not in in_sdist]
    sources = {path.relative_to(ROOT / "src").as_posix() for path in (ROOT / "src").rglob("*.py")}
    faults += [f"the wheel lacks {name}" for name in sorted(sources - in_wheel)]
    tops = {name.partition("/")[0] for name in in_wheel}
    faults += [f"the wheel has {top}" for top in tops - {"weft", "pytest_weft.py"} if ".dist-info" not in top]
    return faults


def tried(archive: Path, folder: Path, python: Path) -> list[str]:
    """Install it alone, and use it: the command, the interface, a check, the types."""
    subprocess.run([str(python), "-m", "venv", str(folder / "venv")], check=True)
    own = python_in(folder / "venv")
    pip = [str(own), "-m", "pip", "--quiet", "--disable-pip-version-check", "install", str(archive)]
    if subprocess.run(pip, cwd=folder).returncode:
        return ["it does not install"]
    (folder / "program.py").write_text(PROGRAM)
    (folder / "race.py").write_text(RACE)
    weft = str(own.parent / "weft")
    models = ("user", "kernel", "hybrid")
    uses = [
        ([weft, "--version"], 0, "weft "),
        ([weft, "doctor"], 0, "weft works here"),
        ([weft, "doctor"], 0, "notes are taken in C"),
        ([weft, "doctor"], 0, "calls are submitted in C"),
        *(([weft, "run", "--model", model, "program.py"], 0, "499500") for model in models),
        ([weft, "check", "--time", "5", "race.py"], 1, "lost update of n"),
        ([str(own), "-c", INSIDE], 0, "MainThread True"),
    ]
    faults = []
    for command, status, expected in uses:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120)
        if done.returncode != status or expected not in done.stdout:
            said = f"{done.stdout}{done.stderr}".strip()
            faults.append(f"{' '.join(command[1:])} ended with {done.returncode} and said:\n{said}")
    return faults
