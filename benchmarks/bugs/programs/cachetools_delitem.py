"""cachetools 7.0.4, Cache.__delitem__: two threads delete different keys, and the empty cache still
counts one.

Expected: race
"""

from threading import Thread

from cachetools import Cache

cache = Cache(100)
cache.update(a=1, b=2)
threads = [Thread(target=cache.pop, args=(key,)) for key in "ab"]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
assert cache.currsize == len(cache) == 0, f"{len(cache)} items, total size {cache.currsize}"
