"""The search that leaves out equal schedules sees what the one that tries all of them sees."""

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.check.network.seen import ROOT
from tests.check.programs import SECONDS


def test_all_outcomes_of_small_programs_are_seen() -> None:
    program = Path(__file__).with_name("exhaustive.py")
    environment = {**os.environ, "PYTHONHASHSEED": "0", "PYTHONPATH": str(ROOT / "src")}
    done = subprocess.run(
        [sys.executable, str(program)], capture_output=True, text=True, timeout=SECONDS, env=environment
    )
    assert done.returncode == 0, done.stderr
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(found) == 13
    for each in found:
        assert each["dpor"]["complete"], each
        assert each["dfs"]["complete"], each
        assert each["dpor"]["ends"] == each["dfs"]["ends"], each
        assert each["dpor"]["runs"] <= each["dfs"]["runs"]
    assert sum(len(each["dpor"]["ends"]) > 1 for each in found) >= 10
