"""Row 19: the lock.

The race of `r18_the_race.py` with a lock around reading, sleeping and writing. One thread at a time is
between reading and writing, so no update is lost. It costs that the sleeps come one after another: 10
seconds.

Prints what is left, 0 always, and the time.
"""

import argparse
import threading
import time

n = 100
lock = threading.Lock()


def take_one(pause: float) -> None:
    global n
    with lock:
        temp = n
        time.sleep(pause)
        n = temp - 1


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--scale", type=float, default=1.0, help="factor on the 0.1 s that each one sleeps")
    pause = 0.1 * parser.parse_args().scale

    begin = time.monotonic()
    threads = [threading.Thread(target=take_one, args=(pause,)) for _ in range(100)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(f"100 threads took one each from 100: {n} left, in {time.monotonic() - begin:.2f} s")


if __name__ == "__main__":
    main()
