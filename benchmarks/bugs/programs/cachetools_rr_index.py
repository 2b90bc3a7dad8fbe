"""cachetools 7.0.4, RRCache.__setitem__: two inserts get the same slot in the index of keys, and the
cache cannot be emptied again.

Expected: exception
"""

from threading import Thread

from cachetools import RRCache

cache = RRCache(maxsize=100)
threads = [Thread(target=cache.update, args=({key: key},)) for key in "ab"]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
while cache:
    cache.popitem()
