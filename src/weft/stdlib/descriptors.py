"""Waiting for descriptors and children: `select.*`, `os.read` and `os.waitpid`.

Each asks the real call first without waiting. Only when that has nothing to give does the thread park,
with the descriptors watched by its carrier's poller, and ask again when one is ready. No descriptor is
made non-blocking: the program and its children see it too.
"""

import os
import select
from collections.abc import Callable, Sequence
from typing import Any

from weft.core.current import current
from weft.core.parking import SIGNAL, THROWN, TIMEOUT, WITHDRAWN, park, settle, wake
from weft.core.thread import ControlBlock
from weft.core.wait import WaitReason
from weft.host.platform import monotonic
from weft.host.poller import HANGUP, READ, WRITE, poll_once
from weft.stdlib.sleep import sleep

__all__ = ["replacements", "wait_for"]

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
    """
    me = current()
    poller = me.carrier.poller
    if poller is None:  # a kernel thread of its own may sleep in the kernel
        left = None if deadline is None else max(0.0, deadline - monotonic()) * 1e3
        return bool(poll_once(wanted, left))
    waiting = _Descriptors(me, wanted)
    ready = waiting.ready
    watched: list[int] = []
    me.on = waiting
    try:
        try:
            for fd, events in wanted:
                if not poller.watch(fd, events, ready):
                    ready()  # what cannot be watched is always ready
                    break
                watched.append(fd)
        except BaseException:
            ready()  # one that was watched may have sent the wake already: there is one now, and it is taken
            alarm = park(me)
            me.alarm |= alarm & (SIGNAL | THROWN)  # for the next wait, or the next tick
            raise
        alarm = park(me, deadline)
    finally:
        me.on = None
        for fd in watched:
            poller.unwatch(fd, ready)
    settle(me, alarm)
    return not (alarm & TIMEOUT and alarm & WITHDRAWN)


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


def replacements() -> list[tuple[Any, str, Any]]:
    """The functions and types to put in place: (module, name, value)."""
    found: list[tuple[Any, str, Any]] = [(select, "select", _make_select())]
    if hasattr(select, "poll"):
        found.append((select, "poll", _make_poll()))
    if hasattr(select, "epoll"):
        found.append((select, "epoll", _make_epoll()))
    found.append((os, "read", _make_read()))
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
            return answer
        deadline = _deadline(timeout)
        if not (rlist or wlist or xlist):
            _nap(deadline)
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

    return _dress(select_, "select", "select")


def _nap(deadline: float | None) -> None:
    """A select on nothing: a sleep."""
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
            answer = self._real.poll(0)
            if answer or timeout == 0:
                return answer
            seconds = None if timeout is None or timeout < 0 else timeout / 1e3
            deadline = _deadline(seconds)
            if not self._wanted:
                _nap(deadline)
                return answer
            result: list[tuple[int, int]] = _retry(
                lambda: self._real.poll(0), lambda: list(self._wanted.items()), deadline
            )
            return result

    poll.__module__, poll.__qualname__ = "select", "poll"
    return poll


def _make_epoll() -> Any:
    real = select.epoll

    class epoll:  # noqa: N801 - the name programs know
        """An epoll object; as `select.epoll`. Only its `poll` differs: it parks the calling thread."""

        def __init__(self, sizehint: int = -1, flags: int = 0) -> None:
            self._real = real(sizehint, flags)
            for name in ("close", "fileno", "register", "modify", "unregister"):
                setattr(self, name, getattr(self._real, name))

        @classmethod
        def fromfd(cls, fd: int) -> Any:
            made = cls.__new__(cls)
            made._real = real.fromfd(fd)
            for name in ("close", "fileno", "register", "modify", "unregister"):
                setattr(made, name, getattr(made._real, name))
            return made

        @property
        def closed(self) -> bool:
            return self._real.closed

        def __enter__(self) -> Any:
            self._real.__enter__()
            return self

        def __exit__(self, *args: object) -> None:
            self._real.close()

        def poll(self, timeout: float | None = None, maxevents: int = -1) -> list[tuple[int, int]]:
            answer = self._real.poll(0, maxevents)
            if answer or timeout == 0:
                return answer
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
        if isinstance(fd, int) and length > 0 and _would_block(fd):
            wait_for([(fd, READ)], None)
        return real(fd, length)

    return _dress(read, "os", "read")


def _would_block(fd: int) -> bool:
    """Whether a read would put the kernel thread to sleep: nothing there, and the program allows it."""
    try:
        return fd >= 0 and not poll_once([(fd, READ | HANGUP)], 0) and os.get_blocking(fd)
    except (OSError, OverflowError):
        return False


def _make_waitpid() -> Any:
    real = os.waitpid

    def waitpid(pid: int, options: int, /) -> tuple[int, int]:
        """Wait for completion of a given child process; as `os.waitpid`."""
        if options & os.WNOHANG:
            return real(pid, options)
        answer = real(pid, options | os.WNOHANG)
        nap = FIRST_NAP
        while answer == (0, 0):
            if not _await_child(pid):
                _nap(monotonic() + nap)
                nap = min(nap * 2, LONGEST_NAP)
            answer = real(pid, options | os.WNOHANG)
        return answer

    return _dress(waitpid, "os", "waitpid")


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
        os.close(fd)
    return True


def _dress(function: Any, module: str, name: str) -> Any:
    function.__module__ = module
    function.__name__ = function.__qualname__ = name
    return function
