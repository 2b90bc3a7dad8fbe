"""One interface, every kind of pool, on every model and without one: the cases of `cases.py`, each a test."""

import ast
import importlib.util
import json
import sys
from functools import cache
from pathlib import Path

import pytest

from tests.support import MODELS, run_weft
from tests.support.programs import run_child

ROOT = Path(__file__).resolve().parents[2]
CASES = [
    node.name
    for node in ast.parse(Path(__file__).with_name("cases.py").read_text(encoding="utf-8")).body
    if isinstance(node, ast.FunctionDef) and node.name.startswith("case_")
]
PLAIN = "plain"
PURE = "user-pure"  # user threads, with nothing of the pool in C
WITHOUT = "Dask's distributed is not installed (pip install 'weft[cluster]')"
HAS_CLUSTER = importlib.util.find_spec("distributed") is not None


@cache
def outcomes(kind: str, model: str) -> tuple[dict[str, str], str]:
    """Why each case failed ("": it did not), and all that the child printed; run once a session."""
    env = {"WEFT_PURE": "1"} if kind == PURE else {}
    args = ("-m", "tests.futures.cases", "user" if kind == PURE else kind)
    if model == PLAIN:
        done = run_child([sys.executable, *args], cwd=ROOT, timeout=100, env=env)
    else:
        done = run_weft("--model", model, *args, cwd=ROOT, timeout=100, env=env)
    found = [json.loads(line) for line in done.stdout.splitlines() if line.startswith('{"case"')]
    printed = f"status {done.returncode}\n{done.stdout}{done.stderr}"
    return {each["case"]: each["why"] for each in found}, printed


def combinations() -> list[object]:
    """All but user threads where there are none; a cluster costs seconds, so it is in the fast suite once."""
    made: list[object] = []
    for kind in ("thread", "user", PURE, "process", "cluster"):
        for model in (*MODELS, PLAIN):
            if (kind == "user" and model == PLAIN) or (kind == PURE and model not in ("user", "hybrid")):
                continue
            marks = [pytest.mark.skipif(not HAS_CLUSTER, reason=WITHOUT)] if kind == "cluster" else []
            if kind == "cluster" and model != "user":
                marks.append(pytest.mark.slow)
            made += [
                pytest.param(kind, model, case, id=f"{kind}-{model}-{case[5:]}", marks=marks)
                for case in CASES
            ]
    return made


@pytest.mark.parametrize(("kind", "model", "case"), combinations())
def test_a_pool(kind: str, model: str, case: str) -> None:
    why, printed = outcomes(kind, model)
    assert why.get(case) == "", why.get(case) or f"{case} did not end: {printed}"


@pytest.mark.parametrize(("kind", "model"), [("thread", PLAIN), ("user", "user"), ("process", "user")])
def test_the_child_ends_well_when_all_cases_are_done(kind: str, model: str) -> None:
    why, printed = outcomes(kind, model)
    assert list(why) == CASES
    assert printed.startswith("status 0\n")
