"""The programs under examples/: run as a person would start them, with what they print taken apart."""

import re
import sys
from collections.abc import Callable
from pathlib import Path

from tests.support import Finished, run_weft
from tests.support.programs import run_child

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
HAS_GIL = getattr(sys, "_is_gil_enabled", lambda: True)()
PLAIN = "plain"
ROUNDS = 3  # of a program whose times a busy machine spoils


def start(
    model: str,
    program: str,
    *arguments: str,
    options: tuple[str, ...] = (),
    typed: str = "",
    status: int = 0,
    limit: float = 30,
) -> Finished:
    """Run one example to its end, and hold its exit status."""
    if model == PLAIN:
        return run_plainly(program, *arguments)
    outcome = run_weft(
        "--model",
        model,
        *options,
        str(EXAMPLES / program),
        *arguments,
        input=typed,
        timeout=limit,
    )
    assert outcome.returncode == status, outcome
    return outcome


def run_plainly(program: str, *arguments: str) -> Finished:
    """Run one example under the plain interpreter: it looks for its models itself."""
    return run_child([sys.executable, str(EXAMPLES / program), *arguments]).check()


def in_time(most: float, model: str, measure: Callable[[str], float]) -> bool:
    """Whether a program takes less than so many seconds in one of some rounds, or hardly more than on the
    plain interpreter right after it: a busy machine spoils both.
    """
    for _ in range(ROUNDS):
        elapsed = measure(model)
        if elapsed < most or elapsed < 1.5 * measure(PLAIN):
            return True
    return False


def lines(outcome: Finished) -> list[str]:
    assert outcome.stderr == ""
    return outcome.stdout.splitlines()


def numbers(text: str) -> list[float]:
    return [float(found) for found in re.findall(r"(?<![\w.])\d+(?:\.\d+)?", text)]
