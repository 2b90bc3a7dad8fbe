"""Row 2: 100 threads of one trivial function are started and joined, 10 times over."""

import threading

COUNT = 100
ROUNDS = 10


def trivial() -> None:
    pass


def main() -> None:
    ended = 0
    for _ in range(ROUNDS):
        threads = [threading.Thread(target=trivial) for _ in range(COUNT)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        ended += sum(not thread.is_alive() for thread in threads)
    print(f"{ended} threads have run")


if __name__ == "__main__":
    main()
