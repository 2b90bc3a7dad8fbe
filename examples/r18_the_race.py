"""Row 18: the race.

A hundred threads take one each from n = 100. Each reads n, sleeps a tenth of a second, and writes back
what it read less one. All have read before any has written, so all write the same value.

Prints what is left: about 99, not 0. Ninety-nine updates are lost. (`r19_the_lock.py` mends it.)
"""

import threading
import time

n = 100


def take_one() -> None:
    global n
    temp = n
    time.sleep(0.1)
    n = temp - 1


def main() -> None:
    threads = [threading.Thread(target=take_one) for _ in range(100)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(f"100 threads took one each from 100: {n} left")


if __name__ == "__main__":
    main()
