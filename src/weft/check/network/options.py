"""Options of sockets: remembered, and some of them heeded."""

import errno
import struct
from typing import Any

from weft.check.network.errors import fail
from weft.check.network.links import CAPACITY
from weft.check.network.space import Description
from weft.host.sockets import machine

__all__ = ["get", "has", "set_"]

_SOCKET = int(machine.SOL_SOCKET)
_BUFFERS = {(_SOCKET, int(machine.SO_RCVBUF)), (_SOCKET, int(machine.SO_SNDBUF))}
_LINGER = (_SOCKET, int(machine.SO_LINGER))
_LEAST = 2304  # bytes of a buffer
_FORM = "ii"  # of what SO_LINGER takes: whether, and seconds


def set_(description: Description, level: Any, name: Any, *value: Any) -> None:
    """`setsockopt`: a number, bytes, or None and a length."""
    given = value[0]
    if given is None:
        given = b"\0" * value[1]
    if isinstance(given, int):
        if (level, name) in _BUFFERS:
            given = max(_LEAST, 2 * given)
    elif not isinstance(given, str):
        given = bytes(given)
    else:
        raise TypeError("a bytes-like object is required, not 'str'")
    description.options[level, name] = given
    if (level, name) == _LINGER and isinstance(given, bytes) and len(given) >= struct.calcsize(_FORM):
        on, seconds = struct.unpack_from(_FORM, given)
        description.abort = bool(on) and not seconds


def get(description: Description, level: int, name: int, size: int = 0) -> Any:
    """`getsockopt`: a number, or bytes if a size is given."""
    value = _value(description, level, name)
    if not 0 <= size <= 1024:
        raise OSError("getsockopt buflen out of range")
    if size:
        data = value if isinstance(value, bytes) else value.to_bytes(4, "little", signed=True)
        return data[:size]
    if isinstance(value, bytes):
        return int.from_bytes(value[:4], "little", signed=True)
    return value


def _value(description: Description, level: int, name: int) -> Any:
    if level == _SOCKET:
        if name == machine.SO_TYPE:
            return description.type
        if name == machine.SO_ERROR:
            return _take_error(description)
        if name == getattr(machine, "SO_ACCEPTCONN", -1):
            return int(description.listening)
        if name == getattr(machine, "SO_DOMAIN", -1):
            return description.family
        if name == getattr(machine, "SO_PROTOCOL", -1):
            return description.proto
    kept = description.options.get((level, name))
    if kept is not None:
        return kept
    if (level, name) in _BUFFERS:
        return CAPACITY
    if level < 0:
        raise fail(errno.ENOPROTOOPT)
    return 0


def _take_error(description: Description) -> int:
    """What went wrong meanwhile; it is told once."""
    for holder in (description, description.end):
        if holder is not None and holder.error:
            number, holder.error = holder.error, 0
            return number
    return 0


def has(description: Description, name: str) -> bool:
    """Whether a flag of the socket level is set."""
    return bool(description.options.get((_SOCKET, int(getattr(machine, name, -1)))))
