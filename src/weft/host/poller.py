"""What a carrier sleeps in when nothing is ready: until a time, a wake, or a descriptor that is ready.

The sleep is a `select()` for its resolution (`epoll_wait` rounds up to a millisecond) on two
descriptors: the wake-up's and the epoll's that holds what threads wait for. Where there is no epoll,
the watched descriptors stand in a `selectors` object instead.
"""

import fcntl
import os
import select
import sys
from collections.abc import Callable, Iterable
from typing import Any

__all__ = ["HANGUP", "READ", "WRITE", "Poller", "poll_once"]

READ = select.POLLIN | select.POLLPRI
WRITE = select.POLLOUT
HANGUP = select.POLLERR | select.POLLHUP | select.POLLNVAL
HIGH = 700  # above what most programs open, below what select() can take (1,024)
_ALWAYS = select.POLLERR | select.POLLHUP


class Poller:
    """Sleeps until a deadline, until `wake` is called from any kernel thread, or until a watch is ready.

    A descriptor may have many watches; each is a callable that is called once, with no argument, when the
    descriptor is ready for what it asks, and is then forgotten.
    """

    def __init__(self) -> None:
        self._open()

    def _open(self) -> None:
        if hasattr(os, "eventfd"):
            self._read = self._write = _high(os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK))
        else:
            self._read, self._write = (_high(fd) for fd in os.pipe())
            for fd in (self._read, self._write):
                os.set_blocking(fd, False)
        self._identity = _identity(self._read)
        self.signal_read, self.signal_write = (_high(fd) for fd in os.pipe())
        for fd in (self.signal_read, self.signal_write):
            os.set_blocking(fd, False)
        mine = {self._read, self._write, self.signal_read, self.signal_write}
        self._ours = {fd: _identity(fd) for fd in mine}
        self._epoll: Any = None
        self._watches: dict[int, list[tuple[int, Callable[[], object]]]] = {}
        self._sleep_on: tuple[int, ...] = (self._read, self.signal_read)

    def __len__(self) -> int:
        """How many descriptors are watched."""
        return len(self._watches)

    def wait(self, timeout: float | None) -> None:
        """Sleep for at most `timeout` seconds (None: until woken), and serve what has become ready."""
        try:
            ready = _select(self._sleep_on, (), (), timeout)[0]
        except OSError:
            self._lost()
            return
        for fd in ready:
            if fd == self.signal_read:
                try:
                    _read(fd, 4096)  # the handlers run as this call returns
                except OSError:
                    self._lost()
                    return
            elif fd != self._read:
                self.serve()
            elif _identity(fd) != self._identity:
                self._lost()
                return
            else:
                try:
                    _read(fd, 8)
                except BlockingIOError:
                    pass

    def wake(self) -> None:
        """End the sleep, or the next one if none is on."""
        if self._read == self._write and _identity(self._write) != self._identity:
            return  # the program closed our descriptor; the sleep finds out by itself
        try:
            _write(self._write, _ONE)
        except BlockingIOError:
            pass  # so many wakes are waiting that one more changes nothing

    def _lost(self) -> None:
        """The program closed our descriptors (a daemon closes all it does not know): open others."""
        watches = [watch for group in self._watches.values() for watch in group]
        self._open()
        for _, ready in watches:
            ready()

    # -- descriptors -------------------------------------------------------------------------------

    def watch(self, fd: int, events: int, ready: Callable[[], object]) -> bool:
        """Call `ready` once `fd` is ready for `events`, or in error; False if it cannot be watched.

        What cannot be watched (a regular file) is always ready.

        Raises:
            OSError: the descriptor is not open.
        """
        if self._epoll is None:
            self._epoll = _epoll()
            self._sleep_on = (self._read, self.signal_read, self._epoll.fileno())
        watch = events, ready
        try:
            self._watches[fd].append(watch)  # atomic: a tick that serves them all drops the list
        except KeyError:
            pass
        else:
            if self._renew(fd):
                return True
            # The number was closed and opened anew; who waited for the old one waits on, as on plain CPython.
        # The tick of preemption may serve at any bytecode. It takes a descriptor that nobody watches out of
        # the epoll, so the watch has to be there first.
        self._watches[fd] = [watch]
        try:
            try:
                self._epoll.register(fd, events)
            except FileExistsError:  # the number was closed and opened anew behind our back
                self._epoll.modify(fd, events)
        except PermissionError:
            self._watches.pop(fd, None)
            return False
        except BaseException:
            self._watches.pop(fd, None)
            raise
        return True

    def unwatch(self, fd: int, ready: Callable[[], object]) -> None:
        """Forget a watch; one that has been called already is forgotten anyway."""
        watches = self._watches.get(fd)
        if watches is None:
            return
        watches[:] = [watch for watch in watches if watch[1] is not ready]
        self._renew(fd)

    def fail(self, fd: int) -> None:
        """Call every watch of a descriptor that is about to be closed: the waiters will meet the error.

        Before, not after: as long as another process has the file open, the epoll keeps a closed
        descriptor that was not taken out, reports it without end, and can be told of it no more.
        """
        watches = self._watches.pop(fd, None)
        if watches is None:
            return
        try:
            self._epoll.unregister(fd)
        except OSError:
            pass  # it is closed already, or a tick has taken it out
        for _, ready in watches:
            ready()

    def _renew(self, fd: int) -> bool:
        """Have the epoll know what the watches of a descriptor want; False if it knows no such descriptor."""
        watches = self._watches.get(fd)
        if watches is None:
            return True
        try:
            if watches:
                self._epoll.modify(fd, _mask(watches))
            else:
                self._watches.pop(fd, None)
                self._epoll.unregister(fd)
        except OSError:  # it was closed meanwhile, unless a tick has served them all
            return self._watches.get(fd) is not watches
        return True

    def serve(self) -> None:
        """Call the watches of every descriptor that is ready now; never sleeps."""
        if self._epoll is None:
            return
        for fd, events in self._epoll.poll(0):
            watches = self._watches.get(fd)
            if watches is None:
                try:
                    self._epoll.unregister(fd)
                except OSError:
                    self._begin_anew()
                    return
                continue
            due = [ready for wanted, ready in watches if events & (wanted | _ALWAYS)]
            watches[:] = [watch for watch in watches if watch[1] not in due]
            self._renew(fd)
            for ready in due:
                ready()

    def _begin_anew(self) -> None:
        """Watch with another epoll: this one holds a closed descriptor that it can be told of no more.

        It happens if a duplicate of the descriptor is open, here or in a child; the file is reported without
        end. What is ready is reported by the new one too.
        """
        old, fresh = self._epoll, _epoll()
        for fd, watches in list(self._watches.items()):
            try:
                fresh.register(fd, _mask(watches))
            except OSError:
                self.fail(fd)
        self._epoll = fresh
        self._sleep_on = (self._read, self.signal_read, fresh.fileno())
        old.close()

    def close(self) -> None:
        """Give the descriptors back."""
        for fd, identity in self._ours.items():
            if _identity(fd) == identity:
                os.close(fd)
        if self._epoll is not None:
            self._epoll.close()

    def after_fork(self) -> None:
        """In a forked child: descriptors of one's own, since the old ones are shared with the parent."""
        self.close()
        self._open()


def _high(fd: int) -> int:
    """The same descriptor under a number that programs do not come to by themselves."""
    try:
        high = fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, HIGH)
    except OSError:
        return fd
    os.close(fd)
    return high


def _mask(watches: list[tuple[int, Callable[[], object]]]) -> int:
    """All that is waited for on a descriptor."""
    mask = 0
    for events, _ in watches:
        mask |= events
    return mask


def _identity(fd: int) -> tuple[int, int] | None:
    try:
        found = os.fstat(fd)
    except OSError:
        return None
    return found.st_dev, found.st_ino


class _Kqueueish:
    """The calls of `select.epoll` that are used here, on `selectors` (macOS and others)."""

    def __init__(self) -> None:
        import selectors  # noqa: PLC0415 - only where there is no epoll

        self._selector = selectors.DefaultSelector()
        self._selectors = selectors

    def fileno(self) -> int:
        return self._selector.fileno()

    def _mask(self, events: int) -> int:
        read = self._selectors.EVENT_READ if events & READ else 0
        return read | (self._selectors.EVENT_WRITE if events & WRITE else 0)

    def register(self, fd: int, events: int) -> None:
        self._selector.register(fd, self._mask(events))

    def modify(self, fd: int, events: int) -> None:
        self._selector.modify(fd, self._mask(events))

    def unregister(self, fd: int) -> None:
        try:
            self._selector.unregister(fd)
        except KeyError:
            raise OSError from None

    def poll(self, timeout: float) -> list[tuple[int, int]]:
        found = []
        for key, mask in self._selector.select(timeout):
            events = (READ if mask & self._selectors.EVENT_READ else 0) | (
                WRITE if mask & self._selectors.EVENT_WRITE else 0
            )
            found.append((key.fd, events))
        return found

    def close(self) -> None:
        self._selector.close()


def poll_once(wanted: Iterable[tuple[int, int]], timeout_ms: float | None) -> list[tuple[int, int]]:
    """The real `poll`: which descriptors are ready for what, within a time; sleeps the kernel thread."""
    poll = _poll()
    for fd, events in wanted:
        poll.register(fd, events)
    return poll.poll(timeout_ms)


_epoll: Callable[[], Any] = getattr(select, "epoll", _Kqueueish)
_poll = select.poll
_select = select.select
_read = os.read
_write = os.write
_ONE = (1).to_bytes(8, sys.byteorder)
