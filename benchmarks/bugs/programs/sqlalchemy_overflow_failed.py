"""SQLAlchemy 2.0.46, QueuePool._dec_overflow without a limit: one thread connects, the attempt of another
fails, and the pool's count is wrong for good.

Expected: race
"""

import sqlite3
from threading import Thread

from sqlalchemy.pool import QueuePool


def take():
    try:
        taken.append(pool.connect())
    except sqlite3.OperationalError:
        pass


places = [":memory:", "/no/such/folder/data", ":memory:"]
pool = QueuePool(lambda: sqlite3.connect(places.pop(), check_same_thread=False), max_overflow=-1)
taken = [pool.connect()]
threads = [Thread(target=take) for _ in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
assert pool.checkedout() == len(taken) == 2, f"{len(taken)} connections are out, {pool.checkedout()} counted"
