"""Faster versions of what is hot in `concurrent.futures`: Future, and ThreadPoolExecutor's submit and worker.

A future makes its condition only when somebody asks for `_condition` (as `wait` and `as_completed` do);
until then its state changes in atomic segments, and threads in `result()` wait on the future itself.
A pool that has all its workers takes work in one atomic segment: flags checked, item appended. All else,
and every state that is out of the ordinary, goes CPython's own way.

3.14 reworked its workers; there the pool is CPython's and only Future is quickened.
"""

from collections import deque
from typing import Any

from weft.core.current import adopt, getcurrent
from weft.core.parking import TIMEOUT, WITHDRAWN, park, send_back, settle, wake
from weft.core.places import transparent
from weft.core.thread import ControlBlock
from weft.core.tracebacks import trim
from weft.core.wait import WaitReason
from weft.host.guard import GUARDED, guarded
from weft.host.platform import VERSION, deadline_after, monotonic
from weft.stdlib.condition import Condition
from weft.stdlib.sleep import sleep

__all__ = ["FINISHED", "PENDING", "RUNNING", "quicken_futures", "quicken_pool"]

PENDING, RUNNING, FINISHED = "PENDING", "RUNNING", "FINISHED"
CANCELLED = frozenset({"CANCELLED", "CANCELLED_AND_NOTIFIED"})
OVER = CANCELLED | {FINISHED}


def quicken_futures(module: Any, port: Any) -> None:
    """Put the fast methods into the Future of an executed `concurrent.futures._base`."""
    Future = module.Future  # noqa: N806 - a class
    slow = {name: getattr(Future, name) for name in ("cancel", "set_running_or_notify_cancel")}
    slow_set = {"result": Future.set_result, "exception": Future.set_exception}

    class Fast:
        """The methods; they are put into Future itself, so that there is one class."""

        def __init__(self: Any) -> None:
            """Initializes the future. Should not be called by clients."""
            self._state = PENDING
            self._result = self._exception = self._lazy_condition = self._parked = self._callbacks = None

        def _get_condition(self: Any) -> Condition:
            condition: Condition | None = self._lazy_condition
            if condition is None:
                fresh = Condition()
                if self._lazy_condition is None:  # atomic
                    self._lazy_condition = fresh
                condition = self._lazy_condition
                while self._parked:  # from now on the condition is what threads wait on
                    try:
                        block = self._parked.popleft()
                    except IndexError:
                        break
                    send_back(block)
            return condition

        def _set_condition(self: Any, condition: Any) -> None:
            self._lazy_condition = condition

        def _get_callbacks(self: Any) -> list[Any]:
            if self._callbacks is None:
                fresh: list[Any] = []
                if self._callbacks is None:  # atomic
                    self._callbacks = fresh
            return self._callbacks  # type: ignore[no-any-return]

        def _set_callbacks(self: Any, callbacks: Any) -> None:
            self._callbacks = callbacks

        def _get_waiters(self: Any) -> list[Any]:
            waiters: list[Any] = self.__dict__.setdefault("_weft_waiters", [])
            return waiters

        def _set_waiters(self: Any, waiters: Any) -> None:
            self.__dict__["_weft_waiters"] = waiters

        def _wake_parked(self: Any) -> None:
            parked = self._parked
            while parked:
                try:
                    block = parked.popleft()
                except IndexError:
                    return
                wake(block)

        def set_result(self: Any, result: Any) -> None:
            """Sets the return value of work associated with the future (for executors and tests)."""
            if self._lazy_condition is None and self._state not in OVER:  # atomic with the stores
                self._result = result
                self._state = FINISHED
                if self._callbacks:
                    self._wake_parked()
                    self._invoke_callbacks()
                elif self._parked:
                    self._wake_parked()
                return
            slow_set["result"](self, result)
            self._wake_parked()

        def set_exception(self: Any, exception: BaseException) -> None:
            """Sets the result of the future as being the given exception (for executors and tests)."""
            if self._lazy_condition is None and self._state not in OVER:  # atomic with the stores
                self._exception = exception
                self._state = FINISHED
                self._wake_parked()
                if self._callbacks:
                    self._invoke_callbacks()
                return
            slow_set["exception"](self, exception)
            self._wake_parked()

        def set_running_or_notify_cancel(self: Any) -> bool:
            """Mark the future as running; False if it has been cancelled (for executors and tests)."""
            if self._lazy_condition is None and self._state is PENDING:  # atomic with the store
                self._state = RUNNING
                return True
            return slow["set_running_or_notify_cancel"](self)  # type: ignore[no-any-return]

        def cancel(self: Any) -> bool:
            """Cancel the future if possible; False if it is running or done."""
            done: bool = slow["cancel"](self)
            if done:
                self._wake_parked()
            return done

        @transparent
        def cancelled(self: Any) -> bool:
            """Return True if the future was cancelled."""
            return self._state in CANCELLED

        @transparent
        def running(self: Any) -> bool:
            """Return True if the future is currently executing."""
            return bool(self._state == RUNNING)

        @transparent
        def done(self: Any) -> bool:
            """Return True if the future was cancelled or finished executing."""
            return self._state in OVER

        def _await_end(self: Any, timeout: float | None) -> None:
            """Return when the future is over.

            Raises:
                TimeoutError: it is not in time.
            """
            deadline = None if timeout is None else deadline_after(timeout)
            while self._state not in OVER:
                if timeout is not None and timeout <= 0:
                    raise module.TimeoutError
                condition = self._lazy_condition
                if condition is not None:
                    with condition:
                        if self._state not in OVER:
                            left = None if deadline is None else deadline - monotonic()
                            if not condition.wait(left) and self._state not in OVER:
                                raise module.TimeoutError
                    return
                try:
                    me = getcurrent().block  # type: ignore[attr-defined]
                except AttributeError:
                    me = adopt()
                if self._parked is None:
                    fresh: deque[ControlBlock] = deque()
                    if self._parked is None:  # atomic
                        self._parked = fresh
                me.on = self
                self._parked.append(me)
                if (self._state in OVER or self._lazy_condition is not None) and self._withdraw(me):
                    me.on = None
                    continue
                alarm = park(me, deadline)
                settle(me, alarm)
                if alarm & TIMEOUT and alarm & WITHDRAWN and self._state not in OVER:
                    raise module.TimeoutError

        def result(self: Any, timeout: float | None = None) -> Any:
            """Return the result of the call that the future represents, waiting at most `timeout` seconds.

            Raises:
                CancelledError: If the future was cancelled.
                TimeoutError: If the future didn't finish executing before the given timeout.
                Exception: If the call raised then that exception will be raised.
            """
            try:
                if self._state != FINISHED:
                    self._await_end(timeout)
                    if self._state in CANCELLED:
                        raise module.CancelledError
                if self._exception is not None:
                    raise self._exception
                return self._result
            finally:
                self = None  # noqa: PLW0642 - breaks a reference cycle with the exception

        def exception(self: Any, timeout: float | None = None) -> Any:
            """Return the exception raised by the call that the future represents, or None.

            Raises:
                CancelledError: If the future was cancelled.
                TimeoutError: If the future didn't finish executing before the given timeout.
            """
            self._await_end(timeout)
            if self._state in CANCELLED:
                raise module.CancelledError
            return self._exception

        def add_done_callback(self: Any, fn: Any) -> None:
            """Attaches a callable that will be called, with the future, when the future is over.

            If it is over already, the callable is called at once. Callables are called in the order in
            which they were added, by a thread of this process.
            """
            callbacks, more = self._done_callbacks, (fn,)
            if self._state not in OVER:  # atomic with the next line, which calls nothing
                callbacks += more
                return
            try:
                fn(self)
            except Exception:
                module.LOGGER.exception("exception calling callback for %r", self)

        def _withdraw(self: Any, block: ControlBlock) -> bool:
            try:
                self._parked.remove(block)
            except (ValueError, AttributeError):
                return False
            return True

        def _explain(self: Any, block: ControlBlock) -> tuple[WaitReason, object, ControlBlock | None]:
            return WaitReason.FUTURE, self, None

    for name, method in vars(Fast).items():
        if callable(method):
            method.__module__ = module.__name__
            method.__qualname__ = f"Future.{name}"
            setattr(Future, name, guarded(method) if name not in ("_withdraw", "_explain") else method)
    Future._condition = property(Fast._get_condition, Fast._set_condition)
    Future._done_callbacks = property(Fast._get_callbacks, Fast._set_callbacks)
    Future._waiters = property(Fast._get_waiters, Fast._set_waiters)


class _Work:
    """A call that waits for a worker; as `concurrent.futures.thread._WorkItem`."""

    __slots__ = ("args", "fn", "future", "kwargs")

    def __init__(self, future: Any, fn: Any, args: Any, kwargs: Any) -> None:
        self.future = future
        self.fn = fn
        self.args = args
        self.kwargs = kwargs

    @transparent
    def run(self) -> None:
        """Make the call and give its outcome to the future."""
        future = self.future
        if not future.set_running_or_notify_cancel():
            return
        try:
            result = self.fn(*self.args, **self.kwargs)
        except BaseException as error:  # noqa: BLE001 - it belongs to whoever asks for the result
            future.set_exception(error)
            future = self = None  # type: ignore[assignment]  # noqa: PLW0642 - breaks a cycle
        else:
            future.set_result(result)


def _make_task(Future: Any) -> Any:  # noqa: N803 - a class
    """The class of the futures that a pool of ours gives: future and work item in one."""

    class Task(Future):  # type: ignore[misc]
        def __init__(self, fn: Any, args: Any, kwargs: Any) -> None:
            self._state = PENDING
            self._result = self._exception = self._lazy_condition = self._parked = self._callbacks = None
            self.fn = fn
            self.args = args
            self.kwargs = kwargs

        @property
        def future(self) -> Any:
            """What CPython's pool asks a work item for, when it cancels or fails those that wait."""
            return self

        @transparent
        def run(self) -> None:
            """What a worker that is not ours asks of a work item; ours has it written out."""
            fn, args, kwargs = self.fn, self.args, self.kwargs
            self.fn = self.args = self.kwargs = None
            _Work(self, fn, args, kwargs or {}).run()

    Task.__init__.__doc__ = Future.__init__.__doc__
    Task.__module__ = Future.__module__
    Task.__name__ = Task.__qualname__ = Future.__name__
    Task.__doc__ = Future.__doc__
    return Task


def quicken_pool(module: Any, port: Any) -> None:
    """Put the fast submit and worker into an executed `concurrent.futures.thread`."""
    if VERSION >= (3, 14) or GUARDED:  # whose worker calls the program's code in the middle of its own
        return
    own = module.__dict__
    Executor = module.ThreadPoolExecutor  # noqa: N806 - a class
    slow_submit = Executor.submit
    Task = _make_task(module._base.Future)  # noqa: N806 - a class

    def submit(self: Any, fn: Any, /, *args: Any, **kwargs: Any) -> Any:
        if len(self._threads) < self._max_workers:
            before = len(self._threads)
            future = slow_submit(self, fn, *args, **kwargs)
            if len(self._threads) > before:
                sleep(0)  # a new worker gets its turn at once, as a kernel thread would
            return future
        task = Task(fn, args, kwargs or None)
        queue = self._work_queue
        if self._shutdown or self._broken or own["_shutdown"]:
            return slow_submit(self, fn, *args, **kwargs)
        if not queue._getters:
            queue._items.append(task)
            if queue._getters:
                queue._pair()
        else:
            queue.put(task)
        if self._shutdown or self._broken or own["_shutdown"]:  # meanwhile: does it lie there for ever?
            try:
                queue._items.remove(task)
            except ValueError:
                return task
            return slow_submit(self, fn, *args, **kwargs)
        return task

    submit.__doc__ = slow_submit.__doc__
    submit.__module__ = module.__name__
    submit.__qualname__ = "ThreadPoolExecutor.submit"
    Executor.submit = submit
    module._worker = _make_worker(module, Task)
    module._WorkItem = _Work
    _Work.__module__ = module.__name__


def _make_worker(module: Any, Task: Any) -> Any:  # noqa: N803 - a class
    """What each thread of a pool runs."""
    own = module.__dict__

    @transparent
    def _worker(executor_reference: Any, work_queue: Any, initializer: Any, initargs: Any) -> None:
        if initializer is not None:
            try:
                initializer(*initargs)
            except BaseException as error:
                trim(error)
                module._base.LOGGER.critical("Exception in initializer:", exc_info=True)
                executor = executor_reference()
                if executor is not None:
                    executor._initializer_failed()
                return
        items = work_queue._items
        try:
            while True:
                if items:
                    try:
                        work = items.popleft()
                    except IndexError:
                        continue
                else:
                    executor = executor_reference()
                    if executor is not None:
                        executor._idle_semaphore.release()
                    del executor
                    work = work_queue.get()
                if work.__class__ is Task:
                    if work._lazy_condition is None and work._state is PENDING:  # atomic with the store
                        work._state = RUNNING
                    elif not work.set_running_or_notify_cancel():
                        del work
                        continue
                    try:
                        if work.kwargs is None:
                            result = work.fn(*work.args)
                        else:
                            result = work.fn(*work.args, **work.kwargs)
                    except BaseException as error:  # noqa: BLE001 - it belongs to who asks for the result
                        work.fn = work.args = work.kwargs = None
                        if error.__traceback__ is not None and error.__traceback__.tb_next is not None:
                            error.__traceback__ = error.__traceback__.tb_next
                        work.set_exception(error)
                    else:
                        work.fn = work.args = work.kwargs = None
                        if (  # atomic with the stores
                            work._lazy_condition is None
                            and work._callbacks is None
                            and work._state is RUNNING
                        ):
                            work._result = result
                            work._state = FINISHED
                            if work._parked is not None:
                                work._wake_parked()
                        else:
                            work.set_result(result)
                        del result
                    del work
                    continue
                if work is not None:
                    work.run()
                    del work
                    continue
                executor = executor_reference()
                if own["_shutdown"] or executor is None or executor._shutdown:
                    if executor is not None:
                        executor._shutdown = True
                    work_queue.put(None)
                    return
                del executor
        except BaseException:
            module._base.LOGGER.critical("Exception in worker", exc_info=True)

    _worker.__module__ = module.__name__
    _worker.__qualname__ = "_worker"
    return _worker
