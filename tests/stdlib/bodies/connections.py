"""Sockets in use: whoever waits waits alone, each byte comes once, and errors are CPython's."""

import array
import errno
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from tests.stdlib.seen import LONG, SHORT, in_thread, raises, running, start, until
from tests.stdlib.wires import exactly, listening, pair, reset, ticking, until_blocked


def case_a_reader_waits_alone() -> None:
    with pair() as (here, there), ticking() as ticks:
        got: list[bytes] = []
        with running(lambda: got.append(here.recv(10))) as threads:
            until_blocked(*threads)
            until(lambda: ticks[0] > 5)
            there.send(b"now")
        assert got == [b"now"]


def case_a_sender_waits_while_its_peer_never_reads_and_others_go_on() -> None:
    with pair() as (here, there), pair() as (one, two), ticking():
        outcome: list[object] = []

        def send() -> None:
            try:
                here.sendall(bytes(50_000_000))
            except OSError as error:
                outcome.append(type(error))

        with running(send) as threads:
            until_blocked(*threads)
            for number in range(100):
                one.sendall(b"%d" % number)
                assert two.recv(10) == b"%d" % number
            assert outcome == []
            reset(there)
        assert outcome in ([ConnectionResetError], [BrokenPipeError])


def case_what_is_sent_in_pieces_arrives_whole() -> None:
    data = os.urandom(3_000_000)
    with pair() as (here, there):
        with running(lambda: here.sendall(memoryview(data))):
            got = exactly(there, len(data), piece=7777)
        assert got == data


def case_half_a_connection_can_be_closed() -> None:
    with pair() as (here, there):

        def answer() -> None:
            parts = []
            while part := there.recv(3):
                parts.append(part)
            there.sendall(b"".join(reversed(parts)))
            there.shutdown(socket.SHUT_WR)

        with running(answer):
            here.sendall(b"abcdef")
            here.shutdown(socket.SHUT_WR)
            assert exactly(here, 6) == b"defabc"
            assert here.recv(1) == b""
        with raises(BrokenPipeError):
            here.sendall(b"more")


def case_a_reset_in_the_middle_is_an_error_for_that_reader_alone() -> None:
    with pair() as (here, there), pair() as (one, two), ticking():
        outcomes: list[object] = []

        def read() -> None:
            try:
                outcomes.append(exactly(here, 100))
            except OSError as error:
                outcomes.append(type(error))

        with running(read, lambda: outcomes.append(exactly(one, 5))) as threads:
            there.send(b"half")
            until_blocked(*threads)
            reset(there)
            until(lambda: outcomes)
            two.send(b"whole")
        assert outcomes == [ConnectionResetError, b"whole"]


def case_slow_clients_do_not_hold_up_fast_ones() -> None:
    line, slow = b"twelve bytes", 20
    with listening() as listener:

        def serve() -> None:
            for _ in range(slow + 5):
                connection, _ = listener.accept()
                start(echo, connection)

        def echo(connection: socket.socket) -> None:
            with connection:
                while data := connection.recv(4096):
                    connection.sendall(data)

        done: list[str] = []

        def loris() -> None:
            with socket.create_connection(listener.getsockname()) as client:
                for byte in line:
                    client.sendall(bytes([byte]))
                    time.sleep(0.02)
                assert exactly(client, len(line)) == line
            done.append("slow")

        def fast() -> None:
            with socket.create_connection(listener.getsockname()) as client:
                for _ in range(20):
                    client.sendall(line)
                    assert exactly(client, len(line)) == line
            done.append("fast")

        with running(serve, *[loris] * slow, *[fast] * 5):
            pass
        assert done == ["fast"] * 5 + ["slow"] * slow


def case_a_storm_of_short_connections_is_weathered() -> None:
    clients, each = 20, 50
    with listening() as listener, ticking():
        served: list[int] = []

        def serve() -> None:
            for _ in range(clients * each // 4):
                connection, _ = listener.accept()
                with connection:
                    connection.sendall(connection.recv(10).upper())
                served.append(1)

        def client() -> None:
            for number in range(each):
                with socket.create_connection(listener.getsockname()) as connection:
                    connection.sendall(b"a%d" % number)
                    assert exactly(connection, len(b"a%d" % number)) == b"A%d" % number
                    if number % 2:
                        reset(connection)

        with running(*[serve] * 4, *[client] * clients):
            pass
        assert len(served) == clients * each


def case_each_connection_is_accepted_once_by_one_of_many() -> None:
    with listening() as listener:
        taken: list[tuple[str, int]] = []

        def take() -> None:
            for _ in range(5):
                connection, address = listener.accept()
                connection.close()
                taken.append(address)

        with running(*[take] * 8) as threads:
            until_blocked(*threads)
            made = []
            for _ in range(40):
                with socket.create_connection(listener.getsockname()) as client:
                    made.append(client.getsockname())
        assert sorted(taken) == sorted(made)


def case_two_readers_get_each_byte_once() -> None:
    data = bytes(range(256)) * 40
    with pair() as (here, there):
        parts: list[bytes] = []

        def read() -> None:
            while part := here.recv(7):
                parts.append(part)

        with running(read, read, read) as threads:
            until_blocked(*threads)
            for at in range(0, len(data), 100):
                there.sendall(data[at : at + 100])
                if at % 700 == 0:
                    until(lambda at=at: sum(map(len, parts)) >= at)
            there.shutdown(socket.SHUT_WR)
        assert sorted(b"".join(parts)) == sorted(data)


def case_a_reader_and_a_writer_share_a_socket() -> None:
    data = os.urandom(2_000_000)
    with pair() as (here, there):
        back: list[bytes] = []

        def mirror() -> None:
            while part := there.recv(5000):
                there.sendall(part)

        with running(lambda: here.sendall(data), lambda: back.append(exactly(here, len(data))), mirror):
            until(lambda: back, LONG)
            here.shutdown(socket.SHUT_WR)
        assert back == [data]


def case_a_read_that_may_not_wait_never_does() -> None:
    with pair() as (here, there):
        there.send(b"abc")
        assert here.recv(100) == b"abc"  # which shows that nothing is left
        room = bytearray(5)
        for flags in (socket.MSG_DONTWAIT, socket.MSG_DONTWAIT | socket.MSG_PEEK):
            with raises(BlockingIOError, "[Errno 11] Resource temporarily unavailable"):
                here.recv(100, flags)
            with raises(BlockingIOError):
                here.recv_into(room, 5, flags)
            with raises(BlockingIOError):
                here.recvfrom(100, flags)
            with raises(BlockingIOError):
                here.recvmsg(100, 0, flags)
        with raises(OSError, "[Errno 22] Invalid argument"):
            here.recv(1, socket.MSG_OOB)
        with raises(BlockingIOError):
            here.recvmsg(100, 0, socket.MSG_ERRQUEUE)


def case_a_read_that_wants_all_waits_for_all() -> None:
    with pair() as (here, there):

        def feed() -> None:
            for part in (b"ab", b"cd", b"efgh"):
                until_blocked(reader)
                there.send(part)

        for read in (recv_all, recv_into_all):
            got: list[bytes] = []
            reader = start(lambda read=read, got=got: got.append(read(here)))
            feed()
            reader.join(LONG)
            assert got == [b"abcdefgh"]
        here.settimeout(LONG)
        there.send(b"ab")
        assert here.recv(8, socket.MSG_WAITALL) == b"ab"  # as CPython: with a timeout, what there is
        here.settimeout(None)
        there.send(b"ab")
        there.shutdown(socket.SHUT_WR)
        assert recv_into_all(here) == b"ab"


def recv_all(connection: socket.socket) -> bytes:
    return connection.recv(8, socket.MSG_WAITALL)


def recv_into_all(connection: socket.socket) -> bytes:
    room = bytearray(8)
    count = connection.recv_into(room, 8, socket.MSG_WAITALL)
    return bytes(room[:count])


def case_a_peek_takes_nothing() -> None:
    with pair() as (here, there):
        got: list[bytes] = []
        with running(
            lambda: got.extend([here.recv(4, socket.MSG_PEEK), here.recv(2), here.recv(4)])
        ) as threads:
            until_blocked(*threads)
            there.send(b"abcd")
        assert got == [b"abcd", b"ab", b"cd"]


def case_timeouts_run_out_and_leave_the_socket_as_it_was() -> None:
    with pair() as (here, there), listening() as listener:
        here.settimeout(SHORT)
        listener.settimeout(SHORT)
        with raises(TimeoutError, "timed out"):
            here.recv(1)
        with raises(TimeoutError, "timed out"):
            here.recv_into(bytearray(1))
        with raises(TimeoutError, "timed out"):
            listener.accept()
        with raises(TimeoutError, "timed out"):
            here.sendall(bytes(50_000_000))
        there.send(b"x")
        here.settimeout(LONG)
        assert here.recv(5) == b"x"
        here.settimeout(0)
        with raises(BlockingIOError):
            here.recv(1)
        here.settimeout(None)
        there.send(b"y")
        assert here.recv(5) == b"y"


def case_a_connect_without_waiting_is_told_by_select() -> None:
    with listening() as listener, socket.socket() as client:
        client.setblocking(False)
        assert client.connect_ex(listener.getsockname()) in (0, errno.EINPROGRESS)
        assert in_thread(lambda: select.select([], [client], [], LONG)[1]) == [client]
        assert client.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == 0
        other, _ = listener.accept()
        other.close()


def case_connecting_to_nobody_is_refused() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        for timeout in (None, LONG):
            with socket.socket() as client:
                client.settimeout(timeout)
                with raises(ConnectionRefusedError):
                    client.connect(closed.getsockname())


def case_datagrams_go_to_one_reader_each() -> None:
    with socket.socket(type=socket.SOCK_DGRAM) as inbox, socket.socket(type=socket.SOCK_DGRAM) as outbox:
        inbox.bind(("127.0.0.1", 0))
        got: list[bytes] = []

        def read() -> None:
            got.extend(inbox.recvfrom(100)[0] for _ in range(10))

        with running(read, read, read) as threads:
            until_blocked(*threads)
            for number in range(30):
                outbox.sendto(b"%d" % number, inbox.getsockname())
        assert sorted(got) == sorted(b"%d" % number for number in range(30))


def case_a_unix_listener_without_room_makes_only_who_has_no_timeout_wait() -> None:
    with tempfile.TemporaryDirectory() as folder, socket.socket(socket.AF_UNIX) as listener:
        path = str(Path(folder, "listener"))
        listener.bind(path)
        listener.listen(0)
        with socket.socket(socket.AF_UNIX) as first, socket.socket(socket.AF_UNIX) as second:
            first.connect(path)
            for limit in (LONG, 0):
                second.settimeout(limit)
                assert second.connect_ex(path) == errno.EAGAIN
                with raises(BlockingIOError):
                    second.connect(path)
            second.settimeout(None)
            with running(lambda: second.connect(path)) as threads, ticking():
                until_blocked(*threads)
                listener.accept()[0].close()
            assert second.getpeername() == path


def case_a_full_inbox_makes_who_sends_datagrams_wait() -> None:
    with tempfile.TemporaryDirectory() as folder, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as inbox:
        path = str(Path(folder, "inbox"))
        inbox.bind(path)

        def send(connected: bool) -> None:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as outbox:
                if connected:
                    outbox.connect(path)
                for number in range(600):
                    message = b"%d" % number
                    assert outbox.send(message) if connected else outbox.sendto(message, path)

        for connected in (True, False):
            with running(lambda connected=connected: send(connected)) as threads, ticking():
                until_blocked(*threads)
                assert [int(inbox.recv(10)) for _ in range(600)] == list(range(600))


def case_two_who_send_datagrams_to_one_full_inbox_both_get_through() -> None:
    with tempfile.TemporaryDirectory() as folder, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as inbox:
        path = str(Path(folder, "inbox"))
        inbox.bind(path)

        def send() -> None:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as outbox:
                for _ in range(100):
                    outbox.sendto(b"x", path)

        with running(*[send] * 4) as threads:
            until_blocked(*threads)
            for _ in range(400):
                assert inbox.recv(10) == b"x"


def case_a_socket_that_was_passed_on_lives_on() -> None:
    left, right = socket.socketpair()
    with left, right, pair() as (here, there):
        with running(lambda: there.recv(5)) as threads:
            until_blocked(*threads)  # the descriptor is known before it goes
            here.send(b"first")
        socket.send_fds(left, [b"take it"], [there.fileno()])
        there.close()
        data, descriptors, _, _ = socket.recv_fds(right, 10, 1)
        assert data == b"take it"
        with socket.socket(fileno=descriptors[0]) as passed:
            got: list[bytes] = []
            with running(lambda: got.append(passed.recv(5))) as threads:
                until_blocked(*threads)
                here.send(b"again")
            assert got == [b"again"]


def case_ancillary_data_is_waited_for() -> None:
    left, right = socket.socketpair()
    with left, right:
        got: list[object] = []

        def take() -> None:
            data, more, _, _ = left.recvmsg(10, socket.CMSG_SPACE(4))
            numbers = array.array("i")
            numbers.frombytes(more[0][2][:4])
            os.close(numbers[0])
            got.append(data)

        with running(take) as threads:
            until_blocked(*threads)
            rights = (socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [0]))
            right.sendmsg([b"with"], [rights])
        assert got == [b"with"]


def case_a_child_that_is_killed_ends_the_wait_for_it() -> None:
    with ticking():
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
        got: list[int] = []
        with running(lambda: got.append(child.wait())) as threads:
            until_blocked(*threads)
            os.kill(child.pid, signal.SIGKILL)
        assert got == [-signal.SIGKILL]


def case_files_over_sockets_wait_alone() -> None:
    with pair() as (here, there), ticking():
        lines: list[bytes] = []
        with here.makefile("rb") as file, running(lambda: lines.extend(file)) as threads:
            until_blocked(*threads)
            there.sendall(b"one\ntw")
            until(lambda: lines)
            there.sendall(b"o\n")
            there.shutdown(socket.SHUT_WR)
        assert lines == [b"one\n", b"two\n"]


def case_many_wait_at_once_and_each_gets_its_own() -> None:
    count = 100
    pairs = [socket.socketpair() for _ in range(count)]
    got: dict[int, bytes] = {}

    def read(number: int) -> None:
        got[number] = pairs[number][0].recv(10)

    threads = [threading.Thread(target=read, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for number, (_, there) in enumerate(pairs):
        there.send(b"%d" % number)
    for thread in threads:
        thread.join(LONG)
    for here, there in pairs:
        here.close()
        there.close()
    assert got == {number: b"%d" % number for number in range(count)}


def case_two_readers_of_a_pipe_wait_alone_when_the_other_was_faster() -> None:
    read_end, write_end = os.pipe()
    got: list[bytes] = []
    with ticking() as ticks:
        with running(*[lambda: got.append(os.read(read_end, 10))] * 2) as threads:
            until_blocked(*threads)
            os.write(write_end, b"one")
            until(lambda: got)
            seen = ticks[0]
            until(lambda: ticks[0] > seen + 3)
            assert len(got) == 1
            os.write(write_end, b"two")
    assert got == [b"one", b"two"]
    os.close(read_end)
    os.close(write_end)
