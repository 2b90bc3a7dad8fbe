"""A cache under threads: is what its calls give what some order of them gives?

    python examples/check_cache.py

Two caches keep the values that were used last. `weft.check.linearizable` makes up calls for two threads, runs
them under many schedules, and compares with what the same class gives when the calls are made one after
another. The first cache takes a value out to put it back as the newest, and in between nobody else finds it.
The second does the same under a lock.
"""

import argparse
import sys
import threading

from hypothesis import strategies as st

import weft

SIZE = 2


class BrokenCache:
    """Keeps the values of the SIZE keys that were used last."""

    def __init__(self):
        self._values = {}  # in the order of their last use

    def get(self, key):
        """The value, or None."""
        if key not in self._values:
            return None
        value = self._values.pop(key)
        self._values[key] = value  # the newest now
        return value

    def put(self, key, value):
        """Keep a value; the one that was not used for longest may go."""
        self._values.pop(key, None)
        if len(self._values) == SIZE:
            del self._values[next(iter(self._values))]
        self._values[key] = value


class MendedCache(BrokenCache):
    """The same, one call at a time."""

    def __init__(self):
        super().__init__()
        self._lock = threading.Lock()

    def get(self, key):
        """The value, or None."""
        with self._lock:
            return super().get(key)

    def put(self, key, value):
        """Keep a value."""
        with self._lock:
            super().put(key, value)


KEYS = st.integers(0, 2)
CALLS = {"get": (KEYS,), "put": (KEYS, st.sampled_from(["red", "blue"]))}


def check(cache, examples):
    """Whether the calls of a cache give what some order of them gives."""
    print(f"{cache.__name__}:")
    try:
        found = weft.check.linearizable(cache, CALLS, examples=examples)
    except AssertionError as failure:  # in a test it would be the failure of the test
        print(failure)
        return False
    print(found)
    return True


def main():
    """Check both."""
    parser = argparse.ArgumentParser(
        description="A cache that loses a value for a moment, and one that does not."
    )
    parser.add_argument("--examples", type=int, default=60, help="sets of calls to try (60)")
    examples = parser.parse_args().examples
    broken = check(BrokenCache, examples)
    print()
    mended = check(MendedCache, examples)
    sys.exit(0 if mended and not broken else 1)


if __name__ == "__main__":
    main()
