"""The servers of net.py, one for each variant: `python net_servers.py VARIANT` prints its port and serves.

A variant is the name of a function below with - for _. Those of weft put the runtime in place before
anything imports `socket` or `threading`, as `weft run` does; so nothing of the kind is imported at the top.
"""

import sys
from collections.abc import Callable
from typing import Any

SIZE = 4096
PAGE = b"Hello, world!"


def listen() -> Any:
    import socket

    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # what it accepts inherits it
    listener.bind(("127.0.0.1", 0))
    listener.listen(4096)
    print(listener.getsockname()[1], flush=True)
    return listener


def echo_threads(listener: Any, spawn: Callable[[Callable[[Any], None], Any], object]) -> None:
    """What a person writes: an accept loop, and a thread that reads and writes for each connection."""

    def serve(connection: Any) -> None:
        try:
            recv, send = connection.recv, connection.sendall
            while data := recv(SIZE):
                send(data)
        except OSError:
            pass
        finally:
            connection.close()

    while True:
        connection, _ = listener.accept()
        spawn(serve, connection)


def start_thread(target: Callable[[Any], None], argument: Any) -> None:
    import threading

    threading.Thread(target=target, args=(argument,), daemon=True).start()


def weft() -> None:
    import weft

    weft.install("user")
    echo_threads(listen(), start_thread)


def weft_traced() -> None:
    import os
    import tempfile

    import weft

    weft.install("user")
    from weft.tracing import record_into

    handle, path = tempfile.mkstemp()
    os.close(handle)
    record_into(path)
    os.unlink(path)  # the server is killed, and nobody reads it
    echo_threads(listen(), start_thread)


def weft_by_turns() -> None:
    """For tracing_echo.py: recorded and not by turns, once there is a line on standard input.

    Arguments: how many pairs of spells, the seconds of one, and those before it that are left out. Prints
    what each pair took, off and on, in CPU µs a request.
    """
    import json
    import os
    import tempfile
    import time

    import weft

    weft.install("user")
    import threading

    from weft.tracing import record_into

    pairs, seconds, settle = int(sys.argv[2]), float(sys.argv[3]), float(sys.argv[4])
    answered = 0

    def serve(connection: Any) -> None:
        nonlocal answered
        recv, send = connection.recv, connection.sendall
        try:
            while data := recv(SIZE):
                send(data)
                answered += 1
        except OSError:
            pass
        finally:
            connection.close()

    def spell() -> float:
        time.sleep(settle)
        before, used = answered, time.process_time()
        time.sleep(seconds)
        return (time.process_time() - used) / max(1, answered - before) * 1e6

    def by_turns() -> None:
        handle, path = tempfile.mkstemp()
        os.close(handle)
        sys.stdin.readline()
        found = []
        for number in range(pairs):
            took = {}
            for recorded in (False, True) if number % 2 else (True, False):
                stop = record_into(path) if recorded else None
                took[recorded] = spell()
                if stop is not None:
                    stop()
            found.append((took[False], took[True]))
        os.unlink(path)
        print(json.dumps(found), flush=True)
        os._exit(0)

    listener = listen()
    threading.Thread(target=by_turns, daemon=True).start()
    while True:
        connection, _ = listener.accept()
        start_thread(serve, connection)


def weft_hybrid() -> None:
    import weft

    weft.install("hybrid", carriers=2)
    echo_threads(listen(), start_thread)


def kernel() -> None:
    import threading

    threading.stack_size(256 * 1024)
    echo_threads(listen(), start_thread)


def gevent_() -> None:
    import gevent
    import gevent.socket

    echo_threads(gevent.socket.socket(fileno=listen().detach()), gevent.spawn)


def gevent_patched() -> None:
    from gevent import monkey

    monkey.patch_all()
    echo_threads(listen(), start_thread)


def epoll() -> None:
    """The floor in Python: a bare loop, one recv and one send for each event."""
    import select

    listener = listen()
    poll = select.epoll()
    listener.setblocking(False)
    known: dict[int, Any] = {}
    poll.register(listener.fileno(), select.EPOLLIN)
    while True:
        for fd, _ in poll.poll():
            if fd == listener.fileno():
                try:
                    while True:
                        connection, _ = listener.accept()
                        connection.setblocking(False)
                        known[connection.fileno()] = (connection, connection.recv, connection.send)
                        poll.register(connection.fileno(), select.EPOLLIN)
                except BlockingIOError:
                    continue
            connection, recv, send = known[fd]
            try:
                data = recv(SIZE)
                if data:
                    send(data)
                    continue
            except OSError:
                pass
            del known[fd]
            connection.close()


def stacks() -> None:
    """The floor with a stack for each connection: the bare loop switches to a raw greenlet for each event.

    Nothing but what no runtime can leave out: one switch in and one out, one recv and one send.
    """
    import select

    from greenlet import getcurrent, greenlet

    listener = listen()
    poll = select.epoll()
    listener.setblocking(False)
    known: dict[int, Any] = {}
    wait = getcurrent().switch

    def serve(connection: Any) -> None:
        recv, send = connection.recv, connection.send
        wait()
        try:
            while data := recv(SIZE):
                send(data)
                wait()
        except OSError:
            pass
        del known[connection.fileno()]
        connection.close()

    poll.register(listener.fileno(), select.EPOLLIN)
    while True:
        for fd, _ in poll.poll():
            if fd != listener.fileno():
                known[fd]()
                continue
            try:
                while True:
                    connection, _ = listener.accept()
                    connection.setblocking(False)
                    stack = known[connection.fileno()] = greenlet(serve).switch
                    stack(connection)
                    poll.register(connection.fileno(), select.EPOLLIN)
            except BlockingIOError:
                pass


def wrapped() -> None:
    """`stacks` as an unmodified program meets it: a socket type in Python, and a ready queue.

    Who finds nothing ready polls, on its own stack; a thread has two calls of its own below its target.
    """
    import select
    import socket
    from collections import deque

    from greenlet import greenlet

    dontwait, ready, known = int(socket.MSG_DONTWAIT), deque[Any](), dict[int, Any]()
    pick, real_recv, real_send = ready.popleft, socket.socket.recv, socket.socket.send
    listener, poll = listen(), select.epoll()
    listener.setblocking(False)
    poll.register(listener.fileno(), select.EPOLLIN)
    sys.setrecursionlimit(1_000_000)  # each stack begins on top of the one that accepted it

    def idle() -> Any:
        while True:
            for fd, events in poll.poll():
                if fd == listener.fileno():
                    accept()
                elif events & select.EPOLLIN:
                    ready.append(known[fd])
            if ready:
                return pick()

    def wait() -> None:
        try:
            resume = pick()
        except IndexError:
            resume = idle()
        resume()

    class Wrapped(socket.socket):
        __slots__ = ("begun",)

        def recv(self, size: int, flags: int = 0) -> bytes:
            if self.begun:
                wait()
            else:
                self.begun = True
            return real_recv(self, size, flags | dontwait)

        def sendall(self, data: Any, flags: int = 0) -> None:
            real_send(self, data, flags | dontwait)

    def serve(connection: Any) -> None:
        recv, send = connection.recv, connection.sendall
        try:
            while data := recv(SIZE):
                send(data)
        except OSError:
            pass
        del known[connection.fileno()]
        connection.close()
        while True:
            wait()

    def body(connection: Any) -> None:
        serve(connection)

    def accept() -> None:
        try:
            while True:
                connection = Wrapped(fileno=listener.accept()[0].detach())
                connection.begun = False
                fd = connection.fileno()
                known[fd] = greenlet(lambda connection=connection: body(connection)).switch
                poll.register(fd, select.EPOLLIN | select.EPOLLOUT | select.EPOLLET)
        except BlockingIOError:
            pass

    while True:
        wait()


def _protocol(runner: Any, listener: Any) -> None:
    import asyncio

    class Echo(asyncio.Protocol):
        def connection_made(self, transport: Any) -> None:
            self.write = transport.write

        def data_received(self, data: bytes) -> None:
            self.write(data)

    async def main() -> None:
        server = await asyncio.get_running_loop().create_server(Echo, sock=listener, backlog=4096)
        await server.serve_forever()

    runner.run(main())


def uvloop_protocol() -> None:
    import asyncio

    import uvloop

    _protocol(asyncio.Runner(loop_factory=uvloop.new_event_loop), listen())


def asyncio_protocol() -> None:
    import asyncio

    _protocol(asyncio.Runner(), listen())


# -- HTTP --------------------------------------------------------------------------------------------------


def _http(adapt: Callable[[Any], None] = lambda _: None) -> None:
    import http.server

    class Hello(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = 65536
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/plain")
            self.send_header("Content-Length", str(len(PAGE)))
            self.end_headers()
            self.wfile.write(PAGE)

        def log_message(self, *_: Any) -> None:
            pass

    class Server(http.server.ThreadingHTTPServer):
        request_queue_size = 4096

    server = Server(("127.0.0.1", 0), Hello)
    adapt(server)
    print(server.server_address[1], flush=True)
    server.serve_forever()


def http_weft() -> None:
    import weft

    weft.install("user")
    _http()


def http_stacks() -> None:
    """The floor with a stack for each connection: raw greenlets; a read begins with a switch."""
    import select
    import socket

    from greenlet import getcurrent, greenlet

    poll = select.epoll()
    known: dict[int, Any] = {}
    wait = getcurrent().switch
    real_read = socket.socket.recv_into

    class Stack(socket.socket):
        def recv_into(self, buffer: Any, nbytes: int = 0, flags: int = 0) -> int:
            wait()
            return real_read(self, buffer, nbytes, flags)

    def adapt(server: Any) -> None:
        def begin(request: Any, address: Any) -> None:
            connection = Stack(fileno=request.detach())
            fd = connection.fileno()
            stack = known[fd] = greenlet(server.process_request_thread).switch
            poll.register(fd, select.EPOLLIN)
            stack(connection, address)

        def serve() -> None:
            listener = server.fileno()
            poll.register(listener, select.EPOLLIN)
            while True:
                for fd, _ in poll.poll():
                    if fd == listener:
                        server._handle_request_noblock()
                    else:
                        known[fd]()

        server.process_request = begin
        server.serve_forever = serve

    _http(adapt)


def http_kernel() -> None:
    _http()


def http_gevent_patched() -> None:
    from gevent import monkey

    monkey.patch_all()
    _http()


def http_gevent_pywsgi() -> None:
    import gevent.socket
    from gevent.pywsgi import WSGIServer

    def application(_: Any, start: Any) -> list[bytes]:
        start("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(PAGE)))])
        return [PAGE]

    WSGIServer(gevent.socket.socket(fileno=listen().detach()), application, log=None).serve_forever()


if __name__ == "__main__":
    name = sys.argv[1].replace("-", "_")
    globals()["gevent_" if name == "gevent" else name]()
