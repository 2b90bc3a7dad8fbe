"""A thousand threads each sleep ten times for 20 ms."""

import queue
import threading
import time

SLEEPERS = 1_000
TIMES = 10
NAP = 0.02

woken: "queue.Queue[int]" = queue.Queue()


def sleeper() -> None:
    times = 0
    for _ in range(TIMES):
        time.sleep(NAP)
        times += 1
    woken.put(times)


def main() -> None:
    threads = [threading.Thread(target=sleeper) for _ in range(SLEEPERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(f"{sum(woken.get() for _ in threads)} times one woke")


if __name__ == "__main__":
    main()
