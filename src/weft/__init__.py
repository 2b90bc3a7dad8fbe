"""weft: the thread runtime for Python whose scheduler you own.

Programs on `threading`, `queue` and `concurrent.futures` run unmodified on the thread model of one's choice:
`weft run --model user program.py`, or `weft.install(model="user")` before the first import of `threading`.
"""

import importlib
from typing import TYPE_CHECKING, Any

from weft.config import VERSION
from weft.core.current import current
from weft.core.events import Kind
from weft.core.policy import FairShare, Fifo, Policy, Priority
from weft.core.thread import ControlBlock, State
from weft.core.wait import Wait, WaitReason
from weft.errors import DeadlockError, InternalError, WeftError
from weft.runtime import call_later, dump, install, offload, offloaded, run, set_priority, threads, uninstall

if TYPE_CHECKING:
    from weft.check import Check
    from weft.check.steer import steer
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

__version__ = VERSION


if not TYPE_CHECKING:  # a type checker knows the names above, and refuses all others

    def __getattr__(name: str) -> Any:
        if name in ("check", "futures"):  # loaded when they are wanted
            return importlib.import_module(f"weft.{name}")
        if name in ("listen", "trace"):
            return getattr(importlib.import_module("weft.tracing"), name)
        if name == "steer":
            return importlib.import_module("weft.check.steer").steer
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
