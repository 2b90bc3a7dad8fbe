"""Callables named for offloading (WEFT_OFFLOAD): replaced when their module has been imported."""

import importlib
import sys
from collections.abc import Callable, Iterable
from typing import Any

from weft.errors import WeftError
from weft.stdlib.offload import offload, unfit, wrapper

__all__ = ["Named"]

_ABSENT = object()


class Named:
    """What was named, by module.

    Args:
        entries: each "module:function" or "module:Class.method", well formed.
        replace: False: only see that there are such callables.
    """

    def __init__(self, entries: Iterable[str], replace: bool = True) -> None:
        self._replaces = replace
        self._told: set[str] = set()
        self._paths: dict[str, list[str]] = {}
        self._met: set[str] = set()
        self._undo: list[Callable[[], None]] = []
        for entry in entries:
            module, _, path = entry.partition(":")
            self._paths.setdefault(module, []).append(path)

    def adapters(self) -> dict[str, Callable[[Any], None]]:
        """Module name to what is done to the module once it is there."""
        return {name: self._adapter(name) for name in self._paths}

    def _adapter(self, name: str) -> Callable[[Any], None]:
        return lambda module: self._adapt(module, name)

    def _adapt(self, module: Any, name: str) -> None:
        self._met.add(name)
        for path in self._paths[name]:
            self._replace(module, name, path)

    def _replace(self, module: Any, name: str, path: str) -> None:
        """Put the wrapper of one callable in its place.

        Raises:
            WeftError: there is no such callable, or it cannot be replaced.
        """
        entry = f"{name}:{path}"
        *steps, last = path.split(".")
        holder, so_far = module, name
        for step in steps:
            holder = _get(holder, step, so_far, entry)
            so_far += f".{step}"
        _get(holder, last, so_far, entry)
        raw = _static(holder, last)
        function = raw.__func__ if isinstance(raw, (staticmethod, classmethod)) else raw
        why = unfit(function)
        if why is not None:
            raise WeftError(f"offload: {entry!r} cannot be offloaded: {so_far}.{last} is {why}")
        if not self._replaces:
            return
        made: Any = wrapper(function, offload)
        if function is not raw:
            made = type(raw)(made)
        own = vars(holder).get(last, _ABSENT)
        try:
            setattr(holder, last, made)
        except (AttributeError, TypeError):
            raise WeftError(
                f"offload: {entry!r} cannot be replaced, since {so_far} is made in C; name a Python function "
                "that calls it, or write weft.offload(...) around the call"
            ) from None
        self._undo.append(lambda: delattr(holder, last) if own is _ABSENT else setattr(holder, last, own))

    def restore(self) -> None:
        """Put back what was there."""
        while self._undo:
            self._undo.pop()()

    def missing(self) -> list[str]:
        """The entries whose module has not been imported and cannot be; each is given once."""
        found = []
        for name, paths in self._paths.items():
            if name not in self._met and name not in self._told and not _there(name):
                self._told.add(name)
                found += [f"{name}:{path}" for path in paths]
        return found


def _static(holder: Any, name: str) -> Any:
    """An attribute as it is stored: a static method as one, a method without its class."""
    if isinstance(holder, type):
        for cls in holder.__mro__:
            if name in cls.__dict__:
                return cls.__dict__[name]
    return getattr(holder, name)


def _get(holder: Any, name: str, where: str, entry: str) -> Any:
    found = getattr(holder, name, _ABSENT)
    if found is not _ABSENT:
        return found
    difflib = importlib.import_module("difflib")
    close = difflib.get_close_matches(name, [n for n in dir(holder) if not n.startswith("__")])
    hint = f"; did you mean {' or '.join(close)}?" if close else ""
    raise WeftError(f"offload: {entry!r} names nothing: {where} has no {name!r}{hint}")


def _there(name: str) -> bool:
    """Whether a module can be found, as far as that can be said without importing another."""
    top = name.partition(".")[0]
    finder = importlib.import_module("importlib.util")
    if name in sys.modules:
        return True
    for part in (top, name):
        if part != top and top not in sys.modules:
            return True  # its package was not imported, so nobody asked for it
        try:
            if finder.find_spec(part) is None:
                return False
        except (ImportError, AttributeError, ValueError):
            return False
    return True
