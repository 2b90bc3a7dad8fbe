"""What bytes go through: connections with a channel each way, and what they do when an end is closed.

Nothing here waits and nothing is a point: whoever calls has announced what it does. Errors are Linux's, as
tests/check/network holds them against the machine's own sockets.
"""

import errno
from typing import Any

from weft.check.network.errors import fail

__all__ = ["CAPACITY", "Channel", "Connection", "End"]

CAPACITY = 212_992  # bytes that one direction holds, as Linux has it by default


class Channel:
    """One direction of a connection.

    Attributes:
        data: what has been sent and not been received.
        ended: whoever sends will send no more.
        deaf: whoever receives has closed its end.
        shut: whoever receives has shut its side down.
        cut: the next operation on it takes one byte only (weft.check.network.faults).
        held: nothing that is in it arrives yet (the same).
    """

    __slots__ = ("cut", "data", "deaf", "ended", "held", "shut")

    def __init__(self) -> None:
        self.data = bytearray()
        self.ended = self.deaf = self.shut = self.cut = self.held = False

    @property
    def room(self) -> int:
        """Bytes that can be sent now."""
        return CAPACITY - len(self.data)


class Connection:
    """Two ends, and a channel from each to the other: from `ends[n]` goes `channels[n]`.

    Args:
        stream: whether it is TCP, else a local one.
        addresses: of both ends, as text.
    """

    __slots__ = ("channels", "ends", "names", "open", "stream")

    def __init__(self, stream: bool, local: Any, remote: Any, names: tuple[str, str]) -> None:
        self.stream = stream
        self.channels = (Channel(), Channel())
        self.ends = (End(self, 0, local, remote), End(self, 1, remote, local))
        self.names = names
        self.open = True

    def _weft_told_(self, key: Any) -> str:
        here, there = self.names if key != 1 else self.names[::-1]
        return f"connection {here} {'<->' if key is None else '->'} {there}"


class End:
    """One end of a connection.

    Attributes:
        side: which of the two: 0 is the one that connected.
        error: a number that the next operation raises, 0 for none.
        gone: the connection was reset: nothing goes through it any more.
    """

    __slots__ = ("connection", "error", "gone", "into", "local", "out", "remote", "side", "told")

    def __init__(self, connection: Connection, side: int, local: Any, remote: Any) -> None:
        self.connection = connection
        self.side = side
        self.local = local
        self.remote = remote
        self.out: Channel = connection.channels[side]
        self.into: Channel = connection.channels[1 - side]
        self.error = 0
        self.gone = False
        self.told = False  # of the peer's close, by what was sent after it

    @property
    def peer(self) -> "End":
        """The other end."""
        return self.connection.ends[1 - self.side]

    @property
    def connected(self) -> bool:
        """Whether the system would still call it so."""
        if not self.connection.stream:
            return True
        return not (self.gone or self.told or (self.out.ended and self.into.ended))

    @property
    def readable(self) -> bool:
        """Whether a receive would not wait."""
        into = self.into
        if into.held and not self.gone and not into.shut:
            return False
        return bool(into.data or into.ended or into.shut or self.error or self.gone)

    @property
    def writable(self) -> bool:
        """Whether a send would not wait."""
        out = self.out
        return out.room > 0 or out.ended or out.deaf or self.gone or bool(self.error)

    def receive(self, count: int, peek: bool = False) -> bytes | None:
        """What has come, at most `count` bytes; empty at its end; None: nothing yet.

        Raises:
            OSError: the connection was reset.
        """
        into = self.into
        if into.held and not self.gone and not into.shut:
            return None
        if into.data and count:
            if into.cut and not peek:
                count, into.cut = 1, False
            got = bytes(into.data[:count])
            if not peek:
                del into.data[:count]
            return got
        self._raise_error()
        if into.ended or into.shut or self.gone or (not count and into.data):
            return b""
        return None

    def send(self, data: Any) -> int | None:
        """How many bytes were taken; None: there is no room.

        Raises:
            OSError: the connection is broken.
        """
        out = self.out
        self._raise_error()
        if out.ended or self.gone or self.told:
            raise fail(errno.EPIPE)
        if out.deaf:  # TCP sees at the first send that nobody is there, and says so at the second
            if not self.connection.stream:
                raise fail(errno.EPIPE)
            self.told = True
            return len(data)
        if out.shut and not self.connection.stream:
            raise fail(errno.EPIPE)
        if out.room <= 0 and len(data):
            return None
        taken = min(out.room, len(data))
        if out.cut and taken > 1:
            taken, out.cut = 1, False
        out.data += data[:taken]
        return taken

    def _raise_error(self) -> None:
        if self.error:
            number, self.error = self.error, 0
            raise fail(number)

    def shut_down(self, how: int) -> None:
        """End what is received (0), sent (1), or both (2).

        Raises:
            OSError: it is not connected any more.
        """
        if not self.connected:
            raise fail(errno.ENOTCONN)
        if how in (0, 2):
            self.into.shut = True
        if how in (1, 2):
            self.out.ended = True

    def close(self, abort: bool = False) -> None:
        """Nobody has this end any more.

        Args:
            abort: whether the peer is told by a reset.
        """
        unread = bool(self.into.data)
        self.connection.open = False
        if (abort and self.connection.stream) or unread:
            self.reset()
        self.out.ended = self.into.deaf = True
        self.into.data.clear()

    def reset(self) -> None:
        """The peer learns that the connection is broken."""
        peer = self.peer
        if not peer.gone and not (peer.into.ended and self.connection.stream):
            peer.error = errno.ECONNRESET
        peer.gone = True
