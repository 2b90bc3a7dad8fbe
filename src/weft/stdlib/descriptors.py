"""Waiting for descriptors: the one way in which a thread parks until one of several is ready.

Whoever calls it asks the real call first without waiting. Only when that has nothing to give does the thread
park, with the descriptors watched by its carrier's poller, and ask again when one is ready. No descriptor
is made non-blocking: the program and its children see it too.
"""

import errno
import os
from collections.abc import Iterator, Sequence
from fcntl import F_GETFL, fcntl
from typing import Any

from weft.core.channel import Channel
from weft.core.current import current
from weft.core.parking import SIGNAL, THROWN, TIMEOUT, WITHDRAWN, park, settle, wake
from weft.core.thread import ControlBlock
from weft.core.wait import WaitReason
from weft.host.guard import guarded, outside
from weft.host.platform import monotonic
from weft.host.poller import HANGUP, READ, poll_once
from weft.stdlib.sleep import sleep
from weft.stdlib.supplied import dress

__all__ = [
    "attend",
    "bytes_of",
    "dress",
    "fail_waiters",
    "nap",
    "naps",
    "repeatable",
    "stand",
    "until_ready",
    "wait_for",
    "waits",
]

FIRST_NAP, LONGEST_NAP = 0.001, 0.05  # seconds between two looks where no descriptor tells


class _Descriptors:
    """What a thread waits on: some descriptors."""

    def __init__(self, block: ControlBlock, wanted: Sequence[tuple[int, int]]) -> None:
        self._block: ControlBlock | None = block
        self.wanted = wanted

    def ready(self) -> None:
        """One of them is ready: wake the thread, once."""
        block, self._block = self._block, None  # atomic
        if block is not None:
            wake(block)

    def _withdraw(self, block: ControlBlock) -> bool:
        mine, self._block = self._block, None  # atomic
        return mine is not None

    def _explain(self, block: ControlBlock) -> tuple[WaitReason, object, ControlBlock | None]:
        return WaitReason.DESCRIPTOR, self, None

    @property
    def numbers(self) -> tuple[int, ...]:
        """The descriptors that it stands for."""
        return tuple(fd for fd, _ in self.wanted)

    def __repr__(self) -> str:
        return "descriptor " + ", ".join(map(str, self.numbers))


_sleep_for = outside(poll_once)


@guarded
def wait_for(wanted: Sequence[tuple[int, int]], deadline: float | None) -> bool:
    """Park until one of the descriptors is ready for its events, or in error.

    Args:
        wanted: pairs of a descriptor and a mask of `select.POLL*`.
        deadline: monotonic time at which to give up; None: never.

    Returns:
        False if the time ran out.

    Raises:
        OSError: one of them is not open, or was closed by another thread meanwhile.
    """
    me = current()
    poller = me.carrier.poller
    if poller is None:  # a kernel thread of its own may sleep in the kernel
        left = None if deadline is None else max(0.0, deadline - monotonic()) * 1e3
        return bool(_sleep_for(wanted, left))
    waiting = _Descriptors(me, wanted)
    ready = waiting.ready
    watched: list[tuple[Channel, int]] = []
    me.on = waiting
    try:
        for fd, events in wanted:
            channel = poller.channels.get(fd)
            if channel is None:
                channel = Channel(fd, loose=True)
                channel.poller = poller
            channel.wait_more(events, ready)
            watched.append((channel, channel.closings))
            try:
                if poller.arm(fd, channel, True) is False:
                    ready()  # on another carrier somebody was faster with a channel of his: look again
            except PermissionError:  # a regular file is always ready
                ready()
    except BaseException:
        if not waiting._withdraw(me):  # one that was watched has sent the wake already: it is taken
            alarm = park(me)
            me.alarm |= alarm & (SIGNAL | THROWN)  # for the next wait, or the next tick
        me.on = None
        for channel, _ in watched:
            channel.forget(ready)
        raise
    try:
        alarm = park(me, deadline)
    finally:
        for channel, _ in watched:
            channel.forget(ready)
    settle(me, alarm)
    if alarm & TIMEOUT and alarm & WITHDRAWN:
        return False
    for channel, closings in watched:
        if channel.closings != closings:
            raise OSError(errno.EBADF, os.strerror(errno.EBADF))
    return True


def stand(me: ControlBlock, channel: Channel, reads: bool) -> bool:
    """Make the caller the channel's reader (or writer), on its own carrier; False if there is one."""
    if reads:
        if channel.reader is not None:
            return False
        me.on = channel  # atomic: from the look to the store
        channel.reader = me
    else:
        if channel.writer is not None:
            return False
        me.on = channel  # atomic: from the look to the store
        channel.writer = me
    poller = me.carrier.poller
    if channel.poller is not poller:
        try:
            poller.take(channel.fd, channel, me)
        except OSError:
            channel.readable = channel.writable = True  # the call will say what is wrong
    return True


@guarded
def fail_waiters(fd: int, reused: bool = False) -> None:
    """A descriptor is about to be closed: who waits for it is woken, and gets an error.

    Args:
        reused: the number stands for another file now, and a socket that has the channel goes on with it.
    """
    poller = current().carrier.poller
    channel = poller.channels.get(fd) if poller is not None else None
    if channel is None or poller is None:
        return
    channel.close(wake)
    if reused and not channel.loose:
        try:
            poller.open(fd, channel)
        except OSError:
            pass  # a regular file: no call on it waits


def waits(fd: int, events: int = READ) -> bool:
    """Whether a read (or a write) may wait at all: it is allowed to, and the descriptor is open for it."""
    flags = fcntl(fd, F_GETFL)
    if flags & os.O_NONBLOCK:
        return False
    return flags & os.O_ACCMODE != (os.O_WRONLY if events == READ else os.O_RDONLY)


@guarded
def until_ready(fd: int, events: int) -> None:
    """Park while a call would put the kernel thread to sleep: nothing is there, and it may wait.

    Raises:
        OSError: the descriptor was closed by another thread meanwhile.
    """
    wanted = [(fd, events)]
    try:
        while fd >= 0 and not poll_once([(fd, events | HANGUP)], 0) and waits(fd, events):
            wait_for(wanted, None)  # another thread may take what has come: look again
    except OverflowError:
        pass  # no such descriptor: the call will say so


def bytes_of(data: Any) -> memoryview:
    """The bytes of what has some, as one row of them, whatever its items are."""
    view = memoryview(data)
    try:
        return view.cast("B")
    except (TypeError, ValueError):  # a structure of ctypes
        return memoryview(view.tobytes())


def repeatable(items: Any) -> Any:
    """The same items for a call that may be made twice: an iterator would be empty the second time."""
    return list(items) if hasattr(items, "__next__") else items


@guarded
def attend() -> None:
    """Handle what has come for the calling thread while it stood in a call of weft's: a signal, an exception.

    A program that does nothing but such calls may give nobody another chance: the interpreter's lock is
    handed over inside them.
    """
    me = current()
    if me.alarm and me.on is None:
        alarm, me.alarm = me.alarm, 0
        settle(me, alarm)


@guarded
def nap(deadline: float | None) -> None:
    """A wait for nothing: a sleep until a time."""
    sleep(max(0.0, deadline - monotonic()) if deadline is not None else 3600.0)


def naps(deadline: float | None = None, longest: float = LONGEST_NAP) -> Iterator[float]:
    """The times at which to look again where nothing tells: first soon, then more and more rarely.

    Ends when the deadline has passed.
    """
    pause = FIRST_NAP
    while True:
        now = monotonic()
        if deadline is not None and now >= deadline:
            return
        yield now + pause if deadline is None else min(deadline, now + pause)
        pause = min(pause * 2, longest)
