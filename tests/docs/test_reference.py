"""The reference has all that is public: names, arguments, options and settings."""

import argparse
import inspect
import re
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest

import pytest_weft
import weft
import weft.futures
import weft.stdlib
from tests.docs.pages import programs
from tests.support import run_weft
from tests.support.source import ROOT
from weft import config
from weft.check import Check
from weft.check.called import Checked
from weft.check.linear.asking import linearizable
from weft.check.steer import steer
from weft.cli.commands import COMMANDS

REFERENCE = ROOT / "docs" / "reference.md"
TEXT = REFERENCE.read_text(encoding="utf-8")

#: Under which headings the options of a command are.
WHERE = {
    "run": ["The command"],
    "compare": ["Comparing models"],
    "trace": ["Tracing a program"],
    "check": ["Checking a program"],
    "ps": ["Asking a program"],
    "replay": ["Checking a program"],
    "tour": ["The tour"],
    "doctor": ["The command"],
    "completion": ["The command"],
}


def section(heading: str) -> str:
    """All under a heading of the second level."""
    return TEXT.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]


def heads(name: str) -> list[list[str]]:
    """The arguments that the reference gives where it tells of a function, with their defaults."""
    found = re.findall(rf"\*\*`{re.escape(name)}\(([^`]*?)\)(?: -> [^`]*)?`", TEXT)
    return [each.replace('"', "'").split(", ") for each in found]


def arguments(function: Any) -> list[str]:
    """The same as the function has them; without types, and with all that have a place by name too."""
    found = inspect.signature(function)
    bare = [each.replace(annotation=each.empty) for each in found.parameters.values() if each.name != "self"]
    text = str(found.replace(parameters=bare, return_annotation=found.empty))
    return text[1:-1].replace("/, ", "").split(", ")


def quoted(name: str) -> str:
    """What has this name, to be looked for in backquotes, alone or with more behind it."""
    return rf"`(?:weft\.)?{re.escape(name)}(?![\w-])"


FUNCTIONS = {name: getattr(weft, name) for name in weft.__all__ if inspect.isfunction(getattr(weft, name))}
FUNCTIONS |= {"check": Check.__call__, "steer": steer, "futures.executor": weft.futures.executor}


def test_every_public_name_is_there_and_no_other() -> None:
    told = set(re.findall(r"`weft\.(\w+)", TEXT))
    assert told == {*weft.__all__, "stdlib", "futures", "__version__"}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_argument_is_there(name: str) -> None:
    assert heads(f"weft.{name}") == [arguments(FUNCTIONS[name])]


def test_every_argument_of_linearizable_is_there() -> None:
    told = section("Checking a program").partition("### Classes")[2].partition("\n### ")[0]
    for name in inspect.signature(linearizable).parameters:
        assert re.search(rf"^\|.*`{name}`.*\|.*\|", told, re.MULTILINE), name


def test_all_that_a_check_finds_is_there() -> None:
    made = Checked(defaultdict(list), "")
    told = section("Checking a program").partition("What it returns has")[2].partition("\n### ")[0]
    names = {*vars(made), *(name for name, value in vars(Checked).items() if isinstance(value, property))}
    assert [name for name in names if name[0] != "_" and not re.search(quoted(name), told)] == []


def test_every_attribute_of_a_wait_is_there() -> None:
    told = section("Looking at threads").partition("**`weft.Wait`**")[2].partition("**`weft.WaitReason`**")[0]
    assert re.findall(r"^\| `(\w+)` \|", told, re.MULTILINE) == [*inspect.signature(weft.Wait).parameters]


@pytest.mark.parametrize("kind", [weft.Kind, weft.State, weft.WaitReason])
def test_every_member_is_there(kind: Any) -> None:
    told = section("Looking at threads")
    assert [member.name for member in kind if not re.search(quoted(member.name), told)] == []


@pytest.mark.parametrize("module", [weft.futures, weft.stdlib])
def test_every_name_of_a_module_is_there(module: Any) -> None:
    internal = {"KINDS", "set_provider"}  # for who extends weft
    names = {*module.__all__, *getattr(module, "_THEIRS", ()), *getattr(module, "_WHERE", ())} - internal
    names |= set(getattr(module, "_OFFERED", ()))
    told = section("Pools") if module is weft.futures else section("Putting a model in force")
    assert [name for name in names if not re.search(rf"[`. ]{name}\b", told)] == []


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_of_a_command_is_there(name: str) -> None:
    told = "\n".join(map(section, WHERE[name]))
    common = {"-h", "--help"}
    if name == "trace":
        assert "All options of `weft run` are taken" in told
        common |= {each for option in COMMANDS["run"].options for each in option.names}
    for option in COMMANDS[name].options:
        for each in {*option.names} - common:
            shown = told if each not in ("-m", "-c") else section("The command")
            assert re.search(rf"(?<![\w-]){re.escape(each)}(?![\w-])", shown), each
        for choice in option.choices if not common & {*option.names} else ():
            if choice.isalpha() and (name == "run" or choice not in config.MODELS):
                assert re.search(quoted(choice), told), choice
    assert f"weft {name}" in told


def test_every_setting_is_there() -> None:
    told = section("The command")
    for name in inspect.signature(config.Config).parameters:
        assert re.search(quoted(f"WEFT_{name.upper()}"), told), name
    for values in (config.MODELS, config.POLICIES, config.DEADLOCK_ACTIONS, config.START_METHODS):
        assert [value for value in values if not re.search(quoted(value), told)] == []


class Parser:
    """Notes what a plugin for pytest adds."""

    def __init__(self) -> None:
        self.names: list[str] = []

    def getgroup(self, *_: str) -> "Parser":
        return self

    def addoption(self, name: str, help: str, **_: Any) -> None:
        if help is not argparse.SUPPRESS:
            self.names.append(name)

    def addini(self, name: str, *_: str, **__: str) -> None:
        self.names.append(name)


def test_the_plugin_is_there() -> None:
    parser: Any = Parser()
    pytest_weft.pytest_addoption(parser)
    assert "weft_lock_order" in parser.names
    assert [name for name in parser.names if not re.search(rf"`(?:pytest )?{name}(?![\w-])", TEXT)] == []
    shown = re.findall(r"`@pytest\.mark\.weft\((.*)\)`", TEXT)
    assert shown == re.findall(r"^weft\((.*)\):", pytest_weft.MARKER)


def test_the_policy_of_the_reference_is_one(tmp_path: Path) -> None:
    (tmp_path / "newest.py").write_text(programs(REFERENCE)["newest.py"], encoding="utf-8")
    code = """
import threading, time
order = []
threads = [threading.Thread(target=order.append, args=(n,)) for n in range(3)]
for thread in threads: thread.start()
time.sleep(0.01)
print(order)
"""
    assert run_weft("--policy", "newest:Newest", "-c", code, cwd=tmp_path).output() == "[2, 1, 0]\n"
