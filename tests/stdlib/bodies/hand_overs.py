"""What programs hand to calls that wait: iterators, structures, much at once, a number with another file."""

import ctypes
import os
import select
import signal
import socket
from collections.abc import Callable, Iterator
from unittest import mock

from tests.stdlib.seen import LONG, for_user, running
from tests.stdlib.wires import exactly, listening, pair, until_blocked
from weft.stdlib import descriptor_calls

MUCH = 20_000_000  # bytes: more than a connection's buffers take


class Header(ctypes.Structure):
    _fields_ = (("number", ctypes.c_int), ("share", ctypes.c_double))


def _connection() -> tuple[socket.socket, socket.socket]:
    with listening() as server:
        client = socket.create_connection(server.getsockname())
        return client, server.accept()[0]


def _sends_all(here: socket.socket, there: socket.socket, send: Callable[[socket.socket], int]) -> None:
    got: list[int] = []
    with here, there:
        with running(lambda: got.append(len(exactly(there, MUCH)))):
            assert send(here) == MUCH
        assert got == [MUCH]


def case_a_send_without_a_timeout_sends_all() -> None:
    _sends_all(*_connection(), lambda sock: sock.send(bytes(MUCH)))
    _sends_all(*socket.socketpair(), lambda sock: sock.send(memoryview(bytes(MUCH))))


def case_a_send_of_pieces_without_a_timeout_sends_all() -> None:
    _sends_all(*_connection(), lambda sock: sock.sendmsg([bytes(7), bytearray(MUCH - 7)]))
    _sends_all(*_connection(), lambda sock: sock.sendto(bytes(MUCH), ("127.0.0.1", 1)))


def case_a_send_with_a_timeout_says_how_much_it_sent() -> None:
    here, there = _connection()
    with here, there:
        here.settimeout(LONG)
        assert 0 < here.send(bytes(MUCH)) < MUCH


def case_pieces_may_come_from_an_iterator_also_if_there_is_no_room_at_first() -> None:
    def pieces() -> Iterator[bytes]:
        yield b"one"
        yield b"two"

    with pair() as (here, there):
        here.setblocking(False)
        filled = 0
        try:
            while True:
                filled += here.send(bytes(4096))
        except BlockingIOError:
            here.setblocking(True)
        sent: list[int] = []
        with running(lambda: sent.append(here.sendmsg(pieces()))) as threads:
            until_blocked(*threads)
            exactly(there, filled)
            assert exactly(there, 6) == b"onetwo"
        assert sent == [6]


def case_room_may_come_from_an_iterator_also_if_there_is_nothing_at_first() -> None:
    with pair() as (here, there):
        room = bytearray(3)
        got: list[int] = []
        with running(lambda: got.append(here.recvmsg_into(iter([room]))[0])) as threads:
            until_blocked(*threads)
            there.send(b"abc")
        assert (got, room) == ([3], b"abc")


def case_select_takes_iterators_also_if_nothing_is_ready_at_first() -> None:
    with pair() as (here, there):
        got: list[object] = []
        with running(lambda: got.append(select.select(iter([here]), iter(()), (), LONG))) as threads:
            until_blocked(*threads)
            there.send(b"x")
        assert got == [([here], [], [])]


def case_structures_are_sent_and_filled() -> None:
    here, there = _connection()
    size = ctypes.sizeof(Header)
    with here, there:
        here.sendall(Header(1, 0.5))
        assert here.send(Header(2, 0.25)) == size
        for number in (1, 2):
            header = Header()
            assert there.recv_into(header) == size
            assert header.number == number
    reader, writer = os.pipe()
    many = (Header * 20_000)()
    got: list[int] = []

    def drain() -> None:
        while sum(got) < ctypes.sizeof(many):
            got.append(len(os.read(reader, 5000)))

    with running(drain):
        assert os.write(writer, many) == ctypes.sizeof(many)  # type: ignore[arg-type]
    os.close(reader)
    os.close(writer)


def case_a_second_object_of_a_descriptor_may_be_detached() -> None:
    with pair() as (here, there):
        second = socket.socket(fileno=here.fileno())
        for reader in (second, here):
            got: list[bytes] = []
            with running(lambda reader=reader, got=got: got.append(reader.recv(1))) as threads:
                until_blocked(*threads)
                there.send(b"x")
            assert got == [b"x"]
        second.detach()
        got = []
        with running(lambda: got.append(here.recv(1))) as threads:
            until_blocked(*threads)
            there.send(b"y")
        assert got == [b"y"]


def case_a_socket_whose_number_is_given_another_file_goes_on_with_that() -> None:
    with pair() as (here, there), pair() as (other, far):
        there.send(b"x")
        assert here.recv(10) == b"x"
        os.dup2(other.fileno(), here.fileno())
        got: list[bytes] = []
        with running(lambda: got.append(here.recv(10))) as threads:
            until_blocked(*threads)
            far.send(b"y")
        assert got == [b"y"]


@for_user
def case_a_socket_is_registered_also_if_a_tick_comes_as_it_takes_over_a_channel() -> None:
    from weft.core.current import current

    carrier = current().carrier
    poller = carrier.poller
    with pair() as (here, there):
        with running(lambda: select.select([here], [], [], LONG)) as threads:  # leaves a channel of nobody's
            until_blocked(*threads)
            there.send(b"x")
        real = poller.open

        def open_and_tick(fd: int, channel: object) -> object:
            channel = real(fd, channel)
            carrier.serve(poller.look())
            return channel

        with mock.patch.object(poller, "open", open_and_tick):
            assert here.recv(10) == b"x"
        got: list[bytes] = []
        with running(lambda: got.append(here.recv(10))) as threads:
            until_blocked(*threads)
            there.send(b"y")
        assert got == [b"y"]


@for_user
def case_what_a_handler_takes_as_a_read_begins_is_not_waited_for_in_c() -> None:
    reader, writer = os.pipe()
    os.write(writer, b"x")
    real = descriptor_calls.attend
    taken: list[bytes] = []

    def attend() -> None:
        real()
        if not taken:
            taken.append(b"")
            taken.append(os.read(reader, 1))

    got: list[bytes] = []
    signal.alarm(5)  # ends a wait in C, and the process with it
    with mock.patch.object(descriptor_calls, "attend", attend):
        with running(lambda: got.append(os.read(reader, 1))) as threads:
            until_blocked(*threads)
            os.write(writer, b"y")
    assert (got, taken) == ([b"y"], [b"", b"x"])
    signal.alarm(0)
    os.close(reader)
    os.close(writer)
