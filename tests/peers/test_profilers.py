"""Tools that set trace and profile functions from C, on programs with user threads."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.peers.support import needs
from tests.support.programs import environment

WORKED = """\
import threading, time

def work(n):
    for i in range(3):
        time.sleep(0.001)
    if n:
        return 1
    return 0

def never():
    return 2

class Sub(threading.Thread):
    def run(self):
        time.sleep(0.001)
        self.done = True

ts = [threading.Thread(target=work, args=(n,)) for n in range(2)] + [Sub()]
for t in ts: t.start()
for t in ts: t.join()
print("end")
"""


def weft(folder: Path, model: str, *command: str, **env: str) -> str:
    """Run a tool on a program in the folder; its output. It must end with status 0."""
    done = subprocess.run(
        [sys.executable, "-m", "weft", "run", "--model", model, *command],
        cwd=folder,
        env=environment(env),
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    if sys.version_info < (3, 12):  # later viztracers can leave CPython a complaint at its end
        assert "Traceback" not in done.stderr, done.stderr
    return done.stdout


@pytest.mark.parametrize("core", ["ctrace", "pytrace"])
def test_coverage_counts_the_lines_of_each_thread(core: str, model: str, tmp_path: Path) -> None:
    needs("coverage")
    (tmp_path / "worked.py").write_text(WORKED)
    run = ("-m", "coverage", "run", "--include=worked.py", "worked.py")
    assert weft(tmp_path, model, *run, COVERAGE_CORE=core) == "end\n"
    report = [sys.executable, "-m", "coverage", "json", "-q", "-o", "seen.json"]
    subprocess.run(report, cwd=tmp_path, check=True, timeout=60)
    seen = json.loads((tmp_path / "seen.json").read_text())["files"]["worked.py"]
    assert seen["missing_lines"] == [11]


def test_viztracer_traces_a_thread_of_the_kernel_a_lane(model: str, tmp_path: Path) -> None:
    needs("viztracer")
    (tmp_path / "worked.py").write_text(WORKED)
    said = weft(tmp_path, model, "-m", "viztracer", "--quiet", "-o", "seen.json", "worked.py")
    assert said == "end\n"
    events = json.loads((tmp_path / "seen.json").read_text())["traceEvents"]
    lanes = {event["tid"] for event in events if event.get("name", "").startswith("work (")}
    if model == "kernel":
        assert len(lanes) == 2
    else:
        assert len(lanes) <= 1  # of user threads there may be none: their frames are mixed up
