"""Row 7: a hard question, what `fork` does to threads.

A program with three busy threads forks, and not from its main thread. The child has the one thread that
called `fork`, which is its main thread now. The others are gone, and a lock that one of them held is
held for ever. The child's runtime works: it starts threads of its own, waits, and uses a queue.

Prints what the parent has, then what the child finds, then the child's exit status.
"""

import os
import queue
import sys
import threading
import warnings

HELD = threading.Lock()


def names() -> str:
    return ", ".join(sorted(thread.name for thread in threading.enumerate()))


def hold_the_lock(holding: threading.Event, enough: threading.Event) -> None:
    with HELD:
        holding.set()
        enough.wait()


def life_of_the_child() -> None:
    print(f"child has:  {names()}")
    print(f"child's main thread is: {threading.main_thread().name}")
    print(f"child gets the lock of a thread that is gone: {HELD.acquire(timeout=0.1)}")

    squares: queue.Queue[int] = queue.Queue()
    threads = [threading.Thread(target=lambda n=n: squares.put(n * n)) for n in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(f"child's own threads made: {sorted(squares.get() for _ in threads)}")


def fork_and_wait() -> None:
    sys.stdout.flush()  # or both would print what is in the buffer
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # 3.12 on: "use of fork() may lead to deadlocks"
        pid = os.fork()
    if pid == 0:
        life_of_the_child()
        sys.stdout.flush()
        os._exit(7)
    _, status = os.waitpid(pid, 0)
    print(f"parent: child ended with {os.waitstatus_to_exitcode(status)}")


def main() -> None:
    holding, enough = threading.Event(), threading.Event()
    holder = threading.Thread(target=hold_the_lock, args=(holding, enough), name="holder")
    waiter = threading.Thread(target=enough.wait, name="waiter")
    forker = threading.Thread(target=fork_and_wait, name="forker")
    holder.start()
    waiter.start()
    holding.wait()
    print(f"parent has: {names()} and soon {forker.name}")
    forker.start()
    forker.join()
    enough.set()
    holder.join()
    waiter.join()
    print(f"parent goes on with: {names()}; its lock is free: {not HELD.locked()}")


if __name__ == "__main__":
    main()
