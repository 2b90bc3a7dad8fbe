"""Row 22: the reentrant lock.

The table of `r21_deadlock.py`, with both names bound to one RLock. Who has the one has the other: its
owner may take a reentrant lock again, and nobody else can come between. So nobody waits for anybody who
waits.

Prints who took what. The four eat one after another, and none waits for ever.
"""

import threading
import time

fork = noodles = threading.RLock()


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
