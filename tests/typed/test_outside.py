"""The types of weft hold for who uses it: a small project, checked by mypy with no setting of ours.

`project/app.py` uses the whole interface and has to pass; `project/wrong.py` has a mistake on each line, with
the error that a type checker must find. Were something untyped, it would find none.
"""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture.test_exports import PUBLIC

PROJECT = Path(__file__).with_name("project")


@pytest.fixture(scope="module")
def said() -> str:
    """What mypy --strict says of both files, where nothing of ours is but what is installed."""
    command = [sys.executable, "-m", "mypy", "--config-file=", "--strict", "--no-incremental"]
    done = subprocess.run(
        [*command, "app.py", "wrong.py"],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )
    assert done.stderr == ""
    return done.stdout


def test_a_program_that_is_right_passes(said: str) -> None:
    assert [line for line in said.splitlines() if line.startswith("app.py")] == []


def test_every_mistake_is_refused_and_nothing_else(said: str) -> None:
    expected = {
        (number, match.group(1))
        for number, line in enumerate((PROJECT / "wrong.py").read_text().splitlines(), 1)
        if (match := re.search(r"# \[([\w-]+)\]$", line))
    }
    found = re.findall(r"^wrong\.py:(\d+): error: .* \[([\w-]+)\]$", said, re.MULTILINE)
    assert {(int(line), code) for line, code in found} == expected
    assert len(expected) >= 10


def test_the_program_uses_the_whole_interface() -> None:
    text = (PROJECT / "app.py").read_text()
    assert [name for name in sorted(PUBLIC) if f"weft.{name}" not in text] == []
