"""Two thousand threads on one kernel thread; a wait stops one of them, a busy loop none."""

import os
import threading
import time

gate = threading.Event()
threads = [threading.Thread(target=gate.wait) for _ in range(2000)]
for thread in threads:
    thread.start()
print("threads that wait:", sum(thread.is_alive() for thread in threads))
print("the kernel knows of fewer than twenty:", len(os.listdir("/proc/self/task")) < 20)


def spin() -> None:
    while not gate.is_set():
        pass  # never waits, never gives way


busy = threading.Thread(target=spin)
busy.start()
time.sleep(0.03)  # blocks this thread alone
print("the main thread runs although another one spins:", busy.is_alive())
gate.set()
for thread in [*threads, busy]:
    thread.join()
print("all have ended:", threading.active_count() == 1)
