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
    "ends_of",
    "get_default_timeout",
    "machine",
    "numbers_of",
    "real_socket",
    "set_default_timeout",
]

machine: Any = _socket  # the module, whatever a program finds under its name
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


def ends_of(fd: int) -> str:
    """The addresses of a socket, for people; "" of what is none."""
    if get_default_timeout() is not None:
        return ""  # a socket object made now would change the descriptor's mode
    try:
        probe = real_socket(fileno=fd)
    except OSError:
        return ""
    try:
        own = _written(probe.getsockname())
        if probe.getsockopt(_socket.SOL_SOCKET, _socket.SO_ACCEPTCONN):
            return f"listens at {own}" if own else "listens"
        try:
            peer = _written(probe.getpeername())
        except OSError:
            return f"socket at {own}" if own else "socket"
        return f"socket at {own}, peer {peer}" if own and peer else f"socket {own or peer}".rstrip()
    except OSError:
        return "socket"
    finally:
        probe.detach()


def _written(address: Any) -> str:
    """An address as one writes it: host:port, or the path of a local socket."""
    if isinstance(address, tuple):
        if len(address) > 1 and isinstance(address[0], str):
            host = f"[{address[0]}]" if ":" in address[0] else address[0]
            return f"{host}:{address[1]}"
        return repr(address)
    return repr(address) if address else ""


def numbers_of(host: str) -> bytes | None:
    """The bytes of a numeric address, of either family; None if it is none."""
    try:
        if ":" in host:
            return _socket.inet_pton(INET6, host.partition("%")[0])
        return None if host.strip() != host or " " in host else _socket.inet_aton(host)
    except (OSError, ValueError):
        return None
