"""cachetools 7.0.4, LRUCache: a lookup that races a deletion leaves the key in the order of use, and a
later eviction fails on it.

Expected: exception
"""

from threading import Thread

from cachetools import LRUCache

cache = LRUCache(maxsize=2)
cache["page"] = "text"
threads = [Thread(target=cache.get, args=("page",)), Thread(target=cache.pop, args=("page", None))]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
for number in range(4):
    cache[number] = number
