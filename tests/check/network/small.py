"""Small programs that talk; what their threads have seen is kept for each thread."""

import select
import socket
import threading
from collections.abc import Callable
from functools import partial
from typing import Any

ADDRESS = ("127.0.0.1", 5000)


class Seen:
    """What each thread has seen, in its order."""

    def __init__(self) -> None:
        self.by: dict[str, list[Any]] = {}

    def see(self, call: Callable[[], Any]) -> None:
        try:
            what = call()
        except OSError as error:
            what = f"{type(error).__name__} {error.errno}"
        self.note(what)

    def note(self, what: Any) -> None:
        self.by.setdefault(threading.current_thread().name, []).append(what)


def go(*calls: Callable[[], Any]) -> None:
    threads = [threading.Thread(target=call, name=f"T{number}") for number, call in enumerate(calls)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def close(*sockets: socket.socket) -> None:
    for each in sockets:
        each.close()


def accepted(listener: socket.socket) -> None:
    listener.accept()[0].close()


def two_senders(seen: Seen) -> None:
    a, b = socket.socketpair()

    def read() -> None:
        got = b""
        while len(got) < 2:
            got += b.recv(2)
        seen.see(lambda: got)

    go(lambda: a.sendall(b"1"), lambda: a.sendall(b"2"), read)
    close(a, b)


def pieces(seen: Seen) -> None:
    a, b = socket.socketpair()

    def write() -> None:
        a.sendall(b"1")
        a.sendall(b"2")
        a.close()

    def read() -> None:
        while part := b.recv(10):
            seen.note(part)

    go(write, read)
    close(b)


def too_early(seen: Seen) -> None:
    with socket.socket() as listener, socket.socket() as client:
        listener.bind(ADDRESS)
        go(listener.listen, lambda: seen.see(lambda: client.connect(ADDRESS)))


def trying(seen: Seen) -> None:
    a, b = socket.socketpair()
    b.setblocking(False)

    def read() -> None:
        for _ in range(3):
            seen.see(lambda: b.recv(9))

    go(lambda: (a.send(b"x"), a.send(b"y")), read)
    close(a, b)


def selecting(seen: Seen) -> None:
    a, b = socket.socketpair()
    c, d = socket.socketpair()

    def read() -> None:
        count = 0
        while count < 2:
            ready, _, _ = select.select([b, d], [], [])
            seen.note([(b, d).index(each) for each in ready])
            for each in ready:
                each.recv(1)
                count += 1

    go(lambda: a.send(b"x"), lambda: c.send(b"y"), read)
    close(a, b, c, d)


def closed_under(seen: Seen) -> None:
    a, b = socket.socketpair()
    go(lambda: seen.see(lambda: b.recv(9)), b.close, lambda: seen.see(lambda: a.send(b"z")))
    close(a)


def both_ways(seen: Seen) -> None:
    a, b = socket.socketpair()

    def talk(s: socket.socket) -> None:
        s.send(b"1")
        seen.see(lambda: s.recv(9))

    go(partial(talk, a), partial(talk, b))
    close(a, b)


def shut(seen: Seen) -> None:
    a, b = socket.socketpair()

    def write() -> None:
        for _ in range(2):
            seen.see(lambda: a.send(b"1"))

    go(write, lambda: b.shutdown(socket.SHUT_RD))
    close(a, b)


def looking(seen: Seen) -> None:
    a, b = socket.socketpair()

    def look() -> None:
        for _ in range(2):
            seen.see(lambda: bool(select.select([b], [], [], 0)[0]))

    def write() -> None:
        a.send(b"x")
        a.close()

    go(write, look)
    close(b)


def room(seen: Seen) -> None:
    a, b = socket.socketpair()
    a.setblocking(False)
    try:
        while True:
            a.send(bytes(100_000))
    except BlockingIOError:
        pass

    def write() -> None:
        seen.see(lambda: bool(select.select([], [a], [], 0)[1]))
        seen.see(lambda: a.send(b"q"))

    go(write, lambda: b.recv(1000))
    close(a, b)


def lost_datagrams(seen: Seen) -> None:
    with socket.socket(type=socket.SOCK_DGRAM) as inbox, socket.socket(type=socket.SOCK_DGRAM) as outbox:
        go(lambda: inbox.bind(ADDRESS), lambda: [outbox.sendto(text, ADDRESS) for text in (b"1", b"2")])
        inbox.setblocking(False)
        for _ in range(2):
            seen.see(lambda: inbox.recv(9))


def one_place(seen: Seen) -> None:
    with socket.socket() as one, socket.socket() as other:
        go(*(partial(seen.see, partial(each.bind, ADDRESS)) for each in (one, other)))


def no_more(seen: Seen) -> None:
    with socket.create_server(ADDRESS) as listener, socket.socket() as client:
        go(
            lambda: seen.see(lambda: accepted(listener)),
            lambda: listener.shutdown(socket.SHUT_RDWR),
            lambda: seen.see(lambda: client.connect(ADDRESS)),
        )


PROGRAMS: list[Callable[[Seen], None]] = [two_senders, pieces, too_early, trying, selecting, closed_under]
PROGRAMS += [both_ways, shut, looking, room, lost_datagrams, one_place, no_more]
