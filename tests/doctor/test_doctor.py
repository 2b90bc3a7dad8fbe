"""`weft doctor` tells what works here, what does not, and what to do, and its status is the verdict."""

import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.support.programs import Finished, run_child
from weft.cli import doctor as command
from weft.config import MODELS
from weft.core import life
from weft.doctor import interpreter, limits, trials
from weft.doctor.diagnosis import render, works
from weft.doctor.facts import NOTE, OK, PROBLEM, Fact
from weft.stdlib import user_pool
from weft.watch import notes

FACTS = [
    Fact("interpreter", "python", OK, "CPython 3.13.0"),
    Fact("limits", "descriptors", NOTE, "256 at once", "ulimit -n 4096"),
]
BAD = Fact("start", "imported before weft", PROBLEM, "threading by x.pth", "take it out")


def doctor(*args: str, env: Mapping[str, str] | None = None, before: str = "") -> Finished:
    plain = {name: "" for name in os.environ if name.startswith("WEFT_")}
    call = [sys.executable, "-m", "weft", "doctor", *args]
    if before:
        call = ["sh", "-c", f'{before} && exec "$@"', "sh", *call]
    return run_child(call, env={**plain, **(env or {})})


def parts(done: Finished) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(done.stdout)
    assert told["format"] == 1
    assert told["ok"] is (done.returncode == 0)
    return dict(told["parts"])


def test_where_weft_works_it_says_so() -> None:
    done = doctor("--json")
    assert (done.returncode, done.stderr) == (0, "")
    told = parts(done)
    assert {name: fact["value"] for name, fact in told["models"].items()} == dict.fromkeys(MODELS, True)
    assert told["start"]["imported before weft"]["value"] == {}
    assert told["interpreter"]["python"]["value"] == sys.version.split()[0]
    assert told["limits"]["processors"]["value"] == len(os.sched_getaffinity(0))
    assert set(told["extras"]) == set(interpreter.EXTRAS)
    assert told["settings"]["threads"]["value"] is life.COMPILED
    assert told["settings"]["recording"]["value"] is notes.COMPILED
    assert told["settings"]["pools"]["value"] is user_pool.COMPILED


def test_what_is_done_in_python_is_told() -> None:
    told = parts(doctor("--json", env={"WEFT_PURE": "1"}))["settings"]
    for name in ("threads", "recording", "pools"):
        assert (told[name]["level"], told[name]["value"]) == (NOTE, False)
    told = parts(doctor("--json", env={"WEFT_PURE": "perhaps"}))["settings"]
    assert told["variables"]["level"] == PROBLEM
    assert "WEFT_PURE" in told["variables"]["text"]


def test_what_is_wrong_is_told_with_the_cause(tmp_path: Path) -> None:
    """Too early an import, a malformed setting, few descriptors: all in one look."""
    (tmp_path / "sitecustomize.py").write_text("import queue\n")
    env = {"PYTHONPATH": str(tmp_path), "WEFT_SLICE": "soon"}
    done = doctor("--json", env=env, before="ulimit -n 200")
    assert (done.returncode, done.stderr) == (1, "")
    told = parts(done)
    early = told["start"]["imported before weft"]
    assert early["level"] == PROBLEM
    assert early["value"] == dict.fromkeys(("queue", "threading"), str(tmp_path / "sitecustomize.py"))
    assert told["settings"]["variables"]["level"] == PROBLEM
    assert "WEFT_SLICE: 'soon' is no time" in told["settings"]["variables"]["text"]
    assert told["limits"]["descriptors"]["value"]["soft"] == 200
    assert told["limits"]["descriptors"]["level"] == NOTE
    assert told["models"]["user"]["level"] == PROBLEM
    assert "weft comes too late" in told["models"]["user"]["text"]
    assert told["models"]["kernel"]["level"] == NOTE


def test_a_pth_file_is_named(tmp_path: Path) -> None:
    """Those of an environment's own folder are read by `site`, so one is made that `site` is led to."""
    (tmp_path / "early.pth").write_text("import threading\n")
    (tmp_path / "sitecustomize.py").write_text(f"import site; site.addsitedir({str(tmp_path)!r})\n")
    code = trials.WATCH.format(names=("threading",))
    done = run_child([sys.executable, "-S", "-c", code], env={"PYTHONPATH": str(tmp_path)})
    assert json.loads(done.check().stdout) == {"threading": str(tmp_path / "early.pth")}


def test_for_people_problems_stand_out_and_have_advice() -> None:
    text = render([*FACTS, BAD], colours=False)
    assert "  PROBLEM  imported before weft  threading by x.pth\n" in text
    assert "-> take it out\n" in text
    assert text.endswith("weft does not work here as it should: imported before weft\n")
    assert "\033" not in text
    assert render(FACTS, colours=False).endswith("weft works here; notes: descriptors\n")
    assert "\033[31;1mPROBLEM\033[0m" in render([BAD], colours=True)


@pytest.mark.parametrize(
    ("terminal", "variables", "coloured"),
    [
        (True, {}, True),
        (True, {"NO_COLOR": "1"}, False),
        (True, {"TERM": "dumb"}, False),
        (False, {}, False),
    ],
)
def test_colours_are_for_terminals(
    terminal: bool,
    variables: dict[str, str],
    coloured: bool,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name, value in {"NO_COLOR": "", "TERM": "xterm", **variables}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(command, "look", lambda: FACTS)
    monkeypatch.setattr(sys.stdout, "isatty", lambda: terminal, raising=False)
    with pytest.raises(SystemExit) as ended:
        command.doctor_command([])
    assert ended.value.code == 0
    assert ("\033[" in capsys.readouterr().out) is coloured


def test_only_a_problem_is_one() -> None:
    assert works(FACTS)
    assert not works([*FACTS, BAD])


@pytest.mark.parametrize(
    ("version", "wanted", "fit"),
    [
        ("3.1", ">=3.1,<4", True),
        ("3.5.6", ">=3.1,<4", True),
        ("3.0.9", ">=3.1,<4", False),
        ("4.0", ">=3.1,<4", False),
        ("3.10", ">=3.9", True),
        ("4.0rc1", ">=3.1,<4", False),
        ("2024.8.0", ">=2024.8,<2027", True),
        ("1", "", True),
    ],
)
def test_versions_and_ranges(version: str, wanted: str, fit: bool) -> None:
    assert interpreter.fits(version, wanted) is fit


@pytest.mark.parametrize(
    ("soft", "hard", "level", "advice"),
    [
        (65536, 65536, OK, ""),
        (-1, -1, OK, ""),
        (1024, 524288, NOTE, "ulimit -n 524288"),
        (1024, 1024, NOTE, "limits.conf"),
        (32, 1024, PROBLEM, "ulimit -n"),
    ],
)
def test_descriptors(soft: int, hard: int, level: str, advice: str) -> None:
    fact = limits._descriptors(soft, hard)
    assert fact.level == level
    assert advice in fact.advice
    assert bool(fact.advice) is bool(advice)


def test_an_old_extra_is_a_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(interpreter, "_requirements", lambda: {"pytest": {"pytest": ">=99,<100"}})
    facts = {fact.name: fact for fact in interpreter.extras()}
    assert facts["pytest"].level == PROBLEM
    assert "is not >=99,<100" in facts["pytest"].text
    assert facts["html"].level == OK
