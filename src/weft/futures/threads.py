"""ThreadExecutor, on kernel threads whatever the model in force, and UserExecutor, on its own threads.

Where threads are kernel threads anyway, ThreadExecutor is `ThreadPoolExecutor`. On user threads it is that
too, but each of its workers is a kernel thread that is nobody's user thread. What such a one waits for it
waits for in the kernel, while user threads wait for its results as for anything else.
"""

import importlib
from typing import Any
from weakref import ref

from weft.core.current import current
from weft.errors import WeftError
from weft.host import threads as host_threads
from weft.host.platform import VERSION
from weft.stdlib.locks import Lock
from weft.stdlib.offload import end_of_kernel_thread
from weft.stdlib.user_pool import make_user_executor

__all__ = ["make_thread_executor", "make_user"]

ANY_NUMBER = 1 << 30  # of threads


def make_user() -> Any:
    """The class UserExecutor over the `concurrent.futures` that the program has."""
    module = importlib.import_module("concurrent.futures.thread")
    threading: Any = importlib.import_module("threading")
    if _supplied(threading):
        return make_user_executor(module, threading)
    return _Unavailable if isinstance(threading._allocate_lock(), host_threads.RawLock) else _checked(module)


def _supplied(threading: Any) -> bool:
    """Whether the program's threads are those of weft's runtime."""
    return isinstance(threading._allocate_lock(), Lock)


def _checked(module: Any) -> Any:
    """The class UserExecutor in a program that is checked: a thread is begun where none is idle."""

    class UserExecutor(module.ThreadPoolExecutor):  # type: ignore[misc]
        def __init__(self, max_workers: int | None = None, *rest: Any, **names: Any) -> None:
            super().__init__(ANY_NUMBER if max_workers is None else max_workers, *rest, **names)
            if not (rest and rest[0]) and not names.get("thread_name_prefix"):
                own: Any = self
                own._thread_name_prefix = own._thread_name_prefix.replace(
                    "ThreadPoolExecutor", "UserExecutor"
                )

    UserExecutor.__module__ = "weft.futures"
    UserExecutor.__qualname__ = "UserExecutor"
    return UserExecutor


class _Unavailable:
    """UserExecutor where there are no user threads."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        raise WeftError(
            "UserExecutor needs weft's threads: start the program with `weft run`, or call weft.install()"
            " before anything imports threading; weft.futures.ThreadExecutor works without"
        )


class _KernelThread:
    """What a pool keeps of a worker that is a kernel thread beside user threads: it can be joined."""

    def __init__(self, threading: Any, name: str, function: Any, args: Any) -> None:
        self._threading = threading
        self.name = name
        self._function: Any = function
        self._args: Any = args
        self._over = threading.Event()
        self.ident: int | None = None

    def start(self) -> None:
        host_threads.start(self._run)

    def _run(self) -> None:
        self.ident = host_threads.get_ident()
        self._threading.current_thread().name = self.name
        try:
            self._function(*self._args)
        finally:
            self._function = self._args = None
            self._threading._active.pop(self.ident, None)  # the stand-in that `current_thread` made
            end_of_kernel_thread()
            self._over.set()

    def join(self, timeout: float | None = None) -> None:
        if self.ident == host_threads.get_ident():
            raise RuntimeError("cannot join current thread")
        self._over.wait(timeout)


def make_thread_executor() -> Any:
    """The class ThreadExecutor over the `concurrent.futures` that the program has."""
    module: Any = importlib.import_module("concurrent.futures.thread")
    threading: Any = importlib.import_module("threading")

    class ThreadExecutor(module.ThreadPoolExecutor):  # type: ignore[misc]
        __doc__ = f"""{module.ThreadPoolExecutor.__doc__ or ""}
        Its threads are kernel threads, whatever the model in force."""

        def _adjust_thread_count(self) -> None:
            if not (_supplied(threading) and current().carrier.poller is not None):
                super()._adjust_thread_count()
                return
            if self._idle_semaphore.acquire(timeout=0):
                return
            count = len(self._threads)
            if count >= self._max_workers:
                return
            queue = self._work_queue
            reference = ref(self, lambda _: queue.put(None))
            if VERSION >= (3, 14):
                args: tuple[Any, ...] = (reference, self._create_worker_context(), queue)
            else:
                args = (reference, queue, self._initializer, self._initargs)
            thread = _KernelThread(
                threading, f"{self._thread_name_prefix or self}_{count}", module._worker, args
            )
            thread.start()
            self._threads.add(thread)
            module._threads_queues[thread] = queue

    ThreadExecutor.__module__ = "weft.futures"
    ThreadExecutor.__qualname__ = "ThreadExecutor"
    return ThreadExecutor
