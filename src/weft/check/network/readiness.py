"""What select and its kin see of a description, and what a look at it depends on."""

from typing import Any

from weft.check.network import datagrams
from weft.check.network.space import NETWORK, Description

__all__ = ["ERR", "HUP", "IN", "NVAL", "OUT", "PRI", "RDHUP", "events_of", "things_of"]

IN, PRI, OUT, ERR, HUP, NVAL, RDHUP = 1, 2, 4, 8, 16, 32, 0x2000  # as poll and epoll number them
_READ, _WRITE = IN | 0x40, OUT | 0x100  # with POLLRDNORM and POLLWRNORM


def events_of(description: Description) -> int:
    """The events that are there now, as poll has them."""
    end = description.end
    if end is not None:
        into, out = end.into, end.out
        found = _READ * end.readable | _WRITE * end.writable | ERR * bool(end.error)
        over = end.gone or (out.ended and into.ended) or (not end.connection.stream and out.deaf)
        return found | HUP * bool(over) | RDHUP * bool(into.ended or end.gone or into.shut)
    if description.inbox is not None:
        found = _READ * bool(description.inbox.items or description.error)
        return found | _WRITE * _may_send(description) | ERR * bool(description.error)
    if description.listening:
        return _READ * bool(description.queue)
    if description.state == "connecting":
        return 0
    if description.error:
        return _READ | _WRITE | ERR | HUP | RDHUP
    return _WRITE | HUP


def _may_send(description: Description) -> bool:
    peer = description.peer
    if peer is None:
        return True
    place, host = datagrams.target_of(description, peer)
    return datagrams.accepts(description, place, host, peer)


def things_of(description: Description, events: int) -> list[tuple[Any, Any]]:
    """What a look for these events depends on: targets and keys, as points of other operations have them."""
    end = description.end
    if end is not None:
        reads, writes = events & (_READ | RDHUP | PRI), events & _WRITE
        key = None if bool(reads) == bool(writes) else 1 - end.side if reads else end.side
        return [(end.connection, key)]
    if description.inbox is not None:
        found = [(datagrams.incoming(description), None)]
        if events & _WRITE and description.peer is not None:
            found.append((datagrams.target_of(description, description.peer)[0], None))
        return found
    if description.listening:
        return [(description.place, None)]
    if description.state == "connecting" and isinstance(description.peer, tuple):
        return [(NETWORK.port(description.type, description.peer[1]), None)]
    return []
