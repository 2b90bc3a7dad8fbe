"""20 threads take one lock 500 times each, and give way while they hold it."""

import queue
import threading
import time

THREADS = 20
TIMES = 500

lock = threading.Lock()
taken: "queue.Queue[int]" = queue.Queue()


def add() -> None:
    times = 0
    for _ in range(TIMES):
        with lock:
            seen = times
            time.sleep(0)
            times = seen + 1
    taken.put(times)


def main() -> None:
    threads = [threading.Thread(target=add) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(f"taken {sum(taken.get() for _ in threads)} times")


if __name__ == "__main__":
    main()
