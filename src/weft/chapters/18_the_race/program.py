"""Ten threads take one each from ten. How many are left?"""

import threading
import time

n = 10


def take_one() -> None:
    global n
    seen = n
    time.sleep(0.1)
    n = seen - 1


threads = [threading.Thread(target=take_one) for _ in range(10)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print("left:", n)
