"""Threads with nothing but `_thread`: start, lock, exit. A join has to be built."""

import _thread
from collections.abc import Callable


def start(function: Callable[[], None]) -> Callable[[], object]:
    """Start a thread; what is returned waits for its end."""
    running = _thread.allocate_lock()
    running.acquire()

    def body() -> None:
        try:
            function()
        finally:
            running.release()

    _thread.start_new_thread(body, ())
    return running.acquire


def leave_early() -> None:
    print("before exit")
    _thread.exit()
    print("never printed")


start(lambda: print("hello from a bare thread"))()
join = start(leave_early)
join()
start(_thread.allocate_lock().acquire)  # a thread that sits there
print("the main thread ends, and waits for nobody")
