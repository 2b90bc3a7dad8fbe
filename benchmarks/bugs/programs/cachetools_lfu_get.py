"""cachetools 7.0.4, LFUCache.__getitem__: two threads only look a key up, and one of them gets a
KeyError for a key that is there.

Expected: exception
"""

from threading import Thread

from cachetools import LFUCache

cache = LFUCache(maxsize=10)
cache.update(a=1, b=2)
threads = [Thread(target=cache.__getitem__, args=("a",)) for _ in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
assert cache["a"] == 1
