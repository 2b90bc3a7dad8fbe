"""How a thread waits on a socket: on the channel that the socket keeps (weft.core.channel)."""

from typing import Any

from weft.core.channel import NOWHERE, Channel
from weft.core.current import adopt, current, getcurrent
from weft.core.parking import TIMEOUT, WITHDRAWN, park, settle, wake
from weft.guard import guarded
from weft.host.platform import monotonic
from weft.host.poller import READ
from weft.host.sockets import STREAM, STREAM_FAMILIES, real_socket
from weft.stdlib.descriptors import stand, wait_for

__all__ = ["UNSET", "await_ready", "mark", "open_channel", "park_to_read"]

UNSET = -1.0

_fileno = real_socket.fileno


@guarded
def open_channel(sock: Any) -> Channel:
    """The channel of a socket that has none yet; of a closed one, one that is always ready."""
    fd: int = _fileno(sock)
    kind = real_socket.type.__get__(sock)
    made = Channel(fd, real_socket.family.__get__(sock) not in STREAM_FAMILIES or kind & 0xF != STREAM)
    poller = current().carrier.poller
    if fd < 0 or poller is None:
        return made
    stale = poller.channels.get(fd)
    if stale is not None:
        stale.loose = False  # or a tick could drop it before it is the socket's
        if stale.poller.has(fd):
            made = stale
    if sock._channel is not None:  # atomic with the store: a thread of another carrier was faster
        return sock._channel  # type: ignore[no-any-return]
    sock._channel = made
    made.poller = poller
    try:
        poller.open(fd, made)
    except OSError:
        sock._channel = None
        made.poller = NOWHERE
        return made  # the call itself will say what is wrong with it
    if stale is not None and stale is not made:
        stale.close(wake)
    return made


@guarded
def mark(channel: Channel) -> None:
    """A call has left something, or may have: set both marks; who parked meanwhile is to look."""
    channel.readable = channel.writable = True
    if channel.reader is not None or channel.writer is not None:
        channel.left(wake)


@guarded
def park_to_read(channel: Channel) -> bool:
    """Park until the channel may have something; False if it is no usual case, and one for `await_ready`."""
    try:
        me = getcurrent().block  # type: ignore[attr-defined]
    except AttributeError:
        me = adopt()
    carrier = me.carrier
    if channel.poller is not carrier.poller or channel.reader is not None:
        return False
    me.on = channel  # atomic: from the look to the store
    channel.reader = me
    if channel.readable and channel._withdraw(me):
        me.on = None
        return True
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
    return True


@guarded
def await_ready(sock: Any, channel: Channel, events: int, deadline: float | None) -> float | None:
    """Park until the socket may be ready: the general case, with a timeout or several waiters.

    Args:
        deadline: monotonic time; None: never; UNSET: the socket's timeout from now.

    Returns:
        The deadline, for the next time.

    Raises:
        TimeoutError: it has passed.
    """
    limit = sock._limit
    if deadline == UNSET:
        deadline = None if limit is None else monotonic() + limit
    fd = _fileno(sock)
    reads = events == READ
    if fd < 0 or limit == 0:
        mark(channel)  # closed, or made non-blocking: the call says so
        return deadline
    me = current()
    if me.carrier.poller is not None and stand(me, channel, reads):
        if (channel.readable if reads else channel.writable) and channel._withdraw(me):
            me.on = None
            return deadline
        alarm = park(me, deadline)
        if alarm:
            settle(me, alarm)
            if alarm & TIMEOUT and alarm & WITHDRAWN:
                raise TimeoutError("timed out")
        return deadline
    if not wait_for([(fd, events)], deadline):
        raise TimeoutError("timed out")
    if reads:
        channel.readable = True
    else:
        channel.writable = True
    return deadline
