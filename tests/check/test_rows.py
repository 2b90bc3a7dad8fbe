"""The examples of rows 18 to 24 of the project's aims, as the checker sees them."""

import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.check.programs import check, weft

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


def example(name: str) -> str:
    (path,) = EXAMPLES.glob(f"{name}_*.py")
    return path.read_text()


def said_of(folder: Path, name: str, *options: str, status: int = 0) -> dict[str, Any]:
    return check(folder, example(name), *options, status=status)


def test_18_the_lost_update_of_n_is_a_failure(tmp_path: Path) -> None:
    said = said_of(tmp_path, "r18", status=1)
    (finding,) = [each for each in said["findings"] if each["kind"] == "race"]
    assert (finding["title"], finding["level"]) == ("lost update of n", "failure")
    assert [line.split(" at ")[0].split(") ")[1] for line in finding["lines"]] == [
        "reads n",
        "writes n",
        "writes what it made of the old value of n",
    ]


def test_19_the_lock_mends_it(tmp_path: Path) -> None:
    said = said_of(tmp_path, "r19", "--time", "3", "--strict")
    assert said["findings"] == []


@pytest.mark.parametrize(("way", "seconds"), [("unlocked", 0.5), ("locked", 53.0), ("joined", 350.0)])
def test_20_the_times_are_exact(tmp_path: Path, way: str, seconds: float) -> None:
    program = example("r20").replace(
        'print(f"{way:<9}{elapsed', f'assert elapsed == {seconds}\n        print(f"{{way:<9}}{{elapsed'
    )
    assert program != example("r20")
    (tmp_path / "program.py").write_text(program)
    options = ("--strategy", "round-robin", "--schedules", "2", "--steps", "1000000")
    said = weft("check", *options, "program.py", "--way", way, cwd=tmp_path)
    text = said.stdout
    assert "AssertionError" not in text
    assert ("lost update of self.balance" in text) is (way == "unlocked")


@pytest.mark.parametrize("seed", range(10))
def test_21_the_deadlock_is_found_in_the_first_hundred_schedules(tmp_path: Path, seed: int) -> None:
    said = said_of(tmp_path, "r21", "--schedules", "100", "--seed", str(seed), status=1)
    assert said["kind"] == "deadlock"
    assert said["executions"] <= 100


@pytest.mark.parametrize("name", ["r22", "r23"])
def test_22_and_23_there_is_none_with_two_preemptions(tmp_path: Path, name: str) -> None:
    shutil.copy(next(EXAMPLES.glob(f"{name}_*.py")), tmp_path / "program.py")
    done = weft("check", "--strategy", "dfs", "--bound", "2", "--time", "50", "program.py", cwd=tmp_path)
    assert done.returncode == 0
    assert re.search(r"all [\d,]+ schedules with at most 2 preemptions: none fails", done.stdout)


def test_24_five_at_a_time_and_fifteen_seconds(tmp_path: Path) -> None:
    told = '    print(f"{GUESTS} guests'
    asked = "    assert (most_inside, time.monotonic() - begin) == (5, 15.0)\n"
    program = example("r24").replace(told, asked + told)
    assert program != example("r24")
    options = ("--strategy", "round-robin", "--schedules", "3", "--steps", "1000000")
    assert check(tmp_path, program, *options)["findings"] == []
