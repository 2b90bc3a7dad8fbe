"""Row 8: user-level threads.

On the user model one kernel thread carries all threads: a thread is made, switched and ended without
the kernel. So there can be very many. Two faults that such threads are known for are mended: a call
that waits stops its own thread alone, and a thread that never waits does not starve the rest.

Prints how many threads wait at once on how many kernel threads, how long a hundred sleeps take
together, that a hundred threads which read sockets stop nobody, and how far a ticking thread gets while
another one spins. `r08_policies.py` shows the choice
of who runs next.
"""

import argparse
import socket
import threading
import time


def kernel_threads() -> int:
    """How many threads the kernel knows in this process."""
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("Threads:"))


def very_many(count: int) -> None:
    gate = threading.Event()
    threads = [threading.Thread(target=gate.wait) for _ in range(count)]
    for thread in threads:
        thread.start()
    print(f"very many: {threading.active_count() - 1} threads wait on {kernel_threads()} kernel threads")
    gate.set()
    for thread in threads:
        thread.join()


def waiting_stops_one_thread_alone() -> None:
    begin = time.monotonic()
    threads = [threading.Thread(target=time.sleep, args=(0.2,)) for _ in range(100)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(f"waiting:   100 threads that sleep 0.2 s took {time.monotonic() - begin:.1f} s together")


def sockets_stop_one_thread_alone() -> None:
    pairs = [socket.socketpair() for _ in range(100)]
    answers: list[bytes] = []
    threads = [threading.Thread(target=lambda s=near: answers.append(s.recv(10))) for near, _ in pairs]
    for thread in threads:
        thread.start()
    ticks = 0
    deadline = time.monotonic() + 0.1
    while time.monotonic() < deadline:
        time.sleep(0.01)
        ticks += 1
    print(
        f"reading:   {len(pairs) - len(answers)} threads read sockets while another ticked {ticks} times",
        end="",
    )
    for _, far in pairs:
        far.sendall(b"answer")
    for thread in threads:
        thread.join()
    print(f"; then {answers.count(b'answer')} had their answer")
    for ends in pairs:
        for end in ends:
            end.close()


def spinning_starves_nobody() -> None:
    deadline = time.monotonic() + 0.5
    ticks = 0

    def tick() -> None:
        nonlocal ticks
        while time.monotonic() < deadline:
            time.sleep(0.01)
            ticks += 1

    def spin() -> None:
        while time.monotonic() < deadline:
            pass

    threads = [threading.Thread(target=spin), threading.Thread(target=tick)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(f"spinning:  the other thread ticked {ticks} times in 0.5 s")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--count", type=int, default=10_000, help="threads that wait at once")
    very_many(parser.parse_args().count)
    waiting_stops_one_thread_alone()
    sockets_stop_one_thread_alone()
    spinning_starves_nobody()


if __name__ == "__main__":
    main()
