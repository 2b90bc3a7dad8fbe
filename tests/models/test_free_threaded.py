"""Hybrid on a free-threaded interpreter, if one is on this machine: what other builds cannot show.

`python3.14t` or `python3.13t` on PATH or under pyenv, or what FREE_THREADED_PYTHON names. It needs nothing
but a greenlet that can be used there (weft.host.stacks); weft is taken from this tree.
"""

import json
import os
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from tests.support import HAS_GIL
from tests.support.programs import run_child

ROOT = Path(__file__).resolve().parents[2]
NAMES = ("python3.14t", "python3.13t")
BODIES = (
    "exclusion",
    "conditions",
    "lines",
    "counting",
    "hand_overs",
    "lives",
    "connections",
    "shared_files",
)
#: Kinds of work of scripts/stress.py: operations enough that carriers meet, in about a second.
STRESS = {"locks": 6000, "conditions": 6000, "events": 6000, "bounded": 6000, "queues": 6000, "futures": 6000}
WANTED = """
import sys
try:
    from weft.host.stacks import UNFIT
    import weft.models.hybrid
except ImportError as error: print(error)
else: print("it has the lock" if sys._is_gil_enabled() else UNFIT or "")
"""


def candidates() -> list[str]:
    named = os.environ.get("FREE_THREADED_PYTHON")
    if named:
        return [named]
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"), "versions")
    found = [shutil.which(name) or "" for name in NAMES]
    found += [str(path) for name in NAMES for path in sorted(pyenv.glob(f"*t/bin/{name}"))]
    return [path for path in found if path]


@cache
def interpreter() -> tuple[str, str]:
    """One that can be used, or "" and why there is none."""
    if not HAS_GIL:
        return sys.executable, ""
    why = f"no free-threaded interpreter here ({' or '.join(NAMES)})"
    for path in candidates():
        asked = subprocess.run([path, "-c", WANTED], env=environment(), capture_output=True, text=True)
        said = asked.stdout.strip() or asked.stderr.strip()
        if not said:
            return path, ""
        why = f"{path} cannot be used: {said.splitlines()[-1]}"
    return "", why


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{ROOT}"}


@pytest.fixture
def python() -> str:
    path, why = interpreter()
    if not path:
        pytest.skip(why)
    return path


@pytest.mark.parametrize("name", BODIES)
def test_each_primitive_holds_where_carriers_run_at_once(name: str, python: str) -> None:
    command = [python, "-m", "weft", "run", "--model", "hybrid", "-m", "tests.stdlib.runner", name]
    done = run_child(command, env=environment(), cwd=ROOT, timeout=60).check()
    found = [json.loads(line) for line in done.stdout.splitlines() if line.startswith('{"case"')]
    wrong = {each["case"]: each["why"] for each in found if each["why"]}
    wrong.pop("case_an_item_is_let_go_by_who_put_it", None)  # tests/stdlib/test_bodies.py has why
    assert wrong == {}
    assert len(found) > 5


@pytest.mark.parametrize("name", STRESS)
@pytest.mark.parametrize("carriers", [2, 4])
def test_nothing_is_lost_where_carriers_run_at_once(name: str, carriers: int, python: str) -> None:
    work = [str(ROOT / "scripts" / "stress_work.py"), name, str(STRESS[name])]
    command = [python, "-m", "weft", "run", "--model", "hybrid", "--carriers", str(carriers), *work]
    assert "all accounted for" in run_child(command, env=environment(), timeout=60).check().stdout


def test_the_lock_stays_off_and_carriers_compute_at_once(python: str) -> None:
    code = """
import sys, threading, time
def compute():
    inside[0] += 1
    end = time.monotonic() + 10
    while inside[0] < 2 or len(seen) < 2:  # each is at work while the other is: no switch brings them here
        seen.add(threading.get_native_id())
        if time.monotonic() > end: break
inside, seen = [0], set()
threads = [threading.Thread(target=compute) for _ in range(2)]
for thread in threads: thread.start()
for thread in threads: thread.join()
print(sys._is_gil_enabled(), len(seen))
"""
    command = [
        python,
        "-m",
        "weft",
        "run",
        "--model",
        "hybrid",
        "--carriers",
        "3",
        "--slice",
        "0",
        "-c",
        code,
    ]
    assert run_child(command, env=environment(), timeout=60).check().stdout == "False 2\n"


def test_the_kernel_model_says_why_it_does_not_run(python: str) -> None:
    done = run_child([python, "-m", "weft", "run", "--model", "kernel", "-c", "1"], env=environment())
    assert done.returncode == 2
    assert "CPython's own threads" in done.stderr
