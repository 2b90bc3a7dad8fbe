"""cachetools 7.0.4, Cache.clear: an insert that races it is left out of the size, which goes below zero
when the key is deleted.

Expected: assertion
"""

from threading import Thread

from cachetools import Cache

cache = Cache(100)
threads = [Thread(target=cache.clear), Thread(target=cache.update, args=({"new": 2},))]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
assert cache.currsize == len(cache), f"{len(cache)} items, total size {cache.currsize}"
