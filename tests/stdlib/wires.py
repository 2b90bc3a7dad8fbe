"""Connections for cases: pairs over TCP, and a thread that counts while others wait."""

import contextlib
import socket
import threading
import time
from collections.abc import Iterator

from tests.stdlib.seen import LONG, ON_USER, until, until_waits

__all__ = ["TIME_TO_TICK", "RunningOut", "exactly", "listening", "pair", "reset", "ticking", "until_blocked"]

LOCAL = ("127.0.0.1", 0)
TIME_TO_TICK = 0.002


class RunningOut(AssertionError):
    """The connection ended before all was read."""


@contextlib.contextmanager
def listening(backlog: int = 128) -> Iterator[socket.socket]:
    with socket.create_server(LOCAL, backlog=backlog) as listener:
        yield listener


@contextlib.contextmanager
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    """Two ends of a TCP connection."""
    with listening() as listener:
        one = socket.create_connection(listener.getsockname(), timeout=LONG)
        other, _ = listener.accept()
    one.settimeout(None)
    with one, other:
        yield one, other


def exactly(connection: socket.socket, count: int, piece: int = 65536) -> bytes:
    """Read so many bytes."""
    got = bytearray()
    while len(got) < count:
        part = connection.recv(min(piece, count - len(got)))
        if not part:
            raise RunningOut(f"{len(got)} of {count} bytes")
        got += part
    return bytes(got)


def reset(connection: socket.socket) -> None:
    """End a connection as a crash does: the peer gets an error."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    connection.close()


@contextlib.contextmanager
def ticking() -> Iterator[list[int]]:
    """A thread that counts in its own time; the block may end only once it has gone on for a bit."""
    count = [0]
    over = threading.Event()

    def tick() -> None:
        while not over.is_set():
            count[0] += 1
            time.sleep(TIME_TO_TICK)

    ticker = threading.Thread(target=tick)
    ticker.start()
    try:
        yield count
        seen = count[0]
        until(lambda: count[0] > seen + 2)
    finally:
        over.set()
        ticker.join()


def until_blocked(*threads: threading.Thread) -> None:
    """Until the threads wait for descriptors; elsewhere than on user the kernel knows and we do not."""
    if ON_USER:
        until_waits(*threads)
    else:
        time.sleep(0.02)
