"""A thousand threads each sleep ten times for 20 ms."""

import threading
import time

SLEEPERS = 1_000
TIMES = 10
NAP = 0.02

woken: list[int] = []


def sleeper() -> None:
    for number in range(TIMES):
        time.sleep(NAP)
        woken.append(number)


def main() -> None:
    threads = [threading.Thread(target=sleeper) for _ in range(SLEEPERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(f"{len(woken)} times one woke")


if __name__ == "__main__":
    main()
