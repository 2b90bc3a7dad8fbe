"""Executions a second, weft's and frontrun's, in turn: `run.py --frontrun PYTHON [--seconds T] [--rounds N]`.

PYTHON is an interpreter that has frontrun, cachetools and pykka; the one that runs this has weft and the two
libraries, or gets them from --path. Figures are medians of the rounds.
"""

import argparse
import os
import statistics
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
NAMES = {"counter": 100, "locks": 100, "cachetools": 30, "pykka": 30}  # and how many times as many we want


def asked(command: list[str], environment: dict[str, str]) -> list[float]:
    done = subprocess.run(command, cwd=HERE, env=environment, capture_output=True, text=True, timeout=600)
    if done.returncode:
        sys.exit(f"{command}: {done.stderr[-800:]}")
    return [float(word) for word in done.stdout.split()]


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--frontrun", required=True)
    options.add_argument("--path", default="")
    options.add_argument("--seconds", default="3")
    options.add_argument("--rounds", type=int, default=3)
    given = options.parse_args()
    bin_folder = os.path.dirname(given.frontrun)
    environment = {**os.environ, "PYTHONHASHSEED": "0"}
    ours = {
        **environment,
        "PYTHONPATH": os.pathsep.join(filter(None, [given.path, environment.get("PYTHONPATH")])),
    }
    theirs = {**environment, "PATH": bin_folder + os.pathsep + environment["PATH"]}
    print("| program | weft, a second | µs a step | frontrun DPOR | random | times the better one | wanted |")
    print("| --- " * 7 + "|")
    for name, wanted in NAMES.items():
        rates: dict[str, list[float]] = {"ours": [], "step": [], "dpor": [], "random": []}
        for _ in range(given.rounds):
            rate, step = asked([sys.executable, "ours.py", name, given.seconds], ours)
            rates["ours"].append(rate)
            rates["step"].append(step)
            for strategy in ("dpor", "random"):
                command = [
                    f"{bin_folder}/frontrun",
                    given.frontrun,
                    "theirs.py",
                    name,
                    given.seconds,
                    strategy,
                ]
                rates[strategy].append(asked(command, theirs)[0])
        middle = {what: statistics.median(values) for what, values in rates.items()}
        times = middle["ours"] / max(middle["dpor"], middle["random"])
        print(
            f"| {name} | {middle['ours']:,.0f} | {middle['step']:.2f} | {middle['dpor']:,.1f}"
            f" | {middle['random']:,.1f} | {times:,.0f} | {wanted} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
