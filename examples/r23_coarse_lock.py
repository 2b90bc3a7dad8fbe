"""Row 23: one coarse mutex.

The table of `r21_deadlock.py`, with one lock for the whole meal in place of one for each thing on it. A
plain Lock will do, since nobody takes it twice. What it costs: nobody can use the noodles while
somebody only holds the fork.

Prints who took what. The four eat one after another, and none waits for ever.
"""

import threading
import time

table = threading.Lock()


def eat(name: str, first: str, second: str) -> None:
    with table:
        print(f"{name} has the {first}", flush=True)
        time.sleep(0.1)
        print(f"{name} has the {second} and eats", flush=True)


def main() -> None:
    guests = [
        threading.Thread(target=eat, args=("Ada", "fork", "noodles"), name="Ada"),
        threading.Thread(target=eat, args=("Ben", "noodles", "fork"), name="Ben"),
        threading.Thread(target=eat, args=("Cleo", "fork", "noodles"), name="Cleo"),
        threading.Thread(target=eat, args=("Dan", "noodles", "fork"), name="Dan"),
    ]
    for guest in guests:
        guest.start()
    for guest in guests:
        guest.join()
    print("all have eaten")


if __name__ == "__main__":
    main()
