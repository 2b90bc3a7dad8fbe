"""urllib3 2.6.3, HTTPConnectionPool.urlopen: two threads make a request each, and the pool counts one.

Expected: race
"""

from concurrent.futures import ThreadPoolExecutor

from urllib3 import HTTPConnectionPool

requests = HTTPConnectionPool("127.0.0.1", port=1, maxsize=2, retries=False)
for connection in [requests._get_conn(), requests._get_conn()]:
    requests._put_conn(connection)
with ThreadPoolExecutor(2) as pool:
    for path in ("/a", "/b"):
        pool.submit(requests.urlopen, "GET", path)
assert requests.num_requests == 2, f"{requests.num_requests} of 2 requests counted"
