"""Row 2: 100 threads of one trivial function are started and joined, 50 times over."""

import threading

COUNT = 100
ROUNDS = 50

done: list[int] = []


def main() -> None:
    for _ in range(ROUNDS):
        threads = [threading.Thread(target=done.append, args=(number,)) for number in range(COUNT)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    print(f"{len(done)} threads have run")


if __name__ == "__main__":
    main()
