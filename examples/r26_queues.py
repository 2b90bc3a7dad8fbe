"""Row 26: queues.

Three orders: first in first out, last in first out, smallest first. `get` on an empty queue waits for
an item, `put` on a full one for room; both can be given a timeout. `task_done` and `join` tell when all
that was put has been worked on; `shutdown` (Python 3.13) ends the waits of those who stand at a queue
that gets no more.

Prints one line for each.
"""

import queue
import threading
import time
from collections.abc import Callable


def order_of(kind: "queue.Queue[object]", items: list[object]) -> list[object]:
    for item in items:
        kind.put(item)
    return [kind.get() for _ in items]


def seconds(call: Callable[[], object]) -> str:
    begin = time.monotonic()
    try:
        outcome = repr(call())
    except (queue.Empty, queue.Full) as error:
        outcome = type(error).__name__
    return f"{outcome} after {time.monotonic() - begin:.1f} s"


def show_waiting() -> None:
    letters: queue.Queue[str] = queue.Queue(maxsize=1)
    threading.Timer(0.2, letters.put, args=("letter",)).start()
    print("get on an empty queue waits:", seconds(letters.get))
    letters.put("first")
    threading.Timer(0.2, letters.get).start()
    print("put on a full queue waits:  ", seconds(lambda: letters.put("second")))
    print("put with a timeout:         ", seconds(lambda: letters.put("third", timeout=0.1)))
    letters.get()
    print("get with a timeout:         ", seconds(lambda: letters.get(timeout=0.1)))
    print("get_nowait:                 ", seconds(letters.get_nowait))


def show_join() -> None:
    jobs: queue.Queue[int] = queue.Queue()
    done: list[int] = []

    def work() -> None:
        while (job := jobs.get()) >= 0:
            time.sleep(0.01)
            done.append(job * job)
            jobs.task_done()

    workers = [threading.Thread(target=work) for _ in range(3)]
    for worker in workers:
        worker.start()
    for job in range(10):
        jobs.put(job)
    jobs.join()
    print("join came back when all was done:", sorted(done))
    for _ in workers:
        jobs.put(-1)
    for worker in workers:
        worker.join()


def show_shutdown() -> None:
    if not hasattr(queue.Queue, "shutdown"):
        print("shutdown: not in this Python")
        return
    orders: queue.Queue[str] = queue.Queue()
    orders.put("last order")

    def serve() -> None:
        try:
            while True:
                print("shutdown: served", orders.get())
        except queue.ShutDown:
            print("shutdown: the waiter goes home")

    waiter = threading.Thread(target=serve)
    waiter.start()
    time.sleep(0.1)
    orders.shutdown()
    waiter.join()


def main() -> None:
    print("fifo:    ", order_of(queue.Queue(), [3, 1, 2]))
    print("lifo:    ", order_of(queue.LifoQueue(), [3, 1, 2]))
    print("numbers: ", order_of(queue.PriorityQueue(), [3, 1, 2]))
    print("strings: ", order_of(queue.PriorityQueue(), ["pear", "apple", "fig"]))
    print("tuples:  ", order_of(queue.PriorityQueue(), [(2, "tea"), (1, "rice"), (1, "bread")]))
    show_waiting()
    show_join()
    show_shutdown()


if __name__ == "__main__":
    main()
