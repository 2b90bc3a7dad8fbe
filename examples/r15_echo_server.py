"""Row 15: a socket server, one thread a connection.

It sends back whatever it gets. A semaphore limits the connections that are served at once: its seat is taken
before a connection is accepted, so whoever comes too many waits in the kernel's queue and loses nothing. When
the process runs out of descriptors or threads, accepting pauses until a connection has ended.

Ctrl-C or SIGTERM ends it: nothing more is accepted, those that are being served may finish for the time of
`--grace`, and what is left then is cut. Prints the address first, and what it did at the end.
`r15_echo_client.py` is the other side.
"""

import argparse
import errno
import signal
import socket
import threading
import time

LOOK = 0.1  # seconds until the main thread sees that it is to stop
EXHAUSTED = {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM}


class EchoServer:
    def __init__(self, host: str, port: int, limit: int) -> None:
        self.listener = socket.create_server((host, port), backlog=4096)
        self.listener.settimeout(LOOK)
        self.seats = threading.Semaphore(limit)
        self.changed = threading.Condition()
        self.open: set[socket.socket] = set()
        self.most = self.served = self.pauses = self.cut = 0
        self.stopping = False

    def serve(self) -> None:
        """Accept and serve until `stopping`."""
        while not self.stopping:
            if not self.seats.acquire(timeout=LOOK):
                continue
            connection = self.accept()
            if connection is None or not self.start(connection):
                self.seats.release()

    def accept(self) -> socket.socket | None:
        """The next connection; None if there is none yet, or no descriptor for it."""
        try:
            connection, _ = self.listener.accept()
        except (TimeoutError, ConnectionAbortedError):
            return None
        except OSError as error:
            if error.errno not in EXHAUSTED:
                raise
            self.pause()
            return None
        with self.changed:
            self.open.add(connection)
            self.served += 1
            self.most = max(self.most, len(self.open))
        return connection

    def start(self, connection: socket.socket) -> bool:
        """Give the connection a thread; False if there is none to be had before the end."""
        thread = threading.Thread(target=self.echo, args=(connection,), daemon=True)
        while not self.stopping:
            try:
                thread.start()
                return True
            except RuntimeError:  # the system has no more threads
                self.pause()
        self.forget(connection)
        return False

    def pause(self) -> None:
        """Wait until a connection has ended, or a moment: others may free what is short, too."""
        with self.changed:
            self.pauses += 1
            self.changed.wait(LOOK)

    def echo(self, connection: socket.socket) -> None:
        try:
            while data := connection.recv(65536):
                connection.sendall(data)
        except OSError:
            pass  # the peer went away in the middle, or the server's patience is over
        finally:
            self.forget(connection)
            self.seats.release()

    def forget(self, connection: socket.socket) -> None:
        connection.close()
        with self.changed:
            self.open.discard(connection)
            self.changed.notify_all()

    def finish(self, grace: float) -> None:
        """Accept no more; give those that are being served some time, then cut them."""
        self.listener.close()
        deadline = time.monotonic() + grace
        with self.changed:
            self.changed.wait_for(lambda: not self.open, grace)
            left = list(self.open)
        self.cut = len(left)
        for connection in left:
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass  # it has just ended by itself
        with self.changed:
            self.changed.wait_for(lambda: not self.open, max(LOOK, deadline + LOOK - time.monotonic()))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0: one that is free")
    parser.add_argument("--limit", type=int, default=10_000, help="connections served at once")
    parser.add_argument("--grace", type=float, default=5.0, help="seconds for those in flight at the end")
    asked = parser.parse_args()

    server = EchoServer(asked.host, asked.port, asked.limit)

    def stop(number: int, frame: object) -> None:
        server.stopping = True

    signal.signal(signal.SIGINT, stop)
    signal.signal(signal.SIGTERM, stop)
    host, port = server.listener.getsockname()[:2]
    print(f"serving on {host} {port}", flush=True)
    server.serve()
    server.finish(asked.grace)
    print(f"served {server.served} connections, at most {server.most} at once")
    print(f"paused {server.pauses} times, cut {server.cut}")


if __name__ == "__main__":
    main()
