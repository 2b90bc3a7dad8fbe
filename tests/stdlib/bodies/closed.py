"""What is closed while others wait on it, and numbers of descriptors that come back at once."""

import _thread
import contextlib
import importlib
import os
import select
import socket
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from typing import Any

from tests.stdlib.seen import LONG, ON_WEFT, STILL, for_user, raises, running, until
from tests.stdlib.wires import exactly, listening, pair, ticking, until_blocked
from weft.host.guard import GUARDED

BAD = "[Errno 9] Bad file descriptor"


def closed_under(wait: Callable[[], object], victim: socket.socket, waiters: int = 1) -> list[str]:
    """Close what threads wait on; what each of them then raised."""
    said: list[str] = []

    def run() -> None:
        try:
            said.append(repr(wait()))
        except (OSError, ValueError) as error:
            said.append(str(error))

    with running(*[run] * waiters) as threads, ticking():
        until_blocked(*threads)
        victim.close()
    return said


def full(connection: socket.socket) -> None:
    """Send until there is no more room, nor any for a while: what is sent moves on to the peer's side."""
    connection.setblocking(False)
    while select.select((), (connection,), (), STILL)[1]:
        with raises(BlockingIOError):
            while True:
                connection.send(bytes(100_000))
    connection.setblocking(True)


READS: dict[str, Callable[[socket.socket], object]] = {
    "recv": lambda s: s.recv(1),
    "recv_into": lambda s: s.recv_into(bytearray(1)),
    "recvfrom": lambda s: s.recvfrom(1),
    "recvfrom_into": lambda s: s.recvfrom_into(bytearray(1)),
    "recvmsg": lambda s: s.recvmsg(1),
    "recv with all": lambda s: s.recv(5, socket.MSG_WAITALL),
}
WRITES: dict[str, Callable[[socket.socket], object]] = {
    "send": lambda s: s.send(b"x"),
    "sendall": lambda s: s.sendall(bytes(10_000_000)),
    "sendmsg": lambda s: s.sendmsg([b"x"]),
    "sendto": lambda s: s.sendto(b"x", s.getpeername()),
}


@for_user
def case_closing_wakes_whoever_reads_or_writes() -> None:
    for timeout in (None, LONG):
        for waiters in (1, 3):
            for name in READS | WRITES:
                with pair() as (here, _):
                    if name in WRITES:
                        full(here)
                    here.settimeout(timeout)
                    said = closed_under(
                        lambda name=name, here=here: reads_or_writes(name, here), here, waiters
                    )
                    assert said == [BAD] * waiters, (name, timeout, waiters, said)


def reads_or_writes(name: str, connection: socket.socket) -> object:
    """A read, or writes until one waits: the kernel may find room where for a while there was none."""
    while name in WRITES:
        WRITES[name](connection)
    return READS[name](connection)


@for_user
def case_closing_wakes_whoever_accepts() -> None:
    for timeout in (None, LONG):
        for waiters in (1, 3):
            with listening() as listener:
                listener.settimeout(timeout)
                assert closed_under(listener.accept, listener, waiters) == [BAD] * waiters


@for_user
def case_closing_wakes_whoever_connects() -> None:
    # Nobody answers where a backlog is full.
    with listening(backlog=0) as listener, socket.socket() as first, socket.socket() as second:
        address = listener.getsockname()
        first.connect(address)
        second.setblocking(False)
        second.connect_ex(address)
        with socket.socket() as client:
            assert closed_under(lambda: client.connect(address), client) == [BAD]


@for_user
def case_closing_wakes_whoever_selects_or_polls() -> None:
    with pair() as (here, _):
        (said,) = closed_under(lambda: select.select([here], [], []), here)
        assert "negative" in said or said == BAD
    with pair() as (here, _):
        number = here.fileno()
        polled = select.poll()
        polled.register(here, select.POLLIN)
        assert closed_under(polled.poll, here) == [repr([(number, select.POLLNVAL)])]


@for_user
def case_detaching_leaves_the_descriptor_open_and_wakes_whoever_waits() -> None:
    with pair() as (here, there):
        said: list[str] = []

        def read() -> None:
            try:
                here.recv(1)
            except OSError as error:
                said.append(str(error))

        with running(read) as threads:
            until_blocked(*threads)
            number = here.detach()
        assert said == [BAD]
        with socket.socket(fileno=number) as again:
            there.send(b"still")
            assert again.recv(10) == b"still"


def case_shutting_down_wakes_whoever_waits() -> None:
    with pair() as (here, _):
        got: list[bytes] = []
        with running(lambda: got.append(here.recv(1))) as threads:
            until_blocked(*threads)
            here.shutdown(socket.SHUT_RDWR)
        assert got == [b""]


def case_closing_a_duplicate_leaves_the_other() -> None:
    with pair() as (here, there):
        got: list[bytes] = []
        double = here.dup()
        with running(lambda: got.append(here.recv(5)), lambda: got.append(double.recv(5))) as threads:
            until_blocked(*threads)
            there.send(b"a")
            until(lambda: got)
            there.send(b"b")
        double.close()
        with running(lambda: got.append(here.recv(5))) as threads:
            until_blocked(*threads)
            there.send(b"c")
        assert got == [b"a", b"b", b"c"]


def case_a_duplicate_outlives_the_one_that_was_waited_on() -> None:
    with pair() as (here, there):
        with running(lambda: here.recv(5)) as threads:
            until_blocked(*threads)
            there.send(b"x")
        double = here.dup()
        number = here.fileno()
        here.close()
        new, far = socket.socketpair()
        with double, new, far:
            assert number in (new.fileno(), far.fileno())
            got: list[bytes] = []
            with running(lambda: got.append(new.recv(5)), lambda: got.append(double.recv(5))) as threads:
                until_blocked(*threads)
                there.send(b"old")
                until(lambda: got == [b"old"])
                far.send(b"new")
            assert got == [b"old", b"new"]


@for_user
def case_a_number_that_comes_back_at_once_is_another_socket() -> None:
    for _ in range(20):
        with pair() as (here, there):
            said: list[object] = []

            def read(here: socket.socket = here, said: list[object] = said) -> None:
                try:
                    said.append(here.recv(5))
                except OSError as error:
                    said.append(str(error))

            with running(read) as threads:
                until_blocked(*threads)
                number = here.fileno()
                here.close()
                one, other = socket.socketpair()  # before the reader has run
                assert number in (one.fileno(), other.fileno())
                with one, other:
                    got: list[bytes] = []
                    with running(lambda one=one, got=got: got.append(one.recv(5))) as readers:
                        until_blocked(*readers)
                        other.send(b"mine")
                    assert got == [b"mine"]
            assert said == [BAD]
            del there


def case_numbers_reused_by_pipes_and_sockets_in_turn_lose_nothing() -> None:
    for turn in range(30):
        got: list[bytes] = []
        if turn % 2:
            read_end, write_end = os.pipe()
            with running(lambda fd=read_end, got=got: got.append(os.read(fd, 10))) as threads:
                until_blocked(*threads)
                os.write(write_end, b"%d" % turn)
            os.close(read_end)
            os.close(write_end)
        else:
            one, other = socket.socketpair()
            with one, other, running(lambda one=one, got=got: got.append(one.recv(10))) as threads:
                until_blocked(*threads)
                other.send(b"%d" % turn)
                threads[0].join(LONG)
        assert got == [b"%d" % turn]


def case_a_socket_dropped_without_a_close_gives_its_number_back() -> None:
    for turn in range(10):
        one, other = socket.socketpair()
        with running(lambda one=one: one.recv(5)) as threads:
            until_blocked(*threads)
            other.send(b"x")
        got: list[bytes] = []
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ResourceWarning)
            del one, other, threads
        here, there = socket.socketpair()
        with here, there, running(lambda here=here, got=got: got.append(here.recv(5))) as threads:
            until_blocked(*threads)
            there.send(b"%d" % turn)
            until(lambda got=got: got)
        assert got == [b"%d" % turn]


class Kernel:
    """A kernel thread of somebody else's, with what it gave."""

    def __init__(self, function: Callable[[], object]) -> None:
        self.outcome: list[object] = []
        self._over = threading.Event()
        launch(self._run, function)

    def _run(self, function: Callable[[], object]) -> None:
        try:
            self.outcome.append(function())
        except OSError as error:
            self.outcome.append(str(error))
        self._over.set()

    def result(self) -> object:
        assert self._over.wait(LONG), "it did not end"
        return self.outcome[0]


def launch(function: Callable[..., object], *args: object) -> None:
    if ON_WEFT:
        importlib.import_module("weft.host.threads").start(function, *args)
    else:
        _thread.start_new_thread(function, args)


def case_a_socket_is_used_from_a_kernel_thread_and_from_others() -> None:
    data = os.urandom(1_000_000)
    with pair() as (here, there):
        sender = Kernel(lambda: here.sendall(data))
        got: list[bytes] = []
        with running(lambda: got.append(exactly(there, len(data)))):
            pass
        assert got == [data]
        assert sender.result() is None
        reader = Kernel(lambda: exactly(here, len(data)))
        with running(lambda: there.sendall(data)):
            pass
        assert reader.result() == data


def case_readers_of_both_kinds_get_each_byte_once() -> None:
    data = bytes(range(256)) * 200
    with pair() as (here, there):
        parts: list[bytes] = []

        def read() -> None:
            while part := here.recv(50):
                parts.append(part)

        kernel = Kernel(read)
        with running(read, read):
            for at in range(0, len(data), 333):
                there.sendall(data[at : at + 333])
            there.shutdown(socket.SHUT_WR)
        kernel.result()
        assert sorted(b"".join(parts)) == sorted(data)


@contextlib.contextmanager
def held_up(name: str) -> Iterator[tuple[Callable[[], bool], Callable[[], None]]]:
    """The first real call of a method of sockets waits in the kernel: whether it does, what lets it go on."""
    module = importlib.import_module("weft.stdlib.sockets")
    gate = importlib.import_module("weft.host.threads").raw_lock()
    gate.acquire()
    stands: list[bool] = []
    real = getattr(module, name)

    def call(*args: Any) -> Any:
        if not stands:
            stands.append(True)
            gate.acquire()
        return real(*args)

    setattr(module, name, call)
    try:
        yield lambda: bool(stands), gate.release
    finally:
        setattr(module, name, real)


def edge_came(connection: Any, send: Callable[[], object]) -> None:
    """Send something to a socket; when this returns, no further edge will tell of it."""
    connection.setblocking(False)
    with raises(BlockingIOError):
        connection.recv(1)  # it has a channel from here on
    connection.setblocking(True)
    channel = connection._channel
    time.sleep(STILL)  # that of its registration has come
    channel.readable = False
    send()
    until(lambda: channel.readable)


@for_user
def case_what_a_kernel_thread_leaves_is_for_whoever_parked_meanwhile() -> None:
    """It has cleared the mark and not made its call yet: no edge will tell the other of what it leaves."""
    if GUARDED:
        return  # nobody comes in between
    with pair() as (here, there):
        edge_came(here, lambda: there.sendall(b"as much again"))
        with held_up("_recv") as (stands, go_on):
            got: list[bytes] = []
            first = Kernel(lambda: here.recv(7))
            until(stands)
            with running(lambda: got.append(here.recv(7))) as threads:
                until_blocked(*threads)
                go_on()
                assert first.result() == b"as much"
            assert got == [b" again"]


@for_user
def case_a_kernel_thread_closes_what_a_user_thread_waits_on() -> None:
    with pair() as (here, _):
        said: list[str] = []

        def read() -> None:
            try:
                here.recv(1)
            except OSError as error:
                said.append(str(error))

        with running(read) as threads:
            until_blocked(*threads)
            Kernel(here.close).result()
        assert said == [BAD]


@for_user
def case_an_accept_for_which_somebody_was_faster_waits_alone() -> None:
    """Another kernel thread (or a process) takes the connection between the event and the call."""
    with listening() as listener, ticking():
        mine: list[int] = []
        theirs: list[int] = []
        over = threading.Event()

        def take() -> None:
            while not over.is_set():
                try:
                    listener.accept()[0].close()
                    mine.append(1)
                except OSError:
                    assert over.is_set()

        def rival() -> None:
            double = plain_socket.dup_of(listener)
            while not over.is_set():
                try:
                    os.close(plain_socket.accept(double))
                    theirs.append(1)
                except BlockingIOError:
                    pass
                except OSError:
                    assert over.is_set()
            double.close()

        kernel = Kernel(rival)
        with running(take, take):
            for _ in range(300):
                with socket.create_connection(listener.getsockname()) as client:
                    client.settimeout(LONG)
                    assert client.recv(1) == b""
            over.set()
            listener.shutdown(socket.SHUT_RDWR)
        kernel.result()
        assert len(mine) + len(theirs) == 300


class plain_socket:  # noqa: N801 - a namespace
    """Sockets below weft's: a call waits in C, as another program's would."""

    @staticmethod
    def dup_of(sock: socket.socket) -> Any:
        return importlib.import_module("weft.host.sockets").real_socket(fileno=os.dup(sock.fileno()))

    @staticmethod
    def accept(sock: Any) -> int:
        return int(sock._accept()[0])
