"""What the process model takes from the machine: the real `multiprocessing`, `threading`, `queue` and
`concurrent.futures`, waiting for any process, and ending with the parent. No other model loads this.
"""

import concurrent
import concurrent.futures as futures
import concurrent.futures.process as pools
import concurrent.futures.thread as thread_pools
import ctypes
import multiprocessing
import multiprocessing.forkserver
import multiprocessing.process
import multiprocessing.util
import os
import queue
import select
import signal
import socket
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing import reduction
from typing import Any

__all__ = [
    "before_shutdown",
    "bound_socket",
    "concurrent",
    "context",
    "default_method",
    "die_with_parent",
    "die_with_parent_if_possible",
    "end",
    "forget_children",
    "futures",
    "is_alive",
    "kernel_ident",
    "methods",
    "monotonic",
    "native_id",
    "never_interrupted",
    "on_main_kernel_thread",
    "own_name",
    "pools",
    "queue",
    "real_sleep",
    "real_wait",
    "reduction",
    "replace_waits",
    "send_quietly",
    "sleep_a_little",
    "starting",
    "tell_signal",
    "thread_pools",
    "threading",
    "wait_for_exit",
    "weakref",
    "when_a_process_ends",
]

LOOK = 0.01  # seconds between looks at a process that no descriptor tells of
PR_SET_PDEATHSIG = 1
monotonic = time.monotonic
kernel_ident = threading.get_ident
native_id = threading.get_native_id
real_sleep = time.sleep
real_wait = threading.Condition.wait
methods = multiprocessing.get_all_start_methods


def default_method() -> str:
    """How processes are started if nobody says: a program that has no kernel threads can be forked."""
    return "fork" if "fork" in methods() else "spawn"


def context(method: str) -> Any:
    """The `multiprocessing` of one start method; a fork server does not import the program on its own."""
    made = multiprocessing.get_context(method)
    if method == "forkserver":
        made.set_forkserver_preload(["weft.processes.session"])
    return made


def on_main_kernel_thread() -> bool:
    """Whether the caller is what the process began as, and no kernel thread of a library."""
    return threading.get_ident() == threading.main_thread().ident


def own_name() -> str:
    """The name that `multiprocessing` knows this process by."""
    return multiprocessing.current_process().name


def before_shutdown(function: Callable[[], None]) -> None:
    """Have a function called when the interpreter is about to wait for its threads."""
    threading._register_atexit(function)  # type: ignore[attr-defined]


def end(pid: int) -> None:
    """End a process where it stands."""
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass


def sleep_a_little() -> None:
    """Look again soon."""
    real_sleep(LOOK)


def replace_waits(sleep: Any, wait: Any) -> None:
    """Have others sleep, and wait on CPython's own conditions."""
    time.sleep = sleep
    threading.Condition.wait = wait  # type: ignore[method-assign]


def when_a_process_ends(function: Callable[[], object]) -> None:
    """Have a function called when a process that `multiprocessing` has started comes to its end."""
    multiprocessing.util.Finalize(None, function, exitpriority=100)


def forget_children() -> None:
    """Have this process end without waiting for those that it started: the main one does."""
    multiprocessing.process._children.clear()  # type: ignore[attr-defined]


def is_alive(pid: int) -> bool:
    """Whether a process runs; one that has ended and was not reaped does not."""
    return not wait_for_exit(pid, 0)


def wait_for_exit(pid: int, timeout: float | None) -> bool:
    """Wait until any process has ended, a child or not; False: it still runs after `timeout` seconds."""
    deadline = None if timeout is None else monotonic() + timeout
    try:
        fd = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    except (AttributeError, OSError):
        return _look_for_exit(pid, deadline)
    try:
        poll = select.poll()
        poll.register(fd, select.POLLIN)
        left = None if timeout is None else max(0.0, timeout) * 1000
        return bool(poll.poll(left))
    finally:
        os.close(fd)


def _look_for_exit(pid: int, deadline: float | None) -> bool:
    while True:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        if deadline is not None and monotonic() >= deadline:
            return False
        real_sleep(LOOK)


def bound_socket(path: str) -> socket.socket:
    """A socket that others send datagrams to by a path."""
    made = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    made.bind(path)
    return made


_sender: list[Any] = [0, None]


def send_quietly(path: str, data: bytes) -> bool:
    """Send a datagram to a path; False: nobody is there any more."""
    if _sender[0] != os.getpid():
        _sender[:] = [os.getpid(), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)]
    try:
        _sender[1].sendto(data, path)
    except OSError:
        return False
    return True


def die_with_parent_if_possible() -> Callable[[], None]:
    """Load what `die_with_parent` wants, in the parent: a child has it then at no cost."""
    global _prctl
    if _prctl is None:
        try:
            _prctl = ctypes.CDLL(None).prctl
        except (AttributeError, OSError):
            _prctl = _nothing
    return die_with_parent


def die_with_parent() -> None:
    """Have the system end this process when its parent ends, where the system does so (Linux)."""
    if _prctl is None:
        die_with_parent_if_possible()
    assert _prctl is not None
    _prctl(PR_SET_PDEATHSIG, int(signal.SIGKILL))


def _nothing(*_: Any) -> None:
    pass


_prctl: Any = None


def never_interrupted() -> None:
    """Leave Ctrl-C to the main process, as threads leave it to the main thread.

    A handler, not SIG_IGN: programs that this process starts must not inherit it.
    """
    signal.signal(signal.SIGINT, _nothing)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})


@contextmanager
def starting() -> Iterator[None]:
    """Have Ctrl-C wait while a process is started: the new one is not ready to leave it to the main one."""
    if not on_main_kernel_thread():
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def tell_signal(number: int) -> str:
    """The name of a signal by its number."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
