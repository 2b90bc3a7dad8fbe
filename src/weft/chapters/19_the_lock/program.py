"""The same ten threads, one at a time where it counts."""

import threading
import time

n = 10
lock = threading.Lock()


def take_one() -> None:
    global n
    with lock:
        seen = n
        time.sleep(0.01)
        n = seen - 1


threads = [threading.Thread(target=take_one) for _ in range(10)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print("left:", n)
