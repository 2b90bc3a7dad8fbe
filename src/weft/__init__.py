"""weft: the thread runtime for Python whose scheduler you own.

Programs on `threading`, `queue` and `concurrent.futures` run unmodified on the thread model of one's choice:
`weft run --model user program.py`, or `weft.install(model="user")` before the first import of `threading`.
"""

import importlib

TYPE_CHECKING = False  # what type checkers take for true; a command begins before `typing` is loaded
if TYPE_CHECKING:
    from typing import Any

    from weft.check import Check
    from weft.check.steer import steer
    from weft.core.current import current
    from weft.core.events import Kind
    from weft.core.policy import FairShare, Fifo, Policy, Priority
    from weft.core.thread import ControlBlock, State
    from weft.core.wait import Wait, WaitReason
    from weft.errors import DeadlockError, InternalError, WeftError
    from weft.runtime import (
        call_later,
        dump,
        install,
        offload,
        offloaded,
        run,
        set_priority,
        threads,
        uninstall,
    )
    from weft.tracing import listen, trace

    check: Check  # the package of that name, which can be called

__all__ = [
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
]

__version__: str

#: Where each name is, which is loaded when it is first wanted: most commands need none of them.
_PLACES = {
    "weft.check.steer": ("steer",),
    "weft.core.current": ("current",),
    "weft.core.events": ("Kind",),
    "weft.core.policy": ("FairShare", "Fifo", "Policy", "Priority"),
    "weft.core.thread": ("ControlBlock", "State"),
    "weft.core.wait": ("Wait", "WaitReason"),
    "weft.errors": ("DeadlockError", "InternalError", "WeftError"),
    "weft.runtime": (
        *("call_later", "dump", "install", "offload", "offloaded", "run", "set_priority", "threads"),
        "uninstall",
    ),
    "weft.tracing": ("listen", "trace"),
}
_PLACE_OF = {name: module for module, names in _PLACES.items() for name in names}


if not TYPE_CHECKING:  # a type checker knows the names above, and refuses all others

    def __getattr__(name: str) -> "Any":
        if name in ("check", "futures"):
            return importlib.import_module(f"weft.{name}")
        if name == "__version__":
            return importlib.import_module("weft.config").VERSION
        if name not in _PLACE_OF:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        found = globals()[name] = getattr(importlib.import_module(_PLACE_OF[name]), name)
        return found

    def __dir__() -> list[str]:
        return sorted({*globals(), *__all__})
