"""Row 13: `multiprocessing` mirrors `threading`.

Four workers take ranges of numbers from one queue, count the primes in them, and put what they found into
another; a lock, an event and a pool of four more are shared as well. Nothing in the program says whether its
workers are threads or processes: the model does. It keeps to what both can do, and shares by queues alone.

Prints what was found, which is the same on every model, and in how many processes it was computed.
"""

import os
import queue
import threading
from concurrent.futures import ThreadPoolExecutor

WORKERS = 4
LIMIT = 4_000
STEP = 250


def is_prime(number: int) -> bool:
    return number > 1 and all(number % divisor for divisor in range(2, int(number**0.5) + 1))


def count_primes(begin: int) -> int:
    return sum(is_prime(number) for number in range(begin, begin + STEP))


def work(tasks: queue.Queue, results: queue.Queue, go: threading.Event, book: threading.Lock) -> None:
    go.wait()
    while (begin := tasks.get()) is not None:
        found = count_primes(begin)
        with book:
            results.put((begin, found, os.getpid()))


def main() -> None:
    tasks: queue.Queue = queue.Queue()
    results: queue.Queue = queue.Queue()
    go, book = threading.Event(), threading.Lock()
    workers = [threading.Thread(target=work, args=(tasks, results, go, book)) for _ in range(WORKERS)]
    for worker in workers:
        worker.start()
    for begin in range(0, LIMIT, STEP):
        tasks.put(begin)
    for _ in workers:
        tasks.put(None)
    go.set()
    for worker in workers:
        worker.join()

    found = [results.get() for _ in range(0, LIMIT, STEP)]
    print(f"by workers: {sum(count for _, count, _ in found)} primes below {LIMIT}")
    with ThreadPoolExecutor(WORKERS) as pool:
        print(f"by a pool:  {sum(pool.map(count_primes, range(0, LIMIT, STEP)))} primes below {LIMIT}")
    elsewhere = {pid for _, _, pid in found} - {os.getpid()}
    print("computed in processes of their own" if elsewhere else "computed in the main process")


if __name__ == "__main__":
    main()
