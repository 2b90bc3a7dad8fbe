"""Executions a second, weft's and frontrun's, in turn: `run.py --frontrun PYTHON [--seconds T] [--rounds N]`.

PYTHON is an interpreter that has frontrun, cachetools and pykka; the one that runs this has weft and the two
libraries, or gets them from --path. Without --frontrun, weft alone. Figures are medians of the rounds.

First a second is one of the processor's, and weft searches in one process. Then it is one by the clock, and
weft has a process for each processor, as `weft check` does unless it is told otherwise; frontrun has no such
thing.
"""

import argparse
import os
import statistics
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
import goals  # noqa: E402 - found beside this folder
from keep import add_option, keep  # noqa: E402

NAMES = goals.RATES  # and how many times as many we want
HEADS = {
    "cpu": "A second of the processor, one process",
    "clock": "A second by the clock, weft with {processes} processes",
}
COLUMNS = ("weft, a second", "µs a step", "frontrun DPOR", "random", "times the better one", "wanted")


def asked(command: list[str], environment: dict[str, str]) -> list[float]:
    done = subprocess.run(command, cwd=HERE, env=environment, capture_output=True, text=True, timeout=600)
    if done.returncode:
        sys.exit(f"{command}: {done.stderr[-800:]}")
    return [float(word) for word in done.stdout.split()]


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--frontrun", default="")
    options.add_argument("--path", default="")
    options.add_argument("--seconds", default="3")
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--names", default=",".join(NAMES))
    add_option(options)
    given = options.parse_args()
    bin_folder = os.path.dirname(given.frontrun)
    environment = {**os.environ, "PYTHONHASHSEED": "0"}
    ours = {
        **environment,
        "PYTHONPATH": os.pathsep.join(filter(None, [given.path, environment.get("PYTHONPATH")])),
    }
    theirs = {**environment, "PATH": bin_folder + os.pathsep + environment["PATH"]}
    found: dict[str, dict[str, list[float]]] = {name: {} for name in given.names.split(",")}
    processes = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    for clock, more in (("cpu", []), ("clock", [str(processes)])):
        print(f"\n{HEADS[clock].format(processes=processes)}\n\n| program | {' | '.join(COLUMNS)} |")
        print("| --- " * (len(COLUMNS) + 1) + "|")
        for name, rates in found.items():
            one: dict[str, list[float]] = {"ours": [], "step": [], "dpor": [], "random": []}
            for _ in range(given.rounds):
                rate, step = asked([sys.executable, "ours.py", name, given.seconds, *more], ours)
                one["ours"].append(rate)
                one["step"].append(step)
                for strategy in ("dpor", "random") if given.frontrun else ():
                    command = [
                        given.frontrun,
                        "theirs.py",
                        name,
                        given.seconds,
                        strategy,
                        *(more and ["clock"]),
                    ]
                    one[strategy].append(asked([f"{bin_folder}/frontrun", *command], theirs)[0])
            print(row(name, one), flush=True)
            rates |= one if clock == "cpu" else {f"{what}_clock": values for what, values in one.items()}
    keep(given.json, found)


def row(name: str, rates: dict[str, list[float]]) -> str:
    middle = {what: statistics.median(values) for what, values in rates.items() if values}
    cells = [f"{middle['ours']:,.0f}", f"{middle['step']:.2f}", "-", "-", "-"]
    if "dpor" in middle:
        times = middle["ours"] / max(middle["dpor"], middle["random"])
        cells[2:] = [f"{middle['dpor']:,.1f}", f"{middle['random']:,.1f}", f"{times:,.0f}"]
    return f"| {name} | {' | '.join(cells)} | {NAMES[name]} |"


if __name__ == "__main__":
    main()
