"""`os.read`, `os.write` and their kin on pipes, sockets and terminals; closing what others wait on.

A write is made without waiting where the machine can do that for one call (`RWF_NOWAIT`: pipes and sockets).
Elsewhere the poller is asked first, and then so little is written that it fits. Regular files go
straight to the real call.
"""

import errno
import fcntl
import os
import stat
import sys
from collections.abc import Callable, Iterator
from typing import Any

from weft.core.current import current
from weft.host.poller import FITS, READ, WRITE, poll_once
from weft.stdlib.descriptors import attend, bytes_of, fail_waiters, nap, naps, until_ready, waits
from weft.stdlib.errands import send_out
from weft.stdlib.supplied import dress

__all__ = ["replacements", "write_all"]

NOWAIT = 0x8  # RWF_NOWAIT of Linux
TERMINAL_FITS = 256
CHUNK = 1 << 18  # bytes that one step of `sendfile` reads

_read, _write, _readv, _writev = os.read, os.write, os.readv, os.writev
_open, _close, _closerange, _dup2 = os.open, os.close, os.closerange, os.dup2
_sendfile: Any = getattr(os, "sendfile", None)
_pwritev: Any = getattr(os, "pwritev", None)
_flock, _lockf = fcntl.flock, fcntl.lockf


def replacements() -> list[tuple[Any, str, Any]]:
    """The functions to put in place: (module, name, value)."""
    names: list[tuple[Any, str, Any]] = [
        (os, "read", read),
        (os, "readv", readv),
        (os, "write", write),
        (os, "writev", writev),
        (os, "open", open_),
        (os, "close", close),
        (os, "closerange", closerange),
        (os, "dup2", dup2),
        (fcntl, "flock", flock),
        (fcntl, "lockf", lockf),
    ]
    if _sendfile is not None:
        names.append((os, "sendfile", sendfile))
    found = []
    for module, name, function in names:
        real = getattr(module, name)
        function.__doc__ = real.__doc__
        dressed = dress(function, real.__module__, name)
        found.append((module, name, dressed))
        if real in os.supports_dir_fd:
            os.supports_dir_fd.add(dressed)  # what `shutil` asks before it removes a tree safely
        if real.__module__ != module.__name__:  # C's own module, under which it is pickled
            found.append((sys.modules[real.__module__], name, dressed))
    return found


# -- reading and writing -------------------------------------------------------------------------------


def read(fd: int, length: int, /) -> bytes:
    attend()  # first: what a handler does may take what is there
    if isinstance(fd, int) and length > 0:
        until_ready(fd, READ)
    return _read(fd, length)


def readv(fd: int, buffers: Any, /) -> int:
    if isinstance(fd, int):
        until_ready(fd, READ)
    return _readv(fd, buffers)


def write(fd: int, data: Any, /) -> int:
    if isinstance(fd, int) and _may_wait(fd, data):
        written = write_all(fd, data)
    else:
        written = _write(fd, data)
    attend()
    return written


def writev(fd: int, buffers: Any, /) -> int:
    if isinstance(fd, int) and _may_wait(fd, None):
        return write_all(fd, b"".join(buffers))
    return _writev(fd, buffers)


def _may_wait(fd: int, data: Any) -> bool:
    """Whether a write could put the kernel thread to sleep; no, where the real call says what is wrong."""
    try:
        few = data is not None and (len(data) if data.__class__ is bytes else memoryview(data).nbytes) <= FITS
        if few and poll_once([(fd, WRITE)], 0) and not os.isatty(fd):
            return False
        kind = os.fstat(fd).st_mode
        if not (stat.S_ISFIFO(kind) or stat.S_ISSOCK(kind) or (stat.S_ISCHR(kind) and os.isatty(fd))):
            return False
        return waits(fd, WRITE)
    except (OSError, OverflowError, TypeError, ValueError):
        return False


def write_all(fd: int, data: Any) -> int:
    """Write as a blocking descriptor does: all of it, parking while there is no room.

    Returns:
        The number of bytes; fewer than all only if an error came after some.
    """
    written = 0
    with bytes_of(data) as rest:
        while True:
            try:
                until_ready(fd, WRITE)
                written += _write_some(fd, rest[written:])
            except BlockingIOError:
                continue
            except OSError:
                if not written:
                    raise
                return written
            if written >= len(rest):
                return written


def _write_some(fd: int, data: Any) -> int:
    """Write some of the data without waiting, to a descriptor that says it takes some.

    Raises:
        BlockingIOError: it takes none after all.
    """
    if os.isatty(fd):
        return _write(fd, data[:TERMINAL_FITS])
    if NOWAIT_WORKS:
        try:
            return _pwritev(fd, [data], -1, NOWAIT)  # type: ignore[no-any-return]
        except OSError as error:
            if error.errno != errno.EOPNOTSUPP:  # a FIFO that was opened by its name
                raise
    return _write(fd, data[:FITS])


def _nowait_works() -> bool:
    """Whether the machine can write to a pipe without waiting, one call at a time."""
    if _pwritev is None:
        return False
    reads, writes = os.pipe()
    try:
        return bool(_pwritev(writes, [b"x"], -1, NOWAIT) == 1)
    except (OSError, NotImplementedError):
        return False
    finally:
        _close(reads)
        _close(writes)


NOWAIT_WORKS = _nowait_works()


def sendfile(out_fd: int, in_fd: int, offset: int | None, count: int) -> int:
    try:
        small = count <= 0 or not waits(out_fd, WRITE)
        kind = os.fstat(out_fd).st_mode
    except (OSError, TypeError, ValueError, OverflowError):
        small, kind = True, 0
    if small or not (stat.S_ISSOCK(kind) or stat.S_ISFIFO(kind)):
        return _sendfile(out_fd, in_fd, offset, count)  # type: ignore[no-any-return]
    while True:
        until_ready(out_fd, WRITE)
        # The machine's own would wait until all is out; fewer bytes than asked for are an answer too.
        if offset is None:
            data = _read(in_fd, min(count, CHUNK))
        else:
            data = os.pread(in_fd, min(count, CHUNK), offset)
        sent = 0
        try:
            sent = _write_some(out_fd, data) if data else 0
        except BlockingIOError:
            continue
        finally:
            if offset is None and sent < len(data):
                os.lseek(in_fd, sent - len(data), os.SEEK_CUR)
        return sent


# -- opening and closing -------------------------------------------------------------------------------


def open_(path: Any, flags: int, mode: int = 0o777, *, dir_fd: int | None = None) -> int:
    if _waits_for_a_peer(path, flags, dir_fd):
        return send_out(lambda: _open(path, flags, mode, dir_fd=dir_fd), undo=_close)  # type: ignore[no-any-return]
    return _open(path, flags, mode, dir_fd=dir_fd)


def _waits_for_a_peer(path: Any, flags: Any, dir_fd: Any) -> bool:
    """Whether it is a FIFO, which is opened only when somebody opens the other end."""
    if not isinstance(flags, int) or flags & os.O_NONBLOCK or flags & os.O_ACCMODE == os.O_RDWR:
        return False
    try:
        return stat.S_ISFIFO(os.stat(path, dir_fd=dir_fd).st_mode)
    except (OSError, ValueError, TypeError):
        return False


def close(fd: int) -> None:
    if isinstance(fd, int):
        fail_waiters(fd)
    _close(fd)


def closerange(fd_low: int, fd_high: int, /) -> None:
    poller = current().carrier.poller
    if poller is not None:
        for fd in [fd for fd in poller.channels if fd_low <= fd < fd_high]:
            fail_waiters(fd)
    _closerange(fd_low, fd_high)


def dup2(fd: int, fd2: int, inheritable: bool = True) -> int:
    made = _dup2(fd, fd2, inheritable)
    if fd != fd2:
        fail_waiters(fd2, reused=True)
    return made


# -- locks of files ------------------------------------------------------------------------------------


def flock(fd: Any, operation: int, /) -> None:
    _lock_file(operation, lambda how: _flock(fd, how))


def lockf(fd: Any, cmd: int, len: int = 0, start: int = 0, whence: int = 0, /) -> Any:
    return _lock_file(cmd, lambda how: _lockf(fd, how, len, start, whence))


def _lock_file(operation: Any, lock: Callable[[Any], Any]) -> Any:
    """Take a lock of a file: no descriptor tells when it is free, so look again and again."""
    if not isinstance(operation, int) or operation & (fcntl.LOCK_NB | fcntl.LOCK_UN):
        return lock(operation)
    looks: Iterator[float] | None = None
    while True:
        try:
            return lock(operation | fcntl.LOCK_NB)
        except (BlockingIOError, PermissionError):
            if looks is None:
                looks = naps()
            nap(next(looks))
