"""SQLAlchemy 2.0.46, util.LRUCache._inc_counter: lookups of two keys get one time of use between them,
so the cache evicts the wrong one.

Expected: assertion
"""

from threading import Thread

from sqlalchemy.util import LRUCache

cache = LRUCache(10)
cache.update(a=1, b=2)
threads = [Thread(target=cache.get, args=(key,)) for key in "ab"]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
used = [when for _, _, [when] in cache._data.values()]
assert sorted(used) == [3, 4], f"times of use: {used}"
