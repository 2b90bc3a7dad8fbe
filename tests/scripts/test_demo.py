"""`./dev demo`: the program gives one answer on every model, and the table shows what each run cost."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

from tests.support.source import ROOT


@pytest.fixture(scope="module")
def demo() -> ModuleType:
    spec = importlib.util.spec_from_file_location("weft_demo", ROOT / "scripts" / "demo.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["weft_demo"] = module  # where dataclasses look for it
    spec.loader.exec_module(module)
    return module


def test_the_table_has_a_column_for_each_run(demo: ModuleType) -> None:
    notes = 'a warning\n{"ticks": 3, "late_median": 0.0001, "late_worst": 0.25}\n'
    run = demo.Run("42\n", notes, 0, 1.5, 1.25, 66_000_000, 2003, 12_345)
    assert demo.table({"python": run, "weft, user": run}).splitlines() == [
        "                                    python     weft, user",
        "wall time                           1.50 s         1.50 s",
        "CPU time                            1.25 s         1.25 s",
        "peak memory                          66 MB          66 MB",
        "kernel threads, at most              2,003          2,003",
        "switches by the kernel              12,345         12,345",
        "10 ms sleeper late, median          0.1 ms         0.1 ms",
        "10 ms sleeper late, worst         250.0 ms       250.0 ms",
    ]


def test_a_run_is_measured(demo: ModuleType) -> None:
    run = demo.measure([sys.executable, "-c", "import time; time.sleep(0.1); print(6 * 7)"])
    assert (run.answer, run.code) == ("42\n", 0)
    assert run.wall > 0.1
    assert run.cpu > 0
    assert run.memory > 1_000_000


def test_answers_that_differ_are_a_failure(
    demo: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    commands = {name: [sys.executable, "-c", f"print({name!r})"] for name in ("a", "b")}
    monkeypatch.setattr(demo, "warm_up", lambda: None)
    monkeypatch.setattr(demo, "ways", lambda python: commands)
    assert demo.main(Path(sys.executable)) == 1
    assert "THE ANSWERS DIFFER" in capsys.readouterr().out


@pytest.mark.slow
def test_one_answer_on_every_model(demo: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    assert demo.main(Path(sys.executable)) == 0
    assert "All 3 printed the same answer" in capsys.readouterr().out
