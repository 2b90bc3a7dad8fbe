"""Row 15: a socket client, for the server in `r15_echo_server.py`.

Opens many connections at once, a thread each, sends messages of different lengths on each and compares what
comes back. With `--together` no connection is closed before all have had an answer, so that all are open at
once. No connection may take longer than `--patience` to answer.

Prints how many connections had every answer right, how many had not and why, and the time; the status is 0
if all were right.
"""

import argparse
import collections
import random
import socket
import sys
import threading
import time


def exchange(connection: socket.socket, message: bytes) -> bool:
    """Send a message and read as much again; True if it is the same."""
    connection.sendall(message)
    got = bytearray()
    while len(got) < len(message):
        part = connection.recv(len(message) - len(got))
        if not part:
            break
        got += part
    return got == message


class Clients:
    def __init__(self, asked: argparse.Namespace) -> None:
        self.address = (asked.host, asked.port)
        self.messages, self.patience = asked.messages, asked.patience
        self.all_open = threading.Barrier(asked.count) if asked.together else None
        self.outcomes: collections.Counter[str] = collections.Counter()
        self.counting = threading.Lock()

    def one(self, number: int) -> None:
        try:
            outcome = self.talk(random.Random(number))
        except threading.BrokenBarrierError:
            outcome = "not all were open at once"
        except OSError as error:
            outcome = f"{type(error).__name__}: {error}"
        if outcome != "right" and self.all_open is not None:
            self.all_open.abort()
        with self.counting:
            self.outcomes[outcome] += 1

    def talk(self, rng: random.Random) -> str:
        with socket.create_connection(self.address, timeout=self.patience) as connection:
            for _ in range(self.messages):
                if not exchange(connection, rng.randbytes(rng.choice((1, 20, 500, 3000)))):
                    return "wrong answer"
            if self.all_open is not None:
                self.all_open.wait(self.patience)
        return "right"


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--count", type=int, default=1000, help="connections")
    parser.add_argument("--messages", type=int, default=3, help="on each connection")
    parser.add_argument("--patience", type=float, default=30.0, help="seconds that an answer may take")
    parser.add_argument("--together", action="store_true", help="have all connections open at once")
    asked = parser.parse_args()

    clients = Clients(asked)
    begin = time.monotonic()
    threads = [threading.Thread(target=clients.one, args=(number,)) for number in range(asked.count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    right = clients.outcomes.pop("right", 0)
    print(f"{right} of {asked.count} connections right, in {time.monotonic() - begin:.2f} s")
    for outcome, count in clients.outcomes.most_common():
        print(f"{count} connections: {outcome}")
    return 0 if right == asked.count else 1


if __name__ == "__main__":
    sys.exit(main())
