"""Row 21: deadlock.

Four guests at one table with one fork and one bowl of noodles. Two take the fork first and then the
noodles, two the other way round. As soon as one has the fork and another one the noodles, each waits
for the other for ever.

Prints who took what. Then plain Python hangs in silence. `weft run` says who waits for whom and where,
and ends with DeadlockError and exit status 1. (Two cures: `r22_reentrant_lock.py` and
`r23_coarse_lock.py`.)
"""

import threading
import time

fork = threading.Lock()
noodles = threading.Lock()


def eat_fork_first(name: str) -> None:
    with fork:
        print(f"{name} has the fork", flush=True)
        time.sleep(0.1)
        with noodles:
            print(f"{name} eats", flush=True)


def eat_noodles_first(name: str) -> None:
    with noodles:
        print(f"{name} has the noodles", flush=True)
        time.sleep(0.1)
        with fork:
            print(f"{name} eats", flush=True)


def main() -> None:
    guests = [
        threading.Thread(target=eat_fork_first, args=("Ada",), name="Ada"),
        threading.Thread(target=eat_noodles_first, args=("Ben",), name="Ben"),
        threading.Thread(target=eat_fork_first, args=("Cleo",), name="Cleo"),
        threading.Thread(target=eat_noodles_first, args=("Dan",), name="Dan"),
    ]
    for guest in guests:
        guest.start()
    for guest in guests:
        guest.join()
    print("all have eaten")


if __name__ == "__main__":
    main()
