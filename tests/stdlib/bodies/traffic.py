"""Random traffic against a model of it: whatever is sent arrives, once and in order, and nobody hangs.

Sockets are read and written in every way there is, with timeouts set and taken back, through duplicates, with
descriptors that come back as something else at once. A poller that loses an edge, or takes one for another
descriptor's, shows here as a thread that waits for ever or as wrong data.
"""

import os
import random
import select
import socket
import sys
import threading
import time
from collections.abc import Callable

from tests.stdlib.seen import LONG, for_user

SECONDS = 1.5
Faults = list[object]


def by_dup(s: socket.socket, count: int, read: Callable[[socket.socket, int], bytes]) -> bytes:
    with s.dup() as double:
        double.settimeout(s.gettimeout())
        return read(double, count)


def by_recv_into(s: socket.socket, count: int) -> bytes:
    room = bytearray(count)
    return bytes(room[: s.recv_into(room)])


def by_peek(s: socket.socket, count: int) -> bytes:
    seen = s.recv(count, socket.MSG_PEEK)
    got = s.recv(len(seen) or 1)
    assert got == seen, (got, seen)
    return got


def by_select(s: socket.socket, count: int) -> bytes:
    assert select.select([s], [], [], LONG)[0], "select ran out"
    return s.recv(count, socket.MSG_DONTWAIT)


def by_poll(s: socket.socket, count: int) -> bytes:
    poll = select.poll()
    poll.register(s, select.POLLIN)
    assert poll.poll(LONG * 1e3), "poll ran out"
    return s.recv(count)


def by_epoll(s: socket.socket, count: int) -> bytes:
    with select.epoll() as epoll:
        epoll.register(s, select.EPOLLIN)
        assert epoll.poll(LONG), "epoll ran out"
        return s.recv(count)


def by_trying(s: socket.socket, count: int) -> bytes | None:
    try:
        return s.recv(count, socket.MSG_DONTWAIT)
    except BlockingIOError:
        return None


WAYS: tuple[Callable[[socket.socket, int], bytes | None], ...] = (
    lambda s, count: s.recv(count),
    by_recv_into,
    lambda s, count: s.recvfrom(count)[0],
    lambda s, count: s.recvmsg(count)[0],
    lambda s, count: by_dup(s, count, by_recv_into),
    by_peek,
    by_select,
    by_poll,
    by_epoll,
    by_trying,
)


def read_all(s: socket.socket, rng: random.Random) -> bytes:
    """All that comes, in ways and pieces that the generator chooses."""
    got = bytearray()
    while True:
        if rng.random() < 0.05:
            double = s.dup()
            double.settimeout(s.gettimeout())
            s.close()
            s = double
        part = rng.choice(WAYS)(s, rng.choice((1, 3, 10, 1000, 65536)))
        if part is None:
            continue
        if not part:
            s.close()
            return bytes(got)
        got += part


def write_all(s: socket.socket, data: bytes, rng: random.Random) -> None:
    while data:
        part = data[: rng.choice((1, 2, 7, 100, 5000, 200_000))]
        way = rng.randrange(5)
        if way == 0:
            data = data[s.send(part) :]
        elif way == 1:
            s.sendall(part)
            data = data[len(part) :]
        elif way == 2:
            data = data[s.sendmsg([part[:1], part[1:]]) :]
        elif way == 3:
            try:
                data = data[s.send(part, socket.MSG_DONTWAIT) :]
            except BlockingIOError:
                assert select.select([], [s], [], LONG)[1], "select ran out"
        else:
            s.settimeout(rng.choice((None, LONG, 2 * LONG)))
        if rng.random() < 0.1:
            time.sleep(rng.choice((0, 0.0005)))
    s.shutdown(socket.SHUT_WR)


def connected(listener: socket.socket, rng: random.Random) -> tuple[socket.socket, socket.socket]:
    if rng.random() < 0.3:
        return socket.socketpair()
    here = socket.socket()
    here.settimeout(rng.choice((None, LONG)))
    with accepting:  # so that what is accepted is this one's other end
        here.connect(listener.getsockname())
        there, _ = listener.accept()
    return here, there


accepting = threading.Lock()


def session(listener: socket.socket, rng: random.Random, faults: Faults) -> None:
    """A connection with traffic both ways, four threads on it."""
    here, there = connected(listener, rng)
    sizes = (0, 1, 50, 3000, 300_000)
    threads = []
    for out, into in ((here, there), (there, here)):
        data = rng.randbytes(rng.choice(sizes))
        reader, seeds = into.dup(), (rng.random(), rng.random())
        reader.settimeout(into.gettimeout())

        def write(out: socket.socket = out, data: bytes = data, seed: float = seeds[0]) -> None:
            write_all(out, data, random.Random(seed))

        def read(reader: socket.socket = reader, data: bytes = data, seed: float = seeds[1]) -> None:
            got = read_all(reader, random.Random(seed))
            assert got == data, f"{len(got)} bytes of {len(data)}"

        threads += [threading.Thread(target=guarded, args=(part, faults)) for part in (write, read)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(2 * LONG)
        if thread.is_alive():
            faults.append(f"{thread} hangs")
            return
    here.close()
    there.close()


def pipe(rng: random.Random) -> None:
    """Numbers of sockets come back as pipes, and theirs as sockets."""
    data = rng.randbytes(rng.choice((1, 100, 3000)))
    read_end, write_end = os.pipe()
    writer = threading.Thread(target=lambda: (time.sleep(rng.choice((0, 0.0005))), os.write(write_end, data)))
    writer.start()
    got = b""
    while len(got) < len(data):
        if rng.random() < 0.3:
            assert select.select([read_end], [], [], LONG)[0], "select ran out"
        got += os.read(read_end, rng.choice((1, 50, 5000)))
    assert got == data
    writer.join()
    os.close(read_end)
    os.close(write_end)


def guarded(work: Callable[[], object], faults: Faults) -> None:
    try:
        work()
    except BaseException as error:
        faults.append(error)


@for_user
def case_what_is_sent_arrives_once_and_in_order_and_nobody_hangs() -> None:
    seed = random.randrange(sys.maxsize)
    rng, faults = random.Random(seed), Faults()
    end = time.monotonic() + SECONDS
    with socket.create_server(("127.0.0.1", 0), backlog=200) as listener:

        def keep_at_it(work: Callable[[random.Random], object]) -> None:
            mine = random.Random(rng.random())
            while time.monotonic() < end and not faults:
                guarded(lambda: work(mine), faults)

        works = [lambda mine: session(listener, mine, faults)] * 10 + [pipe] * 3
        threads = [threading.Thread(target=keep_at_it, args=(work,)) for work in works]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(4 * LONG)
            assert not thread.is_alive(), f"seed {seed}: {thread} hangs"
    assert not faults, f"seed {seed}: {faults[:3]}"
