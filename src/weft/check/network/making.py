"""What sockets are made of, and arguments as CPython takes them."""

from typing import Any

from weft.check.network import datagrams
from weft.check.network.errors import not_simulated
from weft.check.network.links import End
from weft.check.network.names import AF_INET, AF_INET6, AF_UNIX
from weft.check.network.space import NETWORK, Description, is_simulated
from weft.host.platform import TIMEOUT_MAX
from weft.host.sockets import machine

__all__ = ["DGRAM", "STREAM", "checked_timeout", "described", "given", "octets", "of_end"]

STREAM, DGRAM = int(machine.SOCK_STREAM), int(machine.SOCK_DGRAM)


def checked_timeout(value: Any) -> float | None:
    """A timeout, or an error in CPython's words."""
    if value is None:
        return None
    if not isinstance(value, (int, float)):
        raise TypeError(f"'{type(value).__name__}' object cannot be interpreted as an integer")
    if value < 0:
        raise ValueError("Timeout value out of range")
    if not value <= TIMEOUT_MAX:
        raise OverflowError("timestamp out of range for platform time_t")
    return float(value)


def octets(data: Any) -> memoryview:
    """What is to be sent, byte by byte."""
    try:
        return memoryview(data).cast("B")
    except TypeError:
        raise TypeError(f"a bytes-like object is required, not '{type(data).__name__}'") from None


def described(family: int, kind: int, proto: int) -> Description:
    """What a new socket stands for.

    Raises:
        Refused: such sockets are not simulated.
    """
    if family not in (AF_INET, AF_INET6, AF_UNIX):
        raise not_simulated(f"sockets of family {family}")
    if kind not in (STREAM, DGRAM):
        raise not_simulated(f"sockets of type {kind}")
    description = Description(family, kind, proto)
    if kind == DGRAM:
        datagrams.make_inbox(description)
    return description


def of_end(end: End, family: int, proto: int) -> Description:
    """What a socket at an end of a connection stands for."""
    description = Description(family, STREAM, proto)
    description.end, description.state, description.address = end, "connected", end.local
    return description


def given(fileno: Any) -> tuple[int, Description]:
    """The descriptor that a socket is to have."""
    if isinstance(fileno, float):
        raise TypeError("integer argument expected, got float")
    if fileno < 0:
        raise ValueError("negative file descriptor")
    if not is_simulated(fileno):
        raise not_simulated(f"a socket of descriptor {fileno}, which is the machine's")
    return fileno, NETWORK.at(fileno)
