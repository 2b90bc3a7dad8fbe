"""What weft's classes return, raise and say is what this very interpreter's own do."""

import sys
from functools import cache
from pathlib import Path

import pytest

from tests.support import run_weft
from tests.support.programs import run_child

ROOT = Path(__file__).resolve().parents[2]

# What is said differently on purpose, by the beginning of the line -> why.
DIFFERENT: dict[str, str] = {
    "Event: x.wait('soon')": "a wait that need not wait looks at no timeout",
}


@cache
def plain() -> dict[str, str]:
    return lines(run_child([sys.executable, "-m", "tests.stdlib.said"], cwd=ROOT).check().stdout)


def lines(printed: str) -> dict[str, str]:
    return dict(line.split(" -> ", 1) for line in printed.splitlines())


def test_the_plain_interpreter_says_something_of_each() -> None:
    assert len(plain()) > 500


def test_weft_says_what_the_plain_interpreter_says(model: str) -> None:
    said = lines(run_weft("--model", model, "-m", "tests.stdlib.said", cwd=ROOT).check().stdout)
    assert said.keys() == plain().keys()
    differ = {
        call: f"{said[call]} instead of {expected}"
        for call, expected in plain().items()
        if said[call] != expected and call not in DIFFERENT
    }
    assert not differ, "\n".join(f"{call}: {how}" for call, how in differ.items())
