"""Three orders, waits with and without an end, and how to know that all work is done."""

import queue
import threading

for kind in (queue.Queue, queue.LifoQueue, queue.PriorityQueue):
    box: queue.Queue[tuple[int, str]] = kind()
    for item in [(2, "tea"), (3, "rice"), (1, "bread")]:
        box.put(item)
    print(kind.__name__, [box.get()[1] for _ in range(3)])

small: queue.Queue[str] = queue.Queue(maxsize=1)
threading.Timer(0.02, small.put, args=("a letter",)).start()
print("get waits for", small.get())
small.put("one")
for name, call in {"put": lambda: small.put("two", timeout=0.01), "get": small.get_nowait}.items():
    try:
        print(name, "gives", call())
    except queue.Full:
        print(name, "gives up: Full")

jobs: queue.Queue[int] = queue.Queue()
done: list[int] = []


def work() -> None:
    while True:
        done.append(jobs.get() ** 2)
        jobs.task_done()


threading.Thread(target=work, daemon=True).start()
for job in range(5):
    jobs.put(job)
jobs.join()
print("join came back, all is done:", done)
