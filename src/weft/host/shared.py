"""Numbers in memory that forked children share with their parent: each written by one process."""

import mmap

__all__ = ["SharedNumbers"]

WIDTH = 8  # bytes


class SharedNumbers:
    """So many whole numbers from 0 up, at first 0; the children that are forked see the same ones."""

    def __init__(self, count: int) -> None:
        self._memory = memoryview(mmap.mmap(-1, count * WIDTH)).cast("Q")

    def __getitem__(self, index: int) -> int:
        return self._memory[index]

    def __setitem__(self, index: int, value: int) -> None:
        self._memory[index] = value
