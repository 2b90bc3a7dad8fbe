"""`select`, `poll` and `epoll` of a checked program, over simulated descriptors and those of the machine.

A wait for simulated ones alone is one point. Where some are the machine's, they are asked again and again,
and what they do no search can see. Edges are not told from levels: EPOLLET is as if it were not set.
"""

import errno
import os
import select
from collections.abc import Callable, Iterable
from typing import Any

from weft.check.network.errors import bad_descriptor, fail
from weft.check.network.readiness import ERR, HUP, IN, NVAL, OUT, PRI, RDHUP, events_of, things_of
from weft.check.network.space import NETWORK, Description, is_simulated
from weft.check.world import MODEL, Several, note_passed
from weft.host.platform import TIMEOUT_MAX
from weft.models.controlled import Task

__all__ = ["install"]

_real_select: Any = select.select
_real_poll, _real_epoll = select.poll, select.epoll
_ONESHOT = int(getattr(select, "EPOLLONESHOT", 1 << 30))
_EVENTS = 0x3FFF  # what is an event and no flag
MOMENT = 0.001  # seconds of real time that descriptors of the machine are waited for at a time
_point = MODEL.point


def wait(
    things: list[tuple[Any, Any]],
    look: Callable[[], list[Any]],
    timeout: float | None,
    real: Callable[[float], list[Any]] | None,
) -> list[Any]:
    """One look, or a wait until there is something to see.

    Args:
        things: what the look depends on.
        look: what is there now.
        timeout: in seconds; None: for ever.
        real: waits so many seconds for what the machine has; None: nothing is.
    """
    target = Several(things)
    deadline = MODEL.after(timeout) if timeout else None
    if real is not None:
        return _wait_mixed(target, look, timeout, deadline, real)
    if timeout == 0 or not MODEL.active:
        _point("select", target)
        return look()

    def may_go_on(task: Task) -> bool:
        return bool(look()) or (task.deadline is not None and MODEL.now >= task.deadline)

    _point("select", target, None, None, may_go_on, deadline)
    return look()


def _wait_mixed(
    target: Several, look: Callable[[], list[Any]], timeout: float | None, deadline: Any, real: Any
) -> list[Any]:
    note_passed("descriptors of the machine, which threads wait for")
    if not target.things:  # all are the machine's: nothing else goes on until they answer
        found: list[Any] = list(real(-1 if timeout is None else timeout))
        if not found and deadline is not None:
            MODEL.now = max(MODEL.now, deadline)
        return found
    while True:
        _point("select", target)
        found = [*look(), *real(0 if timeout == 0 else MOMENT)]
        if found or timeout == 0 or (deadline is not None and MODEL.now >= deadline):
            return found
        MODEL.now += MOMENT


def fd_of(thing: Any) -> int:
    """The number of a descriptor or of what has one, refused as CPython does."""
    if isinstance(thing, int):
        fd = thing
    else:
        method = getattr(thing, "fileno", None)
        if method is None:
            raise TypeError("argument must be an int, or have a fileno() method.")
        fd = method()
        if not isinstance(fd, int):
            raise TypeError("fileno() returned a non-integer")
    if fd < 0:
        raise ValueError(f"file descriptor cannot be a negative integer ({fd})")
    return fd


def seconds_of(timeout: Any, wrong: str, unit: float = 1.0) -> float | None:
    """A timeout in seconds; None: for ever."""
    if timeout is None:
        return None
    if not isinstance(timeout, (int, float)):
        raise TypeError(wrong)
    seconds = timeout * unit
    if seconds != seconds:
        raise ValueError("Invalid value NaN (not a number)")
    if seconds > TIMEOUT_MAX:
        raise OverflowError("timestamp too large to convert to C _PyTime_t")
    return seconds


def _select(rlist: Iterable[Any], wlist: Iterable[Any], xlist: Iterable[Any], timeout: Any = None, /) -> Any:
    """As `select.select`."""
    lists = [[(fd_of(each), each) for each in [*given]] for given in (rlist, wlist, xlist)]
    simulated = any(is_simulated(fd) for pairs in lists for fd, _ in pairs)
    if any(lists) and not simulated:
        if MODEL.active:
            note_passed("descriptors of the machine, which threads wait for")
        found = _real_select(*([fd for fd, _ in pairs] for pairs in lists), timeout)
        if timeout and not any(found) and MODEL.active:
            MODEL.now = MODEL.after(timeout)
        return tuple(
            [each for fd, each in pairs if fd in have] for pairs, have in zip(lists, found, strict=True)
        )
    seconds = seconds_of(timeout, "timeout must be a float or None")
    if seconds is not None and seconds < 0:
        raise ValueError("timeout must be non-negative")
    masks = (IN | HUP | ERR | RDHUP, OUT | ERR, PRI)
    asked: dict[int, int] = {}
    for pairs, mask in zip(lists, masks, strict=True):
        for fd, _ in pairs:
            asked[fd] = asked.get(fd, 0) | mask
    descriptions = {fd: NETWORK.at(fd) for fd in asked if is_simulated(fd)}

    def look() -> list[Any]:
        if any(NETWORK.table.get(fd) is not each for fd, each in descriptions.items()):
            return [None]
        now = {fd: events_of(each) for fd, each in descriptions.items()}
        return [fd for fd, events in now.items() if events & asked[fd]]

    real_fds = [fd for fd in asked if not is_simulated(fd)]
    poller = _over(real_fds, asked) if real_fds else None
    things = [each for fd, one in descriptions.items() for each in things_of(one, asked[fd])]
    ready = wait(things, look, seconds, poller)
    if None in ready:
        raise bad_descriptor()
    now = {fd: events_of(each) for fd, each in descriptions.items()}
    now.update(each for each in ready if isinstance(each, tuple))
    return tuple(
        [each for fd, each in pairs if now.get(fd, 0) & mask]
        for pairs, mask in zip(lists, masks, strict=True)
    )


def _over(fds: list[int], asked: dict[int, int]) -> Callable[[float], list[Any]]:
    """A poller of the machine's descriptors; what it gives are pairs of a number and events."""
    poller = _real_poll()
    for fd in fds:
        poller.register(fd, asked[fd] & (IN | OUT | PRI))
    return lambda seconds: list(poller.poll(None if seconds < 0 else seconds * 1000))


class _Registered:
    """What both kinds of pollers keep: of each descriptor, what it stands for and which events are wanted."""

    def __init__(self) -> None:
        self.wanted: dict[int, tuple[Description | None, int]] = {}

    def ready(self, always: int) -> list[tuple[int, int]]:
        """What is there now."""
        found = []
        for fd, (description, mask) in list(self.wanted.items()):
            if description is None:
                continue
            if NETWORK.table.get(fd) is not description:
                if always & NVAL:
                    found.append((fd, NVAL))
                continue
            events = events_of(description) & (mask & _EVENTS | always)
            if events and mask:
                found.append((fd, events))
        return found

    def things(self) -> list[tuple[Any, Any]]:
        """What a look depends on."""
        return [
            each
            for description, mask in self.wanted.values()
            if description is not None
            for each in things_of(description, mask | ERR)
        ]

    def has_real(self) -> bool:
        """Whether some are the machine's."""
        return any(description is None for description, _ in self.wanted.values())


class Poll:
    """As what `select.poll` returns; `_poll` makes one."""

    _kept: _Registered
    _real: Any
    _polls: bool

    def __new__(cls) -> "Poll":
        """Refused, as CPython's type does."""
        raise TypeError("cannot create 'select.poll' instances")

    def register(self, fd: Any, eventmask: int = IN | PRI | OUT, /) -> None:
        """Look for these events from now on."""
        number = fd_of(fd)
        if not is_simulated(number):
            self._real.register(number, eventmask)
            self._kept.wanted[number] = (None, eventmask)
        else:
            self._kept.wanted[number] = (NETWORK.table.get(number), eventmask)
            if number not in NETWORK.table:
                self._kept.wanted[number] = (Description(-1, 0, 0), eventmask)

    def modify(self, fd: Any, eventmask: int, /) -> None:
        """Look for others."""
        if fd_of(fd) not in self._kept.wanted:
            raise fail(errno.ENOENT)
        self.register(fd, eventmask)

    def unregister(self, fd: Any, /) -> None:
        """Look no more."""
        number = fd_of(fd)
        del self._kept.wanted[number]
        if not is_simulated(number):
            self._real.unregister(number)

    def poll(self, timeout: Any = None, /) -> list[tuple[int, int]]:
        """What there is, after a wait of at most so many milliseconds."""
        seconds = seconds_of(timeout, "timeout must be an integer or None", 0.001)
        if seconds is not None and seconds < 0:
            seconds = None
        if self._polls:
            raise RuntimeError("concurrent poll() invocation")
        self._polls = True
        try:
            real = self._poll_real if self._kept.has_real() else None
            return wait(self._kept.things(), lambda: self._kept.ready(ERR | HUP | NVAL), seconds, real)
        finally:
            self._polls = False

    def _poll_real(self, seconds: float) -> list[Any]:
        return list(self._real.poll(None if seconds < 0 else seconds * 1000))


def _poll() -> Poll:
    """As `select.poll`."""
    made = object.__new__(Poll)
    made._kept, made._real, made._polls = _Registered(), _real_poll(), False
    return made


class Epoll:
    """As `select.epoll`."""

    def __init_subclass__(cls) -> None:
        """Refused, as CPython's type does."""
        raise TypeError("type 'select.epoll' is not an acceptable base type")

    def __init__(self, sizehint: int = -1, flags: int = 0) -> None:
        if sizehint != -1 and sizehint <= 0:
            raise ValueError("negative sizehint")
        self._kept = _Registered()
        self._real: Any = None
        self._fd = NETWORK.open(Description(-1, 0, 0))

    @classmethod
    def fromfd(cls, fd: int, /) -> Any:
        """One that there is."""
        if not is_simulated(fd):
            return _real_epoll.fromfd(fd)
        made = cls()
        os.close(made._fd)
        made._fd = fd
        return made

    @property
    def closed(self) -> bool:
        """Whether it is closed."""
        return self._fd < 0

    def _check(self) -> None:
        if self._fd < 0:
            raise ValueError("I/O operation on closed epoll object")

    def fileno(self) -> int:
        """Its number."""
        self._check()
        return self._fd

    def close(self) -> None:
        """Close it."""
        fd, self._fd = self._fd, -1
        if fd >= 0 and fd in NETWORK.table:
            NETWORK.close(fd)
        if self._real is not None:
            self._real.close()
            self._real = None

    def __enter__(self) -> "Epoll":
        self._check()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def register(self, fd: Any, eventmask: int = IN | PRI | OUT) -> None:
        """Look for these events from now on."""
        number = self._number(fd)
        if is_simulated(number):
            if self._known(number):
                raise fail(errno.EEXIST)
            self._kept.wanted[number] = (NETWORK.at(number), eventmask)
            return
        if self._real is None:
            self._real = _real_epoll()
        self._real.register(number, eventmask)
        self._kept.wanted[number] = (None, eventmask)

    def _number(self, fd: Any) -> int:
        self._check()
        return fd_of(fd)

    def _known(self, number: int) -> bool:
        known = self._kept.wanted.get(number)
        return known is not None and NETWORK.table.get(number) is known[0]

    def modify(self, fd: Any, eventmask: int) -> None:
        """Look for others."""
        number = self._number(fd)
        if not is_simulated(number):
            if self._real is None:
                raise fail(errno.ENOENT)
            self._real.modify(number, eventmask)
            return
        description = NETWORK.at(number)
        if not self._known(number):
            raise fail(errno.ENOENT)
        self._kept.wanted[number] = (description, eventmask)

    def unregister(self, fd: Any) -> None:
        """Look no more."""
        number = self._number(fd)
        if not is_simulated(number):
            if self._real is None:
                raise fail(errno.ENOENT)
            self._real.unregister(number)
            del self._kept.wanted[number]
            return
        NETWORK.at(number)
        if not self._known(number):
            raise fail(errno.ENOENT)
        del self._kept.wanted[number]

    def poll(self, timeout: Any = None, maxevents: int = -1) -> list[tuple[int, int]]:
        """What there is, after a wait of at most so many seconds."""
        self._check()
        seconds = seconds_of(timeout, "timeout must be an integer or None")
        if seconds is not None and seconds < 0:
            seconds = None
        if maxevents != -1 and maxevents <= 0:
            raise ValueError(f"maxevents must be greater than 0, got {maxevents}")
        real = self._poll_real if self._kept.has_real() else None
        found = wait(self._kept.things(), lambda: self._kept.ready(ERR | HUP), seconds, real)
        self._check()
        if maxevents > 0:
            del found[maxevents:]
        for fd, _ in found:
            description, mask = self._kept.wanted.get(fd, (None, 0))
            if description is not None and mask & _ONESHOT:
                self._kept.wanted[fd] = (description, 0)
        return found

    def _poll_real(self, seconds: float) -> list[Any]:
        return list(self._real.poll(None if seconds < 0 else seconds))


for _cls, _name in ((Poll, "poll"), (Epoll, "epoll")):
    _cls.__name__ = _cls.__qualname__ = _name
    _cls.__module__ = "select"


def install() -> None:
    """Put them into the module `select`."""
    module: Any = select
    _select.__name__ = _select.__qualname__ = "select"
    module.select = staticmethod(_select)  # which does not bind, as a function in C
    _poll.__name__ = _poll.__qualname__ = "poll"
    module.poll, module.epoll = staticmethod(_poll), Epoll
