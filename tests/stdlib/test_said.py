"""What weft's classes return, raise and say is what this very interpreter's own do."""

import sys
from functools import cache
from pathlib import Path

from tests.support import run_weft
from tests.support.programs import run_child

ROOT = Path(__file__).resolve().parents[2]

# What is said differently on purpose, by the end of the line's name -> why.
DIFFERENT: dict[str, str] = {
    "x.wait('soon')": "both refuse to compare the text with a number, in one direction or the other",
    "(x.acquire(), x.wait('soon'))": "the same",
    "SimpleQueue: x.get(timeout='soon')": "a TypeError like C's, in the words of a comparison",
    "Thread: __import__('pickle').dumps(x) and 1": "refused, for another one of its attributes",
    "Timer: __import__('pickle').dumps(x) and 1": "the same",
    "threading.Lock, threading.RLock": "supplied functions are static methods, so that they do not bind",
}


@cache
def plain() -> dict[str, str]:
    return lines(run_child([sys.executable, "-m", "tests.stdlib.said"], cwd=ROOT).check().stdout)


def lines(printed: str) -> dict[str, str]:
    return dict(line.split(" -> ", 1) for line in printed.splitlines() if " -> " in line)


def test_the_plain_interpreter_says_something_of_each() -> None:
    assert len(plain()) > 500


def test_weft_says_what_the_plain_interpreter_says(model: str) -> None:
    said = lines(run_weft("--model", model, "-m", "tests.stdlib.said", cwd=ROOT).check().stdout)
    assert said.keys() == plain().keys()
    differ = {
        call: f"{said[call]} instead of {expected}"
        for call, expected in plain().items()
        if said[call] != expected and not call.endswith(tuple(DIFFERENT))
    }
    assert not differ, "\n".join(f"{call}: {how}" for call, how in differ.items())
