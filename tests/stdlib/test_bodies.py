"""One body of tests for every primitive, held on each model and by the plain interpreter.

The cases of a module run one after another in one child; each is a test of its own here.
"""

import importlib
import json
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

from tests.stdlib.runner import cases_of, is_for_user, is_for_weft
from tests.support import MODELS, ProgramHung, run_weft
from tests.support.programs import run_child

BODIES = Path(__file__).parent / "bodies"
ROOT = Path(__file__).resolve().parents[2]
PLAIN = "plain"
NAMES = sorted(path.stem for path in BODIES.glob("*.py") if path.stem != "__init__")


@dataclass(frozen=True)
class Outcomes:
    """What became of the cases of one module; `hung` is what the child said if it did not end."""

    why: dict[str, str]
    begun: list[str]
    printed: str


@cache
def outcomes(name: str, model: str) -> Outcomes:
    """Run the module's cases in a child, once a session."""
    args = ("-m", "tests.stdlib.runner", name)
    try:
        if model == PLAIN:
            done = run_child([sys.executable, *args], cwd=ROOT, timeout=60)
        else:
            done = run_weft("--model", model, *args, cwd=ROOT, timeout=60)
        printed, lines = f"status {done.returncode}\n{done.stdout}{done.stderr}", done.stdout.splitlines()
    except ProgramHung as error:
        printed = str(error)
        lines = printed.splitlines()
    found = [json.loads(line) for line in lines if line.startswith('{"case"')]
    begun = [line.split()[1] for line in lines if line.startswith("begin ")]
    return Outcomes({each["case"]: each["why"] for each in found}, begun, printed)


#: What is known not to hold, (module, case) -> models and the reason; told in docs/limits.md.
SIGNAL_ENDS_A_WAIT = "a signal ends main's wait, which begins anew after the handler"
KNOWN_GAPS = {
    ("signalled", "case_a_notify_that_comes_with_a_signal_is_not_lost"): (
        ("user", "hybrid"),
        SIGNAL_ENDS_A_WAIT,
    ),
    ("signalled", "case_a_pulse_that_comes_with_a_signal_is_not_lost"): (
        ("user", "hybrid"),
        SIGNAL_ENDS_A_WAIT,
    ),
    ("signalled", "case_who_waited_first_is_served_first_also_after_a_signal"): (
        ("user", "kernel", "hybrid"),
        SIGNAL_ENDS_A_WAIT,
    ),
}


def marks_of(name: str, case: str, model: str) -> list[pytest.MarkDecorator]:
    models, reason = KNOWN_GAPS.get((name, case), ((), ""))
    return [pytest.mark.xfail(strict=False, reason=reason)] if model in models else []


def cases() -> list[object]:
    found: list[object] = []
    for name in NAMES:
        for case_name, case in cases_of(importlib.import_module(f"tests.stdlib.bodies.{name}")).items():
            models: tuple[str, ...] = MODELS if is_for_weft(case) else (*MODELS, PLAIN)
            if is_for_user(case):
                models = ("user",)
            found += [
                pytest.param(
                    name,
                    case_name,
                    model,
                    id=f"{name}-{case_name[5:]}-{model}",
                    marks=marks_of(name, case_name, model),
                )
                for model in models
            ]
    return found


@pytest.mark.parametrize(("name", "case", "model"), cases())
def test_primitive(name: str, case: str, model: str) -> None:
    became = outcomes(name, model)
    if case not in became.why:
        if became.begun and became.begun[-1] == case:
            pytest.fail(f"{case} did not end: {became.printed}")
        last = became.begun[-1] if became.begun else "anything"
        pytest.fail(f"not run, since {last} did not end" if became.begun else became.printed)
    assert became.why[case] == ""
