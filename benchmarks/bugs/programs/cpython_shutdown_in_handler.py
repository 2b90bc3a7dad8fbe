"""CPython 3.11, concurrent.futures (gh-121649): shutdown in a signal handler waits for the lock that the
interrupted submit holds.

Expected: self-deadlock
"""

import os
import signal
from concurrent.futures import ThreadPoolExecutor
from threading import Thread

pool = ThreadPoolExecutor(1)
signal.signal(signal.SIGTERM, lambda *_: pool.shutdown(wait=False))
Thread(target=os.kill, args=(os.getpid(), signal.SIGTERM)).start()
try:
    pool.submit(print, "done")
except RuntimeError:
    pass
