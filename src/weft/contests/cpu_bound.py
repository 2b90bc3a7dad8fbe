"""Four threads compute in Python code, and never wait."""

import threading

THREADS = 4
BELOW = 200_000


def count_primes(first: int, step: int, found: list[int]) -> None:
    """Primes among first, first + step, ..., by trial division."""
    count = 0
    for number in range(first, BELOW, step):
        for divisor in range(2, int(number**0.5) + 1):
            if number % divisor == 0:
                break
        else:
            count += number > 1
    found.append(count)


def main() -> None:
    found: list[int] = []
    threads = [threading.Thread(target=count_primes, args=(n, THREADS, found)) for n in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(f"{sum(found)} primes below {BELOW}")


if __name__ == "__main__":
    main()
