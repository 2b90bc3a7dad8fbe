"""What the programs have for machine instructions that are one step. This file is not rewritten, so each
operation is one scheduling point: that of the lock.
"""

import threading
from collections.abc import Callable
from typing import Any


class Atom:
    """A value with atomic operations."""

    def __init__(self, value: Any = 0) -> None:
        self.value = value
        self._lock = threading.Lock()

    def get(self) -> Any:
        with self._lock:
            return self.value

    def set(self, value: Any) -> None:
        with self._lock:
            self.value = value

    def swap(self, value: Any) -> Any:
        with self._lock:
            old, self.value = self.value, value
            return old

    def cas(self, old: Any, new: Any) -> bool:
        with self._lock:
            if self.value != old:
                return False
            self.value = new
            return True

    def add(self, amount: int) -> int:
        """The value after it."""
        with self._lock:
            self.value += amount
            return int(self.value)


def run(*bodies: Callable[[], object], mine: Callable[[], object] = lambda: None) -> None:
    """Start a thread for each, do one's own part, wait for them."""
    threads = [threading.Thread(target=body) for body in bodies]
    for thread in threads:
        thread.start()
    mine()
    for thread in threads:
        thread.join()
