"""py-spy and VizTracer on user threads: what docs/debuggers.md says of them."""

import importlib.util
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

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
PY_SPY = shutil.which("py-spy", path=os.path.dirname(sys.executable)) or shutil.which("py-spy")


@pytest.mark.skipif(PY_SPY is None, reason="py-spy is not there")
@pytest.mark.parametrize(("model", "parked"), [("user", 0), ("kernel", 2)])
def test_py_spy_sees_kernel_threads_alone(tmp_path: Path, model: str, parked: int) -> None:
    assert PY_SPY is not None
    path = tmp_path / "program.py"
    path.write_text(PROGRAM)
    program = subprocess.Popen(
        [sys.executable, "-m", "weft", "run", "--model", model, str(path)],
        stdout=subprocess.PIPE,
        text=True,
        env=environment({"XDG_RUNTIME_DIR": str(tmp_path)}),
    )
    assert program.stdout is not None
    try:
        assert program.stdout.readline() == "ready\n"
        done = subprocess.run([PY_SPY, "dump", "--pid", str(program.pid)], capture_output=True, text=True)
        if done.returncode and "ermission" in done.stderr:
            pytest.skip("py-spy may not look into processes here")
        assert done.returncode == 0, done.stderr
        assert done.stdout.count("parked_here (program.py") == parked
        assert done.stdout.count("busy_here (program.py") == 1
    finally:
        program.kill()
        program.communicate()


@pytest.mark.skipif(importlib.util.find_spec("viztracer") is None, reason="viztracer is not there")
@pytest.mark.parametrize(("model", "lanes"), [("user", 1), ("kernel", 4)])
def test_viztracer_has_a_lane_for_each_kernel_thread(tmp_path: Path, model: str, lanes: int) -> None:
    path, result = tmp_path / "program.py", tmp_path / "result.json"
    path.write_text(PROGRAM)
    run_weft(
        "--model", model, "-m", "viztracer", "--quiet", "-o", str(result), str(path), "ends", cwd=tmp_path
    ).check()
    events = [event for event in json.loads(result.read_text())["traceEvents"] if event["ph"] == "X"]
    assert sum(event["name"].startswith("parked_here") for event in events) == 2
    assert len({event["tid"] for event in events}) == lanes
