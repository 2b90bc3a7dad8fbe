"""Row 7: the other hard question, a thread that waits on a socket while another thread closes it.

On the user model `close` wakes whoever waits on the socket, in whatever call, and the call raises an error.
A kernel thread that waits in the kernel holds on to the connection, so there `close` does not wake it (it is
so on plain Python, too): only what the peer does next, or `shutdown` before the close, ends its wait.

Prints what each waiting thread got after `close`, and then after `shutdown`, which works on every model.
"""

import socket
import threading
from collections.abc import Callable

PATIENCE = 0.3  # seconds until a thread that was not woken counts as one that waits on


def waiting(name: str, call: Callable[[], object], said: dict[str, str]) -> threading.Thread:
    """A thread that is in the call, or very soon will be."""

    def run() -> None:
        try:
            answer = call()
            said[name] = "returned nothing" if answer == b"" else "returned"
        except OSError as error:
            said[name] = f"raised {type(error).__name__} ({error.strerror})"

    thread = threading.Thread(target=run)
    thread.start()
    thread.join(0.05)
    return thread


def end_the_wait(how: str) -> None:
    here, there = socket.socketpair()
    listener = socket.create_server(("127.0.0.1", 0))
    said: dict[str, str] = {}
    threads = {
        "recv": waiting("recv", lambda: here.recv(100), said),
        "accept": waiting("accept", listener.accept, said),
    }
    address = listener.getsockname()
    for ended in (here, listener):
        if how == "close":
            ended.close()
        else:
            ended.shutdown(socket.SHUT_RDWR)
    for name, thread in threads.items():
        thread.join(PATIENCE)
        print(f"{how:<8} {name:<6} {'waits on' if thread.is_alive() else said[name]}", flush=True)
    if threads["recv"].is_alive():
        there.sendall(b"x")
    if threads["accept"].is_alive():
        socket.create_connection(address).close()  # the kernel listens as long as the thread waits
    for thread in threads.values():
        thread.join()
    for left in (here, there, listener):
        left.close()


def main() -> None:
    end_the_wait("close")
    end_the_wait("shutdown")


if __name__ == "__main__":
    main()
