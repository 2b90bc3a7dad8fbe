"""20 threads take one lock 500 times each, and give way while they hold it."""

import threading
import time

THREADS = 20
TIMES = 500

lock = threading.Lock()
total = 0


def add() -> None:
    global total
    for _ in range(TIMES):
        with lock:
            seen = total
            time.sleep(0)
            total = seen + 1


def main() -> None:
    threads = [threading.Thread(target=add) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(f"{total} is the total")


if __name__ == "__main__":
    main()
