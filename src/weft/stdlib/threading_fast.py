"""Faster versions of what is hot in CPython's `threading.py`, put into an executed copy of it.

The module itself is CPython's, executed over the supplied `_thread`; so its private names, its reprs and
its rarely used corners are the real ones. Replaced are the classes and functions that programs call in
their inner loops, with CPython's signatures, errors and texts: Condition, Semaphore, BoundedSemaphore,
Event, and of Thread the constructor, `start`, `join`, `is_alive` and the body.
"""

import sys
from _contextvars import copy_context  # contextvars leads to more
from functools import update_wrapper
from typing import Any

from weft.core.current import adopt, current, getcurrent
from weft.core.life import compiled, know
from weft.core.parking import WITHDRAWN, settle
from weft.core.places import transparent
from weft.core.thread import ControlBlock
from weft.core.tracebacks import brief, trim
from weft.host.guard import guarded
from weft.host.platform import CHECKS_HANDLES, INHERITS_CONTEXT, THREADS_HAVE_CONTEXTS
from weft.stdlib.condition import Condition
from weft.stdlib.event import Event
from weft.stdlib.locks import allocate_lock
from weft.stdlib.semaphore import BoundedSemaphore, Semaphore
from weft.stdlib.thread_module import ThreadHandle, ThreadPort, join_block, join_others, run_endings

__all__ = ["quicken_threading"]

for _cls in (Condition, Semaphore, BoundedSemaphore, Event):
    _cls.__module__ = "threading"


class Started(ThreadHandle):
    """A thread's `_handle` and `_started` in one: both are questions to its control block."""

    __slots__ = ("_set",)

    def __init__(self) -> None:
        self._block = None
        self._done = self._set = False

    @transparent
    def is_set(self) -> bool:
        return self._set

    def set(self) -> None:
        self._set = True

    def clear(self) -> None:
        self._set = False

    def wait(self, timeout: float | None = None) -> bool:
        return self._set

    def _at_fork_reinit(self) -> None:
        pass


@know
class Held(Started):
    """The same with what else a Thread knows: so the part in C need not fill its dictionary.

    Attributes:
        name: of the thread, or of its target while `number` is there: then nobody has asked for its name yet.
        kwargs: None if there are none and nobody has asked.
    """

    __slots__ = (
        "args",
        "context",
        "daemonic",
        "identity",
        "initialized",
        "kernel_id",
        "kwargs",
        "name",
        "number",
        "stderr",
        "target",
    )


#: The attributes of Thread that such a handle has.
HELD = (
    *("_target", "_args", "_kwargs", "_name", "_daemonic", "_ident", "_native_id", "_stderr", "_initialized"),
    *(("_context",) if THREADS_HAVE_CONTEXTS else ()),
)
#: Those that are the handle itself.
ITSELF = ("_started", "_os_thread_handle" if THREADS_HAVE_CONTEXTS else "_handle")[: 1 + CHECKS_HANDLES]
#: What `threading` starts a thread with; a test may put its own there.
STARTER = "_start_joinable_thread" if CHECKS_HANDLES else "_start_new_thread"


def quicken_threading(module: Any, port: ThreadPort) -> None:
    """Put the fast versions into an executed copy of CPython's `threading`."""
    module.Condition = Condition
    module.Semaphore = Semaphore
    module.BoundedSemaphore = BoundedSemaphore
    module.Event = Event
    _quicken_functions(module, port)
    _quicken_thread(module, port)


def _quicken_functions(module: Any, port: ThreadPort) -> None:
    slow_current = module.current_thread
    active = module._active

    @transparent
    def current_thread() -> Any:
        """Return the current Thread object, corresponding to the caller's thread of control.

        If the caller's thread of control was not created through the threading
        module, a dummy thread object with limited functionality is returned.
        """
        try:
            thread = getcurrent().block.thread  # type: ignore[attr-defined]
        except AttributeError:
            return slow_current()
        return slow_current() if thread is None else thread

    current_thread.__module__ = module.__name__
    current_thread.__qualname__ = "current_thread"
    module.current_thread = current_thread

    def remember(thread: Any) -> None:
        """Let the current block know its thread object (main and dummy threads make their own)."""
        block = getattr(getcurrent(), "block", None)
        if block is not None and active.get(block.ident) is thread:
            block.thread = thread

    for cls in (module._MainThread, module._DummyThread):
        _wrap_init(cls, remember)
    remember(module._main_thread)
    if CHECKS_HANDLES:
        return

    def _shutdown() -> None:
        """Wait until all non-daemon threads have ended."""
        main = module._main_thread
        if module._SHUTTING_DOWN:
            return
        module._SHUTTING_DOWN = True
        for call in reversed(module._threading_atexits):
            call()
        if main.ident == current().ident:
            _finish(main)
        join_others(port)

    module._shutdown = _shutdown


def _finish(thread: Any) -> None:
    """Mark the main thread's object as ended: whoever joins it goes on."""
    handle = thread.__dict__.get("_weft")
    if handle is not None and handle._block is not None:
        handle._set_done()
    thread._is_stopped = True


def _wrap_init(cls: Any, after: Any) -> None:
    init = cls.__init__

    def __init__(self: Any, *args: Any, **kwargs: Any) -> None:
        init(self, *args, **kwargs)
        after(self)

    cls.__init__ = __init__


def _quicken_thread(module: Any, port: ThreadPort) -> None:
    Thread = module.Thread  # noqa: N806 - a class
    active = module._active
    own_newname = module._newname
    slow_init = Thread.__init__
    slow_start = Thread.start
    shared_hook = module._make_invoke_excepthook()
    current_thread = module.current_thread
    real_starter = getattr(module, STARTER)
    own = module.__dict__
    part = compiled()
    new_handle = object.__new__  # a class with slots has its __init__ called the slow way
    handle_type = Started if part is None else Held
    plain_run = Thread.run

    def register(block: ControlBlock) -> None:
        thread = block.thread
        thread._weft._block = block
        thread._ident = ident = block.ident
        thread._native_id = block.carrier.native_id
        active[ident] = thread

    @transparent
    def body(block: ControlBlock) -> None:
        thread = block.thread
        try:
            if own["_trace_hook"] or own["_profile_hook"]:
                _set_hooks(own)
            try:
                plain = thread.run.__func__ is plain_run
            except AttributeError:
                plain = False
            if THREADS_HAVE_CONTEXTS and thread._context is not None:
                thread._context.run(thread.run)
            elif not plain:
                thread.run()
            else:  # the same without its frame, which each switch of the thread would pay for
                target = thread._target
                try:
                    if target is not None:
                        if thread._kwargs:
                            target(*thread._args, **thread._kwargs)
                        else:
                            target(*thread._args)
                finally:
                    del target, thread._target, thread._args, thread._kwargs
        except BaseException as error:  # noqa: BLE001 - the thread's excepthook is told of all
            trim(error)
            block.failure = brief(error)
            thread._invoke_excepthook(thread)
        finally:
            del active[block.ident]
            if block.ending is not None:
                run_endings(block)
            block.label = thread._name
            block.thread = None

    class Fast:
        """The methods; they are put into Thread itself, which main and dummy threads derive from."""

        def __init__(
            self: Any,
            group: None = None,
            target: Any = None,
            name: Any = None,
            args: Any = (),
            kwargs: Any = None,
            *,
            daemon: Any = None,
        ) -> None:
            assert group is None, "group argument must be None for now"
            if name:
                name = str(name)
            else:
                if own["_newname"] is own_newname:
                    name = f"Thread-{own['_counter']()}"
                else:
                    name = own["_newname"]("Thread-%d")
                if target is not None:
                    try:
                        name = f"{name} ({target.__name__})"
                    except AttributeError:
                        pass
            if daemon is None:
                try:
                    daemon = getcurrent().block.thread._daemonic  # type: ignore[attr-defined]
                except AttributeError:
                    daemon = current_thread().daemon
            self._weft = handle = new_handle(handle_type)  # before what it may hold
            handle._block = None
            handle._done = handle._set = False
            self._target = target
            self._name = name
            self._args = args
            self._kwargs = {} if kwargs is None else kwargs
            self._daemonic = daemon
            self._ident = self._native_id = None
            self._started = handle
            if CHECKS_HANDLES and not THREADS_HAVE_CONTEXTS:
                self._handle = handle
            self._initialized = True
            self._stderr = sys.stderr

        @transparent
        def start(self: Any) -> None:
            """Start the thread's activity.

            It must be called at most once per thread object. It arranges for the object's run() method to
            be invoked in a separate thread of control. Raises RuntimeError if called more than once.
            """
            try:
                handle = self._weft
            except AttributeError:
                raise RuntimeError("thread.__init__() not called") from None
            if handle._set:
                raise RuntimeError("threads can only be started once")
            if own[STARTER] is not real_starter:  # a test has put its own there
                return slow_start(self)  # type: ignore[no-any-return]
            handle._set = True
            if INHERITS_CONTEXT and self._context is None:
                self._context = copy_context()
            try:
                port.start(body, self._daemonic, self, register)
            except Exception:
                handle._set = False
                handle._block = None
                raise
            return None

        def join(self: Any, timeout: float | None = None) -> None:
            """Wait until the thread terminates, or until the optional timeout (seconds) occurs.

            Always returns None: call is_alive() afterwards to see whether a timeout happened. Raises
            RuntimeError for the current thread and for one that has not been started.
            """
            try:
                handle = self._weft
            except AttributeError:
                raise RuntimeError("Thread.__init__() not called") from None
            if not handle._set:
                raise RuntimeError("cannot join thread before it is started")
            block = handle._block
            if block is None or block.done or handle._done:
                if self is current_thread():
                    raise RuntimeError("cannot join current thread")
                return
            try:
                me = getcurrent().block  # type: ignore[attr-defined]
            except AttributeError:
                me = adopt()
            if me is block:
                raise RuntimeError("cannot join current thread")
            if timeout is not None:
                join_block(block, timeout)
                return
            if block.joiners is None:
                fresh: list[ControlBlock] = []
                if block.joiners is None:  # atomic
                    block.joiners = fresh
            me.on = block
            block.joiners.append(me)
            if block.done and block._withdraw(me):
                me.on = None
                return
            carrier = me.carrier
            me.since = carrier.now
            try:
                resume = carrier.pick()
            except IndexError:
                resume = carrier.idle()
            resume()
            me.on = None
            if me.alarm:
                alarm, me.alarm = me.alarm, 0
                settle(me, alarm)
                if alarm & WITHDRAWN:
                    self.join()

        @transparent
        def is_alive(self: Any) -> bool:
            """Return whether the thread is alive: from just before run() until just after it."""
            assert self._initialized, "Thread.__init__() not called"
            handle = self._weft
            return handle._set and not handle._done and handle._block is not None and not handle._block.done

        def _after_fork(self: Any, new_ident: int | None = None) -> None:
            handle = self._weft
            if new_ident is not None:
                self._ident = new_ident
                if handle._block is None:
                    handle._block = getcurrent().block  # type: ignore[attr-defined]
                handle._done = False
            elif handle._set:
                handle._done = True
                if not CHECKS_HANDLES:
                    self._is_stopped = True

    if THREADS_HAVE_CONTEXTS:
        Fast.__init__ = _with_context(Fast.__init__)  # type: ignore[method-assign]
    Fast.__init__.__doc__ = slow_init.__doc__
    for name, method in vars(Fast).items():
        if callable(method):
            method.__module__ = module.__name__
            method.__qualname__ = f"Thread.{name}"
            setattr(Thread, name, method if name == "__init__" else guarded(method))
    if part is not None:
        body = _compile(part, module, port, vars(Fast), body)
    Thread._invoke_excepthook = staticmethod(shared_hook)
    if not CHECKS_HANDLES:
        _mimic_sentinels(module)
    _adapt_special_threads(module, handle_type)


@transparent
def _failed(block: ControlBlock, thread: Any, error: BaseException) -> None:
    """An exception has left a thread whose body is in C."""
    try:
        raise error  # noqa: TRY301 - the excepthook asks for what is being handled
    except BaseException:  # noqa: BLE001 - and is told of all
        trim(error)
        block.failure = brief(error)
        thread._invoke_excepthook(thread)


def _compile(part: Any, module: Any, port: ThreadPort, slow: Any, body: Any) -> Any:
    """Give Thread its methods and fields in C; what these leave to Python is given. Returns its body in C."""
    Thread = module.Thread  # noqa: N806 - a class
    for name in (*HELD, *ITSELF):
        setattr(Thread, name, part.field(name))
    *methods, fast_body = part.methods(
        own=module.__dict__,
        active=module._active,
        thread=Thread,
        newname=module._newname,
        starter=STARTER,
        real_starter=getattr(module, STARTER),
        plain_run=Thread.run,
        port=port,
        slow_body=body,
        failed=_failed,
        endings=run_endings,
        slow_init=slow["__init__"],
        slow_start=slow["start"],
        slow_join=slow["join"],
    )
    for name, method in zip(("__init__", "start", "join"), methods, strict=True):
        if name == "start" and INHERITS_CONTEXT:
            continue  # which takes a copy each time
        method.__code__ = slow[name].__code__  # whoever looks for its frames finds those there are
        setattr(Thread, name, update_wrapper(method, slow[name]))
    return fast_body


def _with_context(init: Any) -> Any:
    """The constructor of 3.14, which may be given a context to run in; None: an empty one, as stacks have."""

    def __init__(
        self: Any,
        group: None = None,
        target: Any = None,
        name: Any = None,
        args: Any = (),
        kwargs: Any = None,
        *,
        daemon: Any = None,
        context: Any = None,
    ) -> None:
        init(self, group, target, name, args, kwargs, daemon=daemon)
        self._context = context
        self._os_thread_handle = self._weft

    return __init__


def _set_hooks(own: Any) -> None:
    """`threading.settrace` and `setprofile`: the new thread traces itself."""
    if own["_trace_hook"]:
        sys.settrace(own["_trace_hook"])
    if own["_profile_hook"]:
        sys.setprofile(own["_profile_hook"])


def _adapt_special_threads(module: Any, handle_type: Any) -> None:
    """The main thread object that exists already, and how main and dummy threads are made."""
    main = module._main_thread

    def take_block(thread: Any) -> None:
        handle = thread.__dict__.get("_weft")
        if handle is None:
            handle = thread.__dict__["_weft"] = handle_type()
        handle._set = True
        handle._block = getcurrent().block  # type: ignore[attr-defined]
        thread._started = handle
        if THREADS_HAVE_CONTEXTS:
            thread._os_thread_handle = handle
        elif CHECKS_HANDLES:
            thread._handle = handle
        thread._ident = handle._block.ident

    held = {name: vars(main).pop(name) for name in HELD if handle_type is Held and name in vars(main)}
    take_block(main)
    for name, value in held.items():
        setattr(main, name, value)
    for cls in (module._MainThread, module._DummyThread):
        _wrap_init(cls, take_block)


def _mimic_sentinels(module: Any) -> None:
    """The attributes of 3.11 and 3.12 that a thread's lock of its own used to stand behind."""
    Thread = module.Thread  # noqa: N806 - a class

    def get_lock(self: Any) -> Any:
        handle = self._weft
        block = handle._block
        if block is None or handle._done or block.done or self.__dict__.get("_is_stopped"):
            return None
        lock = self.__dict__.get("_weft_sentinel")
        if lock is None:
            lock = self.__dict__["_weft_sentinel"] = allocate_lock()
            lock._owner = block
            if not self._daemonic:
                module._shutdown_locks.add(lock)

            def release() -> None:
                module._shutdown_locks.discard(lock)
                if lock._owner is not None:
                    lock.release()

            block.ending = [*(block.ending or ()), release]
        return lock

    ended = Thread.is_alive

    @transparent
    def is_alive(self: Any) -> bool:
        sentinel = self.__dict__.get("_weft_sentinel")
        return ended(self) or (sentinel is not None and sentinel.locked())

    def set_lock(self: Any, lock: Any) -> None:
        pass

    def get_stopped(self: Any) -> bool:
        handle = self._weft
        return handle._done or (handle._block is not None and handle._block.done)

    def set_stopped(self: Any, stopped: bool) -> None:
        if stopped:
            self._weft._done = True

    def stop(self: Any) -> None:
        self._weft._done = True

    def wait_for(self: Any, block: bool = True, timeout: float = -1) -> None:
        target = self._weft._block
        if target is not None:
            join_block(target, (None if timeout < 0 else timeout) if block else 0)

    Thread._tstate_lock = property(get_lock, set_lock)
    Thread._is_stopped = property(get_stopped, set_stopped)
    is_alive.__doc__ = ended.__doc__
    Thread.is_alive = is_alive
    Thread._set_tstate_lock = lambda self: None
    Thread._stop = stop
    Thread._wait_for_tstate_lock = wait_for
    Thread._reset_internal_locks = lambda self, alive: self._after_fork(self._ident if alive else None)
    module._DummyThread._stop = lambda self: None
    module._DummyThread.is_alive = lambda self: True
