"""Values and names of the program as short text, looked up in raw dictionaries: no code of its own runs."""

from collections import deque
from types import CellType, FrameType
from typing import Any

from weft.check.locks import Condition
from weft.core.places import HOME
from weft.instrument import kinds

__all__ = ["full_name_of", "name_of", "shown", "shown_at"]

_PLAIN = frozenset({int, float, bool, complex, str, bytes, type(None)})
_BRACKETS: dict[type, str] = {list: "[]", tuple: "()", set: "{}", frozenset: "{}", deque: "[]", dict: "{}"}
_names_of: Any = type.__dict__["__dict__"].__get__
MOST_SHOWN = 4  # elements of a container
LONGEST = 28  # characters of a value
#: Numbers that are most likely what `id` gave: a process has others in the next run, and none says anything.
ADDRESSES = range(0x5000_0000_0000, 0x8000_0000_0000, 16)
FRAMES = 8  # in which a name is looked for


def name_of(target: Any, frame: FrameType | None, key: Any = None) -> str:
    """What the program calls an object where it uses it; "" if that cannot be said.

    What is of the simulated network has a name of its own; `key` says which part of it is meant.
    """
    tell = getattr(type(target), "_weft_told_", None)
    if tell is not None:
        return str(tell(target, key))
    looked = 0
    while frame is not None and looked < FRAMES:
        if not frame.f_code.co_filename.startswith(HOME):
            looked += 1
            here = frame.f_locals
            owner = here.get("self")
            names = kinds.instance_dict(kinds.kind_of(type(owner)), owner) if owner is not None else None
            for prefix, where in (("", here), ("self.", names), ("", frame.f_globals)):
                for name, value in list((where or {}).items()):
                    if (value is target or _is_over(value, target)) and isinstance(name, str):
                        return prefix + name
        frame = frame.f_back
    return ""


def full_name_of(target: Any, frame: FrameType | None, key: Any = None) -> str:
    """The same, and in brackets what a module calls it, where two threads may use one word for two things."""
    name = name_of(target, frame, key)
    if not name or hasattr(type(target), "_weft_told_"):
        return name
    for _ in range(FRAMES):
        if frame is None:
            break
        if not frame.f_code.co_filename.startswith(HOME):
            for known, value in list(frame.f_globals.items()):
                if value is target and isinstance(known, str):
                    return name if known == name else f"{name} ({known})"
        frame = frame.f_back
    return name


def _is_over(value: Any, target: Any) -> bool:
    """Whether this is a condition that the lock belongs to."""
    return type(value) is Condition and value._lock is target


def shown_at(target: Any, key: Any) -> str:
    """What a place holds now, as text; "" where we cannot look."""
    if type(target) is CellType:
        try:
            return shown(target.cell_contents)
        except ValueError:  # empty
            return ""
    if key is None:
        return shown(target) if type(target) in _BRACKETS else ""
    if type(target) is dict:
        return shown(target[key]) if key in target else ""
    if type(target) is list:
        return shown(target[key]) if type(key) is int and -len(target) <= key < len(target) else ""
    kind = kinds.kind_of(type(target))
    if kind.is_class:
        for cls in type.mro(target) if target is not type else ():
            if key in _names_of(cls):
                return shown(_names_of(cls)[key])
        return ""
    names = kinds.instance_dict(kind, target)
    if names is not None and key in names:
        return shown(names[key])
    for cls in type.mro(type(target)) if type(target) is not type else ():
        found = _names_of(cls).get(key)
        if type(found) in _PLAIN and found is not None:
            return shown(found)
    return ""


def shown(value: Any, depth: int = 2) -> str:
    """A value in a few characters; of objects of the program only the class."""
    cls = type(value)
    if cls is int and value in ADDRESSES:
        text = "<id>"
    elif cls in _PLAIN:
        text = repr(value)
    elif cls in _BRACKETS and depth:
        begin, end = _BRACKETS[cls][0], _BRACKETS[cls][1]
        if cls is dict:  # by its items: a look-up would run the key's own code
            pairs = list(dict.items(value))[:MOST_SHOWN]
            parts = [f"{shown(key, depth - 1)}: {shown(held, depth - 1)}" for key, held in pairs]
        else:
            parts = [shown(part, depth - 1) for part in list(value)[:MOST_SHOWN]]
        text = begin + ", ".join(parts) + (", ..." if len(value) > MOST_SHOWN else "") + end
    else:
        text = f"<{cls.__name__}>"
    return text if len(text) <= LONGEST else text[: LONGEST - 3] + "..."
