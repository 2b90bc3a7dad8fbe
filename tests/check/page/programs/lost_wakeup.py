"""A notify that may come before the wait."""

import threading

ready = threading.Condition()
items = []


def consume():
    with ready:
        ready.wait()
        print(items.pop())


t = threading.Thread(target=consume, name="consumer")
t.start()
with ready:
    items.append("bread")
    ready.notify()
t.join()
