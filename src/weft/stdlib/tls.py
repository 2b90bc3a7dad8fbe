"""TLS for user threads: `ssl.SSLContext` makes connections whose waits park their own thread alone.

CPython's `ssl` is kept. Underneath, its C object waits within OpenSSL's caller for as long as the socket's
timeout says; here the socket tells C "do not wait", and when OpenSSL wants to read or to write before it can
go on, the thread parks on the socket's channel (weft.core.channel), and calls again.

The descriptor of a connection without a timeout is therefore non-blocking from the first call until
`unwrap()` or `detach()`, where CPython's would be blocking. The mode could be changed for the length of each
call only, but that takes two system calls more each time, and nobody but OpenSSL has a use for a descriptor
in the middle of a connection.

OpenSSL's objects are not reentrant. No thread can be switched away from within a call, unless OpenSSL calls
the program (to choose a certificate by name, for one) and that waits; a kernel thread of the program's can
come at any time. So a thread takes its turn at each call. A write that is unfinished has to go on with the
same data, so whoever writes also keeps the turn to write until it is over.

What calls OpenSSL here is transparent to preemption: it has a loop and no other place in between where a
thread may be switched away from, and there, as in a callback, all is as it must be: the turn is taken.
"""

import errno
import os
import weakref
from _ssl import SSL_ERROR_WANT_WRITE, SSLError, SSLWantReadError, SSLWantWriteError, _SSLContext
from collections.abc import Callable
from typing import Any

from weft.core.channel import READS, Channel
from weft.core.current import current, getcurrent
from weft.core.parking import wake
from weft.core.places import transparent
from weft.host.guard import cover
from weft.host.platform import monotonic
from weft.host.poller import READ, WRITE, asker, poll_once
from weft.host.sockets import real_socket
from weft.stdlib.event import Event
from weft.stdlib.socket_waits import UNSET, await_ready, mark, open_channel
from weft.stdlib.sockets import socket

__all__ = ["Connection", "supply_tls"]

HANDSHAKE_LATE = "_ssl.c: The handshake operation timed out"
READ_LATE = "The read operation timed out"
WRITE_LATE = "The write operation timed out"

_fileno, _settimeout, _gettimeout = real_socket.fileno, real_socket.settimeout, real_socket.gettimeout
_wrap: Any = _SSLContext._wrap_socket  # type: ignore[attr-defined]


@cover
class _Turn:
    """Who may go on, one thread at a time; a thread that has the turn may take it again."""

    __slots__ = ("gate", "owner")

    def __init__(self) -> None:
        self.owner: Any = None  # its greenlet
        self.gate: Event | None = None

    def await_free(self, me: Any, deadline: float | None, late: str) -> None:
        """Park until nobody else has the turn. The caller takes it at once, with nothing in between.

        Raises:
            TimeoutError: the deadline has passed.
        """
        while self.owner is not None and self.owner is not me:
            fresh = Event()
            gate = self.gate
            if gate is None:  # atomic
                gate = self.gate = fresh
            if self.owner is None:  # it was freed before there was a gate to open
                gate.set()
                continue
            left = None if deadline is None else max(0.0, deadline - monotonic())
            if not gate.wait(left):
                raise TimeoutError(late)

    def open_gate(self) -> None:
        """The turn is free: whoever waits for it may try."""
        gate, self.gate = self.gate, None  # atomic
        if gate is not None:
            gate.set()


@cover
class Connection:
    """Stands for the `_ssl._SSLSocket` of a connection.

    Args:
        real: that object.
        sock: the socket that it reads and writes; held weakly, since the socket holds this.
    """

    __slots__ = ("_ask", "_inside", "_pending", "_real", "_real_read", "_real_write", "_sock", "_writing")

    def __init__(self, real: Any, sock: Any) -> None:
        self._real = real
        self._real_read, self._real_write, self._pending = real.read, real.write, real.pending
        self._sock = weakref.ref(sock)
        self._inside, self._writing = _Turn(), _Turn()
        self._ask: Callable[[float], Any] | None = None

    # -- what may wait ---------------------------------------------------------------------------------

    @transparent
    def do_handshake(self) -> None:
        """Shake hands."""
        self._call(self._real.do_handshake, (), HANDSHAKE_LATE, HANDSHAKE_LATE)

    @transparent
    def read(self, *args: Any) -> Any:
        """Some of what the peer has sent; arguments are the size, and perhaps a buffer."""
        deadline = UNSET if self._ask is None else self._await_data(self._ask)
        return self._call(self._real_read, args, READ_LATE, READ_LATE, deadline)

    @transparent
    def write(self, data: Any, /) -> int:
        """Write some of the data; how much of it was written."""
        sock = self._sock()
        inside, writing = self._inside, self._writing
        me = getcurrent()
        if sock is None or _gettimeout(sock) is None or inside.owner is not None or writing.owner is not None:
            return self._write_in_turn(data, sock, me)
        inside.owner = writing.owner = me  # atomic with the tests
        try:
            try:
                return self._real_write(data)  # type: ignore[no-any-return]
            except (SSLWantReadError, SSLWantWriteError):
                if sock._limit == 0:
                    raise
            finally:
                inside.owner = None
                if inside.gate is not None:
                    inside.open_gate()
            return self._call(self._real_write, (data,), WRITE_LATE, WRITE_LATE)  # type: ignore[no-any-return]
        finally:
            writing.owner = None
            if writing.gate is not None:
                writing.open_gate()

    @transparent
    def _write_in_turn(self, data: Any, sock: Any, me: Any) -> int:
        """Write once no other thread is in the middle of a write."""
        writing = self._writing
        if writing.owner is not None and writing.owner is not me:
            limit = None if sock is None else sock._limit
            if limit == 0:
                raise SSLWantWriteError(SSL_ERROR_WANT_WRITE, "another thread is in the middle of a write")
            writing.await_free(me, None if limit is None else monotonic() + limit, WRITE_LATE)
            if sock is not None:
                self._check_open(sock, self._real_write)
        outer, writing.owner = writing.owner, me
        try:
            return self._call(self._real_write, (data,), WRITE_LATE, WRITE_LATE)  # type: ignore[no-any-return]
        finally:
            writing.owner = outer
            if writing.gate is not None and outer is None:
                writing.open_gate()

    @transparent
    def shutdown(self) -> Any:
        """Tell the peer that this is the end, and wait until it says so too; the socket is plain again."""
        sock = self._call(self._real.shutdown, (), READ_LATE, WRITE_LATE)
        if sock is not None and sock._limit is None:
            _settimeout(sock, None)
        return sock

    @transparent
    def _call(
        self,
        function: Callable[..., Any],
        args: tuple[Any, ...],
        late_read: str,
        late_write: str,
        deadline: float | None = UNSET,
    ) -> Any:
        """Make a call of OpenSSL until it does not want to wait any more."""
        sock = self._sock()
        if sock is None:
            return function(*args)  # it says that the socket is gone
        channel = sock._channel
        if channel is None:
            channel = open_channel(sock)
        inside = self._inside
        me = getcurrent()
        while True:
            if _gettimeout(sock) is None:
                _settimeout(sock, 0)
            if inside.owner is not None and inside.owner is not me:
                inside.await_free(me, None, "")
                self._check_open(sock, function)
                continue  # the mode may be another by now
            outer, inside.owner = inside.owner, me  # atomic with the test
            channel.readable = channel.writable = False
            try:
                answer = function(*args)
            except (SSLWantReadError, SSLWantWriteError) as error:
                if sock._limit == 0:
                    mark(channel)
                    raise
                reads = isinstance(error, SSLWantReadError)
                events = READ if reads else WRITE
                _mark_other(channel, reads)
            except BaseException:
                mark(channel)
                raise
            else:
                mark(channel)
                if (channel.reader is not None or channel.more) and function is not self._real_write:
                    channel.deliver(READS, wake)  # its data may be in OpenSSL by now
                return answer
            finally:
                inside.owner = outer
                if inside.gate is not None and outer is None:
                    inside.open_gate()
            fd = _fileno(sock)
            if fd >= 0 and not poll_once([(fd, events)], 0):  # else OpenSSL left what no edge will tell of
                try:
                    deadline = await_ready(sock, channel, events, deadline)
                except TimeoutError:
                    raise TimeoutError(late_read if events == READ else late_write) from None
            self._check_open(sock, function)
            if function is self._real_read and self._ask is None:
                self._ask = asker(fd, READ)

    def _await_data(self, ask: Callable[[float], Any]) -> float | None:
        """Park until there is something to read, without a call of OpenSSL, which would cost much more.

        Done as long as reads come before what they read. One that finds something at once (a stream, a slow
        program) makes the next one try first, until one finds nothing.

        Returns:
            The deadline of the read.
        """
        sock = self._sock()
        channel = None if sock is None else sock._channel
        if (
            sock is None
            or channel is None
            or sock._limit == 0
            or self._pending()
            or current().carrier.poller is None
        ):
            return UNSET
        channel.readable = False
        if ask(0):
            self._ask = None
            mark(channel)
            return UNSET
        try:
            deadline = await_ready(sock, channel, READ, UNSET)
        except TimeoutError:
            raise TimeoutError(READ_LATE) from None
        self._check_open(sock, self._real_read)
        return deadline

    def _check_open(self, sock: Any, function: Callable[..., Any]) -> None:
        """A closed descriptor's number may be another's by now: OpenSSL must not touch it."""
        if _fileno(sock) < 0:
            if function is self._real_read:
                raise OSError(errno.EBADF, os.strerror(errno.EBADF))
            raise SSLError("_ssl.c: Underlying socket has been closed.")

    # -- what does not ---------------------------------------------------------------------------------

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

    def __dir__(self) -> list[str]:
        return dir(self._real)

    def __repr__(self) -> str:
        return repr(self._real)

    @property  # type: ignore[misc]
    def __class__(self) -> type:
        return type(self._real)


def _mark_other(channel: Channel, reads: bool) -> None:
    """OpenSSL wants to wait for one direction; of the other, whose mark was cleared too, nothing is known."""
    if reads:
        channel.writable = True
        if channel.writer is not None:
            channel.left(wake)
    else:
        channel.readable = True
        if channel.reader is not None:
            channel.left(wake)


def _settable(name: str) -> Any:
    return property(
        lambda self: getattr(self._real, name), lambda self, value: setattr(self._real, name, value)
    )


for _name in ("context", "owner", "session"):
    setattr(Connection, _name, _settable(_name))


def _wrap_socket(self: Any, sock: Any, *args: Any, **kwargs: Any) -> Any:
    """Make the connection of a socket."""
    made = _wrap(self, sock, *args, **kwargs)
    return Connection(made, sock) if isinstance(sock, socket) else made


def supply_tls(module: Any) -> None:
    """Put what parks into the executed module `ssl`.

    The context's own type is C's, which programs see to be immutable: the method goes into the class above.
    """
    _wrap_socket.__module__, _wrap_socket.__qualname__ = "ssl", "SSLContext._wrap_socket"
    module.SSLContext._wrap_socket = _wrap_socket
