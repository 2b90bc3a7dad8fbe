"""Addresses and names: what there is on a network that has one machine, and what is refused."""

import errno
import os
from typing import Any

from weft.check.network.errors import HOW, Refused
from weft.check.world import note_passed
from weft.host.sockets import machine

__all__ = ["ANY", "NameRefused", "Parsed", "functions", "parse"]

AF_INET, AF_INET6, AF_UNIX = int(machine.AF_INET), int(machine.AF_INET6), int(machine.AF_UNIX)
ANY = {AF_INET: "0.0.0.0", AF_INET6: "::"}  # noqa: S104 - a simulated one
LOOPBACK = {AF_INET: "127.0.0.1", AF_INET6: "::1"}
LOCAL_NAMES = ("localhost", "localhost.localdomain", "ip6-localhost", "ip6-loopback")
MOST_PATH = 108  # bytes of the path of a local socket
Parsed = tuple[str, Any]
"""The address as places have it, and as programs see it."""


class NameRefused(machine.gaierror):  # type: ignore[misc]
    """A name that only the outside world could tell."""


def _refuse(what: str) -> Refused:
    note_passed("the outside world, which was asked for and refused")
    return Refused(errno.ENETUNREACH, f"weft check refuses to {what}: {HOW}")


def _unknown(host: str) -> NameRefused:
    note_passed("the outside world, which was asked for and refused")
    return NameRefused(machine.EAI_FAIL, f"weft check refuses to look up {host!r}: {HOW}")


def numbers(host: str, family: int) -> str | None:
    """A numeric address in its usual form; None: it is a name, or of the other family."""
    try:
        if family == AF_INET:
            return None if host.strip() != host else str(machine.inet_ntoa(machine.inet_aton(host)))
        packed = machine.inet_pton(AF_INET6, host.partition("%")[0])
        return str(machine.inet_ntop(AF_INET6, packed))
    except (OSError, ValueError):
        return None


def is_here(host: str) -> bool:
    """Whether a numeric address is one of this machine's loopback, or stands for all of them."""
    if host in ANY.values() or host in LOOPBACK.values():
        return True
    return host.startswith(("127.", "::ffff:127."))


def is_local_name(host: str) -> bool:
    """Whether a name is this machine's."""
    return host.lower() in LOCAL_NAMES or host.lower().endswith(".localhost") or host == machine.gethostname()


def resolved(host: Any, family: int) -> str:
    """The numeric address of a host, of that family.

    Raises:
        OSError: it is no such address, or not on this network.
    """
    if isinstance(host, (bytes, bytearray)):
        host = bytes(host).decode("ascii", "replace")
    if host == "":
        return ANY[family]
    found = numbers(host, family)
    if found is not None:
        return found
    if is_local_name(host):
        return LOOPBACK[family]
    other = AF_INET6 if family == AF_INET else AF_INET
    if numbers(host, other) is not None:
        raise machine.gaierror(machine.EAI_ADDRFAMILY, "Address family for hostname not supported")
    raise _unknown(host)


def parse(family: int, address: Any, verb: str) -> Parsed:
    """Check an address as CPython does, and look its name up.

    Args:
        verb: what is done with it, for errors.

    Raises:
        OSError, TypeError, OverflowError: in CPython's words where it is wrong; ours where it is outside.
    """
    if family == AF_UNIX:
        return _parse_path(address)
    name = "AF_INET" if family == AF_INET else "AF_INET6"
    if not isinstance(address, tuple):
        raise TypeError(f"{verb}(): {name} address must be tuple, not {type(address).__name__}")
    if family == AF_INET and len(address) != 2:
        raise TypeError("AF_INET address must be a pair (host, port)")
    if not 2 <= len(address) <= 4:
        raise TypeError("AF_INET6 address must be a tuple (host, port[, flowinfo[, scopeid]])")
    host, port = address[0], address[1]
    if not isinstance(host, (str, bytes, bytearray)):
        raise TypeError("str, bytes or bytearray expected, not " + type(host).__name__)
    if not isinstance(port, int):
        raise TypeError(f"'{type(port).__name__}' object cannot be interpreted as an integer")
    if not 0 <= port <= 65535:
        raise OverflowError(f"{verb}(): port must be 0-65535.")
    found = resolved(host, family)
    if not is_here(found):
        host = host if isinstance(host, str) else bytes(host).decode()
        raise _refuse(f"{verb.removesuffix('_ex')} to {host}:{port}" if verb != "bind" else f"bind to {host}")
    return found, (found, port) if family == AF_INET else (found, port, 0, 0)


def _parse_path(address: Any) -> Parsed:
    if isinstance(address, str):
        address = os.fsencode(address)
    elif not isinstance(address, (bytes, bytearray, memoryview)):
        raise TypeError(f"a bytes-like object is required, not '{type(address).__name__}'")
    data = bytes(address)
    if data[:1] == b"\0":
        if len(data) > MOST_PATH:
            raise OSError("AF_UNIX path too long")
        return repr(data), data
    if len(data) >= MOST_PATH:
        raise OSError("AF_UNIX path too long")
    shown = os.fsdecode(data)
    return os.path.abspath(shown) if shown else "", shown


def _service(port: Any, kind: int) -> int:
    if port is None:
        return 0
    if isinstance(port, int):
        return port
    text = port.decode() if isinstance(port, bytes) else port
    if not isinstance(text, str):
        raise OSError("Int or String expected")
    if text.isdigit():
        return int(text)
    try:
        return int(machine.getservbyname(text, "udp" if kind == machine.SOCK_DGRAM else "tcp"))
    except OSError:
        raise machine.gaierror(machine.EAI_SERVICE, "Servname not supported for ai_socktype") from None


_KINDS = (
    (int(machine.SOCK_STREAM), int(machine.IPPROTO_TCP)),
    (int(machine.SOCK_DGRAM), int(machine.IPPROTO_UDP)),
    (int(machine.SOCK_RAW), 0),
)


def _hosts(host: Any, family: int, flags: int) -> list[tuple[int, str]]:
    families = [family] if family else [AF_INET, AF_INET6]
    if isinstance(host, (bytes, bytearray)):
        host = bytes(host).decode("ascii", "replace")
    if host is None:
        table = ANY if flags & machine.AI_PASSIVE else LOOPBACK
        return [(each, table[each]) for each in families]
    if not isinstance(host, str):
        raise TypeError("getaddrinfo() argument 1 must be string or None")
    found = [(each, numbers(host, each)) for each in (AF_INET, AF_INET6)]
    numeric = [(each, text) for each, text in found if text is not None]
    if numeric:
        if numeric[0][0] not in families:
            raise machine.gaierror(machine.EAI_ADDRFAMILY, "Address family for hostname not supported")
        return numeric
    if host == "" or flags & machine.AI_NUMERICHOST:
        raise machine.gaierror(machine.EAI_NONAME, "Name or service not known")
    if not is_local_name(host):
        raise _unknown(host)
    return [(each, LOOPBACK[each]) for each in families]


def getaddrinfo(
    host: Any,
    port: Any,
    family: int = 0,
    type: int = 0,
    proto: int = 0,
    flags: int = 0,
) -> list[Any]:
    """As `socket.getaddrinfo`; what only the outside world could tell is refused."""
    if family not in (0, AF_INET, AF_INET6):
        raise machine.gaierror(machine.EAI_FAMILY, "ai_family not supported")
    if host is None and port is None:
        raise machine.gaierror(machine.EAI_NONAME, "Name or service not known")
    number = _service(port, type)
    found: list[Any] = []
    for each, text in _hosts(host, family, flags):
        for kind, protocol in _KINDS:
            if type in (0, kind) and proto in (0, protocol):
                name = (host or "") if flags & machine.AI_CANONNAME and not found else ""
                address = (text, number) if each == AF_INET else (text, number, 0, 0)
                found.append((each, kind, protocol, name, address))
    if not found:
        raise machine.gaierror(machine.EAI_SOCKTYPE, "ai_socktype not supported")
    return found


def gethostbyname(host: str, /) -> str:
    """As `socket.gethostbyname`."""
    return resolved(host, AF_INET)


def gethostbyname_ex(host: str, /) -> tuple[str, list[str], list[str]]:
    """As `socket.gethostbyname_ex`."""
    return host, [], [resolved(host, AF_INET)]


def gethostbyaddr(host: str, /) -> tuple[str, list[str], list[str]]:
    """As `socket.gethostbyaddr`."""
    family = AF_INET6 if ":" in host else AF_INET
    found = resolved(host, family)
    if not is_here(found):
        raise _unknown(host)
    if found in ANY.values():
        raise machine.herror(1, "Unknown host")
    return "localhost", [], [found]


def getnameinfo(address: Any, flags: int, /) -> tuple[str, str]:
    """As `socket.getnameinfo`."""
    host, port = address[0], address[1]
    name = host if flags & machine.NI_NUMERICHOST else gethostbyaddr(host)[0]
    if flags & machine.NI_NUMERICSERV:
        return name, str(port)
    try:
        kind = "udp" if flags & machine.NI_DGRAM else "tcp"
        return name, str(machine.getservbyport(port, kind))
    except OSError:
        return name, str(port)


#: What of the module `_socket` looks names up.
functions = {
    name: staticmethod(function)
    for name, function in (
        ("getaddrinfo", getaddrinfo),
        ("gethostbyname", gethostbyname),
        ("gethostbyname_ex", gethostbyname_ex),
        ("gethostbyaddr", gethostbyaddr),
        ("getnameinfo", getnameinfo),
    )
}
