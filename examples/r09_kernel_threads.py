"""Row 9: kernel-level threads.

On the kernel model the kernel knows each thread and schedules it, on any processor that is free. Python
code keeps the interpreter's lock while it runs, so two such threads share one processor (unless the
interpreter is free-threaded); C code that lets go of the lock, as hashing does, runs on several at
once.

Prints how many kernel threads carry four threads, and how many processors the work of two threads kept
busy: processor time divided by elapsed time. On the user model the first two figures are about one; long
hashing is offloaded to kernel threads there, so the third is as on the kernel model.
"""

import hashlib
import os
import threading
import time
from collections.abc import Callable


def kernel_thread_id() -> str:
    try:
        return os.readlink("/proc/thread-self")
    except OSError:
        return str(threading.get_native_id())


def python_work() -> None:
    total = 0
    for number in range(2_000_000):
        total += number


def c_work() -> None:
    hashlib.pbkdf2_hmac("sha256", b"password", b"salt", 200_000)


def count_carriers(threads: int) -> int:
    """How many kernel threads carry this many threads that live at the same time."""
    carriers: set[str] = set()
    meeting = threading.Barrier(threads)

    def register() -> None:
        carriers.add(kernel_thread_id())
        meeting.wait()

    run_together([register] * threads)
    return len(carriers)


def run_together(tasks: list[Callable[[], None]]) -> None:
    threads = [threading.Thread(target=task) for task in tasks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def processors_kept_busy(work: Callable[[], None]) -> float:
    begin, cpu_begin = time.perf_counter(), time.process_time()
    run_together([work, work])
    return (time.process_time() - cpu_begin) / (time.perf_counter() - begin)


def main() -> None:
    print(f"this machine has {os.cpu_count()} processors")
    print(f"4 threads are carried by {count_carriers(4)} kernel threads")
    print(f"2 threads of Python code kept {processors_kept_busy(python_work):.2f} processors busy")
    print(f"2 threads of C code kept      {processors_kept_busy(c_work):.2f} processors busy")


if __name__ == "__main__":
    main()
