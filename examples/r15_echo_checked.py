"""Row 15: an echo server and its clients in one program, for `weft check`.

The server counts the connections that it has served. With `--racy` it does so without a lock, and now and
then one of them is not counted: `weft check examples/r15_echo_checked.py --racy` finds the schedule, over a
simulated network. Without it, `weft check` tries all there are and none fails.
"""

import argparse
import contextlib
import socket
import threading


class Server:
    def __init__(self, racy: bool) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.counting = contextlib.nullcontext() if racy else threading.Lock()
        self.served = 0

    def serve(self, connections: int) -> None:
        """Accept so many, a thread each."""
        threads = []
        for _ in range(connections):
            connection, _ = self.listener.accept()
            threads.append(threading.Thread(target=self.echo, args=(connection,)))
            threads[-1].start()
        for thread in threads:
            thread.join()

    def echo(self, connection: socket.socket) -> None:
        with connection:
            while data := connection.recv(1000):
                connection.sendall(data)
        with self.counting:
            self.served += 1


def talk(address: tuple[str, int], message: bytes) -> None:
    """Send a message and read as much again."""
    with socket.create_connection(address) as connection:
        connection.sendall(message)
        got = b""
        while len(got) < len(message):
            got += connection.recv(1000)
        assert got == message


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--clients", type=int, default=2)
    parser.add_argument("--racy", action="store_true", help="count without a lock")
    asked = parser.parse_args()

    server = Server(asked.racy)
    address = server.listener.getsockname()
    clients = [
        threading.Thread(target=talk, args=(address, b"message %d" % number), name=f"client {number}")
        for number in range(asked.clients)
    ]
    for client in clients:
        client.start()
    server.serve(len(clients))
    for client in clients:
        client.join()
    server.listener.close()
    print(f"served {server.served} of {len(clients)}")
    assert server.served == len(clients)


if __name__ == "__main__":
    main()
