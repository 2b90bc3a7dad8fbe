"""What the runtime knows of a thread: its state, what it waits for, where, and its stack."""

import queue
import threading
import time

import weft


def take(orders: queue.Queue[str]) -> None:
    order = orders.get()
    print("took", order)


orders: queue.Queue[str] = queue.Queue()
taker = threading.Thread(target=take, args=(orders,), name="taker")
taker.start()
block = next(block for block in weft.threads() if block.name == "taker")
while block.wait is None:
    time.sleep(0.001)  # let it come to its wait

print(block.name, "is", block.state.name)
print("it", block.wait.reason, "at", block.wait.place)
print("the innermost frame of its stack:", block.stack()[-1])
print("who asks is", weft.current().name, "and it is", weft.current().state.name)
orders.put("tea")
taker.join()
print(block.name, "is", block.state.name)
