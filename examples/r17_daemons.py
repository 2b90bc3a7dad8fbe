"""Row 17: daemons.

A program ends when all its threads have that are not daemons. A daemon thread does not keep the
program: it stops when the others have ended. `daemon` is set before `start`; afterwards it is too late.
A process ends with its own code, and the parent that joins it has reaped it.

Prints each end as it comes: the child process, the main thread, the worker that outlives it, and then
nothing more of the daemon. The exit status of the program is 3, the main thread's own.
"""

import atexit
import multiprocessing
import sys
import threading
import time


def child() -> None:
    sys.exit(5)


def work() -> None:
    time.sleep(0.35)
    print("worker: done, the last thread that is no daemon", flush=True)


def tick_for_ever() -> None:
    while True:
        time.sleep(0.1)
        print("daemon: tick", flush=True)


def main() -> None:
    process = multiprocessing.Process(target=child)
    process.start()
    process.join()
    print(
        f"main: the child process ended with {process.exitcode}, left to reap: "
        f"{len(multiprocessing.active_children())}"
    )

    worker = threading.Thread(target=work)
    ticker = threading.Thread(target=tick_for_ever, daemon=True)
    print(f"main: worker is a daemon {worker.daemon}, ticker is a daemon {ticker.daemon}", flush=True)
    worker.start()
    ticker.start()
    try:
        worker.daemon = True
    except RuntimeError as error:
        print(f"main: too late: {error}", flush=True)

    atexit.register(print, "exit handlers: after the worker", flush=True)
    print("main: ends with 3", flush=True)
    sys.exit(3)


if __name__ == "__main__":
    main()
