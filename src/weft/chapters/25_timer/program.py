"""A call that is made later, once; and one that is cancelled in time."""

import threading
import time

begin = time.monotonic()
heard: list[str] = []


def hello(name: str) -> None:
    heard.append(f"hello, {name}; not before its time: {time.monotonic() - begin >= 0.05}")


greeting = threading.Timer(0.05, hello, args=("world",))
mistake = threading.Timer(0.05, hello, args=("never",))
greeting.start()
mistake.start()
print("start comes back at once, and nobody has said anything:", heard == [])
mistake.cancel()
greeting.join()
mistake.join()
print(*heard, sep="\n")
print("said in all:", len(heard))
