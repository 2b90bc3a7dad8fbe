"""An echo server with a thread for each connection, and twenty clients."""

import socket
import threading

seats = threading.Semaphore(5)  # no more than five connections are served at once
answers: list[bytes] = []


def serve(connection: socket.socket) -> None:
    with seats, connection:
        while data := connection.recv(100):
            connection.sendall(data)


def accept(listener: socket.socket, count: int) -> None:
    for _ in range(count):
        threading.Thread(target=serve, args=(listener.accept()[0],)).start()


def ask(address: tuple[str, int], number: int) -> None:
    with socket.create_connection(address) as connection:
        connection.sendall(b"hello from %d" % number)
        answers.append(connection.recv(100))


with socket.create_server(("127.0.0.1", 0)) as listener:
    threads = [threading.Thread(target=ask, args=(listener.getsockname(), n)) for n in range(20)]
    threads.append(threading.Thread(target=accept, args=(listener, 20)))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
print("answers:", len(answers))
print("each got its own words back:", sorted(answers) == sorted(b"hello from %d" % n for n in range(20)))
