"""CPython's own tests of threads: every Python here, every model, every slice, against the known exceptions.

  python tests/conformance/run_all.py                        all of it: 18 runs of about 4 minutes
  python tests/conformance/run_all.py --python python3.13 --model user --slice default
  python tests/conformance/run_all.py --repeat 10            the core group ten times: nothing may hang

A test counts if it passes on plain CPython of the same version (results/plain-3.x.json; for another patch
version than recorded there, plain CPython is run first, twice). exceptions.toml lists the tests that count
and are known not to pass: one that fails and is not listed, or is listed and passes, is a difference. Prints
each difference and a table; exit status 1 if there was a difference.
"""

from __future__ import annotations

import argparse
import json
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import interpreters
import verdict
from conform import CHOICES, GROUPS, modules_of
from interpreters import Interpreter

HERE = Path(__file__).resolve().parent


def main() -> int:
    a = options()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    here = interpreters.find(a.python)
    found = [i for i in here if i.has_tests]
    for i in here:
        if i not in found:
            print(f"{i.version}: came without its tests, left out")
    if not found:
        raise SystemExit("no Python with its tests was found: name one with --python")
    a.out.mkdir(parents=True, exist_ok=True)
    known = verdict.known_exceptions()
    verdicts = []
    for interpreter in found:
        python = interpreters.environment(interpreter, a.cache / "conformance", [])
        extra = pool_tests(interpreter, found, a.cache)
        base = baseline(interpreter, python, extra, a)
        verdicts += [
            one(interpreter, python, extra, base, model, slice_, n, a, known)
            for model in a.model
            for slice_ in a.slice
            for n in range(a.repeat or 1)
        ]
    print("\n" + verdict.table([verdict.HEAD] + [v.row() for v in verdicts]))
    bad = [v for v in verdicts if not v.good]
    for v in bad:
        print(f"\n{v.version} {v.model}, slice {v.slice_}:")
        print("\n".join("  " + line.replace("\n", "\n    ") for line in v.differences()))
    print(f"\n{len(verdicts) - len(bad)} runs as expected, {len(bad)} different")
    return 1 if bad else 0


def options() -> argparse.Namespace:
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--python", action="append", help="an interpreter; else one of each version that is found")
    p.add_argument("--model", action="append", choices=verdict.MODELS)
    p.add_argument("--slice", action="append", choices=verdict.SLICES)
    p.add_argument("--repeat", type=int, help="so many runs of the core group in a row, at the default slice")
    p.add_argument("--hang", type=float, default=20, help="seconds without progress (and 5 x the plain time)")
    p.add_argument("--cache", type=Path, default=interpreters.cache_folder(), help="environments and results")
    p.add_argument("--out", type=Path, help="results; default: in the cache folder")
    p.add_argument("--keep", action="store_true", help="keep what each module printed, and say where")
    p.add_argument(
        "--plain", action="store_true", help="plain CPython in weft's place: what this machine fails itself"
    )
    p.add_argument("modules", nargs="*", help="modules or groups; default: threads (core with --repeat)")
    a = p.parse_args()
    a.modules = modules_of(a.modules or ["core" if a.repeat else "threads"])
    a.model = ["plain"] if a.plain else a.model or list(verdict.MODELS)
    a.slice = ["default"] if a.plain else a.slice or (["default"] if a.repeat else list(verdict.SLICES))
    a.out = (a.out or a.cache / "conformance" / "results").resolve()
    return a


def pool_tests(interpreter: Interpreter, found: list[Interpreter], cache: Path) -> list[str]:
    """For an install without test_concurrent_futures: the options that lend it those of another one here."""
    if interpreter.has_pools:
        return []
    everywhere = [*found, *interpreters.find()]
    lender = next((i for i in everywhere if i.minor == "3.13" and i.has_pools), None)
    if lender is None:
        print(f"{interpreter.minor}: test_concurrent_futures is left out: this Python and any 3.13 lack it")
        return []
    folder = cache / "conformance" / "lent"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    subprocess.run([sys.executable, str(HERE / "prep_extra.py"), lender.path, str(folder)], check=True)
    return ["--extra", str(folder)]


def conform(python: str, *args: str, launcher: str = "", check: bool = True) -> None:
    """Runs conform.py; each of its modules gets a process and a session of its own."""
    command = [
        sys.executable,
        str(HERE / "conform.py"),
        "run",
        "--launcher",
        f"{python} {launcher}".strip(),
        *args,
    ]
    child = subprocess.Popen(command)
    try:
        status = child.wait()
    except BaseException:
        child.terminate()  # it ends its own
        child.wait()
        raise
    if status and check:
        raise SystemExit(f"conform.py ended with {status}")


def baseline(
    interpreter: Interpreter, python: str, extra: list[str], a: argparse.Namespace
) -> dict[str, Any]:
    """What plain CPython passes: as recorded, or run now if this version was not."""
    path = HERE / "results" / f"plain-{interpreter.minor}.json"
    if not recorded(path, interpreter):
        path = a.out / f"plain-{interpreter.version}.json"
        if not recorded(path, interpreter):
            runs = [a.out / f"plain-{interpreter.version}.{n}.json" for n in (1, 2)]
            for run in runs:
                print(f"\n{interpreter.version}, plain", flush=True)
                conform(
                    python, *extra, "--show", "python", "--tags", "--hang", "90", "--out", str(run), "threads"
                )
            merge = [sys.executable, str(HERE / "conform.py"), "merge", *map(str, runs), "--out", str(path)]
            subprocess.run(merge, check=True)
    base: dict[str, Any] = json.loads(path.read_text())
    lacking = not interpreter.has_pools and not extra
    base["path"] = str(path)
    base["modules"] = {
        m: r
        for m, r in base["modules"].items()
        if m in a.modules and not (lacking and m.startswith("test_concurrent_futures"))
    }
    return base


def recorded(path: Path, interpreter: Interpreter) -> bool:
    return path.exists() and json.loads(path.read_text())["meta"]["python"] == interpreter.version


def one(
    interpreter: Interpreter,
    python: str,
    extra: list[str],
    base: dict[str, Any],
    model: str,
    slice_: str,
    n: int,
    a: argparse.Namespace,
    known: list[verdict.Known],
) -> verdict.Verdict:
    """One version, model and slice."""
    again = f", run {n + 1} of {a.repeat}" if a.repeat else ""
    print(f"\n{interpreter.version}, {model}, slice {slice_}{again}", flush=True)
    launcher = f"-m weft run --model {model}" + (
        "" if slice_ == "default" or model == "kernel" else f" --slice {slice_}"
    )
    launcher = "" if a.plain else launcher
    out = a.out / (f"{model}-{interpreter.minor}-{slice_}" + (f".{n + 1}" if a.repeat else "") + ".json")
    out.unlink(missing_ok=True)
    args = [
        *extra,
        "--show",
        f"python {launcher}",
        "--hang",
        str(a.hang),
        "--baseline",
        base["path"],
        "--out",
        str(out),
    ]
    conform(python, *args, *(["--keep"] if a.keep else []), *base["modules"], launcher=launcher)
    result = json.loads(out.read_text())
    v = verdict.judge(
        base,
        result,
        (interpreter.minor, model, slice_),
        known,
        complete=set(a.modules) >= {*CHOICES["threads"], *CHOICES["waits"]},
    )
    for line in v.differences():
        print("  " + line)
    return v


assert set(CHOICES["threads"]) <= {m for group in GROUPS.values() for m in group}

if __name__ == "__main__":
    sys.exit(main())
