"""SQLAlchemy 2.0.46, util.ScopedRegistry.__call__: two threads of one scope ask for its session, and two
are made.

Expected: assertion
"""

from threading import Thread

from sqlalchemy.util import ScopedRegistry

made = []
registry = ScopedRegistry(lambda: made.append("session"), lambda: "one request")
threads = [Thread(target=registry) for _ in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
assert made == ["session"], f"{len(made)} sessions made for one scope"
