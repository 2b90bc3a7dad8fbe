"""SQLAlchemy 2.0.46, QueuePool._inc_overflow without a limit: two threads check a connection out, and
the pool counts one.

Expected: race
"""

import sqlite3
from threading import Thread

from sqlalchemy.pool import QueuePool

pool = QueuePool(lambda: sqlite3.connect(":memory:", check_same_thread=False), pool_size=1, max_overflow=-1)
taken = [pool.connect()]
threads = [Thread(target=lambda: taken.append(pool.connect())) for _ in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
assert pool.checkedout() == len(taken) == 3, f"{len(taken)} connections are out, {pool.checkedout()} counted"
