"""cachetools 7.0.4, TTLCache: two lookups lose an update of the nesting of its clock, which then stands
still: nothing ever expires again.

Expected: race
"""

import time
from threading import Thread

from cachetools import TTLCache

cache = TTLCache(maxsize=10, ttl=1)
threads = [Thread(target=cache.get, args=("key",)) for _ in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
cache["key"] = "value"
time.sleep(2)
assert "key" not in cache, "the key is there after twice its time to live"
