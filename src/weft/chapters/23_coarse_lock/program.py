"""The same table, with one lock for the whole meal."""

import threading
import time

table = threading.Lock()
eaten: list[str] = []


def eat(name: str) -> None:
    with table:  # the fork and the noodles, in whatever order
        time.sleep(0.005)
        eaten.append(name)


guests = [threading.Thread(target=eat, args=(name,)) for name in ("Ada", "Ben", "Cleo", "Dan")]
for guest in guests:
    guest.start()
for guest in guests:
    guest.join()
print("have eaten:", *sorted(eaten))
