"""Names of hosts: looked up on a kernel thread, since the C library waits for other machines.

What is numeric is answered on the spot: it costs a few microseconds and asks nobody. So is `localhost`, which
stands in /etc/hosts (docs/internals/decisions.md has the figures).

`connect`, `bind`, `sendto` and `sendmsg` take names as well, and look them up inside C. They get the numeric
address instead, from a look-up that parks.
"""

from collections.abc import Callable
from typing import Any

from weft.host.sockets import INET, INET6, NUMERIC_HOST, NUMERIC_NAME, numbers_of
from weft.stdlib.offload import offload_if_others
from weft.stdlib.supplied import dress

__all__ = ["asks_nobody", "supply_names"]

#: What C takes for an address, or finds on this machine.
_AT_HAND = frozenset({"", "localhost", "<broadcast>"})


def asks_nobody(host: Any) -> bool:
    """Whether a host is found without asking another machine, or is none, so that C says so at once."""
    if isinstance(host, (bytes, bytearray)):
        host = host.decode("latin-1")
    elif not isinstance(host, str):
        return True
    return host in _AT_HAND or numbers_of(host) is not None or not _is_encodable(host)


def _is_encodable(host: str) -> bool:
    """Whether C can make bytes of it; also loads the codec here, and not on the kernel thread."""
    if host.isascii():
        return "\0" not in host
    try:
        host.encode("idna")
    except UnicodeError:
        return False
    return True


def supply_names(module: Any, socket: Any) -> None:
    """Put the look-ups that park into the executed C module `_socket`, and names into the socket type."""
    if _looks_up(module):
        return
    find = module.getaddrinfo

    def getaddrinfo(
        host: Any, port: Any, family: int = 0, type: int = 0, proto: int = 0, flags: int = 0
    ) -> Any:
        if asks_nobody(host) or (isinstance(flags, int) and flags & NUMERIC_HOST):
            return find(host, port, family, type, proto, flags)
        return offload_if_others(find, host, port, family, type, proto, flags)

    _put(module, "getaddrinfo", getaddrinfo)
    for name in ("gethostbyname", "gethostbyname_ex"):
        _put(module, name, _by_name(getattr(module, name)))
    for name in ("gethostbyaddr", "getnameinfo"):
        _put(module, name, _by_address(getattr(module, name), name == "getnameinfo"))
    for name in ("connect", "connect_ex", "bind", "sendto", "sendmsg"):
        if name in vars(socket) or hasattr(socket, name):
            setattr(socket, name, _with_numbers(getattr(socket, name), name, find))


def _looks_up(module: Any) -> bool:
    return getattr(module.getaddrinfo, "__wrapped__", None) is not None


def _put(module: Any, name: str, function: Any) -> None:
    real = getattr(module, name)
    function.__doc__ = real.__doc__
    function.__wrapped__ = real
    setattr(module, name, dress(function, "_socket", name))


def _by_name(find: Callable[[Any], Any]) -> Any:
    def look_up(hostname: Any, /) -> Any:
        return find(hostname) if asks_nobody(hostname) else offload_if_others(find, hostname)

    return look_up


def _by_address(find: Any, has_flags: bool) -> Any:
    if not has_flags:
        return lambda ip_address, /: offload_if_others(find, ip_address)

    def getnameinfo(sockaddr: Any, flags: int, /) -> Any:
        if isinstance(flags, int) and flags & NUMERIC_NAME:
            return find(sockaddr, flags)
        return offload_if_others(find, sockaddr, flags)

    return getnameinfo


def _with_numbers(method: Any, name: str, find: Any) -> Any:
    """A method of the socket type that gives the real one numbers where the program gave it a name."""
    place = {"sendto": -1, "sendmsg": 3}.get(name, 0)

    def call(self: Any, *args: Any) -> Any:
        if len(args) > place and args:
            address = args[place]
            if address.__class__ is tuple and len(address) > 1 and not asks_nobody(address[0]):
                args = (*args[:place], _numeric(self, address, find), *args[place:][1:])
        return method(self, *args)

    call.__doc__ = method.__doc__
    call.__name__ = name
    call.__qualname__ = f"socket.{name}"
    return call


def _numeric(sock: Any, address: Any, find: Any) -> Any:
    """The address with the name looked up, as C does it: the first that the socket's family has.

    Raises:
        socket.gaierror: there is no such name.
    """
    family = sock.family
    if family not in (INET, INET6) or not all(isinstance(part, int) for part in address[1:]):
        return address  # no such address, or one that C refuses before it asks anybody
    host = address[0]
    if not isinstance(host, str):
        host = bytes(host)
    elif host.isascii():
        host = host.encode()  # as C takes it here: `getaddrinfo` itself would hold it to the rules of IDNA
    found = offload_if_others(find, host, None, family)
    return (found[0][4][0], *address[1:])
