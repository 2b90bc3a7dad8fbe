"""Peers of the yardstick: one small adapter each, so that all are asked the same questions.

A *blocking* peer (threads of some kind) gives these names, and nothing else is asked of it; one that has
no such thing leaves the name out (or None), and the benches that need it say "n/a":

    spawn(fn, *args) -> h    join(h)      sleep(seconds), which gives way if 0
    Lock() RLock() Semaphore(n) Event() Condition() Queue(maxsize) Local() current()
    timer(seconds, fn) -> t  cancel(t)    pool(workers)  -> object with submit(fn, *a) -> f
    result(f)                setup()      (called once, first, in a fresh process)

A new one is a class here, or `FILE.py:ClassName` on the command line. This module imports nothing that
leads to `threading`: weft and gevent have to come first.
"""

# ruff: noqa: PLC0415 - what a peer needs is imported in its set-up: weft and gevent have to come first

from typing import Any

__all__ = ["PEERS", "load", "noop"]


def noop() -> None:
    pass


class Stdlib:
    """threading, queue and concurrent.futures as they are: kernel threads."""

    name = "threading"
    style = "blocking"
    kernel = True  # fewer at once where the bench wants 10,000
    timers = 1000  # threading.Timer is a thread each

    def setup(self) -> None:
        import queue
        import threading
        import time
        from concurrent.futures import ThreadPoolExecutor

        self.Thread = threading.Thread
        self.Lock, self.RLock = threading.Lock, threading.RLock
        self.Semaphore, self.Event = threading.Semaphore, threading.Event
        self.Condition, self.Queue = threading.Condition, queue.Queue
        self.Local, self.current = threading.local, threading.current_thread
        self.sleep = time.sleep
        self.Timer, self.pool = threading.Timer, ThreadPoolExecutor

    def spawn(self, fn: Any, *args: Any) -> Any:
        thread = self.Thread(target=fn, args=args)
        thread.start()
        return thread

    def join(self, thread: Any) -> None:
        thread.join()

    def timer(self, seconds: float, fn: Any) -> Any:
        timer = self.Timer(seconds, fn)
        timer.daemon = True
        timer.start()
        return timer

    def cancel(self, timer: Any) -> None:
        timer.cancel()

    def result(self, future: Any) -> Any:
        return future.result()


class GeventPatched(Stdlib):
    """The same interfaces under gevent.monkey.patch_all()."""

    name = "gevent-patched"
    kernel = False
    timers = 10000

    def setup(self) -> None:
        from gevent import monkey

        monkey.patch_all()
        super().setup()


class Weft(Stdlib):
    """The same interfaces on weft's user model; timers are weft.call_later."""

    name = "weft"
    model = "user"
    kernel = False
    timers = 100_000

    def setup(self) -> None:
        import weft

        weft.install(self.model)
        super().setup()
        self.timer = weft.call_later


class WeftKernel(Weft):
    """The same interfaces on weft's kernel model."""

    name = "weft-kernel"
    model = "kernel"
    kernel = True


class Gevent:
    """gevent's own interfaces."""

    name = "gevent"
    style = "blocking"

    def setup(self) -> None:
        import gevent
        import gevent.event
        import gevent.local
        import gevent.lock
        import gevent.pool
        import gevent.queue

        self.spawn, self.sleep = gevent.spawn, gevent.sleep
        self.Lock = gevent.lock.BoundedSemaphore
        self.RLock, self.Semaphore = gevent.lock.RLock, gevent.lock.Semaphore
        self.Event = gevent.event.Event
        self.Queue = lambda maxsize=0: gevent.queue.Queue(maxsize or None)
        self.Local, self.current = gevent.local.local, gevent.getcurrent
        self.Timeout = gevent.Timeout
        self.Pool = gevent.pool.Pool

    def join(self, greenlet: Any) -> None:
        greenlet.join()

    def timer(self, seconds: float, fn: Any) -> Any:
        timer = self.Timeout(seconds)
        timer.start()
        return timer

    def cancel(self, timer: Any) -> None:
        timer.close()

    def pool(self, workers: int) -> Any:
        pool = self.Pool(workers)
        pool.submit = pool.spawn
        return pool

    def result(self, greenlet: Any) -> Any:
        return greenlet.get()


class Eventlet:
    """eventlet's own interfaces."""

    name = "eventlet"
    style = "blocking"

    def setup(self) -> None:
        import eventlet
        import eventlet.greenpool
        import eventlet.queue
        import eventlet.semaphore
        from eventlet.green import threading as green
        from eventlet.hubs import get_hub

        self.spawn, self.sleep = eventlet.spawn, eventlet.sleep
        self.Lock = self.Semaphore = eventlet.semaphore.Semaphore
        self.RLock, self.Event, self.Condition = green.RLock, green.Event, green.Condition
        self.Queue = lambda maxsize=0: eventlet.queue.Queue(maxsize or None)
        self.Pool, self.hub = eventlet.greenpool.GreenPool, get_hub()

    def join(self, greenlet: Any) -> None:
        greenlet.wait()

    def timer(self, seconds: float, fn: Any) -> Any:
        return self.hub.schedule_call_global(seconds, fn)

    def cancel(self, timer: Any) -> None:
        timer.cancel()

    def pool(self, workers: int) -> Any:
        pool = self.Pool(workers)
        pool.submit = pool.spawn
        return pool

    def result(self, greenlet: Any) -> Any:
        return greenlet.wait()


class Asyncio:
    """asyncio's tasks and its own primitives."""

    name = "asyncio"
    style = "async"

    def setup(self) -> None:
        import asyncio

        self.runner = asyncio.Runner()


class Uvloop(Asyncio):
    """The same on uvloop."""

    name = "uvloop"

    def setup(self) -> None:
        import asyncio

        import uvloop

        self.runner = asyncio.Runner(loop_factory=uvloop.new_event_loop)


class Raw:
    """The floor: greenlets switched by hand with no scheduler at all, and CPython's C objects."""

    name = "raw"
    style = "raw"

    def setup(self) -> None:
        import greenlet

        self.greenlet, self.getcurrent = greenlet.greenlet, greenlet.getcurrent


PEERS: dict[str, Any] = {
    peer.name: peer
    for peer in (Stdlib, Gevent, GeventPatched, Eventlet, Asyncio, Uvloop, Raw, Weft, WeftKernel)
}


def load(spec: str) -> Any:
    """A peer by its name, or from a file: `some/file.py:ClassName`."""
    if spec in PEERS:
        return PEERS[spec]()
    path, _, cls = spec.rpartition(":")
    names: dict[str, Any] = {"__name__": f"peer_{cls}", "__file__": path}
    with open(path, encoding="utf-8") as file:
        exec(compile(file.read(), path, "exec"), names)
    return names[cls]()
