"""`select.select`, `select.poll` and `select.epoll`: a look first, and only then the thread alone waits.

They are asked through the real ones, which check the arguments and say what CPython says.
"""

import errno
import select
from collections.abc import Iterator
from typing import Any

from weft.core.current import current
from weft.host.platform import monotonic
from weft.host.poller import READ, WRITE
from weft.stdlib.descriptors import attend, fail_waiters, nap, repeatable, wait_for
from weft.stdlib.sleep import sleep
from weft.stdlib.supplied import dress

__all__ = ["replacements"]

NOBODY = 0x7FFFFFFF  # no process has so many descriptors: a poll of it returns at once
USUAL = 1e8  # seconds up to which a timeout needs no checking by C

_select: Any = select.select
_poll: Any = getattr(select, "poll", None)
_epoll: Any = getattr(select, "epoll", None)


def replacements() -> list[tuple[Any, str, Any]]:
    """The functions and types to put in place: (module, name, value)."""
    found: list[tuple[Any, str, Any]] = [(select, "select", dress(_select_parking, "select", "select"))]
    if _poll is not None:
        found.append((select, "poll", dress(_make_poll, "select", "poll")))
    if _epoll is not None:
        found.append((select, "epoll", epoll))
    return found


def _deadline(timeout: float | None) -> float | None:
    return None if timeout is None or timeout < 0 else monotonic() + timeout


def _give_way() -> None:
    """CPython gives up its lock to ask: who asks on and on lets others run."""
    sleep(0)
    current().carrier.let_others(monotonic())


# -- select --------------------------------------------------------------------------------------------


class _Checked(Exception):
    """No error: the arguments before it are good."""


class _Stop:
    """A list of files that is no list: where C comes to it, it has found the timeout good."""

    def __iter__(self) -> Iterator[Any]:
        raise _Checked


def _check_timeout(timeout: Any) -> None:
    try:
        _select(_Stop(), (), (), timeout)
    except _Checked:
        pass


def _select_parking(
    rlist: Any, wlist: Any, xlist: Any, timeout: float | None = None, /
) -> tuple[list[Any], ...]:
    """Wait until one or more file descriptors are ready for some kind of I/O.

    The first three arguments are iterables of file descriptors to be waited for: for reading, for
    writing, for an exceptional condition. The fourth is a number of seconds; None: for ever.

    Returns:
        Three lists, the subsets of the first three arguments that are ready.
    """
    if timeout is not None and not (timeout.__class__ in (int, float) and 0 <= timeout <= USUAL):
        _check_timeout(timeout)
    attend()
    rlist, wlist, xlist = repeatable(rlist), repeatable(wlist), repeatable(xlist)
    answer = _select(rlist, wlist, xlist, 0)
    if timeout == 0 or any(answer):
        _give_way()
        return answer  # type: ignore[no-any-return]
    deadline = _deadline(timeout)
    files = [[(_fileno(file), file) for file in given] for given in (rlist, wlist, xlist)]
    reads, writes, others = fds = [[fd for fd, _ in given] for given in files]
    masks: dict[int, int] = {}
    for numbers, mask in zip(fds, (READ, WRITE, select.POLLPRI), strict=True):
        for fd in numbers:
            masks[fd] = masks.get(fd, 0) | mask
    if not masks:
        nap(deadline)
        return [], [], []
    wanted = list(masks.items())
    while True:
        in_time = wait_for(wanted, deadline)
        ready = _select(reads, writes, others, 0)
        if any(ready) or not in_time or (deadline is not None and monotonic() >= deadline):
            found = zip(files, map(set, ready), strict=True)
            return tuple([file for fd, file in given if fd in numbers] for given, numbers in found)


def _fileno(file: Any) -> int:
    return file if isinstance(file, int) else file.fileno()


# -- poll ----------------------------------------------------------------------------------------------


class _PollType(type):
    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        raise TypeError("cannot create 'select.poll' instances")


class poll(metaclass=_PollType):  # noqa: N801 - the name programs know
    """A polling object; as `select.poll()` makes it."""

    __slots__ = ("_busy", "_real", "_wanted")
    _real: Any
    _wanted: dict[int, int]
    _busy: bool

    def __init_subclass__(cls) -> None:
        raise TypeError("type 'select.poll' is not an acceptable base type")

    def register(self, fd: Any, eventmask: int = READ | WRITE, /) -> None:
        """Register a file descriptor with the polling object."""
        self._real.register(fd, eventmask)
        self._wanted[_fileno(fd)] = eventmask

    def modify(self, fd: Any, eventmask: int, /) -> None:
        """Modify an already registered file descriptor."""
        self._real.modify(fd, eventmask)
        self._wanted[_fileno(fd)] = eventmask

    def unregister(self, fd: Any, /) -> None:
        """Remove a file descriptor being tracked by the polling object."""
        self._real.unregister(fd)
        self._wanted.pop(_fileno(fd), None)

    def poll(self, timeout: float | None = None, /) -> list[tuple[int, int]]:
        """Poll the set of registered file descriptors, for at most `timeout` milliseconds.

        Returns:
            A list of (descriptor, events) of those that have events or errors to report.
        """
        if timeout is not None and not (timeout.__class__ in (int, float) and timeout <= USUAL):
            check = _poll()
            check.register(NOBODY)
            check.poll(timeout)
        if self._busy:
            raise RuntimeError("concurrent poll() invocation")
        attend()
        answer: list[tuple[int, int]] = self._real.poll(0)
        if answer or timeout == 0:
            _give_way()
            return answer
        deadline = _deadline(None if timeout is None else timeout / 1e3)
        self._busy = True
        try:
            if not self._wanted:
                nap(deadline)
                return answer
            while not answer:
                try:
                    in_time = wait_for(list(self._wanted.items()), deadline)
                except OSError as error:
                    if error.errno != errno.EBADF:  # one was closed: the answer will say which
                        raise
                    in_time = True
                answer = self._real.poll(0)
                if not in_time or (deadline is not None and monotonic() >= deadline):
                    break
            return answer
        finally:
            self._busy = False


poll.__module__, poll.__qualname__ = "select", "poll"


def _make_poll() -> Any:
    """Returns a polling object: descriptors are registered and unregistered with it, and polled."""
    made: Any = object.__new__(poll)
    made._real = _poll()
    made._wanted = {}
    made._busy = False
    return made


# -- epoll ---------------------------------------------------------------------------------------------


class epoll:  # noqa: N801 - the name programs know
    """An epoll object; as `select.epoll`. Only its `poll` differs: it parks the calling thread."""

    __slots__ = ("__weakref__", "_real", "fileno", "modify", "register", "unregister")
    _real: Any
    fileno: Any
    register: Any
    modify: Any
    unregister: Any

    def __init_subclass__(cls) -> None:
        raise TypeError("type 'select.epoll' is not an acceptable base type")

    def __new__(cls, sizehint: int = -1, flags: int = 0) -> "epoll":
        return cls._around(_epoll(sizehint, flags))

    @classmethod
    def _around(cls, real: Any) -> "epoll":
        made = object.__new__(cls)
        made._real = real
        made.fileno, made.register = real.fileno, real.register
        made.modify, made.unregister = real.modify, real.unregister
        return made

    @classmethod
    def fromfd(cls, fd: int, /) -> "epoll":
        """Create an epoll object from a given control fd."""
        return cls._around(_epoll.fromfd(fd))

    @property
    def closed(self) -> bool:
        """True if the epoll handler is closed."""
        return bool(self._real.closed)

    def close(self) -> None:
        """Close the epoll control file descriptor."""
        real = self._real
        fd = -1 if real.closed else real.fileno()
        fail_waiters(fd)
        real.close()

    def __enter__(self) -> "epoll":
        self._real.__enter__()
        return self

    def __exit__(self, *args: object) -> None:
        self.close()

    def poll(self, timeout: float | None = None, maxevents: int = -1) -> list[tuple[int, int]]:
        """Wait for events on the epoll file descriptor, for at most `timeout` seconds (None: for ever).

        Returns:
            A list of (descriptor, events), at most `maxevents` of them (-1: as many as there are).
        """
        real = self._real
        if timeout is not None and not (timeout.__class__ in (int, float) and timeout <= USUAL):
            _check_timeout(timeout)
        attend()
        answer: list[tuple[int, int]] = real.poll(0, maxevents)
        if answer or timeout == 0:
            _give_way()
            return answer
        deadline = _deadline(timeout)
        wanted = [(real.fileno(), select.POLLIN)]
        while not answer:
            try:
                in_time = wait_for(wanted, deadline)
            except OSError as error:
                if error.errno != errno.EBADF:  # it was closed: the next call will say so
                    raise
                in_time = True
            answer = real.poll(0, maxevents)
            if not in_time or (deadline is not None and monotonic() >= deadline):
                break
        return answer


epoll.__module__, epoll.__qualname__ = "select", "epoll"
if _epoll is not None:
    epoll.__doc__ = _epoll.__doc__
