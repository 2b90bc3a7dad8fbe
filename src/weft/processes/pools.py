"""`ThreadPoolExecutor`, with a process for each worker: CPython's pool of processes underneath."""

import itertools
import os
import sys
from collections.abc import Callable
from functools import partial
from typing import Any

from weft.core.wait import WaitReason
from weft.errors import WeftError
from weft.host import processes as machine
from weft.host.processes import futures, pools
from weft.processes import carried, parcels, recording, threads
from weft.processes.cells import arena

__all__ = ["ThreadPoolExecutor"]

_pools = itertools.count()
IDLE = "work for the pool"


class _Context:
    """The `multiprocessing` that a pool uses: its processes are named as a pool's threads are."""

    def __init__(self, prefix: str) -> None:
        self._real = machine.context(threads.settings.method)
        self._prefix = prefix
        self._numbers = itertools.count()

    def Process(self, *args: Any, **kwargs: Any) -> Any:  # noqa: N802 - as `multiprocessing` names it
        """A process with the next worker's name."""
        arena().started += 1
        name = threads.ship_name(f"{self._prefix}_{next(self._numbers)}")
        return self._real.Process(*args, name=name, **kwargs)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)


class ThreadPoolExecutor(futures.Executor):
    """`concurrent.futures.ThreadPoolExecutor`, with a process for each worker."""

    def __init__(
        self,
        max_workers: int | None = None,
        thread_name_prefix: str = "",
        initializer: Callable[..., object] | None = None,
        initargs: tuple[Any, ...] = (),
    ) -> None:
        if max_workers is None:
            max_workers = min(32, (os.cpu_count() or 1) + 4)
        if max_workers <= 0:
            raise ValueError("max_workers must be greater than 0")
        if initializer is not None and not callable(initializer):
            raise TypeError("initializer must be a callable")
        self._max_workers = max_workers
        self._thread_name_prefix = thread_name_prefix or f"ThreadPoolExecutor-{next(_pools)}"
        self._maker = os.getpid()
        context: Any = _Context(self._thread_name_prefix)
        begin: Any = partial(_begin, os.getpid(), _packed((initializer, initargs, {}), "the initializer"))
        self._pool = pools.ProcessPoolExecutor(max_workers, mp_context=context, initializer=begin)

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
        """Have a worker call a function; the future of its result.

        Raises:
            WeftError: the call cannot be carried over to a process.
        """
        if self._maker != os.getpid():
            raise WeftError(
                "this pool belongs to the process that made it: make another in the thread that submits"
            )
        if not threads.settings.copy_globals:
            carried.check(fn, args, kwargs)
        what = f"the call of {getattr(fn, '__qualname__', repr(fn))}()"
        machine.die_with_parent_if_possible()
        data = _packed((fn, args, kwargs), what)
        with machine.starting():
            return self._pool.submit(_call, data)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Take no more; wait for what was submitted."""
        made = recording.notes
        if made is None or not wait:
            self._pool.shutdown(wait, cancel_futures=cancel_futures)
            return
        words = f"workers of {self._thread_name_prefix}"
        with made.waiting(WaitReason.OTHER, None, words, sys._getframe(1), "machine"):
            self._pool.shutdown(wait, cancel_futures=cancel_futures)


def _packed(call: Any, what: str) -> bytes:
    try:
        return parcels.pack(call)
    except Exception as error:
        raise WeftError(
            f"{what} goes to a process of the pool and must be pickled: {error}; pass what can be pickled"
        ) from error


def _call(data: bytes) -> Any:
    made = recording.notes
    if made is not None:
        made.goes_on("machine")
    try:
        function, args, kwargs = parcels.load(data)
        return function(*args, **kwargs)
    finally:
        if made is not None:
            made.rests(IDLE)


def _begin(maker: int, data: bytes) -> None:
    threads.work_as(machine.own_name(), maker)
    function, args, _ = parcels.load(data)
    if function is not None:
        function(*args)
    if recording.notes is not None:
        recording.notes.rests(IDLE)
