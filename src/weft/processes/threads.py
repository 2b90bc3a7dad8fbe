"""`Thread`, `Timer`, `local` and the functions of `threading`, where each thread is a process."""

import builtins
import itertools
import os
import pickle
import sys
from collections import deque
from contextvars import Context
from types import FunctionType
from typing import Any

from weft.core.tracebacks import trim
from weft.errors import WeftError
from weft.host import processes as machine
from weft.host.processes import threading
from weft.processes import carried, parcels, recording
from weft.processes.cells import Cell, arena
from weft.processes.locks import Event
from weft.processes.programs import program_module
from weft.processes.thread_locals import forget_locals

__all__ = [
    "REGISTRY",
    "MainThread",
    "Settings",
    "Thread",
    "Timer",
    "active_count",
    "current_thread",
    "delist",
    "enumerate_threads",
    "get_ident",
    "get_native_id",
    "listed",
    "main_thread",
    "settings",
    "ship",
    "ship_name",
    "use_settings",
    "work_as",
]

REGISTRY = Cell(slot=1)  # number -> pid, name, daemon
_OWN = frozenset(
    {"_target", "_args", "_kwargs", "_name", "_daemonic", "_begun", "_ended", "_pid", "_number"}
    | {"_carrier", "_maker", "_initialized", "exitcode"}
)
_BROUGHT = (list, dict, set, bytearray, deque)


class Settings:
    """What the runtime in force has decided, and who this process is."""

    def __init__(self) -> None:
        self.method = "fork"
        self.copy_globals = False
        self.main_pid = os.getpid()
        self.current: Any = None
        self.excepthook: Any = None  # finds what `threading.excepthook` is now
        self.known: dict[int, Any] = {}  # the threads that this process has started or met, by their number
        self.counter = itertools.count(1)
        self.numbers: Any = None  # the cell of the last number given to a thread


settings: Any = None


def use_settings(made: Settings | None) -> None:
    """Name what is in force."""
    global settings
    settings = made


class Thread:
    """`threading.Thread`, carried by a process."""

    _initialized = False

    def __init__(
        self,
        group: None = None,
        target: Any = None,
        name: Any = None,
        args: Any = (),
        kwargs: Any = None,
        *,
        daemon: bool | None = None,
    ) -> None:
        assert group is None, "group argument must be None for now"
        if name is not None:
            name = str(name)
        else:
            name = f"Thread-{next(settings.counter)}"
            if target is not None and hasattr(target, "__name__"):
                name += f" ({target.__name__})"
        self._target, self._args, self._kwargs = target, args, {} if kwargs is None else kwargs
        self._name = name
        self._daemonic = current_thread().daemon if daemon is None else daemon
        self._begun = self._ended = False
        self._pid: int | None = None
        self._number = 0
        self._carrier: Any = None
        self._maker = os.getpid()
        self.exitcode: int | None = None
        self._initialized = True

    # -- its life ----------------------------------------------------------------------------------------

    def start(self) -> None:
        """Begin its process; once.

        Raises:
            RuntimeError: it was begun before.
            WeftError: what it does or is given cannot be carried over.
        """
        if not self._initialized:
            raise RuntimeError("thread.__init__() not called")
        if self._begun:
            raise RuntimeError("threads can only be started once")
        own_run = type(self).run is not Thread.run
        if not settings.copy_globals:
            if own_run:
                carried.check(self.run, comes_back=self)
            carried.check(self._target, tuple(self._args), self._kwargs)
        self._number = settings.numbers.change(_next_number)
        context = machine.context(settings.method)
        package = _Package(self) if settings.method != "fork" else self
        carrier = context.Process(target=_live, args=(package,), name=ship_name(self._name))
        arena().started += 1
        self._begun, self._maker = True, os.getpid()
        since = 0 if recording.notes is None else recording.notes.now()
        REGISTRY.change(_enlist, self._number, self._name, self._daemonic)
        machine.die_with_parent_if_possible()
        try:
            with machine.starting():
                carrier.start()
        except BaseException as error:
            self._begun = False
            REGISTRY.change(_delist, self._number)
            raise _told(self, error) from error
        self._carrier, self._pid = carrier, carrier.pid
        REGISTRY.change(_set_pid, self._number, carrier.pid)
        if recording.notes is not None:
            recording.notes.starts(carrier.pid, self._name, self._daemonic, since, sys._getframe(1))
        settings.known[self._number] = self

    def run(self) -> None:
        """Call the target."""
        try:
            if self._target is not None:
                self._target(*self._args, **self._kwargs)
        finally:
            del self._target, self._args, self._kwargs

    def join(self, timeout: float | None = None) -> None:
        """Wait until it has ended; its attributes are then what they were in its process at the end."""
        if not self._initialized:
            raise RuntimeError("Thread.__init__() not called")
        if not self._begun:
            raise RuntimeError("cannot join thread before it is started")
        if self is current_thread():
            raise RuntimeError("cannot join current thread")
        if not self._ended and self._wait_for_exit(timeout):
            self._collect()

    def _wait_for_exit(self, timeout: float | None) -> bool:
        pid, made = self._pid or 0, recording.notes
        if made is None or machine.wait_for_exit(pid, 0):
            return machine.wait_for_exit(pid, timeout)
        with made.joining(pid, self._name, sys._getframe(2)) as ended:
            found = machine.wait_for_exit(pid, timeout)
            if found:
                ended()
        return found

    def is_alive(self) -> bool:
        """Whether it has begun and not ended."""
        assert self._initialized, "Thread.__init__() not called"
        if self is settings.current:
            return True
        if not self._begun or self._ended:
            return False
        if machine.is_alive(self._pid or 0):
            return True
        self._collect()
        return False

    def _collect(self) -> None:
        """Its process has ended: take what it left."""
        if self._ended:
            return
        self._ended = True
        settings.known.pop(self._number, None)
        for name in ("_target", "_args", "_kwargs"):
            self.__dict__.pop(name, None)
        if self._carrier is None or self._maker != os.getpid():
            return
        self._carrier.join()
        self.exitcode = self._carrier.exitcode
        self._carrier = None
        entry = REGISTRY.change(_delist, self._number)
        if self.exitcode < 0 and entry:
            signal = machine.tell_signal(-self.exitcode)
            sys.stderr.write(f"weft: {self._name} (process {self._pid}) was ended by {signal}\n")
            if recording.notes is not None:
                recording.notes.ends(f"ended by {signal}", self._pid)
        try:
            with open(_left_by(self._number), "rb") as file:
                left = parcels.load(file.read())
            os.unlink(file.name)
        except FileNotFoundError:
            return
        self.__dict__.update({name: pickle.loads(data) for name, data in left.items()})  # noqa: S301

    # -- what it is --------------------------------------------------------------------------------------

    @property
    def name(self) -> str:
        """Its name."""
        assert self._initialized, "Thread.__init__() not called"
        return str(self._name)

    @name.setter
    def name(self, name: str) -> None:
        assert self._initialized, "Thread.__init__() not called"
        self._name = str(name)
        if self._number:
            REGISTRY.change(_rename, self._number, self._name)

    @property
    def ident(self) -> int | None:
        """The number of its process; None before it is started."""
        assert self._initialized, "Thread.__init__() not called"
        return self._pid

    native_id = ident

    @property
    def daemon(self) -> bool:
        """Whether it is ended with the program."""
        assert self._initialized, "Thread.__init__() not called"
        return self._daemonic

    @daemon.setter
    def daemon(self, daemonic: bool) -> None:
        if not self._initialized:
            raise RuntimeError("Thread.__init__() not called")
        if self._begun:
            raise RuntimeError("cannot set daemon status of active thread")
        self._daemonic = daemonic

    def isDaemon(self) -> bool:  # noqa: N802 - CPython's old names
        """The same."""
        return self.daemon

    def setDaemon(self, daemonic: bool) -> None:  # noqa: N802
        """The same."""
        self.daemon = daemonic

    def getName(self) -> str:  # noqa: N802
        """The same."""
        return self.name

    def setName(self, name: str) -> None:  # noqa: N802
        """The same."""
        self.name = name

    def __repr__(self) -> str:
        assert self._initialized, "Thread.__init__() was not called"
        status = "initial"
        if self._begun:
            status = "started" if self.is_alive() else "stopped"
        if self._daemonic:
            status += " daemon"
        if self._pid is not None:
            status += f" {self._pid}"
        return f"<{type(self).__name__}({self._name}, {status})>"

    def __getstate__(self) -> dict[str, Any]:
        return {**vars(self), "_carrier": None}


class MainThread(Thread):
    """The main thread: the process that the program was started as."""

    def __init__(self, pid: int) -> None:
        self._target, self._args, self._kwargs = None, (), {}
        self._name, self._daemonic, self._begun, self._ended = "MainThread", False, True, False
        self._pid, self._number, self._carrier, self._maker, self.exitcode = pid, 0, None, 0, None
        self._initialized = True

    def __repr__(self) -> str:
        return f"<_MainThread({self._name}, started {self._pid})>"


class _Elsewhere(Thread):
    """A thread that another process has started."""

    def __init__(self, number: int, pid: int, name: str, daemon: bool) -> None:
        super().__init__(name=name, daemon=daemon)
        self._number, self._pid, self._begun, self._maker = number, pid, True, 0


class Timer(Thread):
    """`threading.Timer`: calls a function after some time, in a process of its own, if not cancelled."""

    def __init__(self, interval: float, function: Any, args: Any = None, kwargs: Any = None) -> None:
        super().__init__()
        self.interval = interval
        self.function = function
        self.args = args if args is not None else []
        self.kwargs = kwargs if kwargs is not None else {}
        self.finished = Event()

    def start(self) -> None:
        """Begin to wait."""
        if not settings.copy_globals:
            carried.check(self.function, tuple(self.args), self.kwargs)
        super().start()

    def cancel(self) -> None:
        """Stop the timer if it has not fired yet."""
        self.finished.set()

    def run(self) -> None:
        """Wait, then call."""
        self.finished.wait(self.interval)
        if not self.finished.is_set():
            self.function(*self.args, **self.kwargs)
        self.finished.set()


# -- in the process of a thread ------------------------------------------------------------------------


class _ShippedName(str):  # noqa: SLOT000 - text cannot have slots
    """A process's name; where an interpreter is started afresh, it puts the model in force there first."""

    session: Any

    def __reduce__(self) -> Any:
        return self.session


_session_for_children: Any = None


def ship(session: Any) -> None:
    """What a fresh interpreter is to call before it imports the program: a function and its arguments."""
    global _session_for_children
    _session_for_children = session


def ship_name(name: str) -> str:
    """A name for a process that takes the model along to a fresh interpreter."""
    made = _ShippedName(name)
    function, args = _session_for_children
    made.session = (function, (name, *args))
    return made


class _Package:
    """A thread on its way to an interpreter that was started afresh, with the globals that it refers to."""

    def __init__(self, thread: Thread) -> None:
        self.thread = thread

    def __reduce__(self) -> Any:
        thread = self.thread
        names: dict[str, dict[str, bytes]] = {}
        functions: dict[str, dict[str, bytes]] = {}
        own_run = type(thread).run is not Thread.run
        for target in (thread.run if own_run else thread._target, getattr(thread, "function", None)):
            for where, name in carried.globals_of(target):
                if isinstance(where[name], FunctionType) and where[name].__module__ == where["__name__"]:
                    functions.setdefault(where["__name__"], {})[name] = parcels.pack(
                        where[name], by_value=True
                    )
                data = _data(where[name])
                if data is not None:
                    names.setdefault(where["__name__"], {})[name] = data
        return _unpack, (parcels.pack(thread), names, functions)


def _data(value: Any) -> bytes | None:
    """The bytes of a global that is data: what the program's own import makes is left to that."""
    if isinstance(value, (type, type(os), FunctionType, type(len))):
        return None
    try:
        return parcels.pack(value)
    except Exception:  # noqa: BLE001 - pickling runs the program's code; the import makes its own
        return None


def _unpack(thread: bytes, names: dict[str, dict[str, bytes]], functions: dict[str, dict[str, bytes]]) -> Any:
    """The thread, once the globals that it refers to are there; functions that the import has made stay."""
    for values, given in ((functions, True), (names, False)):
        for module, each in values.items():
            where = vars(sys.modules["__main__" if module == "__mp_main__" else module])
            for name, data in each.items():
                if not (given and name in where):
                    value = parcels.load(data)
                    for space in _spaces(where):
                        space[name] = value
    return parcels.load(thread)


def _spaces(module: dict[str, Any]) -> list[dict[str, Any]]:
    """The globals of a module, and those that its functions have: `multiprocessing` copies a main module."""
    found = {id(module): module}
    for value in list(module.values()):
        for each in [value, *vars(value).values()] if isinstance(value, type) else [value]:
            if isinstance(each, FunctionType) and each.__module__ == module["__name__"]:
                found[id(each.__globals__)] = each.__globals__
    return list(found.values())


def _live(thread: Thread) -> None:
    """What a thread's process does."""
    _begin(thread)
    before = dict(vars(thread))
    code = 0
    failure: BaseException | None = None
    try:
        Context().run(thread.run)
    except SystemExit as error:
        code = error.code if isinstance(error.code, int) else int(error.code is not None)
    except BaseException as error:  # noqa: BLE001 - the thread's excepthook is told of all
        code, failure = 1, error
        _tell(thread, error)
    finally:
        _leave(thread, before)
        if recording.notes is not None:
            recording.notes.ends(failure)
    sys.exit(code)


def _begin(thread: Thread, by: int | None = None) -> None:
    thread._pid = os.getpid()
    if recording.notes is not None:
        recording.notes.begins(thread._name, thread._daemonic, by=by)
    settings.current = thread
    REGISTRY.change(_set_pid, thread._number, thread._pid)
    threading.current_thread().name = thread._name  # for `logging`, which asks the real one
    machine.never_interrupted()
    if thread._maker == settings.main_pid or thread._daemonic:
        machine.die_with_parent()
    forget_locals()


def _tell(thread: Thread, error: BaseException) -> None:
    args = threading.ExceptHookArgs((type(error), error, trim(error), thread))
    hook = settings.excepthook()
    try:
        hook(args)
    except BaseException as worse:  # noqa: BLE001 - as CPython: a hook that fails is told of, too
        worse.__suppress_context__ = True
        sys.excepthook(type(worse), worse, trim(worse))


def _leave(thread: Thread, before: dict[str, Any]) -> None:
    """The thread has ended: leave its attributes for its parent, and do not wait for its own children."""
    left = {}
    for name, value in vars(thread).items():
        kept = value is before.get(name) and name in before
        if name in _OWN or (kept and not isinstance(value, _BROUGHT) and not _is_object(value)):
            continue
        try:
            left[name] = parcels.pack(value)
        except Exception as error:  # noqa: BLE001 - pickling runs the program's code
            if not kept:
                sys.stderr.write(
                    f"weft: {thread._name} has set its attribute {name}, which cannot be brought back from"
                    f" its process: {error}\n"
                )
    if left:
        with open(_left_by(thread._number), "wb") as file:
            file.write(parcels.pack(left))
    REGISTRY.change(_delist, thread._number)
    machine.forget_children()


def _is_object(value: Any) -> bool:
    return program_module(getattr(sys.modules.get(type(value).__module__), "__dict__", None))


def work_as(name: str, maker: int) -> None:
    """Be a worker of a pool that a process has made: a thread with that name."""
    worker = Thread(name=name, daemon=True)
    worker._number = settings.numbers.change(_next_number)
    worker._begun, worker._maker = True, 0
    REGISTRY.change(_enlist, worker._number, worker._name, True)
    _begin(worker, maker)
    if recording.notes is not None:
        machine.when_a_process_ends(recording.notes.ends)


def _told(thread: Thread, error: BaseException) -> BaseException:
    """Why a thread could not be started, in words that help."""
    if isinstance(error, (pickle.PicklingError, AttributeError, TypeError)) and settings.method != "fork":
        return WeftError(
            f"{thread._name} cannot be started by {settings.method}: what it is given goes to another"
            f" interpreter and must be pickled: {error}; pass what can be pickled, or use --start-method fork"
        )
    return error


def _left_by(number: int) -> str:
    return os.path.join(arena().folder, f"left{number}")


# -- the list of threads -------------------------------------------------------------------------------


def _next_number(state: list[int]) -> int:
    state[0] += 1
    return state[0]


def _enlist(state: dict[int, Any], number: int, name: str, daemon: bool) -> None:
    state[number] = [0, name, daemon]


def _set_pid(state: dict[int, Any], number: int, pid: int) -> None:
    if number in state:
        state[number][0] = pid


def _rename(state: dict[int, Any], number: int, name: str) -> None:
    if number in state:
        state[number][1] = name


def _delist(state: dict[int, Any], number: int) -> Any:
    return state.pop(number, None)


def delist(number: int) -> None:
    """Take a thread off the list."""
    REGISTRY.change(_delist, number)


def listed() -> dict[int, Any]:
    """Number -> pid, name, daemon of each thread that has begun and not ended."""
    found: dict[int, Any] = REGISTRY.look(dict)
    for number, (pid, _, _) in list(found.items()):
        if pid and not machine.is_alive(pid):
            REGISTRY.change(_delist, number)
            del found[number]
    return found


def current_thread() -> Any:
    """The caller's thread; on a kernel thread that a library began, that one's."""
    if machine.on_main_kernel_thread():
        if settings.current is None or settings.current._pid != os.getpid():  # forked by the program itself
            settings.current = MainThread(os.getpid())
        return settings.current
    return threading.current_thread()


def main_thread() -> Any:
    """The main thread."""
    if isinstance(current_thread(), MainThread):
        return settings.current
    if 0 not in settings.known:
        settings.known[0] = MainThread(settings.main_pid)
    return settings.known[0]


def enumerate_threads() -> list[Any]:
    """All live threads, the main one first."""
    found = [main_thread()]
    for number, (pid, name, daemon) in builtins.sorted(listed().items()):
        if settings.current is not None and settings.current._number == number:
            found.append(settings.current)
        elif number in settings.known:
            found.append(settings.known[number])
        elif pid:
            settings.known[number] = _Elsewhere(number, pid, name, daemon)
            found.append(settings.known[number])
    return found


def active_count() -> int:
    """How many threads are alive."""
    return len(enumerate_threads())


def get_ident() -> int:
    """The caller's identifier: its process, or its kernel thread if a library began that."""
    return os.getpid() if machine.on_main_kernel_thread() else machine.kernel_ident()


def get_native_id() -> int:
    """The system's number for the caller."""
    return threading.get_native_id()
