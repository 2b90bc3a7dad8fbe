"""py-spy, VizTracer and coverage on user threads: what docs/debuggers.md says of them."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.peers.support import needs, program
from tests.support import run_weft
from tests.support.programs import environment

PROGRAM = """
import sys, threading, time
never = threading.Event()
def parked_here():
    never.wait(0.2 if "ends" in sys.argv else None)
def busy_here():
    while "ends" not in sys.argv:
        pass
threads = [threading.Thread(target=parked_here, name=f"parked {n}", daemon=True) for n in range(2)]
threads.append(threading.Thread(target=busy_here, name="busy", daemon=True))
for thread in threads:
    thread.start()
time.sleep(0.1)
print("ready", flush=True)
for thread in threads:
    thread.join()
"""
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


@pytest.mark.parametrize(("model", "parked"), [("user", 0), ("kernel", 2)])
def test_py_spy_sees_kernel_threads_alone(tmp_path: Path, model: str, parked: int) -> None:
    py_spy = program("py-spy", os.path.dirname(sys.executable))
    path = tmp_path / "program.py"
    path.write_text(PROGRAM)
    child = subprocess.Popen(
        [sys.executable, "-m", "weft", "run", "--model", model, str(path)],
        stdout=subprocess.PIPE,
        text=True,
        env=environment({"XDG_RUNTIME_DIR": str(tmp_path)}),
    )
    assert child.stdout is not None
    try:
        assert child.stdout.readline() == "ready\n"
        dump = [py_spy, "dump", "--pid", str(child.pid)]
        done = subprocess.run(dump, capture_output=True, text=True, timeout=60)
        if done.returncode and "ermission" in done.stderr:
            pytest.skip("py-spy may not look into processes here")
        assert done.returncode == 0, done.stderr
        assert done.stdout.count("parked_here (program.py") == parked
        assert done.stdout.count("busy_here (program.py") == 1
    finally:
        child.kill()
        child.communicate()


@pytest.mark.parametrize("core", ["ctrace", "pytrace"])
def test_coverage_counts_the_lines_of_each_thread(core: str, model: str, tmp_path: Path) -> None:
    needs("coverage")
    (tmp_path / "worked.py").write_text(WORKED)
    run = ("-m", "coverage", "run", "--include=worked.py", "worked.py")
    done = run_weft("--model", model, *run, cwd=tmp_path, env={"COVERAGE_CORE": core}).check()
    assert done.stdout == "end\n"
    assert "Traceback" not in done.stderr
    report = [sys.executable, "-m", "coverage", "json", "-q", "-o", "seen.json"]
    subprocess.run(report, cwd=tmp_path, check=True, timeout=60)
    seen = json.loads((tmp_path / "seen.json").read_text())["files"]["worked.py"]
    assert seen["missing_lines"] == [11]


@pytest.mark.parametrize(
    ("model", "parking", "all_of_them"), [("user", 1, 1), ("hybrid", 2, 2), ("kernel", 2, 4)]
)
def test_viztracer_has_a_lane_for_each_kernel_thread(
    tmp_path: Path, model: str, parking: int, all_of_them: int
) -> None:
    needs("viztracer")
    path, result = tmp_path / "program.py", tmp_path / "result.json"
    path.write_text(PROGRAM)
    options = ("--model", model) + (("--carriers", "2") if model == "hybrid" else ())
    tool = ("-m", "viztracer", "--quiet", "-o", str(result))
    done = run_weft(*options, *tool, str(path), "ends", cwd=tmp_path).check()
    assert done.stdout == "ready\n"
    if sys.version_info < (3, 12):  # later viztracers can leave CPython a complaint at its end
        assert "Traceback" not in done.stderr, done.stderr
    events = json.loads(result.read_text())["traceEvents"]
    own = [event for event in events if event["ph"] == "X" and str(path) in event["name"]]
    parked = [event["tid"] for event in own if event["name"].startswith("parked_here")]
    if model == "hybrid":  # who stands where is chance, and frames are mixed up: there may be none
        assert len({event["tid"] for event in own}) <= all_of_them
    else:
        assert (len(parked), len(set(parked))) == (2, parking)
        assert len({event["tid"] for event in own}) == all_of_them
