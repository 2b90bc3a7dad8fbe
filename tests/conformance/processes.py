"""CPython's own tests of threads and queues on the process model: which of them make sense there.

    python tests/conformance/processes.py [--python PY] [--jobs 2] [--limit 20] [--json FILE]

The process model serves the program's own modules, so the test files of the standard library are copied
into a folder and run from there, each test in an interpreter of its own. Most of these tests look at what
threads share: lists they append to, attributes they set, closures. Where the model finds that, it refuses
the start with WeftError, and the test is counted as *refused*, which is what is asked of it. What it does
not find fails, or waits for what never comes.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
MODULES = ("test_queue", "test_thread", "test_threading", "test_threading_local")
HELPERS = ("lock_tests",)
LIST = """
import sys, unittest
def walk(suite):
    for each in suite:
        if isinstance(each, unittest.TestSuite):
            walk(each)
        else:
            print("id", each.id())
walk(unittest.defaultTestLoader.loadTestsFromName(sys.argv[1]))
"""
FOUND = ("passed", "skipped", "refused", "failed", "out of time")


def prepare(python: str, folder: Path) -> None:
    """Copy the tests, so that they are a program's own modules."""
    command = [python, "-c", "import os; print(os.path.dirname(os.__file__))"]
    source = Path(subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()) / "test"
    for name in (*MODULES, *HELPERS):
        text = (source / f"{name}.py").read_text(encoding="utf-8")
        text = text.replace("from test import lock_tests", "import lock_tests")
        # The program's queue, not fresh copies of the standard library's, which the model does not serve.
        text = re.sub(
            r"^(py|c)_queue = .*fresh_module.*$", r"import queue as \1_queue", text, flags=re.MULTILINE
        )
        (folder / f"{name}.py").write_text(text, encoding="utf-8")


def names_of(python: str, folder: Path, module: str) -> list[str]:
    """The tests of a module."""
    done = subprocess.run(
        [python, "-c", LIST, module], cwd=folder, check=True, capture_output=True, text=True, timeout=120
    )
    found = [line.split()[1] for line in done.stdout.splitlines() if line.startswith("id ")]
    return [name for name in found if not name.startswith("test_queue.Py")]


def run_one(python: str, folder: Path, name: str, limit: float) -> str:
    """What becomes of one test, one word of FOUND."""
    command = [python, "-m", "weft", "run", "--model", "process", "-m", "unittest", "-v", name]
    env = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    child = subprocess.Popen(
        command,
        cwd=folder,
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        start_new_session=True,
    )
    try:
        said, _ = child.communicate(timeout=limit)
    except subprocess.TimeoutExpired:
        return "out of time"
    finally:
        try:
            os.killpg(child.pid, 9)  # what it started, too
        except ProcessLookupError:
            pass
        child.wait()
    if re.search(r"^(?:weft\.errors\.)?WeftError: ", said, re.MULTILINE):
        return "refused"
    if child.returncode != 0:
        return "failed"
    return "skipped" if re.search(r"^OK \(.*skipped=1", said, re.MULTILINE) else "passed"


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--python", default=sys.executable)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--limit", type=float, default=20, help="seconds for one test")
    parser.add_argument("--json", type=Path, help="write what became of each test")
    asked = parser.parse_args()
    outcomes: dict[str, str] = {}
    with tempfile.TemporaryDirectory() as name, ThreadPoolExecutor(asked.jobs) as pool:
        folder = Path(name)
        prepare(asked.python, folder)
        print(f"{'':<24}{'tests':>8}" + "".join(f"{word:>14}" for word in FOUND))
        for module in MODULES:
            tests = names_of(asked.python, folder, module)
            became = list(pool.map(lambda test: run_one(asked.python, folder, test, asked.limit), tests))
            outcomes.update(zip(tests, became, strict=True))
            counts = Counter(became)
            figures = "".join(f"{counts[word]:>14}" for word in FOUND)
            print(f"{module:<24}{len(tests):>8}{figures}", flush=True)
    if asked.json:
        asked.json.write_text(json.dumps(outcomes, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
