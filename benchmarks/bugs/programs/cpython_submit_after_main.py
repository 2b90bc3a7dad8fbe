"""CPython 3.11, concurrent.futures (gh-148280): a thread that still runs when the main thread is done
can submit nothing any more.

Expected: exception
"""

from concurrent.futures import ThreadPoolExecutor
from threading import Thread


def work():
    with ThreadPoolExecutor(1) as pool:
        pool.submit(print, "done")


Thread(target=work).start()
