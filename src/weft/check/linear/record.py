"""What the calls of one execution did: when each began and returned, and what it gave."""

from typing import Any

from weft.check.linear.history import Span
from weft.check.linear.results import Names, Result

__all__ = ["Record"]


class Record:
    """By the numbers of calls.

    Attributes:
        begun, ended: times; None: it never did.
        results: what they gave.
        raw: what they returned, as it is.
        names: numbers of the objects that they gave, for people.
    """

    def __init__(self, count: int) -> None:
        self.begun: list[int | None] = [None] * count
        self.ended: list[int | None] = [None] * count
        self.results: list[Result] = [None] * count
        self.raw: list[Any] = [None] * count
        self.names: Names = {}
        self._clock = 0

    def tick(self) -> int:
        """The next time."""
        self._clock += 1
        return self._clock

    def spans(self, numbers: list[int]) -> list[Span]:
        """When these calls were made."""
        return [(self.begun[number] or 0, self.ended[number]) for number in numbers]

    @property
    def returned(self) -> list[int]:
        """The calls that returned, in the order in which they did."""
        ended = [(end, number) for number, end in enumerate(self.ended) if end is not None]
        return [number for _, number in sorted(ended)]

    @property
    def pending(self) -> list[int]:
        """The calls that began and never returned."""
        return [n for n, end in enumerate(self.ended) if end is None and self.begun[n] is not None]
