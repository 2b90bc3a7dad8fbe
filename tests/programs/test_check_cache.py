"""The example of calls against their orders: the broken cache is found, the mended one passes."""

import re
import sys
from pathlib import Path

from tests.support.programs import run_child

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "check_cache.py"


def test_the_broken_cache_is_found_and_the_mended_one_passes(tmp_path: Path) -> None:
    done = run_child([sys.executable, str(EXAMPLE), "--examples", "12"], cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, ""), done
    broken, mended = done.stdout.split("\n\nMendedCache:\n")
    assert broken.startswith(
        "BrokenCache:\nfailure: not-linearizable: no order of these calls gives what they gave\n"
    )
    assert re.search(r"returned before [AB]'s get\(0\) was called", broken), broken
    assert "value = self._values.pop(key)  [now {}]" in broken
    replay = re.search(r"replay: weft replay (\S+)", broken)
    assert replay is not None
    again = run_child([sys.executable, "-m", "weft", "replay", replay[1]], cwd=tmp_path)
    assert (again.returncode, again.stderr) == (1, "")
    assert "failure: not-linearizable" in again.stdout
    assert re.fullmatch(
        r"no failure found in 12 sets of calls, [\d,]+ executions, in [\d.]+ s\n"
        r"of \d+ sets of calls every schedule has been run\n",
        mended,
    )
