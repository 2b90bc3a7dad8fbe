"""Four guests, one fork, one bowl of noodles: each has one thing and waits for the other."""

import threading
import time

fork = threading.Lock()
noodles = threading.Lock()


def eat(name: str, first: threading.Lock, second: threading.Lock) -> None:
    with first:
        time.sleep(0.02)
        with second:
            print(name, "eats", flush=True)


def main() -> None:
    orders = {"Ada": (fork, noodles), "Ben": (noodles, fork), "Cleo": (fork, noodles), "Dan": (noodles, fork)}
    guests = [threading.Thread(target=eat, args=(name, *order), name=name) for name, order in orders.items()]
    for guest in guests:
        guest.start()
    for guest in guests:
        guest.join()
    print("all have eaten")


if __name__ == "__main__":
    main()
