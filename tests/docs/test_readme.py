"""README shows programs and what they print: each is run here, as written, and must print that.

Addresses, times, the lines of weft's own frames and the folder of a program differ from run to run and are
masked; so are the marks under the lines of a traceback, which differ from version to version.
"""

import re
import shlex
import sys
from pathlib import Path

import pytest

from tests.compare.made import comparison, outcome
from tests.docs.pages import Command, blocks, commands, programs
from tests.support.programs import run_child
from tests.support.source import ROOT
from weft.compare.table import LABEL, render
from weft.config import MODELS

README = ROOT / "README.md"
PROGRAMS = programs(README)
MASKS = (
    (re.compile(r"0x[0-9a-f]+"), "0x.."),
    (re.compile(r"for \d+\.\d\d s"), "for .. s"),
    (re.compile(r"(executions? in) \d+\.\d\d s"), r"\1 .. s"),
    (re.compile(r'File "(?:[^"]*/)?(weft/\w+/\w+\.py)", line \d+'), r'File "\1", line ..'),
    (re.compile(rf"(?:/[^\s\"']*/)?({'|'.join(map(re.escape, PROGRAMS))})"), r"\1"),
    (re.compile(r"^[ ~^]+\n", re.MULTILINE), ""),
)


def masked(text: str) -> str:
    for pattern, mask in MASKS:
        text = pattern.sub(mask, text)
    return text


def argv(line: str) -> list[str]:
    """A command as it stands on the page, with the interpreter that runs the tests."""
    first, *others = shlex.split(line)
    if first == "weft":
        return [sys.executable, "-m", "weft", *others]
    assert first == "python", f"what is {first}?"
    return [sys.executable, *others]


def test_there_is_something_to_hold() -> None:
    assert len(PROGRAMS) >= 3
    used = " ".join(command.line for command in commands(README))
    assert [name for name in PROGRAMS if name not in used] == []


@pytest.mark.parametrize("command", commands(README), ids=lambda command: command.line)
def test_a_command_prints_what_the_page_says(command: Command, tmp_path: Path) -> None:
    for name, text in PROGRAMS.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    done = run_child(argv(command.line), cwd=tmp_path, env={"PYTHONUNBUFFERED": "1", "PYTHONSAFEPATH": ""})
    # The order among threads, and between the two streams, is not promised.
    assert sorted(masked(done.stdout + done.stderr).splitlines()) == sorted(
        masked(command.output).splitlines()
    )
    fails = "Traceback" in command.output or command.output.startswith("failure:")
    assert done.returncode == (1 if fails else 0)


def test_the_table_of_models_is_complete() -> None:
    table = README.read_text(encoding="utf-8").partition("## The models")[2].partition("\n## ")[0]
    assert sorted(re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE)) == sorted(MODELS)


def test_the_comparison_has_the_rows_that_it_has() -> None:
    """Figures differ from machine to machine; the rows, the columns and the words around them do not."""
    (shown,) = [text for text in blocks(README, "text") if "$ weft compare" in text]
    heading = next(line for line in shown.splitlines() if line.startswith(" " * LABEL))
    assert [model for model in heading.split() if model not in ("plain", *MODELS)] == []
    found = [outcome(model) for model in heading.split()]
    table = render(comparison(*found, title="contest locks"), "", 100, colours=False)

    def labels(text: str) -> list[str]:
        return [line[:LABEL].strip() for line in text.splitlines() if line[LABEL:].strip()]

    first, *others = labels(shown.partition("\n")[2])
    assert first.startswith("contest locks: medians")
    assert others[: len(labels(table)) - 1] == labels(table)[1:]


@pytest.mark.slow
def test_the_demo_shows_what_the_page_says() -> None:
    """Figures differ from machine to machine; the rows, the columns and the words do not."""

    def shape(text: str) -> list[str]:
        return [re.sub(r"[\d,.]+", "#", " ".join(line.split())) for line in text.splitlines() if line.strip()]

    shown = README.read_text(encoding="utf-8").partition("it ended so:\n\n```text\n")[2].partition("```")[0]
    done = run_child([str(ROOT / "dev"), "demo"], timeout=600).check()
    assert shape(done.stdout)[-len(shape(shown)) :] == shape(shown)
