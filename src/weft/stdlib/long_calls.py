"""Calls of the standard library that take long in C: on a kernel thread, from the size on where that pays.

Two kinds. Some wait for a disk or another process, however little they are given: always. Others take time in
proportion to what they are given: from about a millisecond on, some twenty times what the way to a kernel
thread and back costs. What is shorter holds the others up for less than a slice, as any loop in Python does.
All of them give up the interpreter's lock, so they also run beside each other. The figures are in
docs/internals/decisions.md.
"""

import os
import stat
from collections.abc import Callable
from typing import Any

from weft.stdlib.offload import offload_if_others
from weft.stdlib.supplied import dress

__all__ = ["BIG", "LongCalls", "offload_if_big", "replacements"]

BIG = 4 << 20  # bytes of a regular file; from the page cache they take 0.1 to 1 ms
COMPRESS = DECOMPRESS = 64 << 10  # bytes that zlib is given: 1 to 2 ms
COMPRESS_SLOWLY, DECOMPRESS_SLOWLY = 8 << 10, 16 << 10  # the same of bz2 and lzma: 1 to 2 ms
ROUNDS = 2_000  # rounds of pbkdf2: 0.7 ms
MIXED = 4_096  # n * r * p of scrypt: 1 ms

#: What waits for the disk, or for a process, whatever it is given.
_ALWAYS = ("fsync", "fdatasync", "sync", "system")


def offload_if_big(real: Callable[..., Any], fd: Any, size: int, *args: Any) -> Any:
    """Make a call on a regular file: on a kernel thread if it moves many bytes, else on the spot.

    Args:
        real: what to call, with `args`.
        fd: the file's descriptor.
        size: how many bytes the call moves.
    """
    if size >= BIG and _is_regular(fd):
        return offload_if_others(real, *args)
    return real(*args)


def _is_regular(fd: Any) -> bool:
    try:
        return stat.S_ISREG(os.fstat(fd).st_mode)
    except (OSError, TypeError, ValueError, OverflowError):
        return False  # the call itself says what is wrong


def replacements(before: list[tuple[Any, str, Any]]) -> list[tuple[Any, str, Any]]:
    """The functions of `os` to put in place: (module, name, value).

    Args:
        before: replacements of others; those of the same name are called where the real ones would be.
    """
    theirs = {name: value for module, name, value in before if module is os}
    made: list[tuple[Any, str, Any]] = []

    def put(name: str, make: Callable[[Any], Any]) -> None:
        if hasattr(os, name):
            real = theirs.get(name, getattr(os, name))
            function = dress(make(real), "posix", name)
            function.__doc__ = real.__doc__
            made.append((os, name, function))

    for name in _ALWAYS:
        put(name, _always)
    put("pread", _pread)
    put("pwrite", _pwrite)
    put("sendfile", _sendfile)
    put("copy_file_range", _copy_file_range)
    return made


def _always(real: Any) -> Any:
    def call(*args: Any, **kwargs: Any) -> Any:
        return offload_if_others(real, *args, **kwargs)

    return call


def _pread(real: Any) -> Any:
    def pread(fd: Any, length: Any, offset: Any, /) -> Any:
        if length.__class__ is int and length >= BIG:
            return offload_if_big(real, fd, length, fd, length, offset)
        return real(fd, length, offset)

    return pread


def _pwrite(real: Any) -> Any:
    def pwrite(fd: Any, buffer: Any, offset: Any, /) -> Any:
        size = _size(buffer)
        return offload_if_big(real, fd, size, fd, buffer, offset) if size >= BIG else real(fd, buffer, offset)

    return pwrite


def _sendfile(real: Any) -> Any:
    def sendfile(out_fd: Any, in_fd: Any, offset: Any, count: Any, **more: Any) -> Any:
        if count.__class__ is int and count >= BIG and _is_regular(in_fd):
            return offload_if_big(real, out_fd, count, out_fd, in_fd, offset, count)
        return real(out_fd, in_fd, offset, count, **more)

    return sendfile


def _copy_file_range(real: Any) -> Any:
    def copy_file_range(
        src: Any, dst: Any, count: Any, offset_src: Any = None, offset_dst: Any = None
    ) -> Any:
        args = (src, dst, count, offset_src, offset_dst)
        return offload_if_big(real, dst, count if count.__class__ is int else 0, *args)

    return copy_file_range


def _size(buffer: Any) -> int:
    if buffer.__class__ is bytes:
        return len(buffer)
    try:
        with memoryview(buffer) as view:
            return view.nbytes
    except (TypeError, ValueError):
        return 0


# -- what computes ------------------------------------------------------------------------------------------

#: Module: function: from which arguments on it is offloaded. They are asked for by place or by name.
_Long = Callable[[tuple[Any, ...], dict[str, Any]], bool]


def _data_of(least: int) -> _Long:
    return lambda args, kwargs: _size(args[0] if args else kwargs.get("data", b"")) >= least


def _rounds(args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
    rounds = args[3] if len(args) > 3 else kwargs.get("iterations", 0)
    return isinstance(rounds, int) and rounds >= ROUNDS


def _mixed(args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
    try:
        return int(kwargs["n"] * kwargs["r"] * kwargs["p"]) >= MIXED
    except (KeyError, TypeError, ValueError):
        return False


_LONG: dict[str, dict[str, _Long]] = {
    "hashlib": {"pbkdf2_hmac": _rounds, "scrypt": _mixed},
    "zlib": {"compress": _data_of(COMPRESS), "decompress": _data_of(DECOMPRESS)},
    "bz2": {"compress": _data_of(COMPRESS_SLOWLY), "decompress": _data_of(DECOMPRESS_SLOWLY)},
    "lzma": {"compress": _data_of(COMPRESS_SLOWLY), "decompress": _data_of(DECOMPRESS_SLOWLY)},
}


class LongCalls:
    """Replaces what computes for long, in modules as they are loaded."""

    def __init__(self) -> None:
        self._undo: list[tuple[Any, str, Any]] = []

    def adapters(self) -> dict[str, Callable[[Any], None]]:
        """Module name to what is done to the module once it is there."""
        return dict.fromkeys(_LONG, self._adapt)

    def _adapt(self, module: Any) -> None:
        for name, is_long in _LONG[module.__name__].items():
            real = getattr(module, name, None)
            if real is not None and getattr(real, "__wrapped__", None) is None:
                self._undo.append((module, name, real))
                setattr(module, name, _if_long(real, is_long, module.__name__, name))

    def restore(self) -> None:
        """Put back what was there."""
        while self._undo:
            module, name, real = self._undo.pop()
            setattr(module, name, real)


def _if_long(real: Any, is_long: _Long, module: str, name: str) -> Any:
    def call(*args: Any, **kwargs: Any) -> Any:
        if is_long(args, kwargs):
            return offload_if_others(real, *args, **kwargs)
        return real(*args, **kwargs)

    call.__doc__ = real.__doc__
    call.__wrapped__ = real  # type: ignore[attr-defined]
    return dress(call, module, name)
