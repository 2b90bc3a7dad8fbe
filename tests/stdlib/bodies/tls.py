"""TLS: `ssl` sockets in threads that wait for one another."""

import _ssl
import asyncio
import gc
import http.server
import os
import select
import socket
import ssl
import tempfile
import time
import urllib.request
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.stdlib.seen import LONG, SHORT, in_thread, raises, running, start

CERTIFICATE = str(Path(__file__).parents[1] / "certificates" / "localhost.pem")
HERE = ("127.0.0.1", 0)
BLOCK = bytes(range(256)) * 4096  # a megabyte: more than the buffers of a connection take


def server_context() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE)
    return context


def client_context() -> ssl.SSLContext:
    return ssl.create_default_context(cafile=CERTIFICATE)


def shake(sock: socket.socket, timeout: float | None = None) -> ssl.SSLSocket:
    """The client's end of a connection."""
    sock.settimeout(timeout)
    return client_context().wrap_socket(sock, server_hostname="localhost")


@contextmanager
def connected(
    context: ssl.SSLContext | None = None, client: ssl.SSLContext | None = None, session: Any = None
) -> Iterator[tuple[ssl.SSLSocket, ssl.SSLSocket]]:
    """Both ends of a connection, the server's first."""
    one, other = socket.socketpair()
    made: list[ssl.SSLSocket] = []
    context = context or server_context()
    with running(lambda: made.append(context.wrap_socket(one, server_side=True))):
        client = client or client_context()
        near = client.wrap_socket(other, server_hostname="localhost", session=session)
    with made[0], near:
        yield made[0], near


@contextmanager
def serving(handle: Callable[[ssl.SSLSocket], object], connections: int) -> Iterator[tuple[str, int]]:
    """The address of a server that has a thread for each of so many connections."""
    context = server_context()
    listener = socket.create_server(HERE, backlog=128)

    def serve(plain: socket.socket) -> None:
        try:
            with context.wrap_socket(plain, server_side=True) as connection:
                handle(connection)
        except OSError:
            plain.close()

    def accept() -> None:
        threads = [start(serve, listener.accept()[0]) for _ in range(connections)]
        for thread in threads:
            thread.join(LONG)

    with listener, running(accept):
        yield listener.getsockname()


def echo(connection: ssl.SSLSocket) -> None:
    while data := connection.recv(4096):
        connection.sendall(data)


def read_all(connection: ssl.SSLSocket, count: int) -> bytes:
    parts = []
    while count > 0 and (part := connection.recv(count)):
        parts.append(part)
        count -= len(part)
    return b"".join(parts)


# -- many at once ------------------------------------------------------------------------------------------


def case_a_hundred_connections_echo() -> None:
    answers = []

    def ask(address: tuple[str, int], number: int) -> None:
        with shake(socket.create_connection(address)) as connection:
            for turn in range(5):
                message = f"{number} {turn}".encode() * 10
                connection.sendall(message)
                answers.append(read_all(connection, len(message)) == message)

    with serving(echo, 100) as address:
        threads = [start(ask, address, number) for number in range(100)]
        for thread in threads:
            thread.join(LONG)
    assert answers == [True] * 500


def case_a_peer_that_sends_garbage_harms_nobody_else() -> None:
    errors: list[str] = []
    one, other = socket.socketpair()

    def serve() -> None:
        try:
            server_context().wrap_socket(one, server_side=True)
        except ssl.SSLError as error:
            errors.append(str(error.reason))

    with connected() as (far, near), running(serve, lambda: echo(far)), other:
        near.sendall(b"before")
        assert read_all(near, 6) == b"before"
        other.sendall(b"GET / HTTP/1.0\r\n\r\n" * 10)
        near.sendall(b"after")
        assert read_all(near, 5) == b"after"
        near.close()
    assert errors == ["HTTP_REQUEST"]


def case_a_client_that_sends_byte_by_byte_stops_nobody() -> None:
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    slow = client_context().wrap_bio(incoming, outgoing, server_hostname="localhost")
    with serving(echo, 2) as address, socket.create_connection(address) as plain:
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

        def drip(other: ssl.SSLSocket) -> None:
            """What the slow client has to say, and an exchange of the other one after every 32 bytes."""
            for place, byte in enumerate(outgoing.read()):
                plain.sendall(bytes((byte,)))
                if place % 32 == 0:
                    other.sendall(b"quick")
                    assert read_all(other, 5) == b"quick"

        def until_done(step: Callable[[], Any], other: ssl.SSLSocket) -> Any:
            while True:
                try:
                    done = step()
                except ssl.SSLWantReadError:
                    drip(other)
                    incoming.write(plain.recv(65536))
                else:
                    drip(other)
                    return done

        with shake(socket.create_connection(address)) as other:
            until_done(slow.do_handshake, other)
            slow.write(b"slow")
            assert until_done(lambda: slow.read(100), other) == b"slow"


# -- time ----------------------------------------------------------------------------------------------------


def case_a_handshake_that_nobody_answers_times_out() -> None:
    one, other = socket.socketpair()
    begun = time.monotonic()
    with one, other:
        try:
            shake(other, SHORT)
        except TimeoutError as error:
            said = str(error)
        else:
            said = "it had no answer"
    assert said.startswith("_ssl.c:"), said
    assert said.endswith(" The handshake operation timed out"), said
    assert time.monotonic() - begun >= SHORT


def case_a_read_and_a_write_time_out() -> None:
    with connected() as (_far, near):
        near.settimeout(SHORT)
        for _ in range(2):
            with raises(TimeoutError, "The read operation timed out"):
                near.recv(10)
        with raises(TimeoutError, "The read operation timed out"):
            near.recv_into(bytearray(10))
        with raises(TimeoutError, "The write operation timed out"):
            near.sendall(BLOCK)


def case_a_timeout_leaves_the_connection_as_it_was() -> None:
    with connected() as (far, near):
        near.settimeout(SHORT)
        with raises(TimeoutError, "The read operation timed out"):
            near.recv(10)
        near.settimeout(LONG)
        far.sendall(b"late")
        assert near.recv(10) == b"late"
        assert near.gettimeout() == LONG


def case_an_unwrap_times_out_when_the_peer_says_nothing() -> None:
    with connected() as (_far, near):
        near.settimeout(SHORT)
        with raises(TimeoutError, "The read operation timed out"):
            near.unwrap()


def case_a_socket_without_blocking_says_what_it_wants() -> None:
    with connected() as (far, near):
        near.setblocking(False)
        for _ in range(2):
            with raises(ssl.SSLWantReadError):
                near.recv(10)
        with raises(ssl.SSLWantWriteError):
            while True:
                near.send(BLOCK)
        far.sendall(b"now")
        assert select.select([near], [], [], LONG)[0] == [near]
        assert near.recv(10) == b"now"


# -- the end of a connection ---------------------------------------------------------------------------------


def case_after_unwrap_the_socket_is_plain() -> None:
    with connected() as (far, near):
        near.sendall(b"secret")
        plain: list[socket.socket] = []

        def answer() -> None:
            assert far.recv(100) == b"secret"
            assert far.recv(100) == b""
            plain.append(far.unwrap())

        with running(answer):
            assert near.unwrap() is near
        assert plain == [far]
        assert os.get_blocking(near.fileno())
        near.sendall(b"open")
        assert far.recv(100) == b"open"
        far.sendall(b"too")
        assert near.recv(100) == b"too"


def case_a_detached_descriptor_has_its_mode() -> None:
    with connected() as (far, near):
        far.sendall(b"x")
        assert near.recv(1) == b"x"
        fd = near.detach()
        assert os.get_blocking(fd)
        os.close(fd)


def case_an_end_without_goodbye_is_an_end() -> None:
    with connected() as (far, near):
        far.close()
        assert near.recv(10) == b""


def case_an_unwrap_meets_what_the_peer_had_still_to_say() -> None:
    with connected() as (far, near):
        for _ in range(3):
            far.sendall(b"unread")
        reason = ""
        try:
            near.unwrap()
        except ssl.SSLError as error:
            reason = error.reason
        assert reason == "APPLICATION_DATA_AFTER_CLOSE_NOTIFY"


def case_a_connection_goes_with_its_last_reference() -> None:
    def use() -> Callable[[], object]:
        with connected() as (far, near):
            far.sendall(b"x")
            assert near.recv(1) == b"x"
            return weakref.ref(near)

    gc.disable()
    try:
        assert use()() is None
    finally:
        gc.enable()


# -- what stands on connections ------------------------------------------------------------------------------


def case_files_go_through_a_connection() -> None:
    with connected() as (far, near), tempfile.TemporaryFile() as file:
        file.write(BLOCK)
        file.seek(0)

        def send() -> None:
            assert far.sendfile(file) == len(BLOCK)
            with far.makefile("w", encoding="utf-8") as text:
                text.write("one\ntwo\n")

        with running(send):
            assert read_all(near, len(BLOCK)) == BLOCK
            with near.makefile("r", encoding="utf-8") as lines:
                assert [lines.readline(), lines.readline()] == ["one\n", "two\n"]


def case_a_web_server_answers_clients_of_its_own_process() -> None:
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = self.path.encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(HERE, Handler)
    server.socket = server_context().wrap_socket(server.socket, server_side=True)
    server_thread = start(server.serve_forever, 0.01)
    url = f"https://localhost:{server.server_port}/"
    context = client_context()
    pages: list[bytes] = []

    def fetch(name: str) -> None:
        with urllib.request.urlopen(url + name, context=context, timeout=LONG) as answer:
            pages.append(answer.read())

    try:
        threads = [start(fetch, str(number)) for number in range(10)]
        for thread in threads:
            thread.join(LONG)
    finally:
        server.shutdown()
        server_thread.join(LONG)
        server.server_close()
    assert sorted(pages) == [f"/{number}".encode() for number in range(10)]


def case_asyncio_speaks_tls_in_a_thread() -> None:
    async def talk(address: tuple[str, int]) -> list[bytes]:
        async def one(number: int) -> bytes:
            reader, writer = await asyncio.open_connection(
                *address, ssl=client_context(), server_hostname="localhost"
            )
            writer.write(b"%d" % number)
            answer = await reader.read(100)
            writer.close()
            await writer.wait_closed()
            return answer

        return await asyncio.gather(*map(one, range(5)))

    with serving(echo, 5) as address:
        assert in_thread(lambda: asyncio.run(talk(address))) == [b"0", b"1", b"2", b"3", b"4"]


def case_a_callback_may_wait_for_another_connection() -> None:
    """A server chooses its certificate by name, and asks another server which."""
    chosen: list[str] = []
    context = server_context()
    better = server_context()
    with connected() as (far, near), running(lambda: echo(far)):

        def choose(connection: Any, name: str, old: ssl.SSLContext) -> None:
            near.sendall(name.encode())
            chosen.append(read_all(near, len(name)).decode())
            connection.context = better

        context.sni_callback = choose
        with connected(context) as (server, client):
            assert server.context is better
            client.sendall(b"x")
            assert server.recv(1) == b"x"
        near.close()
    assert chosen == ["localhost"]


def case_a_session_is_used_again() -> None:
    server, client = server_context(), client_context()
    client.maximum_version = ssl.TLSVersion.TLSv1_2
    with connected(server, client) as (_far, near):
        session = near.session
        assert session is not None
        assert not near.session_reused
    with connected(server, client, session) as (_far, near):
        assert near.session == session
        assert near.session_reused


def case_what_programs_see_is_cpythons() -> None:
    with connected() as (far, near):
        inner: Any = near._sslobj  # type: ignore[attr-defined]
        assert isinstance(inner, _ssl._SSLSocket)
        assert repr(inner).startswith("<_ssl._SSLSocket object at 0x")
        assert near.version() == "TLSv1.3"
        assert near.cipher() == far.cipher()
        assert near.getpeercert() is not None
        assert near.pending() == 0
        far.sendall(b"four")
        assert near.recv(1) == b"f"
        assert near.pending() == 3
        assert inner.context is near.context
    assert issubclass(ssl.SSLContext, _ssl._SSLContext)
    assert "SSLContext" in repr(client_context())


def case_memory_is_no_descriptor() -> None:
    one, two = ssl.MemoryBIO(), ssl.MemoryBIO()
    server = server_context().wrap_bio(one, two, server_side=True)
    client = client_context().wrap_bio(two, one, server_hostname="localhost")
    for _ in range(3):
        for end in (client, server):
            try:
                end.do_handshake()
            except ssl.SSLWantReadError:
                pass
    client.write(b"through memory")
    assert server.read(100) == b"through memory"
