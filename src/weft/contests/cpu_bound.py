"""Four threads compute in Python code, and never wait."""

import queue
import threading

THREADS = 4
BELOW = 500_000


def count_primes(first: int, step: int, found: "queue.Queue[int]") -> None:
    """Primes among first, first + step, ..., by trial division."""
    count = 0
    for number in range(first, BELOW, step):
        for divisor in range(2, int(number**0.5) + 1):
            if number % divisor == 0:
                break
        else:
            count += number > 1
    found.put(count)


def main() -> None:
    found: queue.Queue[int] = queue.Queue()
    threads = [threading.Thread(target=count_primes, args=(n, THREADS, found)) for n in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(f"{sum(found.get() for _ in threads)} primes below {BELOW}")


if __name__ == "__main__":
    main()
