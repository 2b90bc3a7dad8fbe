"""The `_thread` module as weft supplies it: CPython's own, with all that blocks or knows threads replaced.

CPython's `threading.py` and whatever else imports `_thread` stand on this, unchanged.
"""

import sys
from collections.abc import Callable
from types import ModuleType, TracebackType
from typing import Any, Protocol

from weft.core.current import adopt, current, getcurrent
from weft.core.parking import TIMEOUT, WITHDRAWN, park, settle
from weft.core.places import transparent
from weft.core.thread import ControlBlock
from weft.core.tracebacks import brief, trim
from weft.errors import DeadlockError
from weft.host.guard import cover, guarded
from weft.host.platform import CHECKS_HANDLES, deadline_after, unraisable_args
from weft.stdlib.local import Local
from weft.stdlib.locks import Lock, RLock, allocate_lock

__all__ = ["ThreadHandle", "ThreadPort", "join_block", "join_others", "make_thread_module", "run_endings"]


#: The module's obsolete second names.
ALIASES = {"start_new": "start_new_thread", "exit_thread": "exit", "allocate": "allocate_lock"}


class ThreadPort(Protocol):
    """What starting and ending threads asks of a model."""

    main: ControlBlock

    def start(
        self,
        run: Callable[[ControlBlock], object],
        daemon: bool,
        thread: Any = None,
        register: Callable[[ControlBlock], object] | None = None,
    ) -> ControlBlock:
        """Start a thread; see weft.core.ports.Model."""

    def blocks(self) -> list[ControlBlock]:
        """Every thread that has not ended."""


def join_block(block: ControlBlock, timeout: float | None = None) -> bool:
    """Wait for a thread's end, for at most `timeout` seconds; whether it has ended."""
    if block.done:
        return True
    if timeout is not None and timeout <= 0:
        return False
    deadline = None if timeout is None else deadline_after(timeout)
    try:
        me = getcurrent().block  # type: ignore[attr-defined]
    except AttributeError:
        me = adopt()
    if block.joiners is None:
        fresh: list[ControlBlock] = []
        if block.joiners is None:  # atomic
            block.joiners = fresh
    while True:
        me.on = block
        block.joiners.append(me)
        if block.done and block._withdraw(me):
            me.on = None
            return True
        alarm = park(me, deadline)
        if not alarm:
            return True
        settle(me, alarm)
        if block.done or not alarm & WITHDRAWN:
            return True
        if alarm & TIMEOUT:
            return False


def join_others(port: ThreadPort) -> None:
    """Wait for the end of every thread that is not a daemon, but for the caller and the main one."""
    me = current()
    while True:
        others = [b for b in port.blocks() if not b.daemon and b is not me and b is not port.main]
        if not others:
            return
        join_block(others[0])


def run_endings(block: ControlBlock) -> None:
    """What the end of a thread sets off while it is still the current one."""
    while block.ending is not None:
        endings, block.ending = block.ending, None
        for ending in endings:
            ending()


@cover
class ThreadHandle:
    """A thread that can be joined; as `_thread._ThreadHandle` (3.13)."""

    __slots__ = ("__weakref__", "_block", "_done")

    def __init__(self) -> None:
        self._block: ControlBlock | None = None
        self._done = False

    @property
    def ident(self) -> int | None:
        """The thread's identifier, or None before it is started."""
        return None if self._block is None else self._block.ident

    def _take(self, block: ControlBlock) -> None:
        self._block = block

    @transparent
    def is_done(self) -> bool:
        """Whether the thread has ended."""
        return self._done or (self._block is not None and self._block.done)

    def _set_done(self) -> None:
        if self._block is None:
            raise RuntimeError("thread not started")
        self._done = True
        joiners = self._block.joiners
        while joiners:
            joiner = joiners.pop(0)
            joiner.carrier.push(joiner.resume)

    def join(self, timeout: float | None = None) -> None:
        """Wait for the thread's end, for at most `timeout` seconds.

        Raises:
            RuntimeError: it has not been started, or it is the caller.
        """
        block = self._block
        if block is None:
            raise RuntimeError("thread not started")
        if self._done:
            return
        if getattr(getcurrent(), "block", None) is block:
            raise RuntimeError("Cannot join current thread")
        if timeout is not None and timeout < 0:
            timeout = None
        join_block(block, timeout)

    def __repr__(self) -> str:
        ident = self.ident or 0
        return f"<_ThreadHandle object: ident={ident}>"


ThreadHandle.__name__ = ThreadHandle.__qualname__ = "_ThreadHandle"


def _tell(error: BaseException, traceback: Any, text: str | None, culprit: Any) -> None:
    """Tell of an exception that nobody can take, as C does: a broken hook is told of, not raised."""
    try:
        sys.unraisablehook(unraisable_args((type(error), error, traceback, text, culprit)))
    except BaseException:  # noqa: BLE001
        sys.__excepthook__(*sys.exc_info())


def _unraisable(function: Any, error: BaseException) -> None:
    """Tell of an exception that ended a thread that nobody joins, in CPython's words."""
    traceback = trim(error)
    if CHECKS_HANDLES:
        _tell(error, traceback, f"Exception ignored in thread started by {function!r}", None)
    else:
        _tell(error, traceback, "Exception ignored in thread started by", function)


def make_thread_module(real: Any, port: ThreadPort) -> ModuleType:
    """Build the module on one model.

    Args:
        real: the interpreter's own `_thread`; names that need no replacing are passed through.
        port: starts and lists threads.
    """
    module: Any = ModuleType("_thread", real.__doc__)
    for name, value in vars(real).items():
        if name != "__name__":
            setattr(module, name, value)

    def body(function: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        @transparent
        def run(block: ControlBlock) -> None:
            try:
                function(*args, **kwargs)
            except SystemExit:
                pass
            except BaseException as error:  # noqa: BLE001 - nobody above could take it
                block.failure = brief(error)
                _unraisable(function, error)
            finally:
                run_endings(block)

        return run

    class Supplied:
        """The module's functions: static methods, so that they do not bind, as C's do not."""

        @staticmethod
        def start_new_thread(function: Any, args: Any, kwargs: Any = None, /) -> int:
            """Start a new thread and return its identifier."""
            if not callable(function):
                raise TypeError("first arg must be callable")
            if not isinstance(args, tuple):
                raise TypeError("2nd arg must be a tuple")
            if kwargs is not None and not isinstance(kwargs, dict):
                raise TypeError("optional 3rd arg must be a dictionary")
            sys.audit("_thread.start_new_thread", function, args, kwargs)
            return port.start(body(function, args, kwargs or {}), True).ident

        @staticmethod
        @transparent
        def get_ident() -> int:
            """The identifier of the calling thread, a nonzero integer."""
            try:
                return getcurrent().block.ident  # type: ignore[attr-defined,no-any-return]
            except AttributeError:
                return adopt().ident

        @staticmethod
        def _count() -> int:
            """How many threads are alive, the main one left out."""
            return len(port.blocks()) - 1

        @staticmethod
        def exit() -> None:
            """End the calling thread: the same as raising SystemExit."""
            raise SystemExit

        @staticmethod
        def _set_sentinel() -> Lock:
            lock = allocate_lock()
            me = current()

            def release() -> None:
                if lock._owner is not None:
                    lock.release()

            me.ending = [*(me.ending or ()), release]
            return lock

        @staticmethod
        def start_joinable_thread(function: Any, handle: Any = None, daemon: bool = True) -> Any:
            """Start a thread that can be joined, and return its handle."""
            if not callable(function):
                raise TypeError("thread function must be callable")
            if handle is None:
                handle = ThreadHandle()
            elif not isinstance(handle, ThreadHandle):
                raise TypeError("'handle' must be a _ThreadHandle")
            sys.audit("_thread.start_joinable_thread", function, daemon, handle)
            if handle._block is not None:
                raise RuntimeError("thread already started")
            port.start(body(function, (), {}), bool(daemon), None, handle._take)
            return handle

        @staticmethod
        def _make_thread_handle(ident: int) -> ThreadHandle:
            handle = ThreadHandle()
            me = current()
            for block in [me, *port.blocks()]:
                if block.ident == ident:
                    handle._block = block
                    break
            return handle

        @staticmethod
        def _shutdown() -> None:
            """Wait for the end of every thread that is not a daemon."""
            try:
                join_others(port)
            except DeadlockError:
                raise
            except BaseException as error:  # noqa: BLE001 - as C does: it is told of, and the end goes on
                caller = sys._getframe(1)
                traceback = trim(error) or TracebackType(None, caller, caller.f_lasti, caller.f_lineno)
                _tell(error, traceback, None, None)

        @staticmethod
        def _get_main_thread_ident() -> int:
            return port.main.ident

        @staticmethod
        def set_name(name: str) -> None:
            """The kernel thread keeps its name: it carries others too."""

    for name, function in vars(Supplied).items():
        if isinstance(function, staticmethod) and hasattr(real, name):  # what this version has
            _dress(module, name, function)
    _dress(module, "allocate_lock", staticmethod(allocate_lock))
    for alias, name in ALIASES.items():
        setattr(module, alias, vars(module)[name])
    module.LockType = Lock
    module.RLock = RLock
    module._local = Local
    if hasattr(real, "lock"):
        module.lock = Lock
    if CHECKS_HANDLES:
        module._ThreadHandle = ThreadHandle
    return module  # type: ignore[no-any-return]


def _dress(module: Any, name: str, function: "staticmethod[Any, Any]") -> None:
    """Show a function as the module's own."""
    plain: Any = function.__func__
    plain.__module__ = "_thread"
    plain.__name__ = plain.__qualname__ = name
    setattr(module, name, staticmethod(plain if name == "get_ident" else guarded(plain)))


for _cls, _name in ((Lock, "lock"), (RLock, "RLock"), (Local, "_local"), (ThreadHandle, "_ThreadHandle")):
    _cls.__module__ = "_thread"
    _cls.__name__ = _cls.__qualname__ = _name
