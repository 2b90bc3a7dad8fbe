"""Calls that cannot be polled: a kernel thread of the pool makes them while the user thread parks.

The kernel thread is a foreign one to weft: it is nobody's user thread, and what it waits for it waits for in
the kernel. Where nothing is gained by all this the call is made on the spot: on the kernel model, on a kernel
thread that is not the carrier, inside a garbage collection, and for weft's own replacements also while no
other user thread is there.
"""

from _contextvars import copy_context  # contextvars leads to more
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

from weft.core.current import current, getcurrent
from weft.core.parking import park, settle, wake
from weft.core.places import transparent
from weft.core.thread import ControlBlock
from weft.core.wait import WaitReason
from weft.host.guard import guarded
from weft.host.pool import Pool
from weft.stdlib.thread_module import run_endings

__all__ = [
    "end_of_kernel_thread",
    "name_of",
    "offload",
    "offload_if_others",
    "offloaded",
    "use_pool",
    "wrapper",
]

P = ParamSpec("P")
R = TypeVar("R")

_pool: Pool | None = None


def use_pool(pool: Pool | None) -> None:
    """Name the pool that makes the calls (the runtime's; None: they are made on the spot)."""
    global _pool
    _pool = pool


def name_of(function: Any) -> str:
    """What a function is called in reports: "module.qualified name", as far as it has them."""
    inner = getattr(function, "func", None)  # a partial
    if inner is not None and not hasattr(function, "__qualname__"):
        return name_of(inner)
    name = getattr(function, "__qualname__", None) or type(function).__qualname__
    module = getattr(function, "__module__", None)
    return name if module in (None, "builtins", "__main__") else f"{module}.{name}"


class _Call:
    """One call on its way; the thread that wants its result waits on it."""

    __slots__ = (
        "args",
        "block",
        "context",
        "done",
        "dropped",
        "error",
        "function",
        "kwargs",
        "name",
        "result",
    )

    def __init__(self, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        self.function: Any = function
        self.args: Any = args
        self.kwargs: Any = kwargs
        self.context: Any = copy_context()
        self.block: ControlBlock | None = None
        self.done = self.dropped = False
        self.result: Any = None
        self.error: BaseException | None = None
        self.name = function

    def __call__(self) -> None:
        """Make the call; on a kernel thread of the pool."""
        if self.dropped:
            return
        try:
            self.result = self.context.run(self.function, *self.args, **self.kwargs)
        except BaseException as error:  # noqa: BLE001 - it is the caller's, whatever it is
            self.error = _as_raised(error)
        self.function = self.args = self.kwargs = self.context = None
        self.done = True
        block, self.block = self.block, None  # atomic
        if block is not None:
            wake(block)

    def _withdraw(self, block: ControlBlock) -> bool:
        mine, self.block = self.block, None  # atomic
        return mine is not None

    def _explain(self, block: ControlBlock) -> tuple[WaitReason, object, ControlBlock | None]:
        return WaitReason.OFFLOAD, name_of(self.name), None


def _as_raised(error: BaseException) -> BaseException:
    """The exception, its traceback without the frame that caught it (and that would hold it)."""
    trace = error.__traceback__
    return error.with_traceback(trace.tb_next if trace is not None else None)


@guarded
def _wait(me: ControlBlock, call: _Call) -> Any:
    """Park until the call is over; signals are handled meanwhile, and if a handler raises, so does this."""
    while not call.done:
        me.on = call
        call.block = me
        if call.done and call._withdraw(me):
            me.on = None
            break
        alarm = park(me)
        if alarm:
            try:
                settle(me, alarm)
            except BaseException:
                call.dropped = True  # if it has not begun, nobody wants it any more
                raise
    error, call.error = call.error, None
    if error is None:
        return call.result
    try:
        raise error
    finally:
        del error  # else the traceback holds this frame, and the frame the exception


@transparent
def offload(function: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> R:
    """Make a call on a kernel thread of its own while only the calling thread waits for it.

    For what would stop all user threads: a driver written in C, a long computation that gives up the
    interpreter's lock, `flock`. The function sees the caller's context variables, but it is not the caller's
    thread: `threading.local` and `current_thread` are those of a kernel thread of the pool. On the kernel
    model, without a runtime, and inside another offloaded call the function is just called.

    Returns:
        What the function returned.

    Raises:
        BaseException: what the function raised, with its traceback.
        TypeError: the function cannot be called.
    """
    if not callable(function):
        raise TypeError(f"weft.offload takes a function and its arguments, not {function!r}")
    pool = _pool
    if pool is None:
        return function(*args, **kwargs)
    me = current()
    carrier = me.carrier
    if carrier.poller is None or carrier.collecting:
        return function(*args, **kwargs)
    call = _Call(function, args, kwargs)
    if not pool.submit(call):
        return function(*args, **kwargs)
    result: R = _wait(me, call)
    return result


@transparent
def offload_if_others(function: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> R:
    """As `offload`, but with nobody else there who could run meanwhile, the call is made on the spot."""
    here = getattr(getcurrent(), "block", None)
    if _pool is None or here is None or here.carrier.alone:
        return function(*args, **kwargs)
    return offload(function, *args, **kwargs)


def offloaded(function: Callable[P, R]) -> Callable[P, R]:
    """Decorate a function so that every call of it is offloaded; see `offload`.

    Raises:
        TypeError: it cannot be called, or calling it does not do its work (a class, a coroutine function).
    """
    why = unfit(function)
    if why is not None:
        raise TypeError(f"weft.offloaded takes a function that blocks; {name_of(function)} is {why}")
    made: Callable[P, R] = wrapper(function, offload)
    return made


COROUTINE, GENERATOR, ASYNC_GENERATOR = 0x80, 0x20, 0x200  # bits of co_flags


def unfit(function: Any) -> str | None:
    """Why there is no sense in offloading the calls of something; None if there is."""
    if not callable(function):
        return f"no function but {function!r}"
    if isinstance(function, type):
        return "a class: name a function or a method of it, such as __init__"
    flags = getattr(getattr(function, "__code__", None), "co_flags", 0)
    if flags & (COROUTINE | ASYNC_GENERATOR):
        return "a coroutine function: its work is done by an event loop, not by the call"
    if flags & GENERATOR:
        return "a generator function: its work is done by whoever takes the items, not by the call"
    return None


def wrapper(function: Any, how: Callable[..., Any]) -> Any:
    """A function that makes the calls of another one by way of `how`, and looks like it."""

    @transparent
    def call(*args: Any, **kwargs: Any) -> Any:
        return how(function, *args, **kwargs)

    for name in ("__module__", "__name__", "__qualname__", "__doc__"):
        try:
            setattr(call, name, getattr(function, name))
        except (AttributeError, TypeError):
            pass  # a callable without a name of its own
    call.__dict__.update(getattr(function, "__dict__", {}))
    call.__wrapped__ = function  # type: ignore[attr-defined]
    return call


def end_of_kernel_thread() -> None:
    """A kernel thread of the pool ends: what its calls have left in thread-locals goes."""
    block = getattr(getcurrent(), "block", None)
    if block is not None:
        run_endings(block)
        block.done = True
