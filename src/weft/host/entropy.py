"""Chance, from a seed: the same seed gives the same numbers."""

import _random  # random leads to much more

__all__ = ["Stream"]


class Stream(_random.Random):
    """A stream of numbers of its own: not the one that `random`'s functions draw from."""

    def below(self, limit: int) -> int:
        """A whole number from 0 up to but not including `limit`."""
        return int(self.random() * limit)

    def octets(self, size: int) -> bytes:
        """What stands for `os.urandom(size)`."""
        if size < 0:
            raise ValueError("negative argument not allowed")
        return self.getrandbits(8 * size).to_bytes(size, "little") if size else b""
