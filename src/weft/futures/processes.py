"""ProcessExecutor: the standard library's process pool, which here survives the death of a worker.

`ProcessPoolExecutor` is broken for good when one of its processes dies, and does not say which. Here the
pool behind is replaced by a new one. The calls that had been handed to processes get an error that says
who died and how; those that had not been handed out are made by the new processes.
"""

import importlib
from functools import partial
from typing import Any

from weft.futures.relay import map_in_chunks, run_chunk, unsendable

__all__ = ["make"]

TO_DIE = 1.0  # seconds for the status of a process whose end is known


def fates(processes: list[Any]) -> list[tuple[int, int]]:
    """Which of a pool's processes have ended of themselves, and with what status: pid, exit code.

    One that is dying has closed what tells of its end before the system has its status.
    """
    connection: Any = importlib.import_module("multiprocessing.connection")
    found = []
    for process in processes:
        if process.exitcode is None and connection.wait([process.sentinel], 0):
            process.join(TO_DIE)
        if process.exitcode is not None:
            found.append((process.pid, process.exitcode))
    return found


def how(code: int) -> str:
    """An exit code in words."""
    if code >= 0:
        return f"ended with status {code}"
    signal: Any = importlib.import_module("signal")
    try:
        name = f" ({signal.Signals(-code).name})"
    except ValueError:
        name = ""
    return f"was killed by signal {-code}{name}"


class _Crew:
    """One pool of the standard library's, with the calls it has been given."""

    def __init__(self, pool: Any) -> None:
        self.pool = pool
        self.processes: dict[int, Any] = pool._processes
        self.calls: dict[Any, Any] = {}  # the program's future: the pool's
        self.finished = False  # whether a call has come back
        self.told: str | None = None  # who died and how, when it is known
        self.initializer_failed = False
        self.unsent: set[Any] = set()  # the calls that no process had been handed when it broke

    def examine(self, error: BaseException, initialized: bool) -> None:
        """The pool is broken: find out who died, and which calls are none the worse for it."""
        ends = fates(list(self.processes.values()))
        dead = [f"{pid} {how(code)}" for pid, code in ends if code != 0]
        if dead:
            self.told = f"a worker process has died: {', '.join(dead)}"
        elif error.__cause__ is not None:
            self.told = "what a worker process sent back cannot be unpickled"
        else:
            self.told = "a worker process has ended"
            self.initializer_failed = initialized and bool(ends)
        if self.finished or any(code < 0 for _, code in ends):  # else none may be able to start at all
            self.unsent = {f for f, b in list(self.calls.items()) if not b.running() and not b.done()}


def make() -> Any:
    """The class over the `concurrent.futures` that the program has."""
    module: Any = importlib.import_module("concurrent.futures.process")
    threading: Any = importlib.import_module("threading")
    multiprocessing: Any = importlib.import_module("multiprocessing")
    base = module._base
    WorkerDied: Any = importlib.import_module("weft.futures").WorkerDied  # noqa: N806 - a class

    class ProcessFuture(base.Future):  # type: ignore[misc,name-defined]
        """The future of a call in another process; the pool's own stands behind it."""

        _behind: Any = None

        def cancel(self) -> bool:
            """Cancel the call, if no process has been handed it; False if one has."""
            behind = self._behind
            return (behind is None or behind.cancel()) and bool(super().cancel())

        def running(self) -> bool:
            """Whether a process has been handed the call, and it is not over."""
            behind = self._behind
            return behind is not None and bool(behind.running()) and not self.done()

    class ProcessExecutor(base.Executor):  # type: ignore[misc,name-defined]
        """An executor whose calls are made by other processes; functions and arguments are pickled.

        Args:
            max_workers: the most processes; None: one for each processor.
            mp_context: how processes are started, of `multiprocessing.get_context`; None: "forkserver", or
                "spawn" where there is none, since threads and `fork` do not go together.
            initializer: called by each process before its first call; if it raises, the pool is broken.
            initargs: its arguments.
            max_tasks_per_child: after how many calls a process is replaced; None: never.
        """

        def __init__(
            self,
            max_workers: int | None = None,
            mp_context: Any = None,
            initializer: Any = None,
            initargs: tuple[Any, ...] = (),
            *,
            max_tasks_per_child: int | None = None,
        ) -> None:
            if mp_context is None:
                methods = multiprocessing.get_all_start_methods()
                mp_context = multiprocessing.get_context("forkserver" if "forkserver" in methods else "spawn")
            self._renew = partial(
                module.ProcessPoolExecutor,
                max_workers,
                mp_context,
                initializer,
                initargs,
                max_tasks_per_child=max_tasks_per_child,
            )
            self._initialized = initializer is not None
            self._lock = threading.Lock()  # of which pool is in use; not held while one is called
            self._crew = _Crew(self._renew())
            self._past: list[Any] = []  # pools that have broken; they end by themselves
            self._shut = False
            self._broken: str | None = None

        def __reduce_ex__(self, protocol: Any) -> Any:
            raise unsendable(self)

        def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Any:
            """Have a process call `fn(*args, **kwargs)`; the result is the Future of it.

            Raises:
                RuntimeError: the pool is shut down, or its initializer failed (BrokenExecutor).
            """
            future = ProcessFuture()
            self._send(future, partial(fn, *args, **kwargs) if callable(fn) else fn)
            return future

        def _send(self, future: Any, call: Any) -> None:
            """Give a call to the pool in use, or to a new one if that is broken."""
            while True:
                if self._broken is not None:
                    raise module.BrokenProcessPool(self._broken)
                if self._shut:
                    raise RuntimeError("cannot schedule new futures after shutdown")
                crew = self._crew
                try:
                    if crew.told is None:
                        future._behind = crew.calls[future] = behind = crew.pool.submit(call)
                        behind.add_done_callback(partial(self._arrived, crew, future, call))
                        return
                except module.BrokenProcessPool:
                    crew.calls.pop(future, None)  # a process died while it had nothing to do
                with self._lock:
                    if self._crew is crew:
                        self._past.append(crew.pool)
                        self._crew = _Crew(self._renew())

        def _arrived(self, crew: _Crew, future: Any, call: Any, behind: Any) -> None:
            """The pool behind has done with a call; we are on its thread, which holds its lock."""
            if behind.cancelled():
                crew.calls.pop(future, None)
                base.Future.cancel(future)
                future.set_running_or_notify_cancel()
                return
            error = behind.exception()
            if isinstance(error, module.BrokenProcessPool):
                if crew.told is None:
                    crew.examine(error, self._initialized)
                if future in crew.unsent and not self._shut:
                    self._send(future, call)
                    return
                error = self._explained(crew, error)
            else:
                crew.finished = True
            crew.calls.pop(future, None)
            future._behind = None
            if error is not None:
                future.set_exception(error)
            else:
                future.set_result(behind.result())

        def _explained(self, crew: _Crew, error: BaseException) -> BaseException:
            if crew.initializer_failed:
                self._broken = "A process initializer failed, the process pool is not usable anymore"
                return module.BrokenProcessPool(self._broken)  # type: ignore[no-any-return]
            made: BaseException = WorkerDied(
                f"{crew.told}. The calls that the workers had been handed are lost, this one among them;"
                " the next submit starts new workers"
            )
            made.__cause__ = error.__cause__
            return made

        def map(self, fn: Any, *iterables: Any, timeout: float | None = None, chunksize: int = 1) -> Any:
            """As the built-in `map`, with `chunksize` calls sent to a process together.

            Raises:
                TimeoutError: from the iterator: a result is not there `timeout` seconds after this call.
                ValueError: the chunk size is less than 1.
            """
            return map_in_chunks(super().map, run_chunk, fn, iterables, chunksize, timeout)

        def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
            """Take no more calls; with `wait`, return when all are over and the processes have ended.

            Args:
                wait: whether to wait for them.
                cancel_futures: whether to cancel those that no process has been handed.
            """
            self._shut = True
            with self._lock:
                pools = [*self._past, self._crew.pool]
            for pool in pools:
                pool.shutdown(wait, cancel_futures=cancel_futures)

    for each in (ProcessFuture, ProcessExecutor):
        each.__module__, each.__qualname__ = "weft.futures", each.__name__
    return ProcessExecutor
