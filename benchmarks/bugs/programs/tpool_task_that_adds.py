"""tpool 1.7, WildPool._should_keep_going: the worker finds the bench empty and ends while a task adds
another, which is never run.

Expected: assertion
"""

from threading import Thread

from TPool import WildPool

done = []
pool = WildPool(pool_size=2)
pool.add_thread(Thread(target=lambda: pool.add_thread(Thread(target=done.append, args=("second",)))))
pool.start_worker()
pool.join()
assert done == ["second"], f"done when the pool has been joined: {done}"
