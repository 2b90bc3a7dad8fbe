"""cachetools 7.0.4, @cached(info=True): two hits at the same time are counted as one.

Expected: race
"""

from threading import Thread

from cachetools import LRUCache, cached

double = cached(LRUCache(maxsize=100), info=True)(lambda number: 2 * number)
double(21)
threads = [Thread(target=double, args=(21,)) for _ in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
assert double.cache_info().hits == 2, double.cache_info()
