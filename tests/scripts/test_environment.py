"""What `./dev` says when the environment cannot be made: each text must name the cause and the cure."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

from tests.support.source import ROOT


@pytest.fixture
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """scripts/environment.py, at work in an empty folder."""
    spec = importlib.util.spec_from_file_location("environment", ROOT / "scripts" / "environment.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    (tmp_path / "pyproject.toml").write_text("")
    monkeypatch.setattr(module, "ROOT", tmp_path)
    return module


def make_with(environment: ModuleType, monkeypatch: pytest.MonkeyPatch, steps: list[str]) -> None:
    """Note the steps instead of running them; the first one leaves a Python, as venv does."""

    def run(command: list[str], failed: str) -> None:
        steps.append(command[2])
        environment.python_in(environment.ROOT / ".venv").parent.mkdir(exist_ok=True)
        environment.python_in(environment.ROOT / ".venv").touch()

    monkeypatch.setattr(environment, "run", run)


def test_the_second_call_does_nothing(environment: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    steps: list[str] = []
    make_with(environment, monkeypatch, steps)
    assert environment.ensure() == environment.ROOT / ".venv" / "bin" / "python"
    assert steps == ["venv", "pip"]
    environment.ensure()
    assert steps == ["venv", "pip"]
    (environment.ROOT / "pyproject.toml").write_text("# changed")
    environment.ensure()
    assert steps == ["venv", "pip"] * 2


def test_an_unfinished_environment_is_made_again(
    environment: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(command: list[str], failed: str) -> None:
        raise environment.SetupError(failed)

    monkeypatch.setattr(environment, "run", fail)
    with pytest.raises(environment.SetupError):
        environment.ensure()
    steps: list[str] = []
    make_with(environment, monkeypatch, steps)
    environment.ensure()
    assert steps == ["venv", "pip"]


def test_what_is_missing_is_named(environment: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    facts = environment.facts_about(sys.executable) | {"missing": ["ensurepip"]}
    monkeypatch.setattr(environment, "facts_about", lambda interpreter: facts)
    with pytest.raises(environment.SetupError, match=r"without ensurepip, .*apt install python3\.\d+-venv"):
        environment.ensure()


def test_an_environment_of_another_maker_is_left_alone(environment: ModuleType) -> None:
    (environment.ROOT / ".venv").mkdir()
    with pytest.raises(environment.SetupError, match="was not made by this command"):
        environment.ensure()


def test_an_interpreter_that_is_none_is_named(environment: ModuleType) -> None:
    with pytest.raises(environment.SetupError, match="no-such-python is not a Python that runs"):
        environment.ensure("no-such-python")


def test_a_missing_compiler_is_named(environment: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    said = "error: command 'gcc' failed: No such file or directory\nFailed building wheel for greenlet"
    monkeypatch.setattr(environment.shutil, "which", lambda name: None)
    assert "there is no C compiler" in environment.likely_cause(said)
    monkeypatch.setattr(environment.shutil, "which", lambda name: "/usr/bin/cc")
    assert "headers" in environment.likely_cause(said)


def test_a_missing_network_is_named(environment: ModuleType) -> None:
    said = "Retrying after connection broken by 'NewConnectionError(...)'"
    assert "could not be reached" in environment.likely_cause(said)
    assert environment.likely_cause("something else") == ""
