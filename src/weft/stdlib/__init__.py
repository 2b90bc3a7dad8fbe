"""What programs call: the modules that weft supplies under CPython's, and faster versions above them.

`from weft.stdlib import threading, queue, time, futures` gives them beside the real ones, with nothing
replaced; `weft.install()` and `weft run` put them in the real ones' place.
"""

import importlib
from collections.abc import Callable
from typing import Any

__all__ = ["set_provider"]

_provider: Callable[[str], Any] | None = None
_OFFERED = ("threading", "queue", "time", "futures")


def set_provider(provider: Callable[[str], Any]) -> None:
    """Name the function that makes the modules offered here (the runtime's)."""
    global _provider
    _provider = provider


def __getattr__(name: str) -> Any:
    if name in _OFFERED:
        if _provider is None:
            importlib.import_module("weft.runtime")  # the one that names itself, loaded when it is wanted
        if _provider is not None:
            return _provider(name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
