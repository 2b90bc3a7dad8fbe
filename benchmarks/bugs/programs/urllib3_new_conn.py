"""urllib3 2.6.3, HTTPConnectionPool._new_conn: two threads take a connection each, and the pool counts
one.

Expected: race
"""

from threading import Thread

from urllib3 import HTTPConnectionPool

pool = HTTPConnectionPool("localhost", maxsize=2)
threads = [Thread(target=pool._get_conn) for _ in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
assert pool.num_connections == 2, f"{pool.num_connections} of 2 connections counted"
