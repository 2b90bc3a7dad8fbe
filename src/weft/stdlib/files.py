"""`open` for what can make a reader or writer wait: pipes, FIFOs, sockets, terminals.

CPython's file objects read and write in C. For such a descriptor the raw layer is a `FileIO` whose calls park
their thread, under C's own buffers. Those keep a lock whose owner is the kernel thread, and refuse a second
user thread that enters while the first is parked inside ("reentrant call"): so each buffer is guarded
by a lock of ours. Regular files are CPython's own, untouched.
"""

import builtins
import io
import os
import stat
import sys
import warnings
from collections.abc import Callable
from typing import Any

from weft.host.poller import READ, WRITE
from weft.stdlib.descriptor_calls import open_, write_all
from weft.stdlib.descriptors import attend, fail_waiters, until_ready, waits
from weft.stdlib.locks import RLock
from weft.stdlib.supplied import dress

__all__ = ["GUARDED", "buffer_type", "replacements"]

CHUNK = 65_536  # bytes that one step of "read all" asks for
STANDARD = ("stdin", "stdout", "stderr", "__stdin__", "__stdout__")
MAY_WAIT = frozenset((stat.S_IFIFO, stat.S_IFSOCK, stat.S_IFCHR))

_open: Any = io.open
_input: Any = builtins.input
_fstat, _stat, _format = os.fstat, os.stat, stat.S_IFMT
_warns_of_encoding = sys.flags.warn_default_encoding


def replacements() -> list[tuple[Any, str, Any]]:
    """What to put in place: (module, name, value)."""
    open_parking.__doc__, input_parking.__doc__ = _open.__doc__, _input.__doc__
    opened = dress(open_parking, _open.__module__, "open")
    found = [(module, "open", opened) for module in (builtins, io, sys.modules["_io"])]
    found.append((builtins, "input", dress(input_parking, "builtins", "input")))
    if sys.stdin is not None and sys.stdin is sys.__stdin__ and _may_wait(0):
        stdin = _make_stdin(sys.stdin)
        found += [(sys, "stdin", stdin), (sys, "__stdin__", stdin)]
    return found


# -- the raw layer -------------------------------------------------------------------------------------


class ParkingFile(io.FileIO):
    """A raw file whose reads and writes park the calling thread alone."""

    def _ready_to_read(self) -> None:
        if not self.closed:
            until_ready(self.fileno(), READ)

    def read(self, size: int | None = -1, /) -> bytes | None:  # type: ignore[override]
        """Read at most size bytes, returned as bytes; all, if size is negative."""
        if size is None or size < 0:
            return self.readall()
        self._ready_to_read()
        return io.FileIO.read(self, size)

    def readinto(self, buffer: Any, /) -> int | None:
        """Same as RawIOBase.readinto()."""
        self._ready_to_read()
        return io.FileIO.readinto(self, buffer)

    def readall(self) -> bytes | None:  # type: ignore[override]
        """Read all data from the file, returned as bytes."""
        if self.closed or not self.readable():
            return io.FileIO.readall(self)
        parts: list[bytes] = []
        while True:
            self._ready_to_read()
            part = io.FileIO.read(self, CHUNK)
            if part is None and not parts:
                return None
            if not part:
                return b"".join(parts)
            parts.append(part)

    def write(self, data: Any, /) -> int | None:  # type: ignore[override]
        """Write buffer b to file, return number of bytes written."""
        if self.closed or not self.writable():
            return io.FileIO.write(self, data)
        fd = self.fileno()
        if not waits(fd, WRITE):
            return io.FileIO.write(self, data)
        return write_all(fd, data)

    def close(self) -> None:
        """Close the file; threads that wait on it are woken and get an error."""
        if self.closed:
            return
        fd = self.fileno() if self.closefd else -1
        fail_waiters(fd)
        io.FileIO.close(self)

    def __repr__(self) -> str:
        if self.closed:
            return "<_io.FileIO [closed]>"
        name = getattr(self, "name", None)
        shown = f"fd={self.fileno()}" if name is None else f"name={name!r}"
        return f"<_io.FileIO {shown} mode={self.mode!r} closefd={self.closefd}>"


# -- the buffers ---------------------------------------------------------------------------------------

GUARDED = (
    *("read", "read1", "readinto", "readinto1", "readline", "peek", "write"),
    *("seek", "tell", "flush", "truncate", "close", "detach"),
)


def _guarded(method: Any) -> Any:
    def call(self: Any, *args: Any) -> Any:
        with self._guard:
            answer = method(self, *args)
        attend()
        return answer

    call.__name__ = method.__name__
    call.__qualname__ = method.__qualname__
    call.__doc__ = method.__doc__
    return call


def buffer_type(base: Any, body: dict[str, Any]) -> Any:
    """A subclass of one of C's buffers that looks like it."""

    def __repr__(self: Any) -> str:
        try:
            return f"<_io.{base.__name__} name={self.name!r}>"
        except AttributeError:
            return f"<_io.{base.__name__}>"

    shown = {"__doc__": base.__doc__, "__module__": "_io"}
    if base.__repr__ is not object.__repr__:
        shown["__repr__"] = __repr__
    return type(base.__name__, (base,), {**shown, **body})


def _guard(base: Any) -> Any:
    """A buffer that lets one thread in at a time."""

    def __init__(self: Any, raw: Any, buffer_size: int = io.DEFAULT_BUFFER_SIZE) -> None:
        self._guard = RLock()
        base.__init__(self, raw, buffer_size)

    methods = {name: _guarded(getattr(base, name)) for name in GUARDED if hasattr(base, name)}
    return buffer_type(base, {"__init__": __init__, **methods})


ParkingReader = _guard(io.BufferedReader)
ParkingWriter = _guard(io.BufferedWriter)
ParkingRandom = _guard(io.BufferedRandom)


# -- opening -------------------------------------------------------------------------------------------


def open_parking(
    file: Any,
    mode: str = "r",
    buffering: int = -1,
    encoding: str | None = None,
    errors: str | None = None,
    newline: str | None = None,
    closefd: bool = True,
    opener: Callable[[str, int], int] | None = None,
) -> Any:
    if _may_wait(file) and _is_good(mode, buffering, encoding, errors, newline):
        return _open_waiting(file, mode, buffering, encoding, errors, newline, closefd, opener)
    if _warns_of_encoding and encoding is None and "b" not in mode:
        encoding = io.text_encoding(encoding, 2)
    return _open(file, mode, buffering, encoding, errors, newline, closefd, opener)


def _may_wait(file: Any) -> bool:
    """Whether reading or writing it may have to wait for somebody."""
    try:
        found = _fstat(file) if isinstance(file, int) else _stat(file)
    except (OSError, ValueError, TypeError):
        return False
    return _format(found.st_mode) in MAY_WAIT


def _is_good(mode: Any, buffering: Any, encoding: Any, errors: Any, newline: Any) -> bool:
    """Whether the arguments make sense; if not, the real call says why."""
    if not isinstance(mode, str) or not isinstance(buffering, int):
        return False
    letters = set(mode)
    if len(letters) != len(mode) or letters - set("axrwbt+") or len(letters & set("axrw")) != 1:
        return False
    if "b" in letters:
        return "t" not in letters and encoding is None and errors is None and newline is None
    return buffering != 0 and newline in (None, "", "\n", "\r", "\r\n")


def _open_waiting(
    file: Any,
    mode: str,
    buffering: int,
    encoding: str | None,
    errors: str | None,
    newline: str | None,
    closefd: bool,
    opener: Callable[[str, int], int] | None,
) -> Any:
    """As CPython's own, layer by layer."""
    binary = "b" in mode
    if binary and buffering == 1:
        text = "line buffering (buffering=1) isn't supported in binary mode, "
        warnings.warn(text + "the default buffer size will be used", RuntimeWarning, stacklevel=3)
    raw_mode = mode.replace("b", "").replace("t", "")
    if opener is None and not isinstance(file, int):
        opener = _open_parking
    raw = ParkingFile(file, raw_mode, closefd, opener)
    result: Any = raw
    try:
        by_lines = buffering == 1 or (buffering < 0 and raw.isatty())
        if buffering == 0:
            return raw
        if buffering < 0 or by_lines:
            buffering = getattr(raw, "_blksize", io.DEFAULT_BUFFER_SIZE)
        if "+" in mode:
            kind = ParkingRandom
        else:
            kind = ParkingReader if "r" in mode else ParkingWriter
        result = kind(raw, buffering)
        if binary:
            return result
        if encoding is None:
            encoding = io.text_encoding(encoding, 3)
        result = io.TextIOWrapper(result, encoding, errors, newline, by_lines)
        result.mode = mode
    except BaseException:
        result.close()
        raise
    return result


def _open_parking(path: str, flags: int) -> int:
    return open_(path, flags, 0o666)


# -- standard input ------------------------------------------------------------------------------------


def _make_stdin(real: Any) -> Any:
    """Another text file on descriptor 0, with the settings of the one that the interpreter made."""
    raw = ParkingFile(0, "r", closefd=False)
    raw.name = "<stdin>"
    made: Any = io.TextIOWrapper(
        ParkingReader(raw), real.encoding, real.errors, newline="\n", line_buffering=real.line_buffering
    )
    made.mode = "r"
    return made


def input_parking(prompt: object = "", /) -> str:
    stdin, stdout, stderr, real_in, real_out = (getattr(sys, name) for name in STANDARD)
    if (
        stdin is not real_in
        or stdout is not real_out
        or not isinstance(getattr(stdin, "buffer", None), ParkingReader)
        or "readline" in sys.modules  # its editing of lines takes the terminal from C
        or not os.isatty(0)
    ):
        return _input(prompt)  # type: ignore[no-any-return]
    sys.audit("builtins.input", prompt)
    if stderr is not None:
        stderr.flush()
    stdout.write(str(prompt))
    stdout.flush()
    line: str = stdin.readline()
    if not line:
        raise EOFError
    line = line.removesuffix("\n")
    sys.audit("builtins.input/result", line)
    return line
