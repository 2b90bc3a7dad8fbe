"""SQLAlchemy 2.0.46, Pool.connect: the first two connections of a pool are made at once, and one thread
fails where listeners are set up.

Expected: assertion
"""

from threading import Thread

from sqlalchemy.pool import QueuePool


class Connection:
    def rollback(self):
        pass


pool = QueuePool(Connection)
taken = []
threads = [Thread(target=lambda: taken.append(pool.connect())) for _ in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
assert len(taken) == 2, f"{len(taken)} connections were had"
