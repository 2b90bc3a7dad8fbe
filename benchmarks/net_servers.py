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


def _http() -> None:
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
    print(server.server_address[1], flush=True)
    server.serve_forever()


def http_weft() -> None:
    import weft

    weft.install("user")
    _http()


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
