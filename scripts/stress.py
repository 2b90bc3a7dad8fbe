"""Stress: every primitive across carriers, under a tiny switch interval; counts must be exact.

    python scripts/stress.py [--carriers 2,4,8] [--operations 1000000] [--model hybrid] [--only NAME]

Each kind of work (`stress_work.py`) runs under `weft run` in a child of its own, which sets the interpreter's
switch interval to a microsecond. A lost wake shows as a hang: a child that is not over in its time is sent
SIGQUIT for the stacks of its threads and ended. A wake too many, an item lost or one twice shows in the
counts, which the child compares itself.
"""

import argparse
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from stress_work import WORK

HERE = Path(__file__).resolve().parent
TO_DUMP = 3.0  # seconds for the answer to SIGQUIT
SLOWEST = 2_000  # operations a second below which something is wrong, on the slowest machine
LEAST = 60.0  # seconds that a child has in any case


def run(command: Sequence[str], seconds: float) -> tuple[str, str]:
    """What the child printed, and why it failed; empty if it did not."""
    child = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, process_group=0
    )
    try:
        printed, _ = child.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        os.kill(child.pid, signal.SIGQUIT)
        time.sleep(TO_DUMP)
        os.killpg(child.pid, signal.SIGKILL)
        printed, _ = child.communicate()
        return printed, f"it hung: not over in {seconds:g} s"
    return printed, "" if child.returncode == 0 else f"status {child.returncode}"


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--model", default="hybrid", choices=("hybrid", "user", "kernel"))
    parser.add_argument("--carriers", default="2,4,8", help="how many carriers, in turn")
    parser.add_argument("--operations", type=int, default=1_000_000, help="of each kind of work")
    parser.add_argument("--only", choices=sorted(WORK), help="this kind of work alone")
    parser.add_argument("--seconds", type=float, help="for each child; as the operations need, if not given")
    options = parser.parse_args()
    seconds = options.seconds or LEAST + options.operations / SLOWEST
    failed = 0
    for carriers in options.carriers.split(",") if options.model == "hybrid" else ["1"]:
        for name in [options.only] if options.only else sorted(WORK):
            how = ["--model", options.model]
            how += ["--carriers", carriers] if options.model == "hybrid" else []
            begun = time.perf_counter()
            command = [sys.executable, "-m", "weft", "run", *how, str(HERE / "stress_work.py"), name]
            printed, why = run([*command, str(options.operations)], seconds)
            took = time.perf_counter() - begun
            said = printed.strip().splitlines()
            if why or not said:
                failed += 1
                print(
                    f"WRONG: {name}, {carriers} carriers: {why or 'it said nothing'}\n{printed}", flush=True
                )
            else:
                print(f"{carriers} carriers  {name:<12} {said[-1]} in {took:.1f} s", flush=True)
    print("the stress passed" if not failed else f"{failed} kinds of work failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
