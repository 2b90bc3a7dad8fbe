"""CPython 3.12, functools.cached_property: without a lock it computes twice, and what a thread puts into
its value is lost.

Expected: assertion
"""

from functools import cached_property
from threading import Thread


class Service:
    @cached_property
    def listeners(self):
        return []


service = Service()
threads = [Thread(target=lambda name=name: service.listeners.append(name)) for name in "ab"]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
assert sorted(service.listeners) == ["a", "b"], f"listeners: {service.listeners}"
