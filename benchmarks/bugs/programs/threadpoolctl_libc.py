"""threadpoolctl 3.6.0, ThreadpoolController._get_libc: two threads find the table of system libraries
empty, and both load libc.

Expected: assertion
"""

from concurrent.futures import ThreadPoolExecutor

from threadpoolctl import ThreadpoolController

with ThreadPoolExecutor(2) as pool:
    calls = [pool.submit(ThreadpoolController._get_libc) for _ in range(2)]
first, second = (call.result() for call in calls)
assert first is second, "libc was loaded twice"
