"""The type `_socket.socket` of a checked program: CPython's own `socket.py` makes its class of it.

Each operation that another thread could notice is one point; what is done after it stands in `links` and
`space`. Errors and their texts are those of CPython on Linux.
"""

import errno
import os
import warnings
from functools import partial
from typing import Any

from weft.check.network import datagrams, options
from weft.check.network.errors import bad_descriptor, fail, not_simulated
from weft.check.network.faults import attend
from weft.check.network.links import Connection, End
from weft.check.network.making import STREAM, checked_timeout, described, given, octets, of_end
from weft.check.network.names import AF_INET, AF_INET6, AF_UNIX, ANY, LOOPBACK, parse
from weft.check.network.space import NETWORK, Description, Place
from weft.check.network.waiting import announce, operate
from weft.check.world import MODEL, born
from weft.host.sockets import DONTWAIT, PEEK, WAITALL, machine

__all__ = ["Default", "Socket", "socketpair"]

_FLAGS = int(getattr(machine, "SOCK_NONBLOCK", 0)) | int(getattr(machine, "SOCK_CLOEXEC", 0))
_NOWAIT = int(getattr(machine, "SOCK_NONBLOCK", 0))
_OOB, _ERRQUEUE = int(machine.MSG_OOB), int(getattr(machine, "MSG_ERRQUEUE", 0))
_point = MODEL.point


class Default:
    """What `setdefaulttimeout` has set."""

    timeout: float | None = None


class Socket:
    """As `_socket.socket`."""

    __slots__ = ("_description", "_family", "_fd", "_first", "_kind", "_proto", "_timeout")

    def __init__(self, family: int = -1, type: int = -1, proto: int = -1, fileno: Any = None) -> None:
        self._fd = -1
        self._first: Any = None
        self._timeout: float | None = None
        if fileno is None:
            family = AF_INET if family == -1 else int(family)
            type = STREAM if type == -1 else int(type)  # noqa: A001
            proto = 0 if proto == -1 else int(proto)
            description = described(family, type & ~_FLAGS, proto)
            fd = NETWORK.open(description)
            description.nonblocking = bool(type & _NOWAIT)
        else:
            fd, description = given(fileno)
        self._family, self._kind, self._proto = description.family, description.type, description.proto
        self._fd, self._description = fd, description
        if fileno is None and type & _NOWAIT:
            self._timeout = 0.0
        elif Default.timeout is not None:
            self._timeout = Default.timeout
            description.nonblocking = True
        born(self)

    def _put_back(self) -> None:
        names = [name for cls in type(self).__mro__ for name in getattr(cls, "__slots__", ())]
        if self._first is None:
            self._first = [
                (name, getattr(self, name)) for name in names if name[:2] != "__" and hasattr(self, name)
            ]
        for name, value in self._first:
            if name != "_first":
                setattr(self, name, value)

    def __repr__(self) -> str:
        kind = f"family={self._family}, type={self._kind}, proto={self._proto}"
        return f"<socket object, fd={self._fd}, {kind}>"

    def __del__(self) -> None:
        fd = getattr(self, "_fd", -1)
        if fd < 0 or NETWORK.table.get(fd) is not self._description or MODEL.over is not None:
            return
        warnings.warn(f"unclosed {self!r}", ResourceWarning, stacklevel=2, source=self)
        self._fd = -1
        MODEL.changes += 1
        NETWORK.close(fd)

    # -- what it is -------------------------------------------------------------------------------------

    def _open(self) -> Description:
        """What it stands for.

        Raises:
            OSError: it is closed.
        """
        description = self._description
        if self._fd < 0 or NETWORK.table.get(self._fd) is not description:
            raise bad_descriptor()
        return description

    @property
    def family(self) -> int:
        """AF_INET and the like."""
        return self._family

    @property
    def type(self) -> int:
        """SOCK_STREAM and the like."""
        return self._kind

    @property
    def proto(self) -> int:
        """The protocol."""
        return self._proto

    def fileno(self) -> int:
        """The number of its descriptor, -1 once it is closed."""
        return self._fd

    def detach(self) -> int:
        """Let go of the descriptor without closing it."""
        fd, self._fd = self._fd, -1
        return fd

    def close(self) -> None:
        """Close it; who waits on it gets an error."""
        fd, description = self._fd, self._description
        if fd < 0:
            return
        if NETWORK.table.get(fd) is description:
            announce("close", description)
        if self._fd != fd:  # another thread has done so
            return
        self._fd = -1
        if NETWORK.table.get(fd) is not description:
            raise bad_descriptor()
        NETWORK.close(fd)

    @property
    def timeout(self) -> float | None:
        """Seconds that an operation waits, None for ever."""
        return self._timeout

    def gettimeout(self) -> float | None:
        """The same."""
        return self._timeout

    def settimeout(self, value: float | None, /) -> None:
        """How long operations wait from now on."""
        timeout = checked_timeout(value)
        description = self._open()
        self._timeout = timeout
        description.nonblocking = timeout is not None

    def setblocking(self, flag: bool, /) -> None:
        """Whether operations wait."""
        self.settimeout(None if flag else 0.0)

    def getblocking(self) -> bool:
        """Whether operations wait."""
        return self._timeout != 0

    def setsockopt(self, level: int, name: int, *value: Any) -> None:
        """Set an option: it is remembered."""
        options.set_(self._open(), level, name, *value)

    def getsockopt(self, level: int, name: int, size: int = 0, /) -> Any:
        """What an option is."""
        return options.get(self._open(), level, name, size)

    def getsockname(self) -> Any:
        """Its own address."""
        description = self._open()
        if description.address is not None:
            return description.address
        if self._family == AF_UNIX:
            return ""
        return (ANY[AF_INET], 0) if self._family == AF_INET else (ANY[AF_INET6], 0, 0, 0)

    def getpeername(self) -> Any:
        """The address of the other side."""
        description = self._open()
        if description.inbox is not None and description.peer is not None:
            return "" if description.peer.__class__ is Description else description.peer[1]
        if description.end is None or not description.end.connected:
            raise fail(errno.ENOTCONN)
        return "" if description.end.remote is None else description.end.remote

    # -- one operation ----------------------------------------------------------------------------------

    def _deadline(self) -> float | None:
        return MODEL.after(self._timeout) if self._timeout else None

    def _operate(
        self, what: tuple[str, Any, Any], ready: Any, attempt: Any, flags: int = 0, deadline: Any = None
    ) -> Any:
        description = self._description
        waits = self._timeout != 0 and not flags & DONTWAIT
        if self._timeout is None and description.nonblocking:
            waits = False
        until = deadline if deadline is not None or not waits else self._deadline()
        return operate(self._fd, description, what, ready, attempt, until, waits)

    # -- being found ------------------------------------------------------------------------------------

    def bind(self, address: Any, /) -> None:
        """Take an address."""
        description = self._open()
        host, shown = parse(self._family, address, "bind")
        if description.place is not None or description.end is not None:
            raise fail(errno.EINVAL)
        if self._family == AF_UNIX:
            self._bind_path(description, host, shown)
        elif shown[1] == 0:
            self._bind_port(description, host, NETWORK.free_port(self._kind))
        else:
            _point("bind", NETWORK.port(self._kind, shown[1]))
            self._open()
            self._bind_port(description, host, shown[1])

    def _bind_port(self, description: Description, host: str, number: int) -> None:
        place = NETWORK.port(self._kind, number)
        for at, other in place.bound:
            if at != host and at not in ANY.values() and host not in ANY.values():
                continue
            if (":" in at) != (":" in host):
                continue
            shared = all(options.has(each, "SO_REUSEADDR") for each in (description, other))
            together = all(options.has(each, "SO_REUSEPORT") for each in (description, other))
            if not together and not (shared and not other.listening):
                raise fail(errno.EADDRINUSE)
        datagrams.put(description, place, host, number)

    def _bind_path(self, description: Description, path: str, shown: Any) -> None:
        if not path:
            shown = b"\0%05x" % NETWORK.free_port(0)
            path = repr(shown)
        place = NETWORK.path(path)
        _point("bind", place)
        self._open()
        if isinstance(shown, bytes):
            taken = bool(place.bound)
        else:
            if not os.path.isdir(os.path.dirname(path)):
                raise fail(errno.ENOENT)
            taken = path in NETWORK.files or os.path.lexists(path)
            NETWORK.files.add(path)
        if taken:
            raise fail(errno.EADDRINUSE)
        place.bound = [("", description)]  # whoever was here before can be reached no more
        description.place, description.address = place, shown

    def listen(self, backlog: int = 128, /) -> None:
        """Have connections come."""
        description = self._open()
        if self._kind != STREAM:
            raise fail(errno.EOPNOTSUPP)
        if description.end is not None or (description.place is None and self._family == AF_UNIX):
            raise fail(errno.EINVAL)
        datagrams.bind_somewhere(description)
        place = description.place
        assert place is not None
        _point("listen", place)
        self._open()
        for at, other in place.bound:
            taken = other.listening and other is not description and at == description.host
            if taken and not options.has(description, "SO_REUSEPORT"):
                raise fail(errno.EADDRINUSE)
        description.listening, description.backlog = True, max(0, backlog)
        NETWORK.room_for(description)

    def _accept(self) -> tuple[int, Any]:
        description = self._open()
        if not description.listening:
            raise fail(errno.EINVAL)

        def attempt() -> Any:
            if not description.listening:
                raise fail(errno.EINVAL)
            if not description.queue:
                return None
            end = description.queue.popleft()
            NETWORK.room_for(description)
            fd = NETWORK.open(of_end(end, self._family, self._proto))
            return fd, "" if end.remote is None else end.remote

        def ready() -> bool:
            return bool(description.queue) or not description.listening

        got: tuple[int, Any] = self._operate(("accept", description.place, None), ready, attempt)
        attend()  # who waited for room may have been let in
        return got

    # -- finding others ---------------------------------------------------------------------------------

    def connect(self, address: Any, /) -> None:
        """Connect to an address."""
        number = self._connect(address, "connect")
        if number == errno.ETIMEDOUT:
            raise TimeoutError("timed out")
        if number:
            raise fail(number)

    def connect_ex(self, address: Any, /) -> int:
        """The same, with the error's number in place of an error."""
        number = self._connect(address, "connect_ex")
        return errno.EAGAIN if number == errno.ETIMEDOUT else number

    def _connect(self, address: Any, verb: str) -> int:
        description = self._open()
        host, shown = parse(self._family, address, verb)
        if description.inbox is not None:
            return self._connect_inbox(description, host, shown)
        if description.end is not None and description.fresh:
            description.fresh = False
            return 0
        if description.end is not None or description.listening:
            return errno.EISCONN
        if description.state == "connecting":
            return errno.EALREADY
        if self._family == AF_UNIX:
            place, host = NETWORK.path(host), ""
        else:
            place = NETWORK.port(self._kind, shown[1])
            host = LOOPBACK[self._family] if host in ANY.values() else host
        _point("connect", place)
        self._open()
        listener = place.holder(host, listening=True)
        return (self._connect_path if self._family == AF_UNIX else self._connect_port)(
            description, place, listener, host, shown
        )

    def _connect_inbox(self, description: Description, host: str, shown: Any) -> int:
        datagrams.bind_somewhere(description)
        if self._family != AF_UNIX:
            here = LOOPBACK[self._family]
            host = here if host in ANY.values() else host
            shown = (host, *shown[1:])
            if description.address[0] in ANY.values():
                description.address = (here, *description.address[1:])
        elif NETWORK.path(host).holder("") is None:
            return errno.ENOENT if not isinstance(shown, bytes) else errno.ECONNREFUSED
        description.peer = (host, shown)
        return 0

    def _connect_path(self, description: Description, place: Place, listener: Any, _: str, shown: Any) -> int:
        if listener is None:
            if isinstance(shown, bytes) or place.name in NETWORK.files:
                return errno.ECONNREFUSED
            if os.path.exists(place.name):
                raise not_simulated(f"the socket at {place.name!r}, which is another program's")
            return errno.ENOENT
        description.peer = shown
        if len(listener.queue) > listener.backlog and self._timeout is not None:
            return errno.EAGAIN
        NETWORK.knock(description, listener)
        attend()
        return self._await_room(description, place)

    def _connect_port(
        self, description: Description, place: Place, listener: Any, host: str, shown: Any
    ) -> int:
        if listener is None or not shown[1]:
            if self._timeout != 0:
                return errno.ECONNREFUSED
            description.error = errno.ECONNREFUSED
            return errno.EINPROGRESS
        datagrams.bind_somewhere(description)
        if description.address[0] in ANY.values():
            description.address = (LOOPBACK[self._family], *description.address[1:])
        description.peer = (host, *shown[1:])
        NETWORK.knock(description, listener)
        attend()
        if self._timeout == 0:
            description.fresh = True
            return errno.EINPROGRESS
        return self._await_room(description, place)

    def _await_room(self, description: Description, place: Place) -> int:
        """Wait until it is connected, or is not to be."""
        if description.state == "connecting":

            def ready() -> bool:
                return description.state != "connecting"

            try:
                self._operate(("connect", place, None), ready, lambda: True if ready() else None)
            except TimeoutError:
                return errno.ETIMEDOUT
        number, description.error = description.error, 0
        return number

    def shutdown(self, how: int, /) -> None:
        """End one direction, or both."""
        description = self._open()
        if how not in (0, 1, 2):
            raise fail(errno.EINVAL)
        end = description.end
        if end is not None:
            _point("shutdown", end.connection, {0: 1 - end.side, 1: end.side, 2: None}[how])
            self._open()
            end.shut_down(how)
        elif description.listening:
            _point("shutdown", description.place)
            self._open()
            NETWORK.stop_listening(description)
        elif self._family != AF_UNIX:
            raise fail(errno.ENOTCONN)

    # -- sending ----------------------------------------------------------------------------------------

    def send(self, data: Any, flags: int = 0, /) -> int:
        """Send some of it; how much."""
        return self._send(octets(data), flags)

    def _send(self, data: memoryview, flags: int, deadline: float | None = None) -> int:
        description = self._open()
        if flags & _OOB:
            raise not_simulated("urgent data")
        if description.inbox is not None:
            if description.peer is None:
                raise fail(errno.EDESTADDRREQ if self._family != AF_UNIX else errno.ENOTCONN)
            return self._send_datagram(description, description.peer, data, flags)
        end = self._connected(description, errno.EPIPE, errno.ENOTCONN)

        def ready() -> bool:
            return end.writable

        what = ("send", end.connection, end.side)
        sent: int = self._operate(what, ready, lambda: end.send(data), flags, deadline)
        return sent

    def _connected(self, description: Description, internet: int, local: int) -> End:
        if description.end is None:
            raise fail(internet if self._family != AF_UNIX else local)
        return description.end

    def _send_datagram(self, description: Description, where: Any, data: memoryview, flags: int) -> int:
        datagrams.bind_somewhere(description)
        place, host = datagrams.target_of(description, where)
        whole = bytes(data)
        sent: int = self._operate(
            ("send", place, None),
            lambda: datagrams.accepts(description, place, host, where),
            lambda: datagrams.deliver(description, place, host, where, whole),
            flags,
        )
        return sent

    def sendall(self, data: Any, flags: int = 0, /) -> None:
        """Send all of it."""
        left = octets(data)
        self._open()
        deadline = self._deadline()
        if not left:
            self._send(left, flags)
        while left:
            left = left[self._send(left, flags, deadline) :]

    def sendto(self, data: Any, *rest: Any) -> int:
        """Send it to an address; before it may stand flags."""
        if len(rest) not in (1, 2):
            raise TypeError(f"sendto() takes 2 or 3 arguments ({1 + len(rest)} given)")
        flags, address = rest if len(rest) == 2 else (0, rest[0])
        return self._send_to(octets(data), flags, address, "sendto")

    def _send_to(self, data: memoryview, flags: int, address: Any, verb: str) -> int:
        description = self._open()
        where = parse(self._family, address, verb)
        if description.inbox is None:
            if self._family == AF_UNIX and description.end is not None:
                raise fail(errno.EISCONN)
            return self._send(data, flags)
        if self._family == AF_UNIX and not isinstance(where[1], bytes) and where[0] not in NETWORK.files:
            raise fail(errno.ENOENT)
        return self._send_datagram(description, where, data, flags)

    def sendmsg(self, buffers: Any, ancdata: Any = (), flags: int = 0, address: Any = None, /) -> int:
        """Send what is in several buffers."""
        if list(ancdata):
            raise not_simulated("ancillary data")
        data = memoryview(b"".join(octets(each) for each in buffers))
        if address is not None:
            return self._send_to(data, flags, address, "sendmsg")
        return self._send(data, flags)

    # -- receiving --------------------------------------------------------------------------------------

    def _receive(self, count: int, flags: int, verb: str) -> tuple[bytes, Any]:
        if count < 0:
            raise ValueError(f"negative buffersize in {verb}")
        description = self._open()
        if flags & _OOB:
            raise fail(errno.EINVAL)
        if _ERRQUEUE and flags & _ERRQUEUE:
            raise fail(errno.EAGAIN)
        peek = bool(flags & PEEK)
        if description.inbox is not None:
            inbox = description.inbox
            got: tuple[bytes, Any] = self._operate(
                ("recv", datagrams.incoming(description), None),
                lambda: inbox.items or description.error,
                lambda: datagrams.receive(description, count, peek),
                flags,
            )
            return got
        end = self._connected(description, errno.ENOTCONN, errno.EINVAL)

        def ready() -> bool:
            return end.readable

        what = ("recv", end.connection, 1 - end.side)
        data: bytes = self._operate(what, ready, lambda: end.receive(count, peek), flags)
        while flags & WAITALL and not peek and 0 < len(data) < count and self._timeout is None:
            more = self._operate(what, ready, partial(end.receive, count - len(data)), flags)
            if not more:
                break
            data += more
        return data, None

    def recv(self, count: int, flags: int = 0, /) -> bytes:
        """Receive at most so many bytes; none at the end."""
        return self._receive(count, flags, "recv")[0]

    def recvfrom(self, count: int, flags: int = 0, /) -> tuple[bytes, Any]:
        """The same, with who sent them."""
        return self._receive(count, flags, "recvfrom")

    def recv_into(self, buffer: Any, nbytes: int = 0, flags: int = 0) -> int:
        """Receive into a buffer; how much."""
        return self._receive_into(buffer, nbytes, flags, "recv_into")[0]

    def recvfrom_into(self, buffer: Any, nbytes: int = 0, flags: int = 0) -> tuple[int, Any]:
        """The same, with who sent it."""
        return self._receive_into(buffer, nbytes, flags, "recvfrom_into")

    def _receive_into(self, buffer: Any, nbytes: int, flags: int, verb: str) -> tuple[int, Any]:
        room = octets(buffer)
        if nbytes < 0:
            raise ValueError(f"negative buffersize in {verb}")
        if nbytes > len(room):
            raise ValueError(
                "buffer too small for requested bytes"
                if verb == "recv_into"
                else "nbytes is greater than the length of the buffer"
            )
        data, source = self._receive(nbytes or len(room), flags, verb)
        room[: len(data)] = data
        return len(data), source

    def recvmsg(
        self, count: int, ancbufsize: int = 0, flags: int = 0, /
    ) -> tuple[bytes, list[Any], int, Any]:
        """Receive with ancillary data, of which there are none."""
        data, source = self._receive(count, flags, "recvmsg")
        return data, [], 0, source

    def recvmsg_into(
        self, buffers: Any, ancbufsize: int = 0, flags: int = 0, /
    ) -> tuple[int, list[Any], int, Any]:
        """The same into several buffers."""
        rooms = [octets(each) for each in buffers]
        data, source = self._receive(sum(map(len, rooms)), flags, "recvmsg_into")
        left = data
        for room in rooms:
            part = left[: len(room)]
            room[: len(part)] = part
            left = left[len(part) :]
        return len(data), [], 0, source


def socketpair(family: int = AF_UNIX, type: int = STREAM, proto: int = 0, /) -> tuple[Socket, Socket]:
    """Two sockets that are connected to each other."""
    kind = type & ~_FLAGS
    if family != AF_UNIX:
        raise fail(errno.EOPNOTSUPP)
    if kind == STREAM:
        connection = Connection(False, None, None, ("one end of a pair", "the other"))
        if NETWORK.connected is not None:
            NETWORK.connected(connection)
        both = [of_end(end, family, proto) for end in connection.ends]
    else:
        both = [described(family, kind, proto) for _ in range(2)]
        both[0].peer, both[1].peer = both[1], both[0]
    attend()
    made = [Socket(fileno=NETWORK.open(each)) for each in both]
    if type & _NOWAIT:
        for each in made:
            each.setblocking(False)
    return made[0], made[1]
