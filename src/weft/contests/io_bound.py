"""100 clients each ask a server 200 times over a connection of their own, a thread for each end."""

import queue
import socket
import threading

CLIENTS = 100
REQUESTS = 200
QUESTION = b"0123456789abcdef"


def serve(connection: socket.socket) -> None:
    while asked := connection.recv(len(QUESTION), socket.MSG_WAITALL):
        connection.sendall(asked.upper())
    connection.close()


def ask(connection: socket.socket, right: "queue.Queue[int]") -> None:
    count = 0
    for _ in range(REQUESTS):
        connection.sendall(QUESTION)
        count += connection.recv(len(QUESTION), socket.MSG_WAITALL) == QUESTION.upper()
    connection.shutdown(socket.SHUT_WR)  # no more questions, whoever else has a copy of it
    right.put(count)


def main() -> None:
    right: queue.Queue[int] = queue.Queue()
    for _ in range(CLIENTS):
        here, there = socket.socketpair()
        threading.Thread(target=serve, args=(there,)).start()
        threading.Thread(target=ask, args=(here, right)).start()
    print(f"{sum(right.get() for _ in range(CLIENTS))} right answers")


if __name__ == "__main__":
    main()
