"""Who keeps a program alive: threads that are no daemons. A daemon stops with the rest."""

import sys
import threading
import time


def work() -> None:
    time.sleep(0.05)
    print("worker: done, after the main thread", flush=True)


def watch_for_ever() -> None:
    print("daemon: watches for ever", flush=True)
    threading.Event().wait()
    print("daemon: never gets here")


daemon = threading.Thread(target=watch_for_ever, daemon=True)
worker = threading.Thread(target=work)
daemon.start()
time.sleep(0.02)
worker.start()
try:
    worker.daemon = True
except RuntimeError as error:
    print("too late:", error, flush=True)
print("main: ends with 3", flush=True)
sys.exit(3)
