"""The work of `free_threaded.py`: prints how many seconds it took, for one operation where it is small."""

import queue
import socket
import sys
import threading
import time
from collections.abc import Callable

STEPS = 1_500_000  # of a loop, in all threads together
PAIRS = 100_000
PASSES = 5_000


def in_threads(jobs: list[Callable[[], object]]) -> float:
    threads = [threading.Thread(target=job) for job in jobs]
    begun = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return time.perf_counter() - begun


def compute(steps: int) -> int:
    total = 0
    for number in range(steps):
        total += number * number & 255
    return total


def lock() -> float:
    gate = threading.Lock()
    begun = time.perf_counter()
    for _ in range(PAIRS):
        gate.acquire()
        gate.release()
    return (time.perf_counter() - begun) / PAIRS


def hand_over() -> float:
    """There and back through two queues, between two threads that run on two carriers if there are."""
    there: queue.Queue[int] = queue.Queue()
    back: queue.Queue[int] = queue.Queue()

    def ask() -> None:
        for number in range(PASSES):
            there.put(number)
            back.get()

    def answer() -> None:
        for _ in range(PASSES):
            back.put(there.get())

    return in_threads([ask, answer]) / PASSES / 2


def sleepers() -> float:
    def nap() -> None:
        for _ in range(10):
            time.sleep(0.001)

    return in_threads([nap] * 300)


def echo(connections: int, busy: int) -> float:
    """Requests over loopback, with so many threads that compute beside."""
    over: list[int] = []

    def serve(peer: socket.socket) -> None:
        with peer:
            while data := peer.recv(1000):
                peer.sendall(data)

    def ask() -> None:
        with socket.create_connection(address) as sock:
            for _ in range(100):
                sock.sendall(b"x" * 100)
                sock.recv(1000)

    def accept() -> None:
        for _ in range(connections):
            threading.Thread(target=serve, args=(listener.accept()[0],)).start()

    def spin() -> None:
        while not over:
            compute(1000)

    with socket.create_server(("127.0.0.1", 0), backlog=256) as listener:
        address = listener.getsockname()
        others = [threading.Thread(target=job) for job in [accept, *[spin] * busy]]
        for other in others:
            other.start()
        took = in_threads([ask] * connections)
        over.append(1)
        for other in others:
            other.join()
    return took


def main(name: str, *numbers: str) -> float:
    given = [int(number) for number in numbers]
    if name == "compute":
        return in_threads([lambda: compute(STEPS // given[0])] * given[0])
    if name == "echo":
        return echo(given[0], sum(given[1:]))
    return {"lock": lock, "pass": hand_over, "sleepers": sleepers}[name]()


if __name__ == "__main__":
    print(main(*sys.argv[1:]))
