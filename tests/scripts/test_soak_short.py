"""The soak in its short form: each kind of work gets several rounds, and each account is checked."""

import sys

import pytest

from tests.support import MODELS
from tests.support.programs import run_child
from tests.support.source import ROOT

SOAK = str(ROOT / "scripts" / "soak.py")


@pytest.mark.slow
@pytest.mark.parametrize("model", MODELS)
def test_mixed_work_comes_out_exactly(model: str) -> None:
    done = run_child(
        [sys.executable, SOAK, "--minutes", "0.05", "--interval", "0.5", "--model", model], timeout=90
    ).check()
    assert "every one accounted for" in done.stdout
    assert done.stdout.endswith("the soak passed\n")


def test_work_that_is_stuck_is_found_and_says_where() -> None:
    """Without a runtime: what is tested is the soak's own watch."""
    code = f"""
import sys
sys.path.insert(0, {str(ROOT / "scripts")!r})
import soak
soak.STALL = soak.TO_DUMP = 0.3
soak.GRACE = 5
child = '''
import faulthandler, json, signal, time
faulthandler.register(signal.SIGQUIT)
for i in range(100):
    print(json.dumps({{"phase": "works", "done": {{"good": i, "bad": min(i, 1)}}, "busy": ["good", "bad"],
                      "alive": {{}}}}), flush=True)
    time.sleep(0.02)
'''
sys.exit(soak.verdict(*soak.run([sys.executable, "-c", child], 3)))
"""
    done = run_child([sys.executable, "-c", code], timeout=30)
    assert done.returncode == 1
    assert "WRONG: no progress for 0.3 s: bad\n" in done.stdout
    assert 'File "<string>", line' in done.stdout  # the dump


def test_growth_is_found() -> None:
    code = f"""
import sys
sys.path.insert(0, {str(ROOT / "scripts")!r})
from soak import MB, Sample, Watch
def watch(**last):
    usual = dict(rss=40 * MB, descriptors=4, blocks=60)
    samples = []
    for when in range(100):
        values = usual | (last if when > 60 else {{}})
        samples.append(Sample(when, values["rss"], values["descriptors"], {{"blocks": values["blocks"]}}))
    return Watch(200.0, samples).growth(-100.0)
print(watch())
print(watch(rss=45 * MB))
print(watch(descriptors=5))
print(watch(blocks=120))
"""
    assert run_child([sys.executable, "-c", code]).check().stdout.splitlines() == [
        "[]",
        "['memory grew by 5.0 MB after the warm-up']",
        "['1 descriptors more than after the warm-up']",
        "['blocks grew from 60 to 120 after the warm-up']",
    ]
