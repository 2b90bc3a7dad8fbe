"""The public surface, in one list: what is not here may change without notice."""

import importlib
import inspect
import re
import subprocess
import sys

import pytest

from tests.support.source import read_tree

# What `import weft` offers. Adding to it is a promise; taking from it breaks somebody's program.
PUBLIC = frozenset(
    {
        "ControlBlock",
        "DeadlockError",
        "FairShare",
        "Fifo",
        "InternalError",
        "Kind",
        "Policy",
        "Priority",
        "State",
        "Wait",
        "WaitReason",
        "WeftError",
        "call_later",
        "check",
        "current",
        "dump",
        "install",
        "listen",
        "offload",
        "offloaded",
        "run",
        "set_priority",
        "steer",
        "threads",
        "trace",
        "uninstall",
    }
)


def undocumented(namespace: object, names: list[str]) -> list[str]:
    """Public classes and functions without a docstring of their own, methods of the classes included."""
    missing = []
    for name in names:
        thing = getattr(namespace, name)
        if not (inspect.isclass(thing) or inspect.isroutine(thing)):
            continue
        if not thing.__doc__:
            missing.append(name)
        if inspect.isclass(thing):
            missing += [
                f"{name}.{method}"
                for method, value in vars(thing).items()
                if inspect.isfunction(value) and not method.startswith("_") and not value.__doc__
            ]
    return missing


def test_the_public_names_are_these() -> None:
    weft = importlib.import_module("weft")
    assert set(weft.__all__) == PUBLIC
    assert len(weft.__all__) == len(PUBLIC), "a name stands twice"
    assert all(hasattr(weft, name) for name in PUBLIC)


def test_public_names_say_what_they_are() -> None:
    assert undocumented(importlib.import_module("weft"), sorted(PUBLIC)) == []


def test_whatever_a_module_exports_is_there() -> None:
    """In an interpreter of its own, since some of these modules stand for CPython's."""
    names = [name for name, module in read_tree().items() if re.search("^__all__", module.text, re.MULTILINE)]
    code = (
        f"import importlib\nfor name in {names}:\n    module = importlib.import_module(name)\n"
        "    for entry in module.__all__: getattr(module, entry)"
    )
    asked = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert asked.returncode == 0, asked.stderr


@pytest.mark.parametrize(("docs", "found"), [("it is", []), (None, ["Thing", "Thing.method", "function"])])
def test_a_name_without_docs_is_found(docs: str | None, found: list[str]) -> None:
    class Thing:
        def method(self) -> None: ...

        def _own(self) -> None: ...

    def function() -> None: ...

    class Namespace:
        value = 1

    for documented in (Thing, Thing.method, function):
        documented.__doc__ = docs
    Namespace.Thing, Namespace.function = Thing, function  # type: ignore[attr-defined]
    assert undocumented(Namespace, ["Thing", "function", "value"]) == found
