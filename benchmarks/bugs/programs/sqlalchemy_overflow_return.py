"""SQLAlchemy 2.0.46, QueuePool without a limit: a checkout that races a return leaves the count of
connections wrong for good.

Expected: race
"""

import sqlite3
from threading import Thread

from sqlalchemy.pool import QueuePool

pool = QueuePool(lambda: sqlite3.connect(":memory:", check_same_thread=False), pool_size=1, max_overflow=-1)
first, second, kept = pool.connect(), pool.connect(), []
first.close()
threads = [Thread(target=second.close), Thread(target=lambda: kept.extend([pool.connect(), pool.connect()]))]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
assert pool.checkedout() == len(kept) == 2, f"{len(kept)} connections are out, {pool.checkedout()} counted"
