"""What `os` and `fcntl` do with simulated descriptors; all others go to the system."""

import errno
import fcntl
import os
import stat
from functools import partial
from typing import Any

from weft.check.network.errors import bad_descriptor, fail, not_simulated
from weft.check.network.space import FIRST, LAST, NETWORK, Description, is_simulated
from weft.check.network.waiting import announce, operate

__all__ = ["close", "dup", "install"]

_real: dict[str, Any] = {}


def _stream(fd: int) -> tuple[Description, Any]:
    description = NETWORK.at(fd)
    if description.end is None:
        if description.inbox is not None:
            raise not_simulated("os.read() and the like of datagrams")
        raise fail(errno.ENOTCONN)
    return description, description.end


def read(fd: int, length: int, /) -> bytes:
    """As `os.read`."""
    if length < 0:
        raise fail(errno.EINVAL)
    description, end = _stream(fd)
    what = ("recv", end.connection, 1 - end.side)
    wait = not description.nonblocking
    got: bytes = operate(fd, description, what, lambda: end.readable, lambda: end.receive(length), None, wait)
    return got


def write(fd: int, data: Any, /) -> int:
    """As `os.write`: where it may wait it writes all."""
    description, end = _stream(fd)
    left = memoryview(data).cast("B")
    what = ("send", end.connection, end.side)
    sent = 0
    while True:
        wait = not description.nonblocking
        part = left[sent:]
        now = operate(fd, description, what, lambda: end.writable, partial(end.send, part), None, wait)
        sent += int(now)
        if sent >= len(left) or not wait:
            return sent


def readv(fd: int, buffers: Any, /) -> int:
    """As `os.readv`."""
    rooms = [memoryview(each).cast("B") for each in buffers]
    data = read(fd, sum(map(len, rooms)))
    left = data
    for room in rooms:
        part = left[: len(room)]
        room[: len(part)] = part
        left = left[len(part) :]
    return len(data)


def writev(fd: int, buffers: Any, /) -> int:
    """As `os.writev`."""
    return write(fd, b"".join(bytes(each) for each in buffers))


def sendfile(out_fd: int, in_fd: int, offset: int | None, count: int) -> int:
    """As `os.sendfile` to a socket."""
    if is_simulated(in_fd):
        raise fail(errno.EINVAL)
    at = os.lseek(in_fd, 0, os.SEEK_CUR) if offset is None else offset
    data = os.pread(in_fd, count, at)
    if not data:
        return 0
    description, end = _stream(out_fd)
    wait = not description.nonblocking
    what = ("send", end.connection, end.side)
    sent: int = operate(out_fd, description, what, lambda: end.writable, lambda: end.send(data), None, wait)
    if offset is None:
        os.lseek(in_fd, at + sent, os.SEEK_SET)
    return sent


def close(fd: int) -> None:
    """As `os.close`."""
    description = NETWORK.at(fd)
    announce("close", description)
    if NETWORK.table.get(fd) is not description:
        raise bad_descriptor()
    NETWORK.close(fd)


def dup(fd: int, /) -> int:
    """As `os.dup`."""
    return NETWORK.open(NETWORK.at(fd))


def dup2(*_: Any, **__: Any) -> int:
    """As `os.dup2`, refused."""
    raise not_simulated("os.dup2() of a socket")


def set_blocking(fd: int, blocking: bool, /) -> None:
    """As `os.set_blocking`."""
    NETWORK.at(fd).nonblocking = not blocking


def get_blocking(fd: int, /) -> bool:
    """As `os.get_blocking`."""
    return not NETWORK.at(fd).nonblocking


def set_inheritable(fd: int, _: bool, /) -> None:
    """As `os.set_inheritable`: children have none of it anyway."""
    NETWORK.at(fd)


def get_inheritable(fd: int, /) -> bool:
    """As `os.get_inheritable`."""
    NETWORK.at(fd)
    return False


def isatty(_: int, /) -> bool:
    """As `os.isatty`."""
    return False


def fstat(fd: int) -> os.stat_result:
    """As `os.fstat`."""
    NETWORK.at(fd)
    return os.stat_result((stat.S_IFSOCK | 0o777, fd, 0, 1, 0, 0, 0, 0, 0, 0))


def control(fd: Any, cmd: int, arg: Any = 0, /) -> Any:
    """As `fcntl.fcntl`: the flags."""
    number = fd if isinstance(fd, int) else fd.fileno()
    if not is_simulated(number):
        return _real["fcntl"](fd, cmd, arg)
    description = NETWORK.at(number)
    if cmd == fcntl.F_GETFL:
        return os.O_RDWR | (os.O_NONBLOCK if description.nonblocking else 0)
    if cmd == fcntl.F_SETFL:
        description.nonblocking = bool(arg & os.O_NONBLOCK)
        return 0
    if cmd in (fcntl.F_GETFD, fcntl.F_SETFD):
        return fcntl.FD_CLOEXEC if cmd == fcntl.F_GETFD else 0
    if cmd in (fcntl.F_DUPFD, getattr(fcntl, "F_DUPFD_CLOEXEC", -1)):
        return dup(number)
    raise not_simulated(f"fcntl() {cmd} of a socket")


_FUNCTIONS = (read, write, readv, writev, close, dup, dup2, set_blocking, get_blocking)
_FUNCTIONS += (sendfile, set_inheritable, get_inheritable, isatty, fstat)  # type: ignore[assignment]


def _either(real: Any, ours: Any) -> Any:
    """A function that goes by the number it is given."""

    def call(*args: Any, **kwargs: Any) -> Any:
        fd = args[0] if args else kwargs.get("fd", kwargs.get("out_fd"))
        if fd.__class__ is int and FIRST <= fd < LAST:
            return ours(*args, **kwargs)
        return real(*args, **kwargs)

    call.__name__ = call.__qualname__ = real.__name__
    call.__doc__, call.__module__ = real.__doc__, real.__module__
    return staticmethod(call)


def install() -> None:
    """Put them into `os` and `fcntl`."""
    for function in _FUNCTIONS:
        name = function.__name__
        setattr(os, name, _either(getattr(os, name), function))
    _real["fcntl"] = fcntl.fcntl
    control.__name__ = control.__qualname__ = "fcntl"
    setattr(fcntl, "fcntl", staticmethod(control))  # noqa: B010 - its type says that it cannot be
