"""`weft.futures.UserExecutor`: a pool that has as many threads as it has calls that wait.

A call is put into one line; that is all `submit` does while somebody is *coming*: a worker that has been
started or woken and has not looked yet. A worker that takes a call while more stand in the line first sees to
it that another is coming, since its own call may wait. So a call that waits never holds up the next one,
and calls that do not wait are made one after another by one thread, without a switch and without a
start. With a limit on threads, calls past it wait their turn.

Nothing here has a lock: flags and lines change in atomic segments (weft.core.parking).

`_calls.c` has the fields of the futures and the ordinary case of `submit`, at a third of the cost. It is
there if weft was installed where a C compiler is, and on builds with the interpreter's lock, which guards it.
"""

from collections import deque
from functools import partial, update_wrapper
from math import inf
from typing import Any
from weakref import ref

from weft.config import wants_pure
from weft.core.current import current
from weft.core.parking import park, settle, wake
from weft.core.places import transparent
from weft.core.thread import ControlBlock
from weft.core.tracebacks import trim
from weft.core.wait import WaitReason
from weft.host.guard import GUARDED, cover, guarded, outside
from weft.stdlib.futures_fast import FINISHED, PENDING, RUNNING

__all__ = ["COMPILED", "make_user_executor"]

try:
    from weft.stdlib import _calls
except ImportError:
    _calls = None  # type: ignore[assignment]

REVISION = 1  # `_calls.c` has the same
#: Whether the version in C is there, and was compiled from the source that belongs to this one.
COMPILED = _calls is not None and getattr(_calls, "REVISION", 0) == REVISION

KEPT = 64  # threads that stay to wait for calls; what more there are end when their calls are made
FIELDS = ("_state", "_result", "_exception", "_lazy_condition", "_parked", "_callbacks", "fn", "args")
OPEN, SHUT, BROKEN, LEAVING = None, "shut", "broken", "leaving"
REFUSALS = {
    SHUT: "cannot schedule new futures after shutdown",
    LEAVING: "cannot schedule new futures after interpreter shutdown",
    BROKEN: "A thread initializer failed, the thread pool is not usable anymore",
}


class _Crew:
    """The threads of one pool and the line of its calls; it lives as long as either has work.

    Attributes:
        items: the calls that nobody has taken.
        idle: the blocks of workers that wait for one.
        coming: whether a worker is on its way that has not looked at `items` yet.
        closed: why no more calls are taken, or None.
        count: how many workers there are, or are about to be.
    """

    __slots__ = (
        "__weakref__",
        "closed",
        "coming",
        "count",
        "idle",
        "items",
        "limit",
        "made",
        "owner",
        "prefix",
        "start",
        "threads",
    )

    def __init__(self, limit: float, prefix: str) -> None:
        self.items: deque[Any] = deque()
        self.idle: deque[ControlBlock] = deque()
        self.coming = False
        self.closed: str | None = OPEN
        self.count = self.made = 0
        self.limit = limit
        self.prefix = prefix
        self.threads: set[Any] = set()
        self.start: Any = None  # starts a worker of this crew
        self.owner: Any = None  # a weak reference to the executor, that closes the crew when it goes

    def __repr__(self) -> str:
        return f"<the pool {self.prefix}: {self.count} threads, {len(self.items)} calls to be made>"

    def call(self) -> bool:
        """Have a worker come; the caller has set `coming`. If all are busy, they look when they are done.

        Returns:
            False if there is no worker and none can be started.
        """
        while True:
            while self.idle:
                try:
                    block = self.idle.pop()  # who waited last has the warmest stack
                except IndexError:
                    break
                wake(block)
                return True
            works = True
            if self.count < self.limit:  # atomic with the store
                self.count += 1
                works = self.start()
                if works:
                    return True
            self.coming = False
            if not (self.items and self.idle):  # somebody went idle while another trusted in our call
                return works or self.count > 0
            self.coming = True

    def close(self, why: str) -> None:
        """Take no more calls; workers end when the line is empty."""
        if self.closed is OPEN or why is BROKEN:
            self.closed = why
        while self.idle:
            try:
                block = self.idle.pop()
            except IndexError:
                return
            wake(block)

    def put(self, item: None) -> None:
        """What the exit of `concurrent.futures` does to the queue of each pool."""
        self.close(LEAVING)

    def cancel(self) -> None:
        """Cancel the calls that nobody has taken."""
        while self.items:
            try:
                task = self.items.popleft()
            except IndexError:
                return
            if task.cancel() or task.cancelled():
                task.set_running_or_notify_cancel()  # who waits for several futures counts it from here on

    def fail(self, error: BaseException) -> None:
        """Give an error to the calls that nobody has taken."""
        while self.items:
            try:
                task = self.items.popleft()
            except IndexError:
                return
            task.set_exception(error)

    def _withdraw(self, block: ControlBlock) -> bool:
        try:
            self.idle.remove(block)
        except ValueError:
            return False
        return True

    def _explain(self, block: ControlBlock) -> tuple[WaitReason, object, ControlBlock | None]:
        return WaitReason.QUEUE_GET, self, None


def _rest(crew: _Crew, me: ControlBlock) -> bool:
    """Wait until there may be calls again; False if this worker is to end.

    Raises:
        BaseException: what was thrown at the thread from outside.
    """
    if crew.closed is not OPEN or len(crew.idle) >= KEPT:
        crew.count -= 1
        if not crew.items:  # who comes with a call from here on starts a worker
            return False
        crew.count += 1
        return True
    me.on = crew
    crew.idle.append(me)
    if (crew.items or crew.closed is not OPEN) and crew._withdraw(me):
        me.on = None
        return True
    alarm = park(me)
    if alarm:
        settle(me, alarm)
    return True


@guarded
@transparent
def _work(crew: _Crew) -> None:
    """Make calls until there are none and no more to come."""
    items = crew.items
    me = current()
    while True:
        crew.coming = False
        while True:
            if not items:
                break
            try:
                task = items.popleft()
            except IndexError:
                continue
            if items and not crew.coming:  # atomic with the store
                crew.coming = True
                crew.call()
            if task._lazy_condition is None and task._state is PENDING:  # atomic with the store
                task._state = RUNNING
            elif not task.set_running_or_notify_cancel():
                del task
                continue
            try:
                result = task.fn(*task.args)
            except BaseException as error:  # noqa: BLE001 - it belongs to who asks for the result
                task.fn = task.args = None
                if error.__traceback__ is not None and error.__traceback__.tb_next is not None:
                    error.__traceback__ = error.__traceback__.tb_next
                task.set_exception(error)
                del task
                continue
            task.fn = task.args = None
            if task._lazy_condition is None and task._callbacks is None:  # atomic with the stores
                task._result = result
                task._state = FINISHED
                if task._parked is not None:
                    task._wake_parked()
            else:
                task.set_result(result)
            del task, result
        if not _rest(crew, me):
            return


def _make_task(*bases: Any) -> Any:
    """The class of the futures that the pool gives: future and call in one."""
    Future = bases[0]  # noqa: N806 - a class

    class Task(*bases):  # type: ignore[misc]
        def __init__(self, fn: Any, args: Any) -> None:
            self._state = PENDING
            self._result = self._exception = self._lazy_condition = self._parked = self._callbacks = None
            self.fn = fn
            self.args = args

        def __getstate__(self) -> dict[str, Any]:  # for `copy`; what is in a struct it does not find
            state = {name: getattr(self, name) for name in FIELDS if hasattr(self, name)}
            return {**self.__dict__, **state}

        def __setstate__(self, state: dict[str, Any]) -> None:
            for name, value in state.items():
                setattr(self, name, value)

    Task.__init__.__doc__ = Future.__init__.__doc__
    Task.__module__, Task.__name__, Task.__qualname__ = Future.__module__, Future.__name__, Future.__name__
    Task.__doc__ = Future.__doc__
    return Task


def make_user_executor(module: Any, threading: Any) -> Any:
    """The class UserExecutor over an executed `concurrent.futures.thread` and its `threading`."""
    base: Any = module._base
    own = module.__dict__
    compiled = COMPILED and not wants_pure() and not GUARDED
    Task = _make_task(base.Future, *([_calls.Call] if compiled else []))  # noqa: N806 - a class

    class UserExecutor(base.Executor):  # type: ignore[misc]
        """An executor with a thread, of the model in force, for each call that waits.

        Args:
            max_workers: the most threads; None: as many as there are calls.
            thread_name_prefix: what the names of its threads begin with.
            initializer: called by each thread before its first call; if it raises, the pool is broken.
            initargs: its arguments.
        """

        _numbers = iter(range(1 << 62)).__next__

        def __init__(
            self,
            max_workers: int | None = None,
            thread_name_prefix: str = "",
            initializer: Any = None,
            initargs: tuple[Any, ...] = (),
        ) -> None:
            if max_workers is not None and max_workers <= 0:
                raise ValueError("max_workers must be greater than 0")
            if initializer is not None and not callable(initializer):
                raise TypeError("initializer must be a callable")
            prefix = thread_name_prefix or f"UserExecutor-{UserExecutor._numbers()}"
            self._crew = crew = _Crew(inf if max_workers is None else max_workers, prefix)
            crew.start = partial(_start, ref(crew), initializer, initargs)
            crew.owner = ref(self, lambda _: crew.close(SHUT))

        def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Any:
            """Have a thread call `fn(*args, **kwargs)`; the result is its Future.

            Raises:
                RuntimeError: the pool is shut down, or its initializer failed (BrokenExecutor).
            """
            crew = self._crew
            if GUARDED:
                fn = outside(fn)
            task = Task(partial(fn, **kwargs) if kwargs and callable(fn) else fn, args)
            if crew.closed is not OPEN:  # a call that passes here as that is stored is still made
                raise _refusal(crew.closed)
            crew.items.append(task)
            if not crew.coming:  # atomic with the store
                crew.coming = True
                if not crew.call():
                    task.cancel()
                    raise RuntimeError(REFUSALS[LEAVING] if own["_shutdown"] else "can't start new thread")
            return task

        def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
            """Take no more calls; with `wait`, return when all that were taken have been made.

            Args:
                wait: whether to wait for them.
                cancel_futures: whether to cancel those that no thread has begun.
            """
            crew = self._crew
            crew.close(SHUT)
            if cancel_futures:
                crew.cancel()
            while wait and crew.threads:
                for thread in list(crew.threads):
                    thread.join()

    def _refusal(why: str) -> Any:
        kind = module.BrokenThreadPool if why is BROKEN else RuntimeError
        return kind(REFUSALS[why])

    def _start(crew_reference: Any, initializer: Any, initargs: Any) -> bool:
        crew = crew_reference()
        if crew.count == 1 and own["_shutdown"]:
            crew.count = 0
            return False
        crew.made += 1
        thread = threading.Thread(
            name=f"{crew.prefix}_{crew.made - 1}", target=_live, args=(crew, initializer, initargs)
        )
        crew.threads.add(thread)
        own["_threads_queues"][thread] = crew  # the exit of concurrent.futures closes and joins what is here
        try:
            thread.start()
        except RuntimeError:
            crew.threads.discard(thread)
            own["_threads_queues"].pop(thread, None)
            crew.count -= 1
            return False
        return True

    @transparent
    def _live(crew: _Crew, initializer: Any, initargs: Any) -> None:
        """What each thread of the pool runs."""
        try:
            if initializer is not None:
                try:
                    initializer(*initargs)
                except BaseException as error:
                    trim(error)
                    base.LOGGER.critical("Exception in initializer:", exc_info=True)
                    crew.close(BROKEN)
                    crew.fail(_refusal(BROKEN))
                    crew.count -= 1
                    return
            _work(crew)
        except BaseException:  # thrown at the thread from outside
            base.LOGGER.critical("Exception in worker", exc_info=True)
            crew.count -= 1
            if crew.items:
                crew.call()
        finally:
            crew.threads.discard(threading.current_thread())

    if compiled:
        slow = UserExecutor.submit
        UserExecutor.submit = update_wrapper(  # type: ignore[method-assign]
            _calls.Submit(slow, Task, _Crew, PENDING), slow
        )
    cover(UserExecutor)
    UserExecutor.__module__ = "weft.futures"
    UserExecutor.__qualname__ = "UserExecutor"
    return UserExecutor
