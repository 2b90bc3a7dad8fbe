"""Two hundred threads alive at once, with one file, one timer and one semaphore among them."""

import tempfile
import threading

COUNT = 200
bell = threading.Event()
two_at_a_time = threading.Semaphore(2)
log = tempfile.TemporaryFile("w+")


def write(number: int) -> None:
    bell.wait()
    with two_at_a_time:
        log.write(f"thread {number} was here\n")


timer = threading.Timer(0.05, bell.set)
threads = [threading.Thread(target=write, args=(number,)) for number in range(COUNT)]
for thread in threads:
    thread.start()
print("they wait for the bell:", sum(thread.is_alive() for thread in threads))
timer.start()
for thread in threads:
    thread.join()
log.seek(0)
print("lines in the one file:", len(set(log.read().splitlines())))
