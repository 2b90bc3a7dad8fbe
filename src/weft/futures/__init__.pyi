# The pools as type checkers see them: the real ones are made when they are asked for, over the
# `concurrent.futures` that the program has then. tests/futures/test_types.py holds this against them.

from collections.abc import Callable
from concurrent.futures import (
    ALL_COMPLETED as ALL_COMPLETED,
    FIRST_COMPLETED as FIRST_COMPLETED,
    FIRST_EXCEPTION as FIRST_EXCEPTION,
    BrokenExecutor as BrokenExecutor,
    CancelledError as CancelledError,
    Executor as Executor,
    Future as Future,
    InvalidStateError as InvalidStateError,
    TimeoutError as TimeoutError,
    as_completed as as_completed,
    wait as wait,
)
from multiprocessing.context import BaseContext
from typing import Any

from weft.errors import WeftError

__all__ = ["KINDS", "executor"]

KINDS: dict[str, str]

_Initializer = Callable[..., object] | None

class ThreadExecutor(Executor):
    def __init__(
        self,
        max_workers: int | None = None,
        thread_name_prefix: str = "",
        initializer: _Initializer = None,
        initargs: tuple[Any, ...] = (),
    ) -> None: ...

class UserExecutor(Executor):
    def __init__(
        self,
        max_workers: int | None = None,
        thread_name_prefix: str = "",
        initializer: _Initializer = None,
        initargs: tuple[Any, ...] = (),
    ) -> None: ...

class ProcessExecutor(Executor):
    def __init__(
        self,
        max_workers: int | None = None,
        mp_context: BaseContext | None = None,
        initializer: _Initializer = None,
        initargs: tuple[Any, ...] = (),
        *,
        max_tasks_per_child: int | None = None,
    ) -> None: ...

class ClusterExecutor(Executor):
    def __init__(
        self,
        max_workers: int | None = None,
        address: str | None = None,
        initializer: _Initializer = None,
        initargs: tuple[Any, ...] = (),
        *,
        timeout: float = 10.0,
    ) -> None: ...

class WorkerDied(WeftError, BrokenExecutor): ...

def executor(kind: str, max_workers: int | None = None, **options: Any) -> Executor: ...
