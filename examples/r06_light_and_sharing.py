"""Row 6: light, scheduled by itself, sharing, concurrent.

First what a thread costs on the model that runs this: to create one, to switch between two, and the
memory of one that waits. Then what threads share: one open file, one timer and one semaphore, used by
all with no copying.

Prints three measurements and then a line for each thing shared. Run it on each model to compare them.
"""

import argparse
import os
import tempfile
import threading
import time

ROUNDS = 5  # the least disturbed one counts: a machine has other things to do


def resident_bytes() -> int:
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def measure_creation_and_memory(count: int) -> tuple[float, float]:
    """Seconds to make one thread and have it run, and bytes for one that waits; `count` wait at once."""
    arrived, gate = threading.Semaphore(0), threading.Event()

    def arrive_and_wait() -> None:
        arrived.release()
        gate.wait()

    memory, begin = resident_bytes(), time.perf_counter()
    threads = [threading.Thread(target=arrive_and_wait) for _ in range(count)]
    for thread in threads:
        thread.start()
    for _ in threads:
        arrived.acquire()
    elapsed, memory = time.perf_counter() - begin, resident_bytes() - memory
    gate.set()
    for thread in threads:
        thread.join()
    return elapsed / count, memory / count


def measure_switch(rounds: int) -> float:
    """Seconds for one switch: two threads hand the turn to each other."""
    ping, pong = threading.Semaphore(0), threading.Semaphore(0)

    def answer() -> None:
        for _ in range(rounds):
            ping.acquire()
            pong.release()

    partner = threading.Thread(target=answer)
    partner.start()
    begin = time.perf_counter()
    for _ in range(rounds):
        ping.release()
        pong.acquire()
    elapsed = time.perf_counter() - begin
    partner.join()
    return elapsed / (2 * rounds)


def share(workers: int) -> None:
    """All workers write to one file, two at a time by one semaphore, until one timer rings."""
    two_at_a_time, closing_time = threading.Semaphore(2), threading.Event()
    timer = threading.Timer(0.3, closing_time.set)
    lines = [0] * workers

    with tempfile.TemporaryFile("w+") as file:

        def write(number: int) -> None:
            while not closing_time.is_set():
                with two_at_a_time:
                    file.write(f"worker {number}\n")
                    lines[number] += 1
                    time.sleep(0.001)

        threads = [threading.Thread(target=write, args=(number,)) for number in range(workers)]
        for thread in [timer, *threads]:
            thread.start()
        for thread in [timer, *threads]:
            thread.join()
        file.seek(0)
        found = file.read().splitlines()

    complete = all(found.count(f"worker {number}") == lines[number] for number in range(workers))
    print(f"one file       {len(found)} lines from {len(set(found))} threads, all there: {complete}")
    print(f"one timer      rang once and ended all {workers}")
    print(f"one semaphore  is back at two: {two_at_a_time.acquire() and two_at_a_time.acquire()}")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--count", type=int, default=1000, help="threads that wait at once")
    count = parser.parse_args().count

    rounds = [measure_creation_and_memory(count) for _ in range(ROUNDS)]
    creation, memory = min(taken for taken, _ in rounds), rounds[0][1]
    print(f"creation       {creation * 1e6:.1f} µs a thread")
    print(f"switch         {min(measure_switch(5000) for _ in range(ROUNDS)) * 1e6:.2f} µs")
    print(f"memory         {memory / 1024:.1f} KiB a waiting thread ({count} of them)")
    share(workers=5)


if __name__ == "__main__":
    main()
