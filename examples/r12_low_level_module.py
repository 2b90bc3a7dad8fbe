"""Row 12: the low-level module.

`_thread` can start a thread, allocate a lock and end the thread that asks for it. It has no thread
objects, no daemons and no joining: the main thread does not wait, and what still runs dies with it. The
higher layers stand on it, as the small `Thread` class here does, whose `join` is a lock that is let go
at the end.

Prints what two joined threads did, what a thread did that left early, and then a clock that the end of
the main thread cuts off: "tick 3" is never printed.
"""

import _thread
import time
from collections.abc import Callable


class Thread:
    """`threading.Thread` in a nutshell."""

    def __init__(self, target: Callable[..., None], *args: object) -> None:
        self.target, self.args = target, args
        self.running = _thread.allocate_lock()

    def start(self) -> None:
        self.running.acquire()
        _thread.start_new_thread(self.run, ())

    def run(self) -> None:
        try:
            self.target(*self.args)
        finally:
            self.running.release()

    def join(self) -> None:
        with self.running:
            pass


def greet(name: str) -> None:
    print(f"{name}: hello from a thread that is not the main one: {_thread.get_ident() != MAIN}")


def leave_early() -> None:
    print("leaver: before exit")
    _thread.exit()
    print("leaver: after exit")


def tick_for_ever() -> None:
    number = 0
    while True:
        number += 1
        print(f"clock: tick {number}", flush=True)
        time.sleep(0.2)


MAIN = _thread.get_ident()


def main() -> None:
    for thread in (Thread(greet, "first"), Thread(greet, "second"), Thread(leave_early)):
        thread.start()
        thread.join()

    _thread.start_new_thread(tick_for_ever, ())
    time.sleep(0.3)
    print("main: ends, and waits for nobody", flush=True)


if __name__ == "__main__":
    main()
