"""Which calls: some before there are threads, some in each thread, some when the threads have ended.

A scenario goes to another process and into a schedule's file as JSON, so the arguments of its calls are plain
values, containers of such, members of enumerations, and what can be imported under a name.
"""

import ast
import cmath
import importlib
import math
import sys
from collections.abc import Callable, Iterator
from enum import Enum
from typing import Any

from weft.check.linear.results import said
from weft.errors import WeftError

__all__ = ["Call", "Scenario", "told"]

_PLAIN = (type(None), bool, int, float, complex, str, bytes)
_CONTAINERS: dict[str, Callable[[list[Any]], Any]] = {
    "list": list,
    "tuple": tuple,
    "set": set,
    "frozenset": frozenset,
}
_CHANGEABLE = frozenset({*_CONTAINERS, "dict"})
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


class Call:
    """One call: a method's name and its arguments, which are text and are made anew for each execution."""

    __slots__ = ("_args", "_lasting", "name", "text")

    def __init__(self, name: str, args: list[Any]) -> None:
        self.name = name
        self._args = args
        made = [_value(each) for each in args]
        self._lasting = made if all(each[0] not in _CHANGEABLE for each in args) else None
        self.text = f"{name}({', '.join(map(said, made))})"

    def args(self) -> list[Any]:
        """The arguments; new ones each time where the method may change them."""
        return self._lasting or [_value(each) for each in self._args]


class Scenario:
    """The calls, numbered in this order: those before, each thread's, those after.

    Raises:
        WeftError: what it is made of is no scenario.
    """

    def __init__(self, data: Any) -> None:
        self.data = data
        try:
            before, threads, after = data
            groups = [_calls(before), *map(_calls, threads), _calls(after)]
        except (TypeError, ValueError, KeyError, AttributeError, ImportError, SyntaxError) as error:
            raise WeftError(f"the description of calls is damaged: {error!r}") from None
        self.calls: list[Call] = [call for group in groups for call in group]
        numbers = iter(range(len(self.calls)))
        numbered = [[next(numbers) for _ in group] for group in groups]
        self.before: list[int] = numbered[0]
        self.threads: list[list[int]] = numbered[1:-1]
        self.after: list[int] = numbered[-1]

    def who(self, number: int) -> str:
        """The name of the thread that makes a call; "" for the main thread."""
        for index, calls in enumerate(self.threads):
            if number in calls:
                return self.name(index)
        return ""

    def name(self, index: int) -> str:
        """A thread's name."""
        return LETTERS[index] if index < len(LETTERS) else f"T{index + 1}"

    @property
    def text(self) -> str:
        """All calls in one line."""
        threads = [(self.name(index), numbers) for index, numbers in enumerate(self.threads)]
        return "; ".join(
            f"{who}: {', '.join(self.calls[number].text for number in numbers)}"
            for who, numbers in (("before", self.before), *threads, ("after", self.after))
            if numbers
        )

    def __iter__(self) -> Iterator[Call]:
        return iter(self.calls)

    def __len__(self) -> int:
        return len(self.calls)


def _calls(data: Any) -> list[Call]:
    return [Call(name, args) for name, args in data]


def told(value: Any) -> Any:
    """An argument as JSON.

    Raises:
        WeftError: that cannot be.
    """
    kind = type(value)
    if kind is float and not math.isfinite(value):
        return ["float", repr(value)]
    if kind in _PLAIN and (kind is not complex or cmath.isfinite(value)):
        return ["plain", repr(value)]
    if kind.__name__ in _CONTAINERS and kind.__module__ == "builtins":
        return [kind.__name__, [told(each) for each in value]]
    if kind is dict:
        return ["dict", [[told(key), told(held)] for key, held in value.items()]]
    if isinstance(value, Enum):
        return ["member", kind.__module__, kind.__qualname__, value.name]
    module, name = getattr(value, "__module__", None), getattr(value, "__qualname__", None)
    if not isinstance(module, str) or not isinstance(name, str) or module == "__main__":
        raise WeftError(_cannot(value))
    if _found(sys.modules.get(module), name) is not value:
        raise WeftError(_cannot(value))
    return ["name", module, name]


def _cannot(value: Any) -> str:
    return (
        f"a call gets {value!r}, a {type(value).__name__}: an argument has to be a plain value, a container"
        " of such, a member of an enumeration, or what can be imported; a method of the object may make what"
        " it needs of such"
    )


def _value(text: Any) -> Any:
    kind, *rest = text
    if kind == "float":
        return float(rest[0])
    if kind == "plain":
        return ast.literal_eval(rest[0])
    if kind in _CONTAINERS:
        return _CONTAINERS[kind]([_value(each) for each in rest[0]])
    if kind == "dict":
        return {_value(key): _value(held) for key, held in rest[0]}
    if kind == "member":
        return _found(importlib.import_module(rest[0]), rest[1])[rest[2]]
    if kind == "name":
        return _found(importlib.import_module(rest[0]), rest[1])
    raise ValueError(kind)


def _found(module: Any, name: str) -> Any:
    found = module
    for part in name.split("."):
        found = getattr(found, part, None)
    return found
