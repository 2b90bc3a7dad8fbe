"""The stress in its short form: every primitive across carriers, and each account is checked."""

import sys

import pytest

from tests.support.programs import run_child
from tests.support.source import ROOT

STRESS = str(ROOT / "scripts" / "stress.py")


@pytest.mark.parametrize("carriers", ["2", "4"])
def test_nothing_is_lost_between_carriers(carriers: str) -> None:
    args = ["--operations", "6000", "--carriers", carriers, "--seconds", "30"]
    done = run_child([sys.executable, STRESS, *args], timeout=120).check()
    assert done.stdout.count("all accounted for") == 15
    assert done.stdout.endswith("the stress passed\n")


def test_what_hangs_and_what_is_lost_is_told() -> None:
    """Without a runtime: what is tested is the stress's own watch."""
    code = f"""
import sys
sys.path.insert(0, {str(ROOT / "scripts")!r})
import stress
stress.TO_DUMP = 0.3
print(stress.run([sys.executable, "-c", "import time; time.sleep(60)"], 0.5)[1])
print(stress.run([sys.executable, "-c", "import stress_work as w; w.same('a', 1, 2)"], 20)[1])
"""
    done = run_child([sys.executable, "-c", code], timeout=30).check()
    assert done.stdout.splitlines() == ["it hung: not over in 0.5 s", "status 1"]
