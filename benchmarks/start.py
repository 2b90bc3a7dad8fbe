"""What `weft run` of an empty script takes beside `python` of the same, with compiled files in place.

    python benchmarks/start.py [--rounds 15] [--python PYTHON]

The ways take turns. Prints JSON: milliseconds of wall time at the median, for each way.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from time import perf_counter

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from keep import add_option, keep

__all__ = ["starts"]


def ways(python: str, script: str) -> dict[str, list[str]]:
    return {
        "python": [python, script],
        "weft user": [python, "-m", "weft", "run", "--model", "user", script],
        "weft kernel": [python, "-m", "weft", "run", "--model", "kernel", script],
    }


def starts(python: str, rounds: int) -> dict[str, list[float]]:
    """Milliseconds for each way, all rounds; PYTHONDONTWRITEBYTECODE is taken out, each is warmed up once."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    taken: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory() as folder:
        environment["PYTHONPYCACHEPREFIX"] = os.path.join(folder, "compiled")  # leaves no files behind
        script = os.path.join(folder, "empty.py")
        with open(script, "w", encoding="utf-8"):
            pass
        for number in range(rounds + 1):
            for way, command in ways(python, script).items():
                then = perf_counter()
                subprocess.run(command, env=environment, check=True, stdin=subprocess.DEVNULL)
                if number:
                    taken.setdefault(way, []).append((perf_counter() - then) * 1e3)
    return taken


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--python", default=sys.executable)
    add_option(parser)
    asked = parser.parse_args()
    found = starts(asked.python, asked.rounds)
    keep(asked.json, found)
    print(json.dumps({way: statistics.median(times) for way, times in found.items()}))
