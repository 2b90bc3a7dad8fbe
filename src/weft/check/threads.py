"""`_thread` and `threading` of a checked program.

`threading` is CPython's own source, executed over the module made here; its classes that wait are then
replaced by ours, and of `Thread` what starts, ends and joins.
"""

import sys
from collections import deque
from collections.abc import Callable, Iterator
from itertools import count
from types import ModuleType
from typing import Any
from weakref import ref

from weft.check.events import Event, make_barrier
from weft.check.locks import BoundedSemaphore, Condition, Lock, RLock, Semaphore, allocate_lock
from weft.check.world import MODEL
from weft.models.controlled import Task
from weft.stdlib.local import Local

__all__ = [
    "Uncaught",
    "forget_threads",
    "make_thread_module",
    "quicken_threading",
    "reset_threading",
    "shut_down",
]

_point = MODEL.point

for _cls in (Condition, Semaphore, BoundedSemaphore, Event):
    _cls.__module__ = "threading"


class Uncaught:
    """What to do about an exception that ends a thread; whoever runs executions puts its own in."""

    tell: Callable[[Task, BaseException], object] = staticmethod(lambda task, error: None)  # noqa: ARG005


def _ended(task: Task) -> bool:
    return task.target.done or (task.deadline is not None and MODEL.now >= task.deadline)


def _join(task: Task, timeout: float | None) -> None:
    if timeout is None and not task.done and not MODEL.detour:
        task.joiners = MODEL.stand_aside(task.joiners)
    deadline = None if timeout is None else MODEL.after(max(0.0, timeout))
    _point("join", task, None, None, _ended, deadline)


def _run_endings(task: Task) -> None:
    while task.ending is not None:
        endings, task.ending = task.ending, None
        for ending in endings:
            ending()


class ThreadHandle:
    """As `_thread._ThreadHandle` (3.13)."""

    def __init__(self) -> None:
        self.task: Task | None = None

    @property
    def ident(self) -> int | None:
        """The thread's identifier."""
        return None if self.task is None else self.task.ident

    def is_done(self) -> bool:
        """Whether the thread has ended."""
        return self.task is not None and self.task.done

    def _set_done(self) -> None:
        pass

    def join(self, timeout: float | None = None) -> None:
        """Wait for its end."""
        if self.task is None:
            raise RuntimeError("thread not started")
        if self.task is MODEL.current:
            raise RuntimeError("Cannot join current thread")
        _join(self.task, timeout)


def make_thread_module(real: Any) -> ModuleType:
    """The `_thread` module; names that need no replacing are those of the interpreter's."""
    module: Any = ModuleType("_thread", real.__doc__)
    module.__dict__.update({name: value for name, value in vars(real).items() if name != "__name__"})

    def body(function: Any, args: Any, kwargs: Any) -> Any:
        def run(task: Task) -> None:
            try:
                function(*args, **kwargs)
            except SystemExit:
                pass
            except Exception as error:  # noqa: BLE001 - nobody above could take it
                Uncaught.tell(task, error)
            finally:
                _run_endings(task)

        return run

    class Supplied:
        """The functions, which do not bind."""

        @staticmethod
        def start_new_thread(function: Any, args: Any, kwargs: Any = None, /) -> int:
            if not callable(function):
                raise TypeError("first arg must be callable")
            if kwargs is not None and not isinstance(kwargs, dict):
                raise TypeError("optional 3rd arg must be a dictionary")
            if not isinstance(args, tuple):
                raise TypeError("2nd arg must be a tuple")
            _point("start", None)
            return MODEL.start(body(function, args, kwargs or {}), True).ident

        @staticmethod
        def start_joinable_thread(function: Any, handle: Any = None, daemon: bool = True) -> Any:
            handle = handle or ThreadHandle()
            _point("start", None)
            handle.task = MODEL.start(body(function, (), {}), daemon)
            return handle

        @staticmethod
        def get_ident() -> int:
            return MODEL.current.ident

        @staticmethod
        def get_native_id() -> int:
            return MODEL.current.ident

        @staticmethod
        def _count() -> int:
            return len(MODEL.tasks) - 1

        @staticmethod
        def _get_main_thread_ident() -> int:
            return 1000

        @staticmethod
        def _set_sentinel() -> Lock:
            return Lock()

        @staticmethod
        def _make_thread_handle(_: int) -> ThreadHandle:
            return ThreadHandle()

        @staticmethod
        def _shutdown() -> None:
            shut_down()

    for name, function in vars(Supplied).items():
        if isinstance(function, staticmethod) and hasattr(real, name):
            setattr(module, name, function)
    for name in ("allocate_lock", "allocate"):
        setattr(module, name, staticmethod(allocate_lock))
    module.start_new = module.start_new_thread
    module.LockType = Lock
    if hasattr(real, "lock"):
        module.lock = Lock
    module.RLock = RLock
    module._local = Local
    if hasattr(real, "_ThreadHandle"):
        module._ThreadHandle = ThreadHandle
    return module  # type: ignore[no-any-return]


def quicken_threading(module: Any) -> None:
    """Put single operations into an executed copy of CPython's `threading`."""
    module.Condition, module.Event = Condition, Event
    module.Semaphore, module.BoundedSemaphore = Semaphore, BoundedSemaphore
    module.Barrier = make_barrier(module.BrokenBarrierError)
    module._shutdown = shut_down
    cls = module.Thread
    active, ended = module._active, _ended_tasks
    first_hook = module.excepthook
    # What CPython's `Thread` keeps for its own start and its own tests takes a tenth of a short execution.
    module._dangling = _Unkept()
    module._make_invoke_excepthook = _no_hook

    def run_thread(task: Task) -> None:
        self = task.thread
        try:
            self.run()
        except SystemExit:
            pass
        except Exception as error:  # noqa: BLE001 - as CPython's: the hook is told, the thread ends
            if module.excepthook is first_hook:
                Uncaught.tell(task, error)
            else:
                module.excepthook(module.ExceptHookArgs((type(error), error, error.__traceback__, self)))
        finally:
            if task.ending is not None and MODEL.over is None:
                _run_endings(task)
            active.pop(task.ident, None)
            self._is_stopped = True
            ended.append(ref(task))

    def start(self: Any) -> None:
        """Start the thread's activity."""
        if not self._initialized:
            raise RuntimeError("thread.__init__() not called")
        if self._started._flag:
            raise RuntimeError("threads can only be started once")
        _point("start", None)

        def register(task: Task) -> None:
            task.thread = self
            self._task = task
            self._ident = task.ident
            self._native_id = task.ident
            self._started._flag = True
            handle = self.__dict__.get("_handle")
            if handle is not None:
                handle.task = task
            active[task.ident] = self

        MODEL.start(run_thread, self._daemonic, register)

    def join(self: Any, timeout: float | None = None) -> None:
        """Wait until the thread ends, for at most `timeout` seconds."""
        if not self._initialized:
            raise RuntimeError("Thread.__init__() not called")
        if not self._started._flag:
            raise RuntimeError("cannot join thread before it is started")
        task = self.__dict__.get("_task")
        if task is None or task is MODEL.current:
            raise RuntimeError("cannot join current thread")
        _join(task, timeout)

    def is_alive(self: Any) -> bool:
        """Whether the thread has been started and has not ended."""
        if not self._started._flag:
            return False
        task = self.__dict__.get("_task")
        if task is None:
            return True
        _point("is_alive", task)
        return not task.done

    cls.start, cls.join, cls.is_alive = start, join, is_alive
    cls.__hash__ = _by_order


class _Unkept:
    """Stands for `threading._dangling`, a weak set of all threads: nothing is kept."""

    add = staticmethod(deque[Any](maxlen=0).append)

    def __iter__(self) -> Iterator[Any]:
        return iter(())

    def __len__(self) -> int:
        return 0


def _no_hook() -> None:
    """Stands for `threading._make_invoke_excepthook`: a thread's exceptions are told in `run_thread`."""


_ended_tasks: list[ref[Task]] = []
#: How many objects of this execution have been hashed by `_by_order`.
_hashed = [0]


def _by_order(self: Any) -> int:
    """A hash: the number of the object among those of this execution that were hashed.

    Sets of them would else be ordered by where they lie in memory.
    """
    names = self.__dict__
    number = names.get("_weft_number")
    if number is None:
        number = names["_weft_number"] = _hashed[0] = _hashed[0] + 1
    return int(number)


def _take_in_order(self: Any, futures: Any) -> None:
    """`concurrent.futures._base._AcquireFutures.__init__`, whose order is that of addresses."""
    self.futures = sorted(futures, key=_by_order)


def forget_threads() -> None:
    """After an execution: its threads and our records of them hold each other, which only the collector would
    find, and that makes executions slow.
    """
    for known in _ended_tasks:
        task = known()
        if task is not None:
            task.thread = None
    _ended_tasks.clear()


def reset_threading(module: Any, first_name: int) -> None:
    """Before an execution: the main thread alone is there, and names are counted from the same number."""
    _hashed[0] = 0
    futures: Any = sys.modules.get("concurrent.futures._base")
    # Only once: a class that is changed is looked up slowly for a while.
    if futures is not None and futures.Future.__hash__ is not _by_order:
        futures.Future.__hash__ = _by_order
        futures._AcquireFutures.__init__ = _take_in_order
    main = module._main_thread
    module._active.clear()
    module._active[1000] = main
    module._counter = count(first_name).__next__
    main._ident = 1000
    main._is_stopped = False


def shut_down() -> None:
    """The main thread has done: wait for the others that are no daemons."""
    threading: Any = sys.modules.get("threading")
    if threading is not None:
        for call in reversed(threading._threading_atexits):
            call()
    while True:
        others = [
            task for task in MODEL.tasks if not task.daemon and task is not MODEL.current and task.number
        ]
        if not others:
            return
        _join(others[0], None)
