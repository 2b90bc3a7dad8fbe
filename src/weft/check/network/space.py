"""The network of one execution: what descriptors stand for, what is bound where, who listens.

What the imports made is kept as they left it, and each execution begins with that.
"""

import errno
from collections import deque
from typing import Any

from weft.check.network.errors import bad_descriptor, fail
from weft.check.network.links import Connection, End
from weft.check.world import MODEL, born

__all__ = ["FIRST", "NETWORK", "Description", "Inbox", "Place", "is_simulated"]

FIRST = 1_000_000_000  # the lowest number of a simulated descriptor: the system gives none so high
LAST = 2_000_000_000
MOST_EACH = 100_000  # descriptors that a thread may open
FIRST_PORT, LAST_PORT = 32_768, 60_999  # of those that the system chooses, as Linux has it
PORTS_EACH = 64  # such ports that belong to one thread before it takes others'
MOST_BYTES = 212_992  # of datagrams of the internet that wait
MOST_LOCAL = 11  # datagrams of a local socket that wait


def is_simulated(fd: Any) -> bool:
    """Whether this is the number of a simulated descriptor."""
    return isinstance(fd, int) and FIRST <= fd < LAST


class Place:
    """What sockets are bound to: a port of one kind, or a path. Who binds, listens, connects meets here."""

    __slots__ = ("bound", "name")

    def __init__(self, name: str) -> None:
        self.name = name
        self.bound: list[tuple[str, Description]] = []

    def _weft_told_(self, _: Any) -> str:
        return self.name

    def holder(self, host: str, listening: bool = False) -> "Description | None":
        """Who is bound here and is reached under that address."""
        for wanted in (host, "::") if ":" in host else (host, "0.0.0.0", "::"):  # noqa: S104 - a comparison
            for at, description in self.bound:
                if at == wanted and (description.listening or not listening):
                    return description
        return None


class Inbox:
    """Datagrams that wait to be received."""

    __slots__ = ("items", "name", "size")

    def __init__(self) -> None:
        self.items: deque[tuple[bytes, Any]] = deque()
        self.size = 0
        self.name = "a socket without an address"

    def _weft_told_(self, _: Any) -> str:
        return self.name


class Description:
    """What one or several descriptors stand for; the system calls it an open file description.

    Attributes:
        state: "new", "listening", "connecting" or "connected".
        place: where it is bound, None: nowhere; `host` is the address there, `address` all of it.
        end: of a connection.
        queue: of a listener: ends of connections that nobody has accepted; `pending`: who waits to get in.
        inbox: of what sends datagrams; `peer`: to whom it sends, or is connected.
        abort: closing it resets the connection.
        fresh: it was connected without waiting, and has not been told so.
    """

    __slots__ = (
        "abort",
        "address",
        "backlog",
        "end",
        "error",
        "family",
        "fresh",
        "host",
        "inbox",
        "listening",
        "nonblocking",
        "options",
        "peer",
        "pending",
        "place",
        "proto",
        "queue",
        "references",
        "state",
        "type",
    )

    def __init__(self, family: int, kind: int, proto: int) -> None:
        self.family = family
        self.type = kind
        self.proto = proto
        self.references = 0
        self.nonblocking = self.abort = False
        self.options: dict[tuple[int, int], Any] = {}
        self.state = "new"
        self.listening = False
        self.place: Place | None = None
        self.host = ""
        self.address: Any = None
        self.end: End | None = None
        self.backlog = 0
        self.queue: deque[End] = deque()
        self.pending: deque[Description] = deque()
        self.inbox: Inbox | None = None
        self.peer: Any = None
        self.fresh = False
        self.error = 0


class Network:
    """All of it.

    Attributes:
        table: descriptors by number.
        ports: places by kind and port; `paths`: by path, or abstract name.
        connected: told of each new connection (weft.check.network.faults); None: nobody wants to know.
    """

    def __init__(self) -> None:
        self.table: dict[int, Description] = {}
        self.ports: dict[tuple[int, int], Place] = {}
        self.paths: dict[Any, Place] = {}
        self.files: set[Any] = set()  # paths that are there
        self.connected: Any = None
        self._opened: dict[int, int] = {}
        self._asked: dict[int, int] = {}
        self._first: list[tuple[Any, dict[str, Any]]] | None = None
        born(self)

    # -- from one execution to the next -----------------------------------------------------------------

    def _put_back(self) -> None:
        if self._first is None:
            self._first = [(thing, _copied(thing)) for thing in self._all()]
            return
        for thing, attributes in self._first:
            for name, value in attributes.items():
                if name == "files":  # which others know too
                    self.files.clear()
                    self.files.update(value)
                else:
                    setattr(thing, name, _copy(value))

    def _all(self) -> list[Any]:
        """Everything whose state can change."""
        found: list[Any] = [self, *self.ports.values(), *self.paths.values()]
        for description in self.table.values():
            found += _below(description)
        return list({id(thing): thing for thing in found}.values())

    # -- descriptors ------------------------------------------------------------------------------------

    def open(self, description: Description) -> int:
        """A new descriptor for it; the same number whatever other threads did before."""
        me = MODEL.current.number
        number = self._opened.get(me, 0)
        if number >= MOST_EACH or FIRST + (me + 1) * MOST_EACH > LAST:
            raise fail(errno.EMFILE)
        self._opened[me] = number + 1
        fd = FIRST + me * MOST_EACH + number
        self.table[fd] = description
        description.references += 1
        return fd

    def at(self, fd: int) -> Description:
        """What a descriptor stands for.

        Raises:
            OSError: nothing.
        """
        found = self.table.get(fd)
        if found is None:
            raise bad_descriptor()
        return found

    def close(self, fd: int) -> None:
        """Give a descriptor back; with the last of them what it stands for goes."""
        description = self.table.pop(fd)
        description.references -= 1
        if not description.references:
            self._drop(description)

    def _drop(self, description: Description) -> None:
        self.stop_listening(description)
        if description.place is not None:
            description.place.bound = [each for each in description.place.bound if each[1] is not description]
        if description.end is not None:
            description.end.close(abort=description.abort)
        if description.peer.__class__ is Description and description.peer.peer is description:
            description.peer.peer = None
        description.state = "closed"

    def stop_listening(self, description: Description) -> None:
        """Nobody is let in any more; who has not been accepted is cut off."""
        if not description.listening:
            return
        description.listening = False
        for end in description.queue:
            end.close(abort=True)
        description.queue.clear()
        for waiter in description.pending:
            waiter.state, waiter.error = "new", errno.ECONNREFUSED
        description.pending.clear()

    # -- places -----------------------------------------------------------------------------------------

    def port(self, kind: int, number: int) -> Place:
        """The place of a port."""
        place = self.ports.get((kind, number))
        if place is None:
            place = self.ports[kind, number] = Place(f"port {number}")
        return place

    def path(self, name: Any) -> Place:
        """The place of a path, or of an abstract name."""
        place = self.paths.get(name)
        if place is None:
            shown = name if isinstance(name, str) else repr(name)
            place = self.paths[name] = Place(shown)
        return place

    def free_port(self, kind: int) -> int:
        """A port that nobody has; the same whatever other threads did before, as long as there are enough."""
        me = MODEL.current.number
        count = LAST_PORT - FIRST_PORT + 1
        while True:
            asked = self._asked.get(me, 0)
            if asked > count:
                raise fail(errno.EADDRINUSE)
            self._asked[me] = asked + 1
            number = FIRST_PORT + (me * PORTS_EACH + asked) % count
            if not self.port(kind, number).bound:
                return number

    # -- connections ------------------------------------------------------------------------------------

    def knock(self, client: Description, listener: Description) -> None:
        """A socket wants to be connected: it is, or it waits until there is room."""
        if len(listener.queue) > listener.backlog:
            client.state = "connecting"
            listener.pending.append(client)
        else:
            self._connect(client, listener)

    def room_for(self, listener: Description) -> None:
        """Somebody was accepted: let the next one in."""
        while listener.pending and len(listener.queue) <= listener.backlog:
            self._connect(listener.pending.popleft(), listener)

    def _connect(self, client: Description, listener: Description) -> None:
        names = (_name(client.address), _name(client.peer))
        connection = Connection(isinstance(client.peer, tuple), client.address, client.peer, names)
        client.end, client.state = connection.ends[0], "connected"
        listener.queue.append(connection.ends[1])
        if self.connected is not None:
            self.connected(connection)


def _name(address: Any) -> str:
    if isinstance(address, tuple):
        host = f"[{address[0]}]" if ":" in address[0] else address[0]
        return f"{host}:{address[1]}"
    return str(address) if address else "a socket without a name"


def _below(description: Description) -> list[Any]:
    """A description with all that hangs on it."""
    found: list[Any] = [description, *description.pending]
    ends = [*description.queue, *([description.end] if description.end is not None else [])]
    for end in ends:
        connection = end.connection
        found += [connection, *connection.ends, *connection.channels]
    if description.inbox is not None:
        found.append(description.inbox)
    return found


def _copied(thing: Any) -> dict[str, Any]:
    names = getattr(type(thing), "__slots__", None) or vars(thing)
    return {name: _copy(getattr(thing, name)) for name in names if name not in ("_first", "connected")}


def _copy(value: Any) -> Any:
    return type(value)(value) if type(value) in (dict, list, set, deque, bytearray) else value


NETWORK = Network()
