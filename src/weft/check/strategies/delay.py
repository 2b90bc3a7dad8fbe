"""Depth-first search with a bound on delays (Emmi, Qadeer and Rakamaric, 2011).

Without a delay threads run in turns, each until it has to wait. A delay passes over the thread whose turn it
is. All schedules with at most `bound` delays are run, those with fewer first; how many they are does not
depend on the number of threads.
"""

from weft.check.strategies.dfs import BoundedDfs
from weft.models.controlled import Task

__all__ = ["DelayDfs"]


class DelayDfs(BoundedDfs):
    """All schedules with at most `bound` delays."""

    name = "delay"

    def costs(self, enabled: list[Task], me: Task | None, last: int) -> list[tuple[Task, int]]:
        """Who may go on, in turn, each with the number of delays that it takes."""
        behind = [task for task in enabled if task.number < last]
        ahead = [task for task in enabled if task.number >= last]
        return [(task, count) for count, task in enumerate([*ahead, *behind])]
