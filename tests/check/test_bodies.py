"""The controlled model's primitives behave as those of the others: the same bodies, a few schedules."""

from pathlib import Path

import pytest

from tests.check.programs import weft

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("strategy", ["round-robin", "walk"])
@pytest.mark.parametrize("name", ["exclusion", "conditions", "counting", "lives"])
def test_the_bodies_hold(tmp_path: Path, name: str, strategy: str) -> None:
    program = ROOT / "tests" / "check" / "bodies.py"
    options = ("--strategy", strategy, "--schedules", "3", "--steps", "1000000")
    done = weft("check", *options, str(program), str(ROOT), name, cwd=tmp_path)
    assert done.returncode == 0, done.stdout
    assert "no failure found in" in done.stdout
    assert "note:" not in done.stdout
