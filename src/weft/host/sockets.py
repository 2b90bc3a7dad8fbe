"""The real socket type and the few numbers of its module that weft needs.

Imported when the program imports `socket`, not before.
"""

import _socket
from typing import Any

__all__ = [
    "DONTWAIT",
    "INET",
    "INET6",
    "NO_DEFAULT",
    "NUMERIC_HOST",
    "NUMERIC_NAME",
    "PEEK",
    "SO_ERROR",
    "STREAM",
    "STREAM_FAMILIES",
    "TRIES",
    "WAITALL",
    "get_default_timeout",
    "numbers_of",
    "real_socket",
    "set_default_timeout",
]

real_socket: Any = _socket.socket
DONTWAIT: int = _socket.MSG_DONTWAIT
WAITALL: int = getattr(_socket, "MSG_WAITALL", 0)
#: Flags with which the system never waits, whatever the socket's mode.
TRIES: int = DONTWAIT | _socket.MSG_OOB | getattr(_socket, "MSG_ERRQUEUE", 0)
PEEK: int = getattr(_socket, "MSG_PEEK", 0)
SO_ERROR = (_socket.SOL_SOCKET, _socket.SO_ERROR)
STREAM: int = _socket.SOCK_STREAM
#: Families whose streams are nothing but bytes: a read stops short only where there is no more.
STREAM_FAMILIES = (_socket.AF_INET, getattr(_socket, "AF_INET6", _socket.AF_INET))
NO_DEFAULT = _socket.getdefaulttimeout()
set_default_timeout = _socket.setdefaulttimeout
get_default_timeout = _socket.getdefaulttimeout
INET: int = _socket.AF_INET
INET6: int = getattr(_socket, "AF_INET6", INET)
NUMERIC_HOST: int = _socket.AI_NUMERICHOST
NUMERIC_NAME: int = _socket.NI_NUMERICHOST


def numbers_of(host: str) -> bytes | None:
    """The bytes of a numeric address, of either family; None if it is none."""
    try:
        if ":" in host:
            return _socket.inet_pton(INET6, host.partition("%")[0])
        return None if host.strip() != host or " " in host else _socket.inet_aton(host)
    except (OSError, ValueError):
        return None
