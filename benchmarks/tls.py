"""An echo server over TLS, a thread for each connection: its CPU time for each request.

A server process for each peer; this one is the client of all, with blocking sockets on plain Python: it sends
a request on every connection, then reads all the answers. The peers are asked in turn, round by round.

    python benchmarks/tls.py [--peers gevent-patched,threading,weft] [--connections 100] [--size 64]

Prints, for each peer, CPU microseconds of the server: for a request, and for a connection with its handshake.
"""

# ruff: noqa: PLC0415 - in a server the peer is set up before anything imports threading

import argparse
import os
import statistics
import sys
import time
from typing import Any

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
from keep import add_option, keep  # noqa: E402

import peers  # noqa: E402 - found beside this file

PEERS = "gevent-patched,threading,weft"
CERTIFICATE = os.path.join(os.path.dirname(HERE), "tests", "stdlib", "certificates", "localhost.pem")


def serve(peer: Any) -> None:
    """Echo on every connection that comes, until the process is ended."""
    import socket
    import ssl

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE)

    def echo(plain: socket.socket) -> None:
        with context.wrap_socket(plain, server_side=True) as connection:
            while data := connection.recv(65536):
                connection.sendall(data)

    with socket.create_server(("127.0.0.1", 0), backlog=1024) as listener:
        print(listener.getsockname()[1], flush=True)
        while True:
            peer.spawn(echo, listener.accept()[0])


class Server:
    """A server in a process of its own, and the connections to it."""

    def __init__(self, name: str, connections: int, size: int) -> None:
        import socket
        import ssl
        import subprocess

        self.name = name
        self.process = subprocess.Popen(
            [sys.executable, os.path.abspath(__file__), "--serve", name], stdout=subprocess.PIPE, text=True
        )
        assert self.process.stdout is not None
        said = self.process.stdout.readline()
        if not said:
            self.process.wait()
            raise RuntimeError(f"the server of {name} did not start")
        port = int(said)
        context = ssl.create_default_context(cafile=CERTIFICATE)
        self.request = b"x" * size
        self.per_request: list[float] = []
        self.connections = [self.connect(socket, context, port)]  # the first one has what is done once
        then = self.cpu()
        self.connections += [self.connect(socket, context, port) for _ in range(connections - 1)]
        self.per_connection = (self.cpu() - then) / max(1, connections - 1) * 1e6

    def connect(self, socket: Any, context: Any, port: int) -> Any:
        plain = socket.create_connection(("127.0.0.1", port))
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection = context.wrap_socket(plain, server_hostname="localhost")
        connection.sendall(self.request)
        self.read_answer(connection)
        return connection

    def read_answer(self, connection: Any) -> None:
        left = len(self.request)
        while left:
            left -= len(connection.recv(left))

    def cpu(self) -> float:
        """Seconds of CPU that the server's process has had."""
        return time.clock_gettime((~self.process.pid << 3) | 2)  # as clock_getcpuclockid() makes it

    def round(self, times: int) -> None:
        """Some requests on every connection."""
        then = self.cpu()
        for _ in range(times):
            for connection in self.connections:
                connection.sendall(self.request)
            for connection in self.connections:
                self.read_answer(connection)
        self.per_request.append((self.cpu() - then) / times / len(self.connections) * 1e6)

    def close(self) -> None:
        for connection in self.connections:
            connection.close()
        self.process.kill()
        self.process.communicate()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--serve", help=argparse.SUPPRESS)
    parser.add_argument("--peers", default=PEERS)
    parser.add_argument("--connections", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--times", type=int, default=50, help="requests on each connection in a round")
    parser.add_argument("--size", type=int, default=64)
    add_option(parser)
    asked = parser.parse_args()
    if asked.serve:
        peer = peers.load(asked.serve)
        peer.setup()
        serve(peer)
        return
    servers: list[Server] = []
    found: dict[str, dict[str, Any]] = {}
    try:
        for name in asked.peers.split(","):
            try:
                servers.append(Server(name, asked.connections, asked.size))
            except RuntimeError as error:
                found[name] = {"error": str(error)}
                print(error, file=sys.stderr)
        for number in range(asked.rounds):
            for server in servers if number % 2 else reversed(servers):
                server.round(asked.times)
        for server in servers:
            found[server.name] = {"request_us": server.per_request, "connection_us": server.per_connection}
            print(
                f"{server.name:<16s} request {statistics.median(server.per_request):6.1f} us"
                f" (least {min(server.per_request):.1f}), connection {server.per_connection:.0f} us"
            )
        keep(asked.json, found)
    finally:
        for server in servers:
            server.close()


if __name__ == "__main__":
    main()
