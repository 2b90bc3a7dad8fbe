"""Datagrams: whole or not at all, to whoever is bound to the address."""

import errno
from typing import Any

from weft.check.network.errors import fail
from weft.check.network.names import AF_INET, AF_UNIX, ANY, LOOPBACK
from weft.check.network.space import MOST_BYTES, MOST_LOCAL, NETWORK, Description, Inbox, Place

__all__ = ["accepts", "bind_somewhere", "deliver", "incoming", "make_inbox", "receive", "target_of"]

MOST = {True: 65_507, False: MOST_BYTES}  # bytes of one: of the internet, of a local socket


def make_inbox(description: Description) -> None:
    """It can send and receive from now on."""
    description.inbox = Inbox()


def incoming(description: Description) -> Any:
    """The target of points that receive: where senders meet it."""
    return description.place if description.place is not None else description.inbox


def bind_somewhere(description: Description) -> None:
    """An address of the system's choice."""
    if description.place is None and description.family != AF_UNIX:
        number = NETWORK.free_port(description.type)
        put(description, NETWORK.port(description.type, number), ANY[description.family], number)


def put(description: Description, place: Place, host: str, number: int) -> None:
    """Bind it to a port."""
    description.place, description.host = place, host
    description.address = (host, number) if description.family == AF_INET else (host, number, 0, 0)
    place.bound.append((host, description))


def target_of(description: Description, where: Any) -> tuple[Any, str]:
    """The target of a point that sends to an address, and the address at that place."""
    if isinstance(where, Description):
        return where.inbox, ""
    host, shown = where
    if description.family == AF_UNIX:
        return NETWORK.path(host), ""
    here = LOOPBACK[description.family]
    return NETWORK.port(description.type, shown[1]), here if host in ANY.values() else host


def _receiver(place: Any, host: str, where: Any) -> Description | None:
    if isinstance(where, Description):
        return where if where.state != "closed" else None
    found = place.holder(host)
    return found if isinstance(found, Description) else None


def accepts(description: Description, place: Any, host: str, where: Any) -> bool:
    """Whether a datagram can be sent now; what goes over the internet is lost rather than waits."""
    receiver = _receiver(place, host, where)
    if receiver is None or receiver.inbox is None or description.family != AF_UNIX:
        return True
    return len(receiver.inbox.items) < MOST_LOCAL


def deliver(description: Description, place: Any, host: str, where: Any, data: bytes) -> int | None:
    """Send one; None: there is no room."""
    internet = description.family != AF_UNIX
    if len(data) > MOST[internet]:
        raise fail(errno.EMSGSIZE)
    if description.error:
        number, description.error = description.error, 0
        raise fail(number)
    receiver = _receiver(place, host, where)
    if receiver is None or receiver.inbox is None:
        if not internet:
            raise fail(errno.ECONNREFUSED)
        if (
            description.peer is not None
        ):  # the system is told that nobody is there, and tells it the next time
            description.error = errno.ECONNREFUSED
        return len(data)
    inbox = receiver.inbox
    source = description.address
    if internet and source is not None:
        source = (source[0] if source[0] not in ANY.values() else LOOPBACK[description.family], *source[1:])
        if receiver.peer is not None and receiver.peer[1] != source:
            return len(data)  # not from whom it is connected to
        if inbox.size + len(data) > MOST_BYTES:
            return len(data)
    elif len(inbox.items) >= MOST_LOCAL:
        return None
    inbox.items.append((data, source))
    inbox.size += len(data)
    return len(data)


def receive(description: Description, count: int, peek: bool) -> tuple[bytes, Any] | None:
    """The oldest one, cut to `count` bytes; None: there is none."""
    inbox = description.inbox
    assert inbox is not None
    if description.error:
        number, description.error = description.error, 0
        raise fail(number)
    if not inbox.items:
        return None
    data, source = inbox.items[0]
    if not peek:
        inbox.items.popleft()
        inbox.size -= len(data)
    return data[:count], source
