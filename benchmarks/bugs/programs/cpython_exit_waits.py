"""CPython 3.11, concurrent.futures (gh-80961): the program's end waits for a pool that was shut down
with wait=False.

Expected: thread-left-behind
"""

from concurrent.futures import ThreadPoolExecutor
from threading import Event

stop = Event()
pool = ThreadPoolExecutor(1)
pool.submit(stop.wait)
pool.shutdown(wait=False)
