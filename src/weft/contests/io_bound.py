"""100 clients each ask a server 200 times over a connection of their own, a thread for each end."""

import socket
import threading

CLIENTS = 100
REQUESTS = 200
QUESTION = b"0123456789abcdef"


def serve(connection: socket.socket) -> None:
    with connection:
        while asked := connection.recv(len(QUESTION), socket.MSG_WAITALL):
            connection.sendall(asked.upper())


def ask(connection: socket.socket, right: list[int]) -> None:
    with connection:
        for _ in range(REQUESTS):
            connection.sendall(QUESTION)
            answer = connection.recv(len(QUESTION), socket.MSG_WAITALL)
            right.append(answer == QUESTION.upper())


def main() -> None:
    right: list[int] = []
    threads = []
    for _ in range(CLIENTS):
        here, there = socket.socketpair()
        threads.append(threading.Thread(target=serve, args=(there,)))
        threads.append(threading.Thread(target=ask, args=(here, right)))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(f"{sum(right)} right answers")


if __name__ == "__main__":
    main()
