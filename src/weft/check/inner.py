"""Functions that are made inside others, told to another process: where they stand, what they captured.

The code is looked up in the module that the other process has imported, so it is rewritten there as well.
Captured variables go along as text if they are plain values, modules, or things that can be imported.
"""

import ast
import importlib
import sys
from collections.abc import Callable, Iterator
from types import CellType, CodeType, FunctionType, ModuleType
from typing import Any

from weft.errors import WeftError

__all__ = ["describe", "make"]

_PLAIN = (type(None), bool, int, float, complex, str, bytes)
Text = dict[str, Any]
"""What stands for a function: of JSON's types alone."""


def describe(function: FunctionType) -> Text:
    """The function as text: `name`, `line` and what it has captured.

    Raises:
        WeftError: it has captured what cannot be told.
    """
    code = function.__code__
    cells = {}
    for name, cell in zip(code.co_freevars, function.__closure__ or (), strict=True):
        try:
            cells[name] = _told(cell.cell_contents, function)
        except ValueError:  # not set yet
            continue
        except TypeError as error:
            raise WeftError(
                f"{function.__qualname__!r} has captured {name!r}, {error}: that cannot be told to another"
                f" process; make it inside the function"
            ) from None
    defaults = [_told(value, function) for value in function.__defaults__ or ()]
    return {"name": function.__qualname__, "line": code.co_firstlineno, "cells": cells, "defaults": defaults}


def _told(value: Any, around: FunctionType) -> Any:
    """A value as text.

    Raises:
        TypeError: that cannot be.
    """
    if value is around:
        return ["itself"]
    if type(value) in _PLAIN or (type(value) in (list, tuple, dict, set) and _same_again(value)):
        return ["plain", repr(value)]
    if isinstance(value, ModuleType):
        return ["module", value.__name__]
    module = getattr(value, "__module__", None)
    name = getattr(value, "__qualname__", None)
    if isinstance(module, str) and isinstance(name, str):
        if _found(sys.modules.get(module), name) is value and module != "__main__":
            return ["name", module, name]
        if type(value) is FunctionType and module == around.__module__:
            return ["function", describe(value)]
    raise TypeError(f"which is a {type(value).__name__}")


def _same_again(value: Any) -> bool:
    """Whether its text gives the same again."""
    try:
        return bool(ast.literal_eval(repr(value)) == value)
    except (ValueError, SyntaxError, RecursionError):
        return False


def _found(module: Any, name: str) -> Any:
    found = module
    for part in name.split("."):
        found = getattr(found, part, None)
    return found


def make(text: Text, module: ModuleType, code: CodeType) -> Callable[..., object]:
    """The function that the text stands for.

    Args:
        text: as `describe` made it.
        module: in which it stands.
        code: of the module.

    Raises:
        WeftError: the module has no such function, or the text is damaged.
    """
    try:
        name, line, cells = text["name"], text["line"], text["cells"]
        found = [one for one in _codes(code) if one.co_qualname == name and one.co_firstlineno == line]
        if len(found) != 1:
            how = "no" if not found else "more than one"
            raise WeftError(f"{module.__name__!r} has {how} {name!r} at line {line}")
        closure = tuple(CellType() for _ in found[0].co_freevars)
        defaults = tuple(_value(one, module, code, None) for one in text["defaults"])
        made = FunctionType(found[0], vars(module), name.rpartition(".")[2], defaults, closure)
        for variable, cell in zip(found[0].co_freevars, closure, strict=True):
            if variable in cells:
                cell.cell_contents = _value(cells[variable], module, code, made)
    except (KeyError, TypeError, ValueError, AttributeError, ImportError) as error:
        raise WeftError(f"the description of a function is damaged: {error!r}") from None
    made.__qualname__, made.__module__ = name, module.__name__
    return made


def _codes(code: CodeType) -> Iterator[CodeType]:
    yield code
    for value in code.co_consts:
        if isinstance(value, CodeType):
            yield from _codes(value)


def _value(text: Any, module: ModuleType, code: CodeType, itself: Any) -> Any:
    kind, *rest = text
    if kind == "itself":
        return itself
    if kind == "plain":
        return ast.literal_eval(rest[0])
    if kind == "module":
        return importlib.import_module(rest[0])
    if kind == "name":
        return _found(importlib.import_module(rest[0]), rest[1])
    if kind == "function":
        return make(rest[0], module, code)
    raise ValueError(kind)
