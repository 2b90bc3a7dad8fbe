"""SQLAlchemy 2.0.46, util.memoized_property: two threads get different objects for one attribute, and
what one of them puts there is lost.

Expected: assertion
"""

from threading import Thread

from sqlalchemy.util import memoized_property


class Service:
    @memoized_property
    def listeners(self):
        return []


service = Service()
threads = [Thread(target=lambda name=name: service.listeners.append(name)) for name in "ab"]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
assert sorted(service.listeners) == ["a", "b"], f"listeners: {service.listeners}"
