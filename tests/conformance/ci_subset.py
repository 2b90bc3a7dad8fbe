"""A part of run_all.py for every change: this interpreter, kernel and user model, in about 3 minutes.

  python tests/conformance/ci_subset.py

Runs the modules below with a limit for each test, and holds them against plain CPython and exceptions.toml
as run_all.py does. For another patch version of CPython than results/ has, it runs plain CPython first. Exit
status 1 at a difference; the last line says `N passed, M failed`.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import shlex
import signal
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import conform
import verdict

HERE = Path(__file__).resolve().parent

# Modules, each whole: what is not here (waits, shutdown, processes, logging, finalizers) takes longer.
SUBSET = [
    "test_thread",
    "test_threading",
    "test_threading_local",
    "test_threadedtempfile",
    "test_queue",
    "test_sched",
    "test_context",
    "test_importlib.test_threaded_import",
    "test_concurrent_futures.test_thread_pool",
    "test_concurrent_futures.test_future",
    "test_select",
    "test_epoll",
    "test_timeout",
    "test_socketserver",
    "test_httplib",
    "test_httpservers",
]
TEST_LIMIT = 12  # seconds without progress, and five times what the test takes on plain CPython
MODULE_LIMIT = 180  # seconds: against hangs, not what is usual, on a machine with other work
FOR_EVERY_CHANGE = ("kernel", "user")  # hybrid on demand
WHOLE_LIMIT = 600
BEGAN = time.monotonic()


def main() -> int:
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--model", action="append", choices=verdict.MODELS)
    p.add_argument("--slice", choices=verdict.SLICES, default="default")
    a = p.parse_args()
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    minor = f"3.{sys.version_info.minor}"
    modules = [m for m in SUBSET if here(m)]
    if not modules:
        print(f"this {minor} came without CPython's tests")
        return 1
    base = baseline(minor, modules)
    known = verdict.known_exceptions()
    passed = failed = 0
    for model in a.model or FOR_EVERY_CHANGE:
        launcher = f"{shlex.quote(sys.executable)} -m weft run --model {model}"
        launcher += "" if a.slice == "default" or model == "kernel" else f" --slice {a.slice}"
        v = verdict.judge(base, run(launcher, modules, base), (minor, model, a.slice), known, complete=False)
        for line in v.differences():
            print("  DIFFERENT " + line.replace("\n", "\n    "))
        passed += v.passed - len(v.passing)
        failed += v.failed
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


def here(module: str) -> bool:
    """Whether this interpreter came with the module."""
    try:
        return importlib.util.find_spec("test." + module) is not None
    except ImportError:
        return False


def baseline(minor: str, modules: list[str]) -> dict[str, Any]:
    """What plain CPython passes of the subset: as recorded, or run now for a version that was not."""
    path = HERE / "results" / f"plain-{minor}.json"
    base = json.loads(path.read_text()) if path.exists() else {"meta": {}}
    if base["meta"].get("python") != sys.version.split()[0]:
        return run(shlex.quote(sys.executable), modules, {"modules": {}})
    return {"modules": {m: base["modules"][m] for m in modules}}


def run(launcher: str, modules: list[str], base: dict[str, Any]) -> dict[str, Any]:
    """Runs the subset under the launcher; a module for which there is no time left is not run."""
    print(launcher.replace(shlex.quote(sys.executable), "python"), flush=True)
    result: dict[str, Any] = {"modules": {}}
    limits = ["--hang", str(TEST_LIMIT), "--restarts", "4", "--exit-limit", "10", "--keep-pythonpath"]
    a = conform.parser().parse_args(["run", "--launcher", launcher, "--out", "", *limits])
    with tempfile.TemporaryDirectory(prefix="conf-", ignore_cleanup_errors=True) as scratch:
        for module in modules:
            a.limit = min(MODULE_LIMIT, WHOLE_LIMIT - (time.monotonic() - BEGAN))
            if a.limit < 1:
                break
            r = conform.ModuleRun(a, module, base["modules"].get(module), scratch).run()
            result["modules"][module] = r
            print(f"  {module:42} {r['seconds']:5.1f} s  {r['counts']}", flush=True)
    return result


if __name__ == "__main__":
    sys.exit(main())
