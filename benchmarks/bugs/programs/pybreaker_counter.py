"""pybreaker 1.4.1, CircuitMemoryStorage.increment_counter: two breakers share one storage, both calls
fail, and one failure is counted.

Expected: race
"""

from concurrent.futures import ThreadPoolExecutor

from pybreaker import STATE_CLOSED, CircuitBreaker, CircuitMemoryStorage

storage = CircuitMemoryStorage(STATE_CLOSED)
breakers = [CircuitBreaker(fail_max=5, state_storage=storage) for _ in range(2)]
with ThreadPoolExecutor(2) as pool:
    for breaker in breakers:
        pool.submit(breaker.call, open, "/no/such/file")
assert storage.counter == 2, f"{storage.counter} of 2 failures counted"
