"""Waiting for descriptors and children: `select.*`, `os.read`, `os.write`, `os.close` and `os.waitpid`.

Each asks the real call first without waiting. Only when that has nothing to give does the thread park,
with the descriptors watched by its carrier's poller, and ask again when one is ready. No descriptor is
made non-blocking: the program and its children see it too.
"""

import errno
import fcntl
import os
import select
import stat
import sys
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from weft.core.channel import Channel
from weft.core.current import current
from weft.core.parking import SIGNAL, THROWN, TIMEOUT, WITHDRAWN, park, settle, wake
from weft.core.thread import ControlBlock
from weft.core.wait import WaitReason
from weft.host.platform import monotonic
from weft.host.poller import HANGUP, READ, WRITE, poll_once
from weft.stdlib.sleep import sleep

__all__ = ["dress", "fail_waiters", "nap", "replacements", "wait_for"]

Answer = TypeVar("Answer")
_close = os.close
ROOM = getattr(select, "PIPE_BUF", 512)  # bytes that a pipe takes at once when it is ready
FIRST_NAP, LONGEST_NAP = 0.001, 0.05  # seconds between looks for children that no descriptor tells of


class _Descriptors:
    """What a thread waits on: some descriptors."""

    def __init__(self, block: ControlBlock, wanted: Sequence[tuple[int, int]]) -> None:
        self._block: ControlBlock | None = block
        self.wanted = wanted

    def ready(self) -> None:
        """One of them is ready: wake the thread, once."""
        block, self._block = self._block, None  # atomic
        if block is not None:
            wake(block)

    def _withdraw(self, block: ControlBlock) -> bool:
        mine, self._block = self._block, None  # atomic
        return mine is not None

    def _explain(self, block: ControlBlock) -> tuple[WaitReason, object, ControlBlock | None]:
        return WaitReason.DESCRIPTOR, self, None

    def __repr__(self) -> str:
        return "descriptor " + ", ".join(str(fd) for fd, _ in self.wanted)


def wait_for(wanted: Sequence[tuple[int, int]], deadline: float | None) -> bool:
    """Park until one of the descriptors is ready for its events, or in error.

    Args:
        wanted: pairs of a descriptor and a mask of `select.POLL*`.
        deadline: monotonic time at which to give up; None: never.

    Returns:
        False if the time ran out.

    Raises:
        OSError: one of them is not open, or another thread has closed it meanwhile.
    """
    me = current()
    poller = me.carrier.poller
    if poller is None:  # a kernel thread of its own may sleep in the kernel
        left = None if deadline is None else max(0.0, deadline - monotonic()) * 1e3
        return bool(poll_once(wanted, left))
    waiting = _Descriptors(me, wanted)
    ready = waiting.ready
    watched: list[Channel] = []
    me.on = waiting
    try:
        for fd, events in wanted:
            channel = poller.channels.get(fd)
            if channel is None:
                channel = Channel(fd, loose=True)
                channel.poller = poller
            channel.wait_more(events, ready)
            watched.append(channel)
            try:
                poller.arm(fd, channel)
            except PermissionError:  # a regular file is always ready
                ready()
    except BaseException:
        if not waiting._withdraw(me):  # one that was watched has sent the wake already: it is taken
            alarm = park(me)
            me.alarm |= alarm & (SIGNAL | THROWN)  # for the next wait, or the next tick
        me.on = None
        for channel in watched:
            channel.forget(ready)
        raise
    try:
        alarm = park(me, deadline)
    finally:
        for channel in watched:
            channel.forget(ready)
    settle(me, alarm)
    if any(channel.closed for channel in watched):
        raise OSError(errno.EBADF, os.strerror(errno.EBADF))
    return not (alarm & TIMEOUT and alarm & WITHDRAWN)


def fail_waiters(fd: int) -> None:
    """A descriptor is about to be closed: who waits for it is woken, and gets an error."""
    poller = current().carrier.poller
    channel = poller.channels.get(fd) if poller is not None else None
    if channel is not None:
        channel.close(wake)


def _deadline(timeout: float | None) -> float | None:
    return None if timeout is None or timeout < 0 else monotonic() + timeout


def _retry(
    ask: Callable[[], Any], wanted: Callable[[], list[tuple[int, int]]], deadline: float | None
) -> Any:
    """Ask until there is an answer, parking in between; the last answer may be empty."""
    while True:
        answer = ask()
        if answer or (deadline is not None and monotonic() >= deadline):
            return answer
        wait_for(wanted(), deadline)


def _at_once(answer: Answer) -> Answer:
    """An answer without a wait: others run all the same, as CPython gives up its lock to ask."""
    sleep(0)
    return answer


def replacements() -> list[tuple[Any, str, Any]]:
    """The functions and types to put in place: (module, name, value)."""
    found: list[tuple[Any, str, Any]] = [(select, "select", _make_select())]
    if hasattr(select, "poll"):
        found.append((select, "poll", _make_poll()))
    if hasattr(select, "epoll"):
        found.append((select, "epoll", _make_epoll()))
    found.append((os, "read", _make_read()))
    found.append((os, "write", _make_write()))
    found.append((os, "close", _make_close()))
    found.append((os, "waitpid", _make_waitpid()))
    return found


def _make_select() -> Any:
    real = select.select

    def select_(rlist: Any, wlist: Any, xlist: Any, timeout: float | None = None, /) -> Any:
        """Wait until one or more descriptors are ready for some kind of I/O; as `select.select`."""
        if timeout is not None and timeout < 0:
            raise ValueError("timeout must be non-negative")
        rlist, wlist, xlist = list(rlist), list(wlist), list(xlist)
        answer = real(rlist, wlist, xlist, 0)
        if any(answer) or timeout == 0:
            return _at_once(answer)
        deadline = _deadline(timeout)
        if not (rlist or wlist or xlist):
            nap(deadline)
            return answer

        def wanted() -> list[tuple[int, int]]:
            masks: dict[int, int] = {}
            for files, mask in ((rlist, READ), (wlist, WRITE), (xlist, select.POLLPRI)):
                for file in files:
                    fd = file if isinstance(file, int) else file.fileno()
                    masks[fd] = masks.get(fd, 0) | mask
            return list(masks.items())

        while not any(answer):
            in_time = wait_for(wanted(), deadline)
            answer = real(rlist, wlist, xlist, 0)
            if not in_time or (deadline is not None and monotonic() >= deadline):
                break
        return answer

    return dress(select_, "select", "select")


def nap(deadline: float | None) -> None:
    """A wait for nothing: a sleep until a time."""
    sleep(max(0.0, deadline - monotonic()) if deadline is not None else 3600.0)


def _make_poll() -> Any:
    real = select.poll

    class poll:  # noqa: N801 - the name programs know
        """A polling object; as `select.poll()` makes it."""

        def __init__(self) -> None:
            self._real = real()
            self._wanted: dict[int, int] = {}

        def register(self, fd: Any, eventmask: int = READ | WRITE, /) -> None:
            self._real.register(fd, eventmask)
            self._wanted[fd if isinstance(fd, int) else fd.fileno()] = eventmask

        def modify(self, fd: Any, eventmask: int, /) -> None:
            self._real.modify(fd, eventmask)
            self._wanted[fd if isinstance(fd, int) else fd.fileno()] = eventmask

        def unregister(self, fd: Any, /) -> None:
            self._real.unregister(fd)
            self._wanted.pop(fd if isinstance(fd, int) else fd.fileno(), None)

        def poll(self, timeout: float | None = None, /) -> list[tuple[int, int]]:
            answer: list[tuple[int, int]] = self._real.poll(0)
            if answer or timeout == 0:
                return _at_once(answer)
            seconds = None if timeout is None or timeout < 0 else timeout / 1e3
            deadline = _deadline(seconds)
            if not self._wanted:
                nap(deadline)
                return answer
            try:
                result: list[tuple[int, int]] = _retry(
                    lambda: self._real.poll(0), lambda: list(self._wanted.items()), deadline
                )
            except OSError as error:
                if error.errno != errno.EBADF:
                    raise
                result = self._real.poll(0)  # says which is not open: POLLNVAL
            return result

    poll.__module__, poll.__qualname__ = "select", "poll"
    return poll


def _make_epoll() -> Any:
    real = select.epoll

    class epoll:  # noqa: N801 - the name programs know
        """An epoll object; as `select.epoll`. Only its `poll` differs: it parks the calling thread."""

        def __init__(self, sizehint: int = -1, flags: int = 0) -> None:
            self._real = real(sizehint, flags)
            for name in ("fileno", "register", "modify", "unregister"):
                setattr(self, name, getattr(self._real, name))

        @classmethod
        def fromfd(cls, fd: int) -> Any:
            made = cls.__new__(cls)
            made._real = real.fromfd(fd)
            for name in ("fileno", "register", "modify", "unregister"):
                setattr(made, name, getattr(made._real, name))
            return made

        @property
        def closed(self) -> bool:
            return self._real.closed

        def __enter__(self) -> Any:
            self._real.__enter__()
            return self

        def __exit__(self, *args: object) -> None:
            self.close()

        def close(self) -> None:
            if not self._real.closed:
                fail_waiters(self._real.fileno())
            self._real.close()

        def poll(self, timeout: float | None = None, maxevents: int = -1) -> list[tuple[int, int]]:
            answer: list[tuple[int, int]] = self._real.poll(0, maxevents)
            if answer or timeout == 0:
                return _at_once(answer)
            fd = self._real.fileno()
            result: list[tuple[int, int]] = _retry(
                lambda: self._real.poll(0, maxevents), lambda: [(fd, select.POLLIN)], _deadline(timeout)
            )
            return result

    epoll.__module__, epoll.__qualname__ = "select", "epoll"
    return epoll


def _make_read() -> Any:
    real = os.read

    def read(fd: int, length: int, /) -> bytes:
        """Read from a file descriptor; as `os.read`."""
        while isinstance(fd, int) and length > 0 and _would_block(fd):  # again: another may have been faster
            wait_for([(fd, READ)], None)
        return real(fd, length)

    return dress(read, "os", "read")


def _make_close() -> Any:
    real = os.close

    def close(fd: int) -> None:
        """Close a file descriptor; as `os.close`. Threads that wait for it are woken and get an error."""
        if isinstance(fd, int):
            fail_waiters(fd)
        real(fd)

    return dress(close, "os", "close")


def _would_block(fd: int, events: int = READ) -> bool:
    """Whether the call would put the kernel thread to sleep: not ready, and the program allows it."""
    try:
        return fd >= 0 and not poll_once([(fd, events | HANGUP)], 0) and _waits(fd, events)
    except (OSError, OverflowError):
        return False


def _waits(fd: int, events: int) -> bool:
    """Whether the descriptor is blocking, and open for that: the wrong end of a pipe is never ready."""
    flags = fcntl.fcntl(fd, fcntl.F_GETFL)
    return not flags & os.O_NONBLOCK and flags & os.O_ACCMODE != (
        os.O_WRONLY if events == READ else os.O_RDONLY
    )


def _make_write() -> Any:
    real = os.write

    def write(fd: int, data: Any, /) -> int:
        """Write a bytes object to a file descriptor; as `os.write`."""
        if not isinstance(fd, int):
            return real(fd, data)
        try:
            size = memoryview(data).nbytes
        except TypeError:
            return real(fd, data)  # says it in CPython's words
        step = _write_step(fd) if size > ROOM else size
        if step >= size:
            if _would_block(fd, WRITE):
                wait_for([(fd, WRITE)], None)
            return real(fd, data)
        written = 0
        with memoryview(data) as view, view.cast("B") as rest:
            while written < size:  # a blocking descriptor takes all, however long that takes
                if _would_block(fd, WRITE):
                    wait_for([(fd, WRITE)], None)
                written += real(fd, rest[written : written + step])
        return written

    return dress(write, "os", "write")


def _write_step(fd: int) -> int:
    """How much may be written at once to a descriptor that is ready without a wait in C."""
    try:
        mode = os.fstat(fd).st_mode
        waits = (stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode)) and os.get_blocking(fd)
    except (OSError, OverflowError):
        waits = False
    return ROOM if waits else sys.maxsize


def _make_waitpid() -> Any:
    real = os.waitpid

    def waitpid(pid: int, options: int, /) -> tuple[int, int]:
        """Wait for completion of a given child process; as `os.waitpid`."""
        if options & os.WNOHANG:
            return real(pid, options)
        answer = real(pid, options | os.WNOHANG)
        pause = FIRST_NAP
        while answer == (0, 0):
            if not _await_child(pid):
                nap(monotonic() + pause)
                pause = min(pause * 2, LONGEST_NAP)
            answer = real(pid, options | os.WNOHANG)
        return answer

    return dress(waitpid, "os", "waitpid")


def _await_child(pid: int) -> bool:
    """Park until a child has ended, where the system has a descriptor that tells."""
    if pid <= 0 or not hasattr(os, "pidfd_open"):
        return False
    try:
        fd = os.pidfd_open(pid)
    except OSError:
        return False
    try:
        wait_for([(fd, select.POLLIN)], None)
    finally:
        _close(fd)
    return True


def dress(function: Any, module: str, name: str) -> Any:
    """Give a function the name under which programs know it."""
    function.__module__ = module
    function.__name__ = function.__qualname__ = name
    return function
