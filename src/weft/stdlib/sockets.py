"""`_socket.socket` for user threads: a call that would block parks its own thread alone.

Each call is first made without waiting (`MSG_DONTWAIT`, or a look at the descriptor where there is no such
flag). Only when it would have blocked does the thread park, on the channel that the socket keeps
(weft.core.channel), and then it tries again. A descriptor keeps the mode that CPython gives it: non-blocking
if the socket has a timeout, else blocking. The timeout itself is kept here, and C's is 0, so that C never
waits.

A stream's read that brings less than was asked for shows that nothing is left, so the next one parks without
a system call; that is also what keeps one busy connection from starving the rest.
"""

import errno
import os
from typing import Any

from weft.core.channel import READS, WRITES, Channel
from weft.core.current import adopt, getcurrent
from weft.core.parking import settle, wake
from weft.host.guard import cover
from weft.host.platform import monotonic
from weft.host.poller import READ, WRITE, poll_once
from weft.host.sockets import (
    DONTWAIT,
    NO_DEFAULT,
    PEEK,
    SO_ERROR,
    STREAM,
    TRIES,
    WAITALL,
    get_default_timeout,
    real_socket,
    set_default_timeout,
)
from weft.host.threads import raw_lock
from weft.stdlib.descriptors import bytes_of, fail_waiters, nap, repeatable
from weft.stdlib.names import supply_names
from weft.stdlib.sleep import sleep
from weft.stdlib.socket_waits import UNSET, await_ready, mark, open_channel, park_to_read
from weft.stdlib.supplied import dress

__all__ = ["socket", "supply_sockets"]

FIRST_NAP, LONGEST_NAP = 0.001, 0.05  # seconds between tries to connect where no descriptor tells of room

_default: list[float | None] = [NO_DEFAULT]
_recv, _recv_into, _send = real_socket.recv, real_socket.recv_into, real_socket.send
_fileno, _settimeout, _gettimeout = real_socket.fileno, real_socket.settimeout, real_socket.gettimeout


class socket(real_socket):  # type: ignore[misc]  # noqa: N801 - the name programs know
    """socket(family=AF_INET, type=SOCK_STREAM, proto=0) -> socket object"""

    __slots__ = ("_channel", "_limit")

    def __init__(self, family: int = -1, type: int = -1, proto: int = -1, fileno: Any = None) -> None:
        real_socket.__init__(self, family, type, proto, fileno)
        self._channel: Channel | None = None
        self._limit: float | None = _gettimeout(self)
        if self._limit is None and _default[0] is not None:
            self.settimeout(_default[0])

    # -- timeouts ------------------------------------------------------------------------------------

    def settimeout(self, timeout: Any, /) -> None:
        """Set a timeout for what may block: seconds, 0 for non-blocking, None for no timeout."""
        _settimeout(self, timeout)
        self._limit = limit = _gettimeout(self)
        if limit:
            _settimeout(self, 0)
        self._forget_marks()

    def setblocking(self, flag: Any, /) -> None:
        """Set the socket to blocking (true) or non-blocking (false)."""
        real_socket.setblocking(self, flag)
        self._limit = _gettimeout(self)
        self._forget_marks()

    def _forget_marks(self) -> None:
        channel = self._channel
        if channel is not None:
            channel.readable = channel.writable = True

    def gettimeout(self) -> float | None:
        """The timeout in seconds; None: none."""
        return self._limit

    def getblocking(self) -> bool:
        """Whether the socket is in blocking mode."""
        return self._limit != 0

    @property
    def timeout(self) -> float | None:
        """The socket's timeout."""
        return self._limit

    # -- the end ---------------------------------------------------------------------------------------

    def close(self) -> None:
        """Close the socket; threads that wait on it are woken and get an error."""
        channel = self._channel
        if channel is None:
            fail_waiters(_fileno(self))
            return real_socket.close(self)  # type: ignore[no-any-return]
        # On a kernel thread others run while this closes: they are woken after it, or would wait anew.
        channel.leave()
        try:
            real_socket.close(self)
        finally:
            self._channel = None
            channel.deliver(READS | WRITES, wake)
        return None

    def detach(self) -> int:
        """Close the socket object without closing its descriptor, and return that."""
        if self._limit is None and _gettimeout(self) is not None:
            try:
                _settimeout(self, None)  # TLS has had it non-blocking
            except OSError:
                pass  # it is not open
        channel, self._channel = self._channel, None
        if channel is not None:
            # It stays registered: another object may have the descriptor.
            channel.deliver(READS | WRITES, wake)
        return real_socket.detach(self)  # type: ignore[no-any-return]

    # -- reading and writing -----------------------------------------------------------------------------

    def recv(self, bufsize: int, flags: int = 0, /) -> bytes:
        """Receive up to `bufsize` bytes; parks until there are some."""
        channel = self._channel
        if channel is None:
            channel = open_channel(self)
        deadline: float | None = UNSET
        while True:
            if channel.readable or flags & TRIES:
                channel.readable = False
                try:
                    data: bytes = _recv(self, bufsize, flags | DONTWAIT)
                except BlockingIOError:
                    if self._limit == 0 or flags & TRIES:
                        channel.readable = True
                        raise
                except BaseException:
                    channel.readable = True
                    if channel.reader is not None:
                        channel.left(wake)
                    raise
                else:
                    if flags or channel.careful or len(data) == bufsize:
                        channel.readable = True
                        if channel.reader is not None:
                            channel.left(wake)
                        if flags & WAITALL and 0 < len(data) < bufsize and _wants_all(self, flags):
                            return data + _rest(self, bufsize - len(data), flags)
                    return data
                continue
            # The usual case, no timeout and one reader on the channel's carrier, is written out: here
            # a server's thread spends its life, and each call up to the switch costs a tenth of it.
            try:
                me = getcurrent().block  # type: ignore[attr-defined]
            except AttributeError:
                me = adopt()
            carrier = me.carrier
            if self._limit is not None or channel.poller is not carrier.poller or channel.reader is not None:
                deadline = await_ready(self, channel, READ, deadline)
                continue
            me.on = channel  # atomic: from the look to the store
            channel.reader = me
            if channel.readable and channel._withdraw(me):
                me.on = None
                continue
            me.since = carrier.now
            try:
                resume = carrier.pick()
            except IndexError:
                resume = carrier.idle()
            resume()
            me.on = None
            if me.alarm:
                alarm, me.alarm = me.alarm, 0
                settle(me, alarm)

    def recv_into(self, buffer: Any, nbytes: int = 0, flags: int = 0) -> int:
        """Receive up to `nbytes` bytes (0: as many as fit) into a buffer; returns how many."""
        channel = self._channel
        if channel is None:
            channel = open_channel(self)
        deadline: float | None = UNSET
        while True:
            if channel.readable or flags & TRIES:
                channel.readable = False
                try:
                    count: int = _recv_into(self, buffer, nbytes, flags | DONTWAIT)
                except BlockingIOError:
                    if self._limit == 0 or flags & TRIES:
                        channel.readable = True
                        raise
                except BaseException:
                    channel.readable = True
                    if channel.reader is not None:
                        channel.left(wake)
                    raise
                else:
                    if flags or channel.careful or count >= (nbytes or memoryview(buffer).nbytes):
                        channel.readable = True
                        if channel.reader is not None:
                            channel.left(wake)
                    if flags & WAITALL and count > 0 and _wants_all(self, flags):
                        with memoryview(buffer) as view, view.cast("B") as room:
                            rest = _rest(self, (nbytes or len(room)) - count, flags)
                            room[count : count + len(rest)] = rest
                        count += len(rest)
                    return count
                continue
            if self._limit is not None or not park_to_read(channel):
                deadline = await_ready(self, channel, READ, deadline)

    def send(self, data: Any, flags: int = 0, /) -> int:
        """Send data and return how many bytes of it were sent; parks while there is no room."""
        try:
            sent: int = _send(self, data, flags | DONTWAIT)
        except BlockingIOError:
            if self._limit == 0 or flags & DONTWAIT:
                raise
            sent = _send_slowly(self, data, flags, UNSET)
        size = len(data) if data.__class__ is bytes else memoryview(data).nbytes
        if sent == size or self._limit is not None or flags & DONTWAIT:
            return sent
        return _send_rest(self, data, flags, sent)

    def sendall(self, data: Any, flags: int = 0, /) -> None:
        """Send all of `data`; parks whenever the peer is slower."""
        sent = 0
        try:
            sent = _send(self, data, flags | DONTWAIT)
        except BlockingIOError:
            if self._limit == 0 or flags & DONTWAIT:
                raise
        if data.__class__ is bytes and sent == len(data):
            return
        limit = self._limit
        deadline = None if limit is None else monotonic() + limit
        with bytes_of(data) as rest:
            while sent < len(rest):
                try:
                    sent += _send(self, rest[sent:], flags | DONTWAIT)
                except BlockingIOError:
                    if limit == 0 or flags & DONTWAIT:
                        raise
                    sent += _send_slowly(self, rest[sent:], flags, deadline)

    # -- connecting ----------------------------------------------------------------------------------------

    def connect(self, address: Any, /) -> None:
        """Connect to a remote address; parks until the connection stands."""
        error = _connect(self, address)
        if error:
            raise OSError(error, os.strerror(error))

    def connect_ex(self, address: Any, /) -> int:
        """As `connect`, but returns an error number instead of raising most errors."""
        try:
            return _connect(self, address)
        except TimeoutError:
            return errno.EAGAIN


def _wants_all(sock: Any, flags: int) -> bool:
    """Whether MSG_WAITALL makes a read wait: CPython gives a socket with a timeout what there is."""
    return sock._limit is None and not flags & (TRIES | PEEK)


def _rest(sock: Any, count: int, flags: int) -> bytes:
    """The rest of a read that wants all (MSG_WAITALL); less if the connection ends or breaks."""
    parts = []
    while count > 0:
        try:
            part = sock.recv(count, flags & ~WAITALL)
        except OSError:
            break
        if not part:
            break
        parts.append(part)
        count -= len(part)
    return b"".join(parts)


def _send_slowly(sock: Any, data: Any, flags: int, deadline: float | None) -> int:
    """Send some of the data, once there is room."""
    channel = sock._channel
    if channel is None:
        channel = open_channel(sock)
    while True:
        channel.writable = False
        try:
            sent: int = _send(sock, data, flags | DONTWAIT)
        except BlockingIOError:
            if sock._limit == 0:
                raise
        except BaseException:
            mark(channel)
            raise
        else:
            mark(channel)
            return sent
        deadline = await_ready(sock, channel, WRITE, deadline)


def _send_rest(sock: Any, data: Any, flags: int, sent: int) -> int:
    """Send what is left, as the machine does where there is no timeout; how many bytes are out in all."""
    with bytes_of(data) as rest:
        while sent < len(rest):
            try:
                sent += _send_slowly(sock, rest[sent:], flags, None)
            except OSError:
                break
    return sent


def _send_pieces(sock: Any, pieces: Any, flags: int, sent: int) -> int:
    """`_send_rest` for what is in pieces; only a stream takes less than all."""
    size = sum(memoryview(item).nbytes for item in pieces)
    if sent == size or real_socket.type.__get__(sock) & 0xF != STREAM:
        return sent
    return _send_rest(sock, b"".join(pieces), flags, sent)


def _connect(sock: Any, address: Any) -> int:
    """Connect; the error number of what went wrong, 0 for nothing.

    Raises:
        TimeoutError: the socket's timeout has passed.
        BaseException: the address is no address.
    """
    limit = sock._limit
    if limit == 0:
        return real_socket.connect_ex(sock, address)  # type: ignore[no-any-return]
    deadline = None if limit is None else monotonic() + limit
    error = _begin_to_connect(sock, address)
    if error not in (errno.EINPROGRESS, errno.EINTR, errno.EALREADY):
        return error
    if error == errno.EALREADY and limit is not None:
        return error  # CPython waits for what an earlier call began only where there is no timeout
    channel = sock._channel
    if channel is None:
        channel = open_channel(sock)
    while True:
        channel.writable = False
        fd = _fileno(sock)
        if fd < 0:
            return errno.EBADF
        if poll_once([(fd, WRITE)], 0):
            mark(channel)
            return int(sock.getsockopt(*SO_ERROR))
        await_ready(sock, channel, WRITE, deadline)


#: Held while a socket's mode is changed for a call: a thread on another carrier would change it back before
#: the call is made, which would then wait in C. Nobody is switched away from in here.
_mode: Any = raw_lock()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_mode._at_fork_reinit)


def _begin_to_connect(sock: Any, address: Any) -> int:
    """Have the connection made, without waiting for it."""
    if sock._limit is not None:
        return real_socket.connect_ex(sock, address)  # type: ignore[no-any-return]
    pause = FIRST_NAP
    while True:
        # There is no flag for "do not wait" here: the mode is changed for the length of one call.
        with _mode:
            _settimeout(sock, 0)
            try:
                error: int = real_socket.connect_ex(sock, address)
            finally:
                _settimeout(sock, None)
        if error != errno.EAGAIN:
            return error
        # A Unix socket whose backlog is full: the system waits for room, and no descriptor tells of it.
        nap(monotonic() + pause)
        pause = min(pause * 2, LONGEST_NAP)


# -- the methods that are called less often ------------------------------------------------------------------

#: Method: (what the descriptor must be ready for, the place of its flags). Place None: it takes no flags, or
#: takes them by name, and the descriptor is asked first.
_WAITING: dict[str, tuple[int, int | None]] = {
    "_accept": (READ, None),
    "recvfrom": (READ, 1),
    "recvfrom_into": (READ, 2),
    "recvmsg": (READ, 2),
    "recvmsg_into": (READ, 2),
    "sendto": (WRITE, 1),
    "sendmsg": (WRITE, 2),
    "sendmsg_afalg": (WRITE, None),
}
_TAKES = {"recvfrom": (1, 2), "recvfrom_into": (1, 3), "recvmsg": (1, 3), "recvmsg_into": (1, 3)}
_TAKES |= {"sendto": (2, 3), "sendmsg": (1, 4)}
_LISTS = {"recvmsg_into", "sendmsg", "sendmsg_afalg"}  # they take lists
_FILLERS: dict[str, tuple[Any, ...]] = {"recvmsg": (0, 0), "recvmsg_into": (0, 0), "sendmsg": ((), ())}


def _without_waiting(name: str, place: int, args: tuple[Any, ...]) -> tuple[tuple[Any, ...], bool]:
    """The arguments with "do not wait" among the flags, and whether it was there already."""
    if name == "sendto" and len(args) == 2:  # data, address
        return (args[0], DONTWAIT, args[1]), False
    if len(args) <= place:
        filler = _FILLERS.get(name, (0, 0))
        args = (*args, *filler[len(args) - 1 : place - 1], 0)
    flags = args[place]
    if not isinstance(flags, int):
        return args, True
    return (*args[:place], flags | DONTWAIT, *args[place + 1 :]), bool(flags & TRIES)


def _accept_now(sock: Any) -> Any:
    """Take a connection if there is one.

    Asking first would not do: another process or kernel thread with the same listener may be faster, and
    the call would wait in C. There is no flag for "do not wait" here, so the mode is changed for one call.
    """
    if sock._limit is not None:
        return real_socket._accept(sock)
    with _mode:
        _settimeout(sock, 0)
        try:
            return real_socket._accept(sock)
        finally:
            try:
                _settimeout(sock, None)
            except OSError:
                pass  # closed meanwhile, by a kernel thread


def _waiting(name: str, events: int, place: int | None) -> Any:
    """A method that makes the real call without waiting, and parks while that finds nothing to do."""
    method = getattr(real_socket, name) if name != "_accept" else _accept_now
    reads = events == READ
    tells = place is not None or name == "_accept"  # the call can be made without waiting

    def call(self: Any, *args: Any, **kwargs: Any) -> Any:
        limit = self._limit
        least, most = _TAKES.get(name, (0, 9))
        if limit == 0 or not least <= len(args) <= most:
            return method(self, *args, **kwargs)
        told = False
        if name in _LISTS and args:
            args = (*map(repeatable, args[:2]), *args[2:])
        if place is None:
            sleep(0)  # a thread that accepts without end lets those run to whom it hands what it accepts
        elif not kwargs:
            args, told = _without_waiting(name, place, args)
        channel = self._channel
        if channel is None:
            channel = open_channel(self)
        deadline: float | None = UNSET
        while True:
            if reads:
                channel.readable = False
            else:
                channel.writable = False
            fd = _fileno(self)
            if (tells and not kwargs) or fd < 0 or poll_once([(fd, events)], 0):
                try:
                    answer = method(self, *args, **kwargs)
                except BlockingIOError:
                    if told or self._limit == 0:
                        channel.readable = channel.writable = True
                        raise
                except BaseException:
                    mark(channel)
                    raise
                else:
                    mark(channel)
                    if reads or place is None or limit is not None or told or kwargs:
                        return answer
                    return _send_pieces(self, args[0] if name == "sendmsg" else args[:1], args[place], answer)
            deadline = await_ready(self, channel, events, deadline)

    call.__name__ = name
    call.__qualname__ = f"socket.{name}"
    call.__doc__ = getattr(real_socket, name).__doc__
    return call


for _name, (_events, _place) in _WAITING.items():
    if hasattr(real_socket, _name):
        setattr(socket, _name, _waiting(_name, _events, _place))
for _name in ("recv", "recv_into", "send", "sendall", "connect", "connect_ex", "close", "detach"):
    getattr(socket, _name).__doc__ = getattr(real_socket, _name).__doc__
socket.__module__, socket.__qualname__ = "_socket", "socket"
cover(socket)


def setdefaulttimeout(timeout: Any, /) -> None:
    """Set the default timeout of new sockets: seconds, or None for none; as `socket.setdefaulttimeout`."""
    set_default_timeout(timeout)
    _default[0] = get_default_timeout()
    set_default_timeout(None)


def getdefaulttimeout() -> float | None:
    """The default timeout of new sockets; None: none."""
    return _default[0]


def supply_sockets(module: Any) -> None:
    """Put what parks into the executed C module `_socket`."""
    module.socket = module.SocketType = socket
    supply_names(module, socket)
    module.setdefaulttimeout = dress(setdefaulttimeout, "_socket", "setdefaulttimeout")
    module.getdefaulttimeout = dress(getdefaulttimeout, "_socket", "getdefaulttimeout")
    set_default_timeout(None)
