"""Row 24: the semaphore.

Twenty-three guests come to a bar with five seats, and each stays for three seconds. A semaphore counts
the seats: `acquire` takes one or waits until there is one, `release` gives it back.

Prints how many are in the bar as each guest sits down, then the most at once (5) and the time (15 s:
five rounds of three seconds).
"""

import argparse
import threading
import time

GUESTS, SEATS, STAY = 23, 5, 3.0

seats = threading.Semaphore(SEATS)
counting = threading.Lock()
inside = 0
most_inside = 0


def visit(guest: int, stay: float) -> None:
    global inside, most_inside
    with seats:
        with counting:
            inside += 1
            most_inside = max(most_inside, inside)
            print(f"guest {guest:>2} sits down, {inside} inside", flush=True)
        time.sleep(stay)
        with counting:
            inside -= 1


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--scale", type=float, default=1.0, help="factor on the 3 s that each guest stays")
    stay = STAY * parser.parse_args().scale

    begin = time.monotonic()
    guests = [threading.Thread(target=visit, args=(number, stay)) for number in range(1, GUESTS + 1)]
    for guest in guests:
        guest.start()
    for guest in guests:
        guest.join()
    print(f"{GUESTS} guests, at most {most_inside} inside at once, in {time.monotonic() - begin:.2f} s")


if __name__ == "__main__":
    main()
