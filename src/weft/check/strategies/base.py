"""The interface of strategies.

A strategy is a chooser (weft.models.controlled) that lives through many executions: `begin` comes before
each, `end` after it. It sees threads with their pending operations and nothing of the source.
"""

from typing import Any, Protocol

from weft.models.controlled import REBIND, Task

__all__ = ["READ", "Strategy", "conflict"]

READ = 1  # weft.instrument.points.READ


class Strategy(Protocol):
    """Chooses who goes on, in one execution after another."""

    name: str
    traced: bool  # whether `end` wants the trace of the execution

    def begin(self) -> None:
        """An execution begins."""

    def pick(self, enabled: list[Task], me: Task | None) -> Task | None:
        """The thread that goes on; see weft.models.controlled.Chooser."""

    def end(self, steps: int, trace: list[Any] | None) -> bool:
        """An execution is over; False: there is nothing left to try."""


def conflict(first: Task, second: Task) -> bool:
    """Whether the order of the two pending operations can matter."""
    target = first.target
    if first.kind == REBIND or second.kind == REBIND:
        return bool(first.key == second.key)
    if target is None or target is not second.target:
        return False
    if first.kind == READ and second.kind == READ:
        return False
    return first.key is None or second.key is None or first.key == second.key or first.kind.__class__ is str
