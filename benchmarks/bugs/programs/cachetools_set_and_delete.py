"""cachetools 7.0.4, Cache: one thread stores a key while another deletes a different one; the size that
the cache counts is off for good.

Expected: race
"""

from threading import Thread

from cachetools import Cache

cache = Cache(100)
cache["old"] = 1
threads = [Thread(target=cache.pop, args=("old",)), Thread(target=cache.update, args=({"new": 2},))]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
assert cache.currsize == len(cache) == 1, f"{len(cache)} items, total size {cache.currsize}"
