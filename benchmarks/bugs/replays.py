"""Does each finding replay? `replays.py [--times N] [--python PYTHON] PROGRAM ...`

Each program is checked once, with the default budget, and the schedule of what was found is replayed N times
(100), each time in a fresh process. A replay holds if it ends with status 1 and says, to the letter, what the
first one said; where PYTHON is given, that interpreter replays what this one has found. Prints a row for each
program, then how many replays held; exit status 1 if one did not, or nothing was found.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path


def weft(python: str, *words: str, cwd: str) -> "subprocess.CompletedProcess[str]":
    """Run the command in a process of its own."""
    command = [python, "-m", "weft", *words]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=600)


def held(python: str, schedule: str, times: int, cwd: str) -> int:
    """How many of the replays show the finding, as the first one did."""
    said: set[str] = set()
    count = 0
    for _ in range(times):
        done = weft(python, "replay", schedule, cwd=cwd)
        said.add(done.stdout)
        count += done.returncode == 1 and len(said) == 1
    return count


def main() -> None:
    """Check, replay, tell."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    options.add_argument("programs", nargs="+", type=Path)
    options.add_argument("--times", type=int, default=100)
    options.add_argument("--python", default=sys.executable)
    given = options.parse_args()
    all_held, wanted, found = 0, 0, 0
    with tempfile.TemporaryDirectory() as folder:
        for program in given.programs:
            path = os.path.abspath(program)
            checked = weft(sys.executable, "check", "--json", path, cwd=folder)
            schedule = json.loads(checked.stdout)["schedule"] if checked.stdout else None
            wanted += given.times
            if schedule is None:
                print(f"{program.stem:36} nothing found", flush=True)
                continue
            found += 1
            count = held(given.python, os.path.join(folder, schedule), given.times, folder)
            all_held += count
            print(f"{program.stem:36} {count} of {given.times}", flush=True)
    print(f"{found} of {len(given.programs)} programs, {all_held} of {wanted} replays")
    sys.exit(all_held != wanted)


if __name__ == "__main__":
    main()
