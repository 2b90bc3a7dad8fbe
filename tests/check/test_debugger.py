"""A replay under the debugger, and `breakpoint()` where there is none."""

import os
import re
import subprocess
import sys
from pathlib import Path

from tests.check.programs import SECONDS, check, weft

PROGRAM = """\
import threading

n = 0

def work():
    global n
    value = n
    breakpoint()
    n = value + 1

threads = [threading.Thread(target=work) for _ in range(2)]
for t in threads:
    t.start()
for t in threads:
    t.join()
assert n == 2, "one is lost"
"""


def debugged(folder: Path, schedule: str, *commands: str) -> "subprocess.CompletedProcess[str]":
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONHASHSEED"}
    return subprocess.run(
        [sys.executable, "-m", "weft", "replay", "--pdb", schedule],
        cwd=folder,
        env=environment,
        input="\n".join(commands) + "\n",
        capture_output=True,
        text=True,
        timeout=SECONDS,
    )


def test_a_breakpoint_is_none_where_nobody_answers(tmp_path: Path) -> None:
    said = check(tmp_path, PROGRAM, "--time", "5", status=1)
    assert said["kind"] == "race"
    again = weft("replay", said["schedule"], cwd=tmp_path)
    assert (again.returncode, again.stderr) == (1, "")
    assert "(pdb)" not in again.stdout


def test_a_replay_stops_where_it_is_asked_to(tmp_path: Path) -> None:
    schedule = check(tmp_path, PROGRAM, "--time", "5", status=1)["schedule"]
    line = PROGRAM.splitlines().index("    n = value + 1") + 1
    shows = "p 'shown', n, value"
    done = debugged(tmp_path, schedule, f"b {line}", *["c", shows] * 6)
    out = done.stdout
    assert (done.returncode, done.stderr) == (1, ""), out
    stops = re.findall(r"-- (\w+-?\w*)", out)
    assert stops[0] == "MainThread", "it stops before the first line"
    assert {"Thread-1", "Thread-2"} <= set(stops)
    assert {value for _, value in re.findall(r"\('shown', (\d), (\d)\)", out)} == {"0"}, "both read the same"
    assert re.search(r"AssertionError: one is lost, in MainThread\n> .*program.py", out)
    assert "failure: race: lost update of n" in out, "the schedule was kept"
    assert "/weft/" not in out.partition("main  ")[0], "none of our frames is shown"


def test_steps_go_from_thread_to_thread(tmp_path: Path) -> None:
    schedule = check(tmp_path, PROGRAM.replace("    breakpoint()\n", ""), "--time", "5", status=1)["schedule"]
    done = debugged(tmp_path, schedule, *["s"] * 60, "q")
    assert {"MainThread", "Thread-1", "Thread-2"} <= set(re.findall(r"-- (\w+-?\w*)", done.stdout))
    assert "weft/" not in done.stdout.partition("main  ")[0]


def test_it_can_be_left(tmp_path: Path) -> None:
    schedule = check(tmp_path, PROGRAM, "--time", "5", status=1)["schedule"]
    done = debugged(tmp_path, schedule, "q")
    assert (done.returncode, done.stderr) == (0, "")
    assert "failure" not in done.stdout


def test_what_is_evaluated_is_no_step(tmp_path: Path) -> None:
    schedule = check(tmp_path, PROGRAM, "--time", "5", status=1)["schedule"]
    done = debugged(
        tmp_path, schedule, "c", "import threading", "p threading.Lock().acquire()", "p work", "c", "c", "c"
    )
    assert done.returncode == 1, done.stdout
    assert "diverged" not in done.stdout
