"""Eleven guests, three seats, and each stays for a while."""

import threading
import time

seats = threading.Semaphore(3)
counting = threading.Lock()
inside = most = 0
STAY = 0.02


def visit() -> None:
    global inside, most
    with seats:
        with counting:
            inside += 1
            most = max(most, inside)
        time.sleep(STAY)
        with counting:
            inside -= 1


begin = time.monotonic()
guests = [threading.Thread(target=visit) for _ in range(11)]
for guest in guests:
    guest.start()
for guest in guests:
    guest.join()
print("most at once:", most)
print("it took four rounds or longer:", time.monotonic() - begin >= 4 * STAY)
