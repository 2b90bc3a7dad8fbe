"""The same table, and both names are one lock that its owner may take again."""

import threading
import time

fork = noodles = threading.RLock()
eaten: list[str] = []


def eat(name: str, fork_first: bool) -> None:
    first, second = (fork, noodles) if fork_first else (noodles, fork)
    with first:
        time.sleep(0.005)
        with second:
            eaten.append(name)


guests = [
    threading.Thread(target=eat, args=(name, name in ("Ada", "Cleo")))
    for name in ("Ada", "Ben", "Cleo", "Dan")
]
for guest in guests:
    guest.start()
for guest in guests:
    guest.join()
print("have eaten:", *sorted(eaten))
