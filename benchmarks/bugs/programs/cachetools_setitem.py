"""cachetools 7.0.4, Cache.__setitem__: two threads store different keys, and the cache counts the size
of only one of them.

Expected: race
"""

from threading import Thread

from cachetools import Cache

cache = Cache(maxsize=100)
threads = [Thread(target=cache.update, args=({key: "value"},)) for key in "ab"]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
assert cache.currsize == len(cache), f"{len(cache)} items of size 1, total {cache.currsize}"
