"""The real socket type and the few numbers of its module that weft needs.

Imported when the program imports `socket`, not before.
"""

import _socket
from typing import Any

__all__ = [
    "DONTWAIT",
    "NO_DEFAULT",
    "PEEK",
    "SO_ERROR",
    "STREAM",
    "STREAM_FAMILIES",
    "WAITALL",
    "get_default_timeout",
    "real_socket",
    "set_default_timeout",
]

real_socket: Any = _socket.socket
DONTWAIT: int = _socket.MSG_DONTWAIT
WAITALL: int = getattr(_socket, "MSG_WAITALL", 0)
PEEK: int = getattr(_socket, "MSG_PEEK", 0)
SO_ERROR = (_socket.SOL_SOCKET, _socket.SO_ERROR)
STREAM: int = _socket.SOCK_STREAM
#: Families whose streams are nothing but bytes: a read stops short only where there is no more.
STREAM_FAMILIES = (_socket.AF_INET, getattr(_socket, "AF_INET6", _socket.AF_INET))
NO_DEFAULT = _socket.getdefaulttimeout()
set_default_timeout = _socket.setdefaulttimeout
get_default_timeout = _socket.getdefaulttimeout
