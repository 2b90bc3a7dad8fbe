"""What a call has given, as a value that keeps, so that it can be held against what the same call gives in
another run, on another object.

Plain values and containers are taken apart as they are at that moment: the object may go on to change them.
Objects that have no equality of their own are *tokens*: two runs give the same if the tokens of the one stand
one to one for those of the other. So a pool may give any connection, but not one that is out already.
"""

import dataclasses
import sys
from collections import deque
from collections.abc import ItemsView, KeysView, ValuesView
from enum import Enum
from types import FunctionType, ModuleType
from typing import Any

__all__ = ["Names", "Pairs", "Raised", "Result", "Token", "frozen", "said", "same"]

Pairs = frozenset[tuple[int, int]]
"""Which token of the first run stands for which of the second, by their `id`."""

Names = dict[int, int]

_PLAIN = (int, float, bool, complex, str, bytes, bytearray, type(None))
_LASTING = (type, FunctionType, ModuleType, Enum, type(len), range, slice)
_SEQUENCES = (tuple, list, deque)
_BY_IDENTITY: Any = object.__eq__
DEEPEST = 12  # containers in containers
LONGEST = 60  # characters of a value


class Token:
    """An object that is equal to none but itself; held, so that its `id` is no other's."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value


class Group:
    """A container or a record: what it is, and what is in it."""

    __slots__ = ("parts", "what")

    def __init__(self, what: str, parts: list[Any]) -> None:
        self.what = what
        self.parts = parts


class Raised:
    """A call that ended with an exception: of which class, with what arguments."""

    __slots__ = ("args", "text", "what")

    def __init__(self, error: BaseException) -> None:
        self.what = type(error)
        self.args = frozen(error.args)
        self.text = _cut(f"{type(error).__name__}({', '.join(map(said, error.args))})")


Result = Any
"""What `frozen` gives, or a `Raised`."""


def frozen(value: Any, depth: int = 0) -> Any:
    """A value that stays as it is now, for `same`."""
    cls = type(value)
    if cls in _PLAIN or isinstance(value, _LASTING):
        return bytes(value) if cls is bytearray else value
    if depth == DEEPEST:  # a list in itself, say
        return Token(value)
    parts = _parts(value)
    if parts is not None:
        return Group(cls.__name__, [frozen(each, depth + 1) for each in parts])
    return value if _has_equality(value) else Token(value)


def _parts(value: Any) -> list[Any] | None:
    """What is in a container or a record; None: it is neither."""
    if isinstance(value, (*_SEQUENCES, KeysView, ValuesView, ItemsView)):
        return list(value)
    if isinstance(value, (set, frozenset)):
        return sorted(value, key=_order)
    if isinstance(value, dict):
        pairs = sorted(dict.items(value), key=lambda pair: _order(pair[0]))
        return [each for pair in pairs for each in pair]
    if dataclasses.is_dataclass(value) and _has_equality(value):
        return [getattr(value, field.name, None) for field in dataclasses.fields(value) if field.compare]
    return None


def _has_equality(value: Any) -> bool:
    return type(value).__eq__ is not _BY_IDENTITY


def _order(value: Any) -> tuple[str, str]:
    """By what sets and dictionaries are put in order: equal ones alike, whatever went in first."""
    cls = type(value)
    if cls in (tuple, frozenset):
        return cls.__name__, str([_order(each) for each in value])
    return cls.__name__, repr(value) if cls in _PLAIN or isinstance(value, Enum) else ""


def same(first: Result, second: Result, pairs: Pairs) -> Pairs | None:
    """Whether two calls gave the same: the pairs of tokens with those of these two; None if they did not."""
    if isinstance(first, Raised):
        if not isinstance(second, Raised) or first.what.__qualname__ != second.what.__qualname__:
            return None
        return same(first.args, second.args, pairs)
    if isinstance(first, Group):
        if not isinstance(second, Group) or first.what != second.what:
            return None
        if len(first.parts) != len(second.parts):
            return None
        for one, other in zip(first.parts, second.parts, strict=True):
            found = same(one, other, pairs)
            if found is None:
                return None
            pairs = found
        return pairs
    if isinstance(first, Token):
        return _paired(first.value, second.value, pairs) if isinstance(second, Token) else None
    if isinstance(second, (Raised, Group, Token)):
        return None
    return pairs if _equal(first, second) else None


def _paired(one: Any, other: Any, pairs: Pairs) -> Pairs | None:
    if type(one).__qualname__ != type(other).__qualname__:
        return None
    pair = (id(one), id(other))
    if pair in pairs:
        return pairs
    if any(pair[0] == known[0] or pair[1] == known[1] for known in pairs):
        return None
    return pairs | {pair}


def _equal(one: Any, other: Any) -> bool:
    if type(one) is float and type(other) is float and one != one:  # not a number is the same again
        return other != other
    try:
        return one is other or bool(one == other)
    except Exception:  # noqa: BLE001 - the program's own comparison
        return False


def said(value: Any, names: Names | None = None) -> str:
    """A value, or what a call gave, in a few characters.

    Args:
        names: numbers of tokens, by `id`; new tokens get the next. None: they are told by their class alone.
    """
    if isinstance(value, Raised):
        return value.text
    if isinstance(value, Token):
        return _token(value.value, names)
    if isinstance(value, Group):
        return _cut(_group(value, names))
    if type(value) in _PLAIN or isinstance(value, Enum):
        return _cut(repr(value))
    if isinstance(value, (*_SEQUENCES, set, frozenset, dict)):
        return said(frozen(value))
    if isinstance(value, (type, FunctionType)):
        return value.__qualname__
    if type(value).__module__.partition(".")[0] in sys.stdlib_module_names and _has_equality(value):
        return _cut(repr(value))  # a date, a fraction, a path
    return f"<{type(value).__name__}>"


def _token(value: Any, names: Names | None) -> str:
    if names is None:
        return f"<{type(value).__name__}>"
    return f"<{type(value).__name__} {names.setdefault(id(value), len(names) + 1)}>"


def _group(group: Group, names: Names | None) -> str:
    parts = [said(part, names) for part in group.parts]
    if group.what == "dict":
        pairs = zip(parts[::2], parts[1::2], strict=True)
        return "{" + ", ".join(f"{key}: {value}" for key, value in pairs) + "}"
    inside = ", ".join(parts)
    if group.what == "tuple":
        return f"({inside},)" if len(parts) == 1 else f"({inside})"
    if group.what == "list":
        return f"[{inside}]"
    if group.what == "set" and parts:
        return "{" + inside + "}"
    return f"{group.what}({inside})"


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST else text[: LONGEST - 3] + "..."
