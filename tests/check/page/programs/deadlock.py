"""Two locks that two threads take in two orders."""

import threading

fork, bowl = threading.Lock(), threading.Lock()


def eat(first, second):
    with first:
        with second:
            pass


def eat_too():
    with bowl:
        with fork:
            pass


threads = [
    threading.Thread(target=eat, args=(fork, bowl), name="Al"),
    threading.Thread(target=eat_too, name="Ben"),
]
for t in threads:
    t.start()
for t in threads:
    t.join()
