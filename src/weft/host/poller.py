"""What a carrier sleeps in when nothing is ready: until a time, a wake, or a change of a descriptor.

Every descriptor is registered once, edge-triggered, for both directions (epoll; kqueue with EV_CLEAR): a busy
connection costs no further system call but those that read and write it. `epoll_wait` rounds up to a
millisecond, so a sleep that has an end takes place in a `select()` on the epoll's own descriptor, or has
its last millisecond there.
"""

import fcntl
import os
import select
from collections.abc import Callable, Iterable
from typing import Any

from weft.host.platform import HIGH, high, identify

__all__ = ["FITS", "HANGUP", "READ", "WRITE", "Poller", "asker", "poll_once", "tell"]

READ = select.POLLIN | select.POLLPRI
WRITE = select.POLLOUT
HANGUP = select.POLLERR | select.POLLHUP | select.POLLNVAL
FITS = getattr(select, "PIPE_BUF", 512)  # bytes that a pipe takes at once when it says that it takes some
COARSE = 0.004  # seconds above which a sleep is begun in whole milliseconds

Events = list[tuple[int, int]]


class Poller:
    """Sleeps until a deadline, until `wake` is called from any kernel thread, or until a descriptor changes.

    Args:
        channels: of a poller beside which this one works: a number stands for one channel in both.

    Attributes:
        channels: the registered descriptors, each with whatever the caller keeps for it.
        signal_write: a descriptor to which a signal's number may be written to end the sleep.
        reopened: called when the descriptors above are others than before (fork, or the program closed them).
    """

    def __init__(self, channels: dict[int, Any] | None = None) -> None:
        self.channels: dict[int, Any] = {} if channels is None else channels
        self._dead: list[Any] = []
        self.reopened: Callable[[], object] = lambda: None
        self._open()

    def _open(self) -> None:
        self._bell, *bell = self._always_ready()
        self._signal_read, self.signal_write = (high(fd) for fd in os.pipe())
        for fd in (self._signal_read, self.signal_write):
            os.set_blocking(fd, False)
        self._events: Any = _Events()
        for fd in (self._bell, self._signal_read):
            self._events.register(fd)
        self._ours = {fd: identify(fd) for fd in (self._bell, *bell, self._signal_read, self.signal_write)}
        self._sleep_on = (self._events.fileno(),)
        self.poll: Callable[..., Events] = self._events.poll
        self.poll(0)  # the bell's edge as it was registered

    @staticmethod
    def _always_ready() -> list[int]:
        """A descriptor that can be read at any time, and those that keep it so."""
        if hasattr(os, "eventfd"):
            return [high(os.eventfd(1, os.EFD_CLOEXEC | os.EFD_NONBLOCK))]
        ends = [high(fd) for fd in os.pipe()]
        _write(ends[1], b"!")
        return ends

    def __len__(self) -> int:
        """How many descriptors are registered."""
        return len(self.channels)

    def wait(self, timeout: float | None, exact: bool = True) -> Events:
        """Sleep for at most `timeout` seconds (None: until something comes).

        Args:
            exact: whether it matters when the time is over.

        Returns:
            What has changed: pairs of a descriptor and bits of epoll.
        """
        try:
            if timeout is None:
                return self.poll()
            if timeout > COARSE and (self.channels or not exact):
                return self.poll(int(timeout * 1e3 - 1) / 1e3)
            if _select(self._sleep_on, (), (), timeout)[0]:
                return self.poll(0)
        except OSError:
            return self._lost()
        except ValueError:  # so many files were open that its number is too high for `select`
            return self.poll(timeout)
        return []

    def look(self) -> Events:
        """What has changed since the last time; never sleeps."""
        try:
            return self.poll(0)
        except OSError:
            return self._lost()

    def stray(self, fd: int) -> None:
        """An event came for a descriptor without a channel: our own, or one that is no longer of interest."""
        if fd == self._bell:
            return
        if fd == self._signal_read:
            if self._ours[fd] == identify(fd):
                try:
                    _read(fd, 4096)  # the handlers of signals run as this call returns
                except BlockingIOError:
                    pass
        else:
            self._events.unregister(fd)

    def wake(self) -> None:
        """End the sleep, or the next one if none is on.

        A descriptor that is always ready brings an edge whenever its registration is renewed. That is one
        call, and cannot harm a program that has closed the number and opened it anew.
        """
        try:
            self._events.modify(self._bell)
        except (OSError, ValueError):
            pass  # the program closed our descriptor, or the carrier has ended

    def _lost(self) -> Events:
        """The program closed our descriptors (a daemon closes all it does not know): open others."""
        self._dead.append(self._events)  # freed, it would close the number, which is another's by now
        self._open()
        self.reopened()
        return self._register_again()

    def _register_again(self) -> Events:
        """Everything anew; whoever waits is told to look, since an edge may have been missed."""
        for fd in tuple(self.channels):
            try:
                self._events.register(fd)
            except OSError:
                pass  # closed meanwhile: whoever waits will meet the error
        return [(fd, select.POLLIN | select.POLLOUT | select.POLLERR) for fd in self.channels]

    # -- descriptors -------------------------------------------------------------------------------

    def open(self, fd: int, channel: Any) -> Any:
        """Register a descriptor that is to stay registered; an edge comes at once if it is ready.

        Returns:
            The channel that it has from now on: the one given, or one that it had and that still holds.

        Raises:
            PermissionError: such a descriptor is always ready (a regular file) and cannot be registered.
            OSError: it is not open.
        """
        channels = self.channels
        known = channels.get(fd)
        channels[fd] = channel  # before anything can come for it
        try:
            self._events.register(fd)
        except FileExistsError:
            if known is not None:
                channels[fd] = channel = known
            self._events.modify(fd)
        except OSError:
            self._put_back(fd, known)
            if not self._is_lost():
                raise
            self._lost()
            return self.open(fd, channel)
        return channel

    def arm(self, fd: int, channel: Any, yields: bool = False) -> bool:
        """Have an edge come at once if a descriptor is ready, whether or not it is registered.

        Who waits must stand in the channel already: a tick may serve it at any moment.

        Args:
            yields: leave all as it is if the number has another channel.

        Returns:
            False if it yielded: whoever waits has to begin again.

        Raises:
            PermissionError, OSError: as `open`.
        """
        fresh = fd not in self.channels
        if self.channels.setdefault(fd, channel) is not channel:
            if yields:
                return False
            self.channels[fd] = channel
        events = self._events
        try:
            try:
                if fresh:
                    events.register(fd)
                else:
                    events.modify(fd)
            except FileExistsError:
                events.modify(fd)
            except FileNotFoundError:  # another poller has it, or the number was closed and opened anew
                try:
                    events.register(fd)
                except FileExistsError:
                    pass  # another carrier has done it just now: the edge comes all the same
        except OSError:
            self._put_back(fd, None)
            if not self._is_lost():
                raise
            self._lost()
            return self.arm(fd, channel, yields)
        return True

    def has(self, fd: int) -> bool:
        """Whether the file that has the number now is registered here."""
        try:
            self._events.modify(fd)
        except OSError:
            return False
        return True

    def take(self, fd: int, channel: Any, waiter: object) -> None:
        """Bring a channel here from another poller, since who waits on it now is on this one's carrier.

        Raises:
            OSError: the descriptor is not open.
        """
        before, channel.poller = channel.poller, self
        self.arm(fd, channel)
        if not channel.awaited_beside(waiter):
            before.release(fd)
            if channel.poller is before or channel.awaited_beside(waiter):
                before.arm(fd, channel, True)  # somebody came to wait there before it was released

    def release(self, fd: int) -> None:
        """Be told of a descriptor no more; another poller is."""
        self._events.unregister(fd)

    def _is_lost(self) -> bool:
        """Whether a call failed since the program has closed our descriptor, and not for its own sake."""
        return identify(self._events.fileno()) is None

    def _put_back(self, fd: int, known: Any) -> None:
        if known is None:
            self.channels.pop(fd, None)
        else:
            self.channels[fd] = known

    def drop(self, fd: int, channel: Any) -> None:
        """Forget a channel, and have the machine forget the descriptor: a copy of it may live elsewhere."""
        if self.channels.get(fd) is channel:
            del self.channels[fd]
            self._events.unregister(fd)

    def close(self) -> None:
        """Give the descriptors back."""
        for fd, identity in self._ours.items():
            if identify(fd) == identity:
                _close(fd)
        self._events.close()

    def after_fork(self) -> Events:
        """In a forked child: descriptors of one's own, since the old ones are shared with the parent."""
        self.close()
        self._open()
        self.reopened()
        return self._register_again()


class _Epoll:
    """An epoll on which everything is edge-triggered."""

    def __init__(self) -> None:
        made = self._epoll = _real_epoll()
        if made.fileno() < HIGH:
            try:
                self._epoll = _real_epoll.fromfd(fcntl.fcntl(made.fileno(), fcntl.F_DUPFD_CLOEXEC, HIGH))
                made.close()
            except OSError:
                pass  # so few descriptors are allowed that there is no such number
        self._mask = select.EPOLLIN | select.EPOLLOUT | select.EPOLLPRI | select.EPOLLRDHUP | select.EPOLLET
        self.poll = self._epoll.poll
        self.fileno = self._epoll.fileno
        self.close = self._epoll.close

    def register(self, fd: int) -> None:
        self._epoll.register(fd, self._mask)

    def modify(self, fd: int) -> None:
        """Have an edge come at once if the descriptor is ready."""
        self._epoll.modify(fd, self._mask)

    def unregister(self, fd: int) -> None:
        try:
            self._epoll.unregister(fd)
        except (OSError, ValueError):  # closed already, the one or the other
            pass


class _Kqueue:
    """The same on a kqueue (macOS and the BSDs); its events are told in epoll's bits."""

    def __init__(self) -> None:
        self._queue = select.kqueue()  # type: ignore[attr-defined,unused-ignore]
        self._known: set[int] = set()
        self.fileno = self._queue.fileno
        self.close = self._queue.close

    def register(self, fd: int) -> None:
        if fd in self._known:
            try:
                os.fstat(fd)
            except OSError:
                self._known.discard(fd)
                raise
            raise FileExistsError
        self.modify(fd)
        self._known.add(fd)

    def modify(self, fd: int) -> None:
        api: Any = select
        flags = api.KQ_EV_ADD | api.KQ_EV_CLEAR
        self._queue.control([api.kevent(fd, api.KQ_FILTER_READ, flags)], 0)
        try:
            self._queue.control([api.kevent(fd, api.KQ_FILTER_WRITE, flags)], 0)
        except OSError:
            pass  # the reading end of a pipe

    def unregister(self, fd: int) -> None:
        api: Any = select
        self._known.discard(fd)
        for which in (api.KQ_FILTER_READ, api.KQ_FILTER_WRITE):
            try:
                self._queue.control([api.kevent(fd, which, api.KQ_EV_DELETE)], 0)
            except OSError:
                pass

    def poll(self, timeout: float | None = None) -> Events:
        api: Any = select
        found: dict[int, int] = {}
        for event in self._queue.control(None, 1023, timeout):
            bits = select.POLLIN if event.filter == api.KQ_FILTER_READ else select.POLLOUT
            if event.flags & api.KQ_EV_EOF:
                bits |= select.POLLHUP
            found[event.ident] = found.get(event.ident, 0) | bits
        return list(found.items())


_Events: Any = _Epoll if hasattr(select, "epoll") else _Kqueue


def poll_once(wanted: Iterable[tuple[int, int]], timeout_ms: float | None) -> list[tuple[int, int]]:
    """The real `poll`: which descriptors are ready for what, within a time; sleeps the kernel thread."""
    poll = _poll()
    for fd, events in wanted:
        poll.register(fd, events)
    return poll.poll(timeout_ms)


def tell(text: str) -> None:
    """Write a text to descriptor 2, past all files and buffers; nothing is written if there is no room."""
    try:
        if poll_once([(2, WRITE)], 0):
            _write(2, text.encode("utf-8", "backslashreplace"))
    except OSError:
        pass  # nobody is there to be told


def asker(fd: int, events: int) -> Callable[[float], Events]:
    """A real `poll` that is kept, for who asks about the same descriptor again and again."""
    poll = _poll()
    poll.register(fd, events)
    return poll.poll


_real_epoll: Any = getattr(select, "epoll", None)  # the names in `select` will be weft's own
_poll = select.poll
_select = select.select
_read = os.read
_write = os.write
_close = os.close
