"""Who lives, who waits and who holds what between two steps of one execution: what a picture of it shows.

A *gap* is the moment before a step: gap 0 before the first, gap n after the last of n. Everything is read off
the model between steps. Nothing of the program runs for it, and no name of it is looked up.
"""

import weakref
from collections.abc import Callable
from typing import Any

from weft.check import findings
from weft.check.locks import Lock, RLock
from weft.check.world import MODEL, Notes
from weft.models.controlled import START_TIME, Task

__all__ = ["Lanes"]


class Lanes:
    """One execution, looked at in each gap.

    Args:
        number_of: the number of a thing, as the steps have it.
    """

    def __init__(self, number_of: Callable[[Any], int]) -> None:
        self._number_of = number_of
        self._times: list[float] = []
        self._lives: dict[int, list[Any]] = {}
        self._living: set[int] = set()
        self._waits: list[list[Any]] = []
        self._waiting: dict[int, list[Any]] = {}
        self._holds: list[list[Any]] = []
        self._held: dict[int, tuple[Any, list[Any]]] = {}
        self._notes: list[list[Any]] = []
        self._last: Any = None  # a weak reference to the lock that the last step was on
        self._heard: list[tuple[int, Any, str, str]] = []
        Notes.heard = self._heard

    def step(self, task: Task) -> None:
        """A thread makes a step."""
        self._times.append(round(MODEL.now - START_TIME, 6))
        self._last = weakref.ref(task.target) if isinstance(task.target, (Lock, RLock)) else None

    def look(self) -> None:
        """The gap before the next step, or after the last."""
        gap = len(self._times)
        self._look_at_notes(gap)
        before = MODEL.pause()  # whatever a guard asks is no operation
        try:
            self._look_at_threads(gap)
        finally:
            MODEL.resume(before)
        self._look_at_locks(gap)

    def _look_at_notes(self, gap: int) -> None:
        for number, target, text, place in self._heard:
            self._notes.append([gap, number, place, text, self._number_of(target)])
        self._heard.clear()

    def _look_at_threads(self, gap: int) -> None:
        living: set[int] = set()
        for task in MODEL.tasks:
            living.add(task.number)
            if task.number not in self._lives:
                self._lives[task.number] = [task.number, task.name, gap, -1, task.parent]
            known = self._waiting.get(task.number)
            if task.guard is None or task.guard(task):
                if known is not None:
                    known[2] = gap - 1
                    del self._waiting[task.number]
            elif known is None:
                self._wait(task, gap)
        for number in self._living - living:
            self._lives[number][3] = gap - 1
            known = self._waiting.pop(number, None)
            if known is not None:
                known[2] = gap - 1
        self._living = living

    def _wait(self, task: Task, gap: int) -> None:
        holder = findings.holder_of(task)
        until = None if task.deadline is None else round(task.deadline - START_TIME, 6)
        thing = 0 if isinstance(task.target, Task) else self._number_of(task.target)
        wait = [task.number, gap, -1, str(task.kind), thing, -1 if holder is None else holder.number, until]
        self._waits.append(wait)
        self._waiting[task.number] = wait

    def _look_at_locks(self, gap: int) -> None:
        last = self._last() if self._last is not None else None
        looked = [lock for lock, _ in self._held.values()]
        if isinstance(last, (Lock, RLock)) and self._number_of(last) not in self._held:
            looked.append(last)
        for lock in looked:
            thing = self._number_of(lock)
            owner = -1 if lock._owner is None else lock._owner.number
            known = self._held.get(thing)
            if known is not None and known[1][1] != owner:
                known[1][3] = gap - 1
                del self._held[thing]
                known = None
            if known is None and owner >= 0:
                hold = [thing, owner, max(0, gap - 1), -1]
                self._holds.append(hold)
                self._held[thing] = (lock, hold)

    @property
    def plain(self) -> dict[str, Any]:
        """All of it, of plain types.

        `times`: the virtual time of each step, in seconds since the execution began. `lives`: a thread's
        number, name, first and last gap in which it lives, and the number of who started it. `waits`: a
        thread's number, the first and last gap in which it cannot go on, the operation, the thing's number,
        who holds it, and the virtual time at which it gives up. `holds`: a lock's number, whose it is, the
        step that takes it and the step in which it is let go. `notes`: the gap, whose, where, what, and the
        thing's number. A last gap or step of -1 is the end of the execution; a thread of -1 is nobody.
        """
        return {
            "times": self._times,
            "lives": list(self._lives.values()),
            "waits": self._waits,
            "holds": self._holds,
            "notes": self._notes,
        }
