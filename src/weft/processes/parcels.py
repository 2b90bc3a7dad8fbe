"""Pickling what goes to another process: as `multiprocessing` does, and functions that have no name by value.

A lambda, or a function inside a function, is sent as its code, its defaults and the values of what it has
closed over; its globals are those of its module there.
"""

import importlib
import io
import marshal
import pickle
import sys
from types import CellType, CodeType, FunctionType
from typing import Any

from weft.host.processes import reduction

__all__ = ["load", "pack"]


class _Pickler(reduction.ForkingPickler):
    whole: Any = None  # a function to be sent by value though it has a name

    def reducer_override(self, thing: Any) -> Any:
        if isinstance(thing, FunctionType) and (thing is self.whole or not _has_a_name(thing)):
            cells = [] if thing.__closure__ is None else [_content(cell) for cell in thing.__closure__]
            made = (marshal.dumps(thing.__code__), thing.__module__, thing.__name__, len(cells))
            state = (thing.__defaults__, thing.__kwdefaults__, cells, thing.__dict__, thing.__qualname__)
            return _make, made, state, None, None, _fill
        return NotImplemented


def _has_a_name(function: FunctionType) -> bool:
    found: Any = sys.modules.get(function.__module__)
    for part in function.__qualname__.split("."):
        found = getattr(found, part, None)
    return found is function


def _content(cell: CellType) -> tuple[Any, ...]:
    try:
        return (cell.cell_contents,)
    except ValueError:  # not bound yet
        return ()


def _make(code: bytes, module: str, name: str, cells: int) -> FunctionType:
    names = vars(sys.modules.get(module) or importlib.import_module(module))
    body: CodeType = marshal.loads(code)  # noqa: S302 - it comes from our own process
    return FunctionType(body, names, name, None, tuple(CellType() for _ in range(cells)))


def _fill(function: FunctionType, state: Any) -> None:
    defaults, more, cells, attributes, name = state
    function.__defaults__, function.__kwdefaults__, function.__qualname__ = defaults, more, name
    function.__dict__.update(attributes)
    for cell, content in zip(function.__closure__ or (), cells, strict=True):
        if content:
            cell.cell_contents = content[0]


def pack(thing: Any, by_value: bool = False) -> bytes:
    """The bytes of a thing; raises what pickling raises."""
    file = io.BytesIO()
    pickler = _Pickler(file, pickle.HIGHEST_PROTOCOL)
    pickler.whole = thing if by_value else None
    pickler.dump(thing)
    return file.getvalue()


def load(data: bytes) -> Any:
    """The thing again, in another process."""
    return pickle.loads(data)  # noqa: S301 - it comes from our own process
