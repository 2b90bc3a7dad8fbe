"""Bugs of the standard library itself, found from the programs of benchmarks/bugs that need nothing else."""

import json
import re
import sys
from pathlib import Path

import pytest

from tests.check.programs import weft

PROGRAMS = Path(__file__).resolve().parents[2] / "benchmarks" / "bugs" / "programs"
HERE = [
    path
    for path in sorted(PROGRAMS.glob("cpython_*.py"))
    if (found := re.match(r'"""CPython 3\.(\d+), ', path.read_text()))
    and sys.version_info[1] >= int(found[1])
]


def said(path: Path, name: str) -> str:
    """What the program's head says under that name, or nothing."""
    found = re.search(rf"^{name}: (.+)$", path.read_text(), re.MULTILINE)
    return found[1] if found else ""


@pytest.mark.parametrize(
    "path", [each for each in HERE if not said(each, "Missed")], ids=lambda path: path.stem
)
def test_a_bug_of_the_standard_library_is_found(tmp_path: Path, path: Path) -> None:
    done = weft("check", "--json", *said(path, "Options").split(), str(path), cwd=tmp_path)
    assert done.returncode == 1, (done.stdout, done.stderr)
    kinds = [finding["kind"] for finding in json.loads(done.stdout)["findings"]]
    assert said(path, "Expected") in kinds
