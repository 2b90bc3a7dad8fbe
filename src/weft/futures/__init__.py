"""One interface, `concurrent.futures.Executor`, to threads, user threads, processes and a cluster.

    with weft.futures.executor("user", max_workers=100) as pool:
        print(list(pool.map(fetch, addresses)))

The classes are made over the `concurrent.futures` that the program has, when they are asked for: its own one
under `weft run`, the interpreter's without a runtime. So their futures are `concurrent.futures.Future`, and
`wait` and `as_completed` work on all of them. Nothing is imported before: `threading` would come too early.
"""

import importlib
from typing import TYPE_CHECKING, Any

from weft.errors import WeftError

if TYPE_CHECKING:
    from concurrent.futures import Executor

__all__ = ["KINDS", "executor"]

#: The word for each kind of pool, and the class that it stands for.
KINDS = {
    "thread": "ThreadExecutor",
    "user": "UserExecutor",
    "process": "ProcessExecutor",
    "cluster": "ClusterExecutor",
}

#: What is made when it is asked for: the module, and the function that makes it.
_WHERE = {
    "ThreadExecutor": ("weft.futures.threads", "make_thread_executor"),
    "UserExecutor": ("weft.futures.threads", "make_user"),
    "ProcessExecutor": ("weft.futures.processes", "make"),
    "ClusterExecutor": ("weft.futures.cluster", "make"),
    "WorkerDied": ("weft.futures.relay", "make"),
}
_THEIRS = (
    "ALL_COMPLETED",
    "FIRST_COMPLETED",
    "FIRST_EXCEPTION",
    "BrokenExecutor",
    "CancelledError",
    "Executor",
    "Future",
    "InvalidStateError",
    "TimeoutError",
    "as_completed",
    "wait",
)

_made: dict[str, Any] = {}
_over: Any = None  # the module that what was made stands on; another one after `weft.uninstall`


def __getattr__(name: str) -> Any:
    global _over
    if name in _THEIRS:
        return getattr(importlib.import_module("concurrent.futures"), name)
    if name not in _WHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    base = importlib.import_module("concurrent.futures._base")
    if base is not _over:
        _made.clear()
        _over = base
    if name not in _made:
        where, function = _WHERE[name]
        _made[name] = getattr(importlib.import_module(where), function)()
    return _made[name]


def __dir__() -> list[str]:
    return sorted({*globals(), *_WHERE, *_THEIRS})


def executor(kind: str, max_workers: int | None = None, **options: Any) -> "Executor":
    """A pool of a kind: a program goes from one to another by a change of a word.

    Args:
        kind: "thread", "user", "process" or "cluster".
        max_workers: the most threads or processes; None: the default of the kind.
        options: what the kind takes besides: `initializer` and `initargs` all of them.

    Raises:
        WeftError: there is no such kind, or it cannot work here; the text says what to do.
    """
    if kind not in KINDS:
        raise WeftError(f"there is no kind of pool {kind!r}: choose one of {', '.join(KINDS)}")
    made: Executor = __getattr__(KINDS[kind])(max_workers=max_workers, **options)
    return made
