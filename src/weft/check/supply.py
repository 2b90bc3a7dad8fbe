"""Puts the modules of the controlled model where a program finds them.

It happens once in a process that checks, before the program's first import, and is not undone: such a process
does nothing else afterwards.
"""

import importlib
import os
import sys
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

from weft.check import outside, signals, virtual
from weft.check.network import late
from weft.check.queues import SimpleQueue, quicken_queue
from weft.check.threads import make_thread_module, quicken_threading
from weft.check.world import MODEL
from weft.errors import WeftError
from weft.host.platform import CACHES_WITHOUT_LOCK, Empty

__all__ = ["install"]

#: Modules that must not be there yet.
TOO_LATE = ("threading", "queue", "concurrent.futures._base", "random")


def install() -> None:
    """Put everything in place.

    Raises:
        WeftError: something has imported `threading` or its kin already.
    """
    there = [name for name in TOO_LATE if name in sys.modules]
    if there:
        raise WeftError(f"a check needs a process of its own: {', '.join(there)} had been imported already")
    module = make_thread_module(importlib.import_module("_thread"))
    _put(module)
    queue: Any = ModuleType("_queue")
    queue.SimpleQueue, queue.Empty = SimpleQueue, Empty
    SimpleQueue.__module__ = "_queue"
    _put(queue)
    for name in ("functools", "reprlib"):
        found: Any = sys.modules.get(name)
        if found is not None:
            for attribute in ("RLock", "get_ident"):
                if hasattr(found, attribute):
                    setattr(found, attribute, getattr(module, attribute))
    sys.breakpointhook = _no_debugger
    for holder, name, value in [*virtual.replacements(), *signals.replacements()]:
        setattr(holder, name, value)
    setattr(os, "register_at_fork", _not_at_fork)  # noqa: B010 - a check forks between executions, not in one
    functools: Any = importlib.import_module("functools")
    if CACHES_WITHOUT_LOCK:
        functools.cached_property.__get__ = _get_cached
    quicken_threading(importlib.import_module("threading"))
    quicken_queue(importlib.import_module("queue"))
    outside.install()
    late.install()


def _no_debugger(*_: Any, **__: Any) -> None:
    """Stands for `sys.breakpointhook`: nobody is there to answer, except in a replay under a debugger."""


def _not_at_fork(**_: Any) -> None:
    """Stands for `os.register_at_fork`."""


_MISSING = object()


def _get_cached(self: Any, instance: Any, owner: Any = None) -> Any:  # noqa: ARG001 - CPython's signature
    """`functools.cached_property.__get__`, with a point before each of its accesses."""
    if instance is None:
        return self
    name = self.attrname
    if name is None:
        raise TypeError("Cannot use cached_property instance without calling __set_name__ on it.")
    try:
        cache = instance.__dict__
    except AttributeError:
        raise TypeError(
            f"No '__dict__' attribute on {type(instance).__name__!r} instance to cache {name!r} property."
        ) from None
    MODEL.point(1, instance, name)
    value = cache.get(name, _MISSING)
    if value is _MISSING:
        value = self.func(instance)
        MODEL.point(2, instance, name)
        try:
            cache[name] = value
        except TypeError:
            raise TypeError(
                f"The '__dict__' attribute on {type(instance).__name__!r} instance does not support item"
                f" assignment for caching {name!r} property."
            ) from None
    return value


class _There:
    """A loader of a module that is there already."""

    def __init__(self, module: ModuleType) -> None:
        self._module = module

    def create_module(self, _: Any) -> ModuleType:
        return self._module

    def exec_module(self, _: ModuleType) -> None:
        pass


def _put(module: Any) -> None:
    module.__spec__ = ModuleSpec(module.__name__, _There(module), origin="built-in")  # type: ignore[arg-type]
    module.__loader__, module.__package__ = module.__spec__.loader, ""
    sys.modules[module.__name__] = module
