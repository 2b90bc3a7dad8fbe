"""Tests that are emitted: they fail on the wrong program, also edited and moved, and pass on the mended one.

./dev test -m slow tests/check/test_kept.py     all ten programs, two minutes
"""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.check.kept import KEPT, WORDS, moved, replaced
from tests.check.programs import weft as command
from tests.check.programs import write

SOURCE = Path(__file__).resolve().parents[2] / "src"


def emit(folder: Path, names: list[str]) -> None:
    """A test of each program, in the folder `tests`; all are as ruff would leave them."""
    for name in names:
        write(folder, KEPT[name].text, f"{name}.py")
        words = ["--time", "20", "--emit-test", f"tests/test_{name}.py", *WORDS.get(name, [f"{name}.py"])]
        done = command("check", "--json", *words, cwd=folder)
        said = json.loads(done.stdout)
        assert said["kind"] in KEPT[name].kinds, said
        assert said["test"] == f"tests/test_{name}.py", said
        text = (folder / said["test"]).read_text()
        assert str(folder) not in text, "the folder can be moved"
        assert "/" not in text.partition("    found = ")[2], "it names operations and no paths"
    for words in (["format", "--check"], ["check", "--select", "E4,E7,E9,F,I,W,UP"]):
        ruff = [sys.executable, "-m", "ruff", words[0], "--isolated", *words[1:], "tests"]
        done = subprocess.run(ruff, cwd=folder, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout


def outcomes(folder: Path, *options: str) -> dict[str, str]:
    """What plain pytest, started elsewhere, says of each program's test."""
    (folder.parent / "elsewhere").mkdir(exist_ok=True)
    words = ["-p", "no:cacheprovider", "-rA", "-q", *options, str(folder / "tests")]
    environment = {**os.environ, "PYTHONPATH": str(SOURCE)}
    environment |= {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    environment.pop("PYTEST_ADDOPTS", None)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *words],
        cwd=folder.parent / "elsewhere",
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
    )
    found = re.findall(r"^(PASSED|FAILED|ERROR) \S*test_(\w+)\.py", done.stdout, re.MULTILINE)
    assert found, (done.stdout, done.stderr)
    failed = [name for outcome, name in found if outcome == "FAILED"]
    assert len(re.findall(r"^E +AssertionError: failure: ", done.stdout, re.MULTILINE)) == len(failed)
    return {name: outcome for outcome, name in found}


def all_of(names: list[str], outcome: str) -> dict[str, str]:
    return dict.fromkeys(names, outcome)


def judge(folder: Path, names: list[str]) -> None:
    """Emit, and run the tests on each form of the programs; the folder is moved before."""
    first = folder / "first"
    first.mkdir()
    emit(first, names)
    place = folder / "repository"
    shutil.move(first, place)
    shutil.rmtree(place / ".weft")
    all_checked = ("-p", "pytest_weft", "--weft")  # what checks by itself is left alone
    for form, outcome, options in (
        ("wrong", "FAILED", ()),
        ("edited", "FAILED", ()),
        ("mended", "PASSED", all_checked),
    ):
        for name in names:
            kept = KEPT[name]
            changed = {"wrong": kept.text, "edited": moved(replaced(kept.text, kept.edits))}
            text = changed.get(form) or moved(replaced(kept.text, kept.mends))
            (place / f"{name}.py").write_text(text)
        assert outcomes(place, *options) == all_of(names, outcome), form


def test_they_fail_until_the_program_is_mended(tmp_path: Path) -> None:
    judge(tmp_path, ["pool"])


@pytest.mark.slow
@pytest.mark.parametrize("first", range(0, len(KEPT), 2))
def test_all_of_them_fail_until_the_program_is_mended(tmp_path: Path, first: int) -> None:
    judge(tmp_path, list(KEPT)[first : first + 2])
