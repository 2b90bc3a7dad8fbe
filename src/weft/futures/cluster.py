"""ClusterExecutor: calls made by the workers of a Dask cluster, under futures of the program's own.

Without an address the cluster is one of processes of this machine. `distributed` runs an event loop on a
thread of the model in force, and two threads of this pool stand beside: what arrives is only noted in the
loop, and a thread of ours unpacks it and calls the program's callbacks, so that those may wait. What is sent
is plain bytes and one function by value: the workers of a cluster need not have weft.
"""

import asyncio
import importlib
import logging
import os
import traceback
from contextlib import suppress
from functools import partial
from io import BytesIO
from types import CodeType, MethodType
from typing import Any
from weakref import ref

from weft.errors import WeftError
from weft.futures.relay import RemoteTraceback, map_in_chunks, unsendable
from weft.stdlib.supplied import Home

__all__ = ["make"]

MISSING = "ClusterExecutor needs Dask's `distributed`, which is not installed: pip install 'weft[cluster]'"
LEAVE = "leave"
UNNAMED = "<dynamic-code>"  # what cloudpickle puts in place of the name of a file
TO_CLOSE = 2.0  # seconds for a client that could not connect


def load() -> Any:
    """`distributed`, or an error that says how to get it."""
    try:
        return importlib.import_module("distributed")
    except ImportError as error:
        raise WeftError(f"{MISSING} ({error})") from error


def abandon(client: Any) -> None:
    """Close a client that could not connect.

    Left to the garbage collector it would be closed by whichever thread that happens to run on, perhaps the
    one that the next client waits for.
    """
    with suppress(Exception):  # it is of no use anyway
        client.close(timeout=TO_CLOSE)
    client.status = "closed"


def make_dumps(pickler: Any) -> Any:
    """The `dumps` of cloudpickle, which would send weft's `time.sleep` by value, and from 3.1.3 on code
    without the name of its file: a traceback would show no lines.
    """

    class Pickler(pickler.Pickler):  # type: ignore[misc]
        def reducer_override(self, thing: Any) -> Any:
            if type(thing) is MethodType and type(thing.__self__) is Home:
                return getattr, (thing.__self__, thing.__name__)
            if type(thing) is CodeType and CodeType in self.dispatch_table:
                make, parts = self.dispatch_table[CodeType](thing)
                return make, tuple(thing.co_filename if part == UNNAMED else part for part in parts)
            return super().reducer_override(thing)

    def dumps(thing: Any) -> bytes:
        file = BytesIO()
        Pickler(file).dump(thing)
        return file.getvalue()

    return dumps


def remote(distributed: Any, pickler: Any) -> tuple[Any, Any, Any]:
    """What runs on the workers: a call, the calls of a chunk, and a plug-in that calls an initializer.

    They are made inside a function so that they travel by value.
    """

    def show(error: BaseException) -> str:
        trace = error.__traceback__
        shown = trace.tb_next if trace is not None else None  # without the frame that caught it
        return "".join(traceback.format_exception(type(error), error, shown))

    def packed(worked: bool, value: Any, text: str) -> bytes:
        try:
            made: bytes = pickler.dumps((worked, value, text))
            if not worked:
                pickler.loads(made)
            return made
        except Exception as error:  # noqa: BLE001 - whatever pickling runs into is told
            what = "result" if worked else f"exception, {type(value).__qualname__}: {value},"
            why = TypeError(f"the call's {what} cannot be sent back: {error}")
            return pickler.dumps((False, why, text or show(error)))  # type: ignore[no-any-return]

    def call(payload: bytes, topic: str, number: int) -> bytes:
        worker = distributed.get_worker()
        worker.log_event(topic, [number, worker.address])
        try:
            fn, args, kwargs = pickler.loads(payload)
            return packed(True, fn(*args, **kwargs), "")
        except BaseException as error:  # noqa: BLE001 - it belongs to who asks for the result
            return packed(False, error, show(error))

    def run_chunk(fn: Any, chunk: Any) -> list[Any]:
        return [fn(*args) for args in chunk]

    class Initializer(distributed.WorkerPlugin):  # type: ignore[misc]
        def __init__(self, payload: bytes) -> None:
            self.payload = payload

        def setup(self, worker: Any) -> None:
            initializer, initargs = pickler.loads(self.payload)
            initializer(*initargs)

    return call, run_chunk, Initializer


class _Link:
    """The connection to a cluster, with the calls that are on it; its thread ends when it is closed.

    Attributes:
        calls: number of a call: the program's future and distributed's. Changed by atomic operations.
        inbox: what the loop has noted: (kind, number, value).
    """

    def __init__(self, parts: Any, address: str | None, max_workers: int | None, timeout: float) -> None:
        self.parts = parts
        self.calls: dict[int, tuple[Any, Any]] = {}
        self.made = 0
        self.inbox = parts.queue.SimpleQueue()
        self.closed: str | None = None
        self.owner: Any = None
        self.at: dict[int, str] = {}  # number of a call that has begun: the address of its worker
        self.embedded = address is None
        self.cluster = self._start(max_workers) if address is None else None
        try:
            self.client = self._connect(address, timeout)
        except BaseException:
            if self.cluster is not None:
                self.cluster.close()
            raise
        self.topic = f"weft-{self.client.id}"
        self.client.subscribe_topic(self.topic, self._begun)
        self.thread = parts.threading.Thread(target=self._deliver, name="ClusterExecutor")
        # The exit of concurrent.futures tells what is listed here to end (`put`), and waits for it.
        parts.pools._threads_queues[self.thread] = self
        self.thread.start()

    def _start(self, max_workers: int | None) -> Any:
        try:
            return self.parts.distributed.LocalCluster(
                n_workers=max_workers or os.cpu_count() or 1,
                threads_per_worker=1,
                processes=True,
                host="127.0.0.1",
                dashboard_address=None,
                worker_dashboard_address=None,
                silence_logs=logging.CRITICAL,
                scheduler_kwargs={"allowed_failures": 0},  # a call whose worker died is not made twice
            )
        except Exception as error:
            raise WeftError(
                f"the workers of a cluster on this machine do not start: {error}. They import the program's"
                ' main module: what it does must stand under `if __name__ == "__main__":`'
            ) from error

    def _connect(self, address: str | None, timeout: float) -> Any:
        Client = self.parts.distributed.Client  # noqa: N806 - a class
        client = Client.__new__(Client)
        try:
            client.__init__(
                self.cluster if address is None else address, timeout=timeout, set_as_default=False
            )
            return client
        except (OSError, ValueError, TypeError) as error:
            abandon(client)
            raise WeftError(
                f"no scheduler answers at {address!r} within {timeout:g} s: {error}. An address is that of"
                " a Dask scheduler, as tcp://host:8786; without one, a cluster is started on this machine"
            ) from error

    # -- on the loop of distributed --------------------------------------------------------------------

    def _begun(self, event: Any) -> None:
        number, address = event[1]
        self.inbox.put(("begun", number, address))

    async def _follow(self, number: int, behind: Any) -> None:
        """Note what becomes of a call."""
        try:
            outcome: Any = await self.client.gather(behind, asynchronous=True)
        except BaseException as error:  # noqa: BLE001 - it is told to who waits for the call
            outcome = error
        self.inbox.put(("over", number, outcome))

    # -- on any thread ---------------------------------------------------------------------------------

    def send(self, future: Any, payload: bytes) -> None:
        """Have a call made."""
        self.made += 1
        number = self.made
        behind = self.client.submit(
            self.parts.call, payload, self.topic, number, key=f"weft-{self.topic}-{number}", pure=False
        )
        self.calls[number] = (future, behind)
        future._drop = partial(self._drop, behind)
        asyncio.run_coroutine_threadsafe(self._follow(number, behind), self.client.loop.asyncio_loop)

    def _drop(self, behind: Any) -> None:
        """Tell the cluster that a call is not wanted any more."""
        cancelling = self.client.cancel([behind], asynchronous=True, force=True)
        asyncio.run_coroutine_threadsafe(cancelling, self.client.loop.asyncio_loop)

    def put(self, item: None) -> None:
        """Take no more calls, and end when none is left."""
        self.closed = self.closed or "cannot schedule new futures after interpreter shutdown"
        self.inbox.put((LEAVE, 0, None))

    # -- on the thread of ours -------------------------------------------------------------------------

    def _deliver(self) -> None:
        """Hand on what arrives, until the pool is closed and no call is left; then close the connection."""
        try:
            while self.closed is None or self.calls:
                kind, number, value = self.inbox.get()
                if kind == "begun":
                    self._begin(number, value)
                elif kind == "over":
                    self._end(number, value)
                del value
        finally:
            self.client.close()
            if self.cluster is not None:
                self.cluster.close()

    def _begin(self, number: int, address: str) -> None:
        found = self.calls.get(number)
        if found is not None and number not in self.at:
            self.at[number] = address
            found[0].set_running_or_notify_cancel()

    def _end(self, number: int, outcome: Any) -> None:
        future, _ = self.calls.pop(number)
        begun = self.at.pop(number, None)
        if begun is None:
            future.set_running_or_notify_cancel()
        future._drop = None
        if future.cancelled():
            return
        if isinstance(outcome, BaseException):
            future.set_exception(self._explained(outcome, begun))
            return
        try:
            worked, value, text = self.parts.pickler.loads(outcome)
        except Exception as error:  # noqa: BLE001 - whatever unpickling runs into is told
            worked, value, text = False, error, ""
        if worked:
            future.set_result(value)
            return
        if text and value.__cause__ is None:
            value.__cause__ = RemoteTraceback(text)
        future.set_exception(value)

    def _explained(self, error: BaseException, begun: str | None) -> BaseException:
        """What the library says, in words that help."""
        died = self.parts.WorkerDied
        if isinstance(error, self.parts.distributed.KilledWorker):
            worker = getattr(error.last_worker, "address", None) or begun or "of the cluster"
            again = "; the cluster starts a new worker, so submit it again if that does no harm"
            where = "ran" if begun else "waited or ran"
            made = died(
                f"the worker {worker} has died while this call {where} there: killed, out of memory, or the"
                " call itself ended the process"
                f"{again if self.embedded else '; the logs of the worker may tell why'}"
            )
        elif isinstance(error, asyncio.CancelledError) or "Cancelled" in type(error).__name__:
            made = died(f"the cluster has given the call up, or the connection to it is lost: {error}")
        else:
            return error
        made.__cause__ = error
        return made  # type: ignore[no-any-return]


class _Parts:
    """The modules and classes that a link is made of."""

    def __init__(self) -> None:
        self.distributed = load()
        self.pickler: Any = importlib.import_module("cloudpickle")
        self.dumps: Any = make_dumps(self.pickler)
        self.queue: Any = importlib.import_module("queue")
        self.threading: Any = importlib.import_module("threading")
        self.pools: Any = importlib.import_module("concurrent.futures.thread")
        self.WorkerDied: Any = importlib.import_module("weft.futures").WorkerDied
        self.call, self.run_chunk, self.initializer = remote(self.distributed, self.pickler)


def make() -> Any:
    """The class over the `concurrent.futures` that the program has."""
    base: Any = importlib.import_module("concurrent.futures._base")

    class ClusterFuture(base.Future):  # type: ignore[misc]
        """The future of a call on a cluster."""

        _drop: Any = None

        def cancel(self) -> bool:
            """Cancel the call if it is not known to have begun; False if it is."""
            fresh = not self.cancelled()
            done = bool(super().cancel())
            drop = self._drop
            if done and fresh and drop is not None:
                drop()
            return done

    class ClusterExecutor(base.Executor):  # type: ignore[misc]
        """An executor whose calls are made by the workers of a Dask cluster.

        Args:
            max_workers: processes of the cluster that is started here; None: one for each processor.
            address: of the scheduler of a cluster that is there, as "tcp://host:8786"; None: start one.
            initializer: called by each worker before its first call, also by those that come later; on
                the thread of its event loop.
            initargs: its arguments.
            timeout: seconds in which the scheduler must answer.

        Raises:
            WeftError: `distributed` is not installed, nobody answers at the address, or no worker starts.
            ValueError, TypeError: an argument is bad.
        """

        def __init__(
            self,
            max_workers: int | None = None,
            address: str | None = None,
            initializer: Any = None,
            initargs: tuple[Any, ...] = (),
            *,
            timeout: float = 10.0,
        ) -> None:
            if max_workers is not None and max_workers <= 0:
                raise ValueError("max_workers must be greater than 0")
            if max_workers is not None and address is not None:
                raise ValueError("max_workers is for a cluster started here; one with an address has its own")
            if initializer is not None and not callable(initializer):
                raise TypeError("initializer must be a callable")
            self._link = link = _Link(_Parts(), address, max_workers, timeout)
            link.owner = ref(self, lambda _: link.put(None))
            self._broken: BaseException | None = None
            if initializer is not None:
                self._initialize(initializer, initargs)

        def __reduce_ex__(self, protocol: Any) -> Any:
            raise unsendable(self)

        def _initialize(self, initializer: Any, initargs: tuple[Any, ...]) -> None:
            link = self._link
            plugin = link.parts.initializer(link.parts.dumps((initializer, initargs)))
            try:
                link.client.register_plugin(plugin, name=link.topic)
            except Exception as error:  # noqa: BLE001 - whatever it raised there
                self._broken = error

        def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Any:
            """Have a worker call `fn(*args, **kwargs)`; the result is the Future of it.

            Raises:
                RuntimeError: the pool is shut down, or its initializer failed (BrokenExecutor).
            """
            link = self._link
            if self._broken is not None:
                raise base.BrokenExecutor(
                    "A worker initializer failed, the cluster is not usable by this pool"
                ) from self._broken
            if link.closed is not None:
                raise RuntimeError(link.closed)
            future = ClusterFuture()
            try:
                payload = link.parts.dumps((fn, args, kwargs))
            except Exception as error:  # noqa: BLE001 - what cannot be sent is told as what cannot be done
                future.set_exception(error)
                return future
            link.send(future, payload)
            return future

        def map(self, fn: Any, *iterables: Any, timeout: float | None = None, chunksize: int = 1) -> Any:
            """As the built-in `map`, with `chunksize` calls sent to a worker together.

            Raises:
                TimeoutError: from the iterator: a result is not there `timeout` seconds after this call.
                ValueError: the chunk size is less than 1.
            """
            run = self._link.parts.run_chunk
            return map_in_chunks(super().map, run, fn, iterables, chunksize, timeout)

        def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
            """Take no more calls; with `wait`, return when all are over and the connection is closed.

            Args:
                wait: whether to wait for them.
                cancel_futures: whether to cancel those that are not known to have begun.
            """
            link = self._link
            link.closed = link.closed or "cannot schedule new futures after shutdown"
            if cancel_futures:
                for future, _ in list(link.calls.values()):
                    future.cancel()
            link.put(None)
            if wait:
                link.thread.join()

    for each in (ClusterFuture, ClusterExecutor):
        each.__module__, each.__qualname__ = "weft.futures", each.__name__
    return ClusterExecutor
