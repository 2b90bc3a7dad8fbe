"""What hybrid gives with the interpreter's lock and without: two interpreters, in turn.

    python benchmarks/free_threaded.py --with PYTHON --without PYTHON [--rounds 5]

Both need greenlet; weft is taken from this tree. Each figure is the best of the rounds: the machine may have
other work.
"""

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PROGRAM = Path(__file__).with_name("free_threaded_work.py")
#: Name of a figure: how many carriers (0: plain threads of the interpreter), and what the program is to do.
FIGURES = {
    "compute, 1 thread": (2, "compute 1"),
    "compute, 2 threads": (2, "compute 2"),
    "compute, 4 threads": (2, "compute 4"),
    "compute, 2 threads, plain": (0, "compute 2"),
    "sleepers": (2, "sleepers"),
    "echo, 50 connections": (2, "echo 50"),
    "echo and compute": (2, "echo 50 1"),
    "lock and unlock": (2, "lock"),
    "lock and unlock, plain": (0, "lock"),
    "hand-over on a carrier": (1, "pass"),
    "hand-over, 2 carriers": (2, "pass"),
    "hand-over, plain": (0, "pass"),
}


def seconds(python: str, carriers: int, work: str) -> float:
    how = ["-m", "weft", "run", "--model", "hybrid", "--carriers", str(carriers)] if carriers else []
    env = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    command = [python, *how, str(PROGRAM), *work.split()]
    return float(json.loads(subprocess.run(command, env=env, check=True, capture_output=True).stdout))


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--with", dest="having", default=sys.executable, help="has the interpreter's lock")
    parser.add_argument("--without", required=True, help="is free-threaded")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    found: dict[str, tuple[list[float], list[float]]] = {name: ([], []) for name in FIGURES}
    for _ in range(options.rounds):
        for name, (carriers, work) in FIGURES.items():
            for which, python in enumerate((options.having, options.without)):
                found[name][which].append(seconds(python, carriers, work))
    print(f"{'':<28} {'with':>10} {'without':>10}  without/with")
    for name, (with_lock, without) in found.items():
        one, other = min(with_lock), min(without)
        print(f"{name:<28} {one * 1e6:>10,.2f} {other * 1e6:>10,.2f}  {other / one:.2f}")
    print("microseconds; computing and echo: of the whole run")


if __name__ == "__main__":
    main()
