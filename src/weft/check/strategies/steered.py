"""Steering: threads are held so that named operations come in the given order, as far as they still come.

A thread that is about to do what is wanted next goes on; one that is about to do what is wanted later is
held; all else is free. Of what is free that thread goes first of which the next operation is wanted, and
those go last that have begun. An operation that cannot come is left out: its thread has ended, or none but
those held could go on, or it has not come for long. So steering never holds up a program that has changed.
After the last operation nobody is preempted.
"""

import sys
from collections.abc import Iterable, Iterator
from typing import Any

from weft.check import findings
from weft.check.order import CLOCK, Labels, Named, Spot, alike, spot, spot_at
from weft.check.teller import operation
from weft.check.world import MODEL
from weft.core.places import place_of
from weft.host.entropy import Stream
from weft.models.controlled import Task

__all__ = ["ALIKE", "ANY", "EXACT", "Near", "Steered"]

EXACT, ALIKE, ANY = range(3)  # whose an operation may be: of that name, of a name like it, of anybody's
MAIN = "MainThread"
PATIENCE = 2_000  # choices after which an operation that has not come is left out
LEFT_OUT = 0.25  # the probability with which an execution nearby leaves an operation out
STRAYS = (0.0, 0.1, 0.3)  # with which it goes another way, one an execution, in turn


class _Wanted:
    """One operation of an order; `loose`: either the function or the line has to fit."""

    __slots__ = ("index", "loose", "spot", "thread")

    def __init__(self, index: int, named: Named, loose: bool) -> None:
        self.index = index
        self.thread = named.thread
        self.spot = spot(named)
        self.loose = loose

    def stands_at(self, about: Spot) -> bool:
        """Whether it stands there."""
        wanted = self.spot
        function = not wanted.function or wanted.function == about.function
        words = not wanted.words or wanted.words == about.words
        return (function or words) if self.loose else (function and words)


class Steered:
    """Follows an order.

    Args:
        order: the operations.
        whose: how the names of threads are taken: EXACT, ALIKE or ANY.
        loose: the operations, by index, for which either the function or the line has to fit; for the others
            both do.
    """

    name = "steered"
    traced = False
    every = True  # it has to see each step

    def __init__(self, order: list[Named], whose: int = EXACT, loose: Iterable[int] = ()) -> None:
        self.clocked = any(named.thread == CLOCK for named in order)
        self._whose = whose
        loose = frozenset(loose)
        self._all = [_Wanted(at, named, at in loose) for at, named in enumerate(order)]
        self.begin()

    def begin(self) -> None:
        """The execution begins."""
        self._left_out: list[int] = []
        self._waited = 0
        self._todo = self._chosen()[::-1]  # the next one stands last
        self._steps: dict[str, list[_Wanted]] = {}  # the same for each thread of the order
        for wanted in self._todo:
            self._steps.setdefault(wanted.thread, []).append(wanted)
        self._labels = Labels()
        self._label: dict[int, str] = {}  # of the threads, by number
        self._role: dict[int, str] = {}  # which thread of the order a thread has turned out to be
        self._played: dict[str, int] = {}  # the other way round
        self._about: dict[int, Spot] = {}

    @property
    def missed(self) -> list[int]:
        """The operations that did not come in this execution."""
        return [*self._left_out, *(wanted.index for wanted in reversed(self._todo))]

    def _chosen(self) -> "list[_Wanted]":
        """What is wanted in this execution."""
        return self._all

    def end(self, steps: int, trace: list[Any] | None) -> bool:
        """The execution is over."""
        return False

    def pick(self, enabled: list[Task], me: Task | None) -> Task | None:
        """The thread that goes on."""
        if not self._todo:
            return self._afterwards(enabled, me)
        self._meet(me)
        while self._todo:
            next_one = self._todo[-1]
            if next_one.thread == CLOCK and MODEL.offer_clock and MODEL.near():
                self._advance()
                return None
            free = []
            for task in enabled:
                found = self._wanted(task)
                if found is next_one:
                    self._role[task.number] = found.thread
                    self._played[found.thread] = task.number
                    self._advance()
                    return task
                if found is None:
                    free.append(task)
            self._waited += 1
            if free and self._may_come(next_one.thread):
                return self._go(free, enabled, me, next_one.thread)
            self._left_out.append(next_one.index)
            self._advance()
        return self._afterwards(enabled, me)

    def _afterwards(self, enabled: list[Task], me: Task | None) -> Task:
        return me if me is not None and me in enabled else enabled[0]

    def _go(self, free: list[Task], enabled: list[Task], me: Task | None, thread: str) -> Task:
        """Who goes on where nothing wanted can be done yet."""
        for task in free:
            if self._role.get(task.number) == thread:
                return task
        for task in free:
            if task.number not in self._role and self._fits(task, thread):
                return task
        others = [
            task for task in free if task.number not in self._role
        ] or free  # who has begun rather stays
        return me if me is not None and me in others else others[0]

    def _advance(self) -> None:
        self._steps[self._todo.pop().thread].pop()
        self._waited = 0

    def _may_come(self, thread: str) -> bool:
        """Whether the next operation may still come."""
        if self._waited > PATIENCE:
            return False
        number = self._played.get(thread)
        return number is None or any(task.number == number for task in MODEL.tasks)

    # -- who is who --------------------------------------------------------------------------------------

    def _meet(self, me: Task | None) -> None:
        """Threads that are new, and what the running one is about to do."""
        if me is not None:
            self._about.pop(me.number, None)
        if len(self._label) < MODEL.started:
            for task in MODEL.tasks:
                if task.number not in self._label:
                    self._label[task.number] = self._labels.give(task.name)

    def _fits(self, task: Task, thread: str) -> bool:
        """Whether a thread may be this one of the order."""
        label = self._label.get(task.number, "")
        if self._whose == EXACT or MAIN in (label, thread):
            return label == thread
        return self._whose == ANY or alike(label) == alike(thread)

    def _wanted(self, task: Task) -> "_Wanted | None":
        """What is wanted that the thread is about to do."""
        role = self._role.get(task.number)
        found: _Wanted | None = None
        for thread in self._parts(task) if role is None else (role,):
            steps = self._steps[thread]
            if steps and (found is None or steps[-1].index < found.index) and self._is(task, steps[-1]):
                found = steps[-1]
        return found

    def _parts(self, task: Task) -> Iterator[str]:
        """The threads of the order that this one may still turn out to be."""
        for thread in self._steps:
            if thread not in self._played and thread != CLOCK and self._fits(task, thread):
                yield thread

    def _is(self, task: Task, wanted: "_Wanted") -> bool:
        """Whether this is what the thread is about to do."""
        about = self._about.get(task.number)
        if about is None:
            about = self._about[task.number] = _spot_of(task)
        what = wanted.spot.what
        same = not what or what == about.what
        if not same and self._whose != EXACT:  # the end of a thread is told by its name
            same = alike(what) == alike(about.what)
        return same and wanted.stands_at(about)


def _spot_of(task: Task) -> Spot:
    if task.site is not None:
        return spot_at(operation(task), findings.place_of_site(task.site))
    frame = sys._getframe() if task is MODEL.current else task.frame()
    return spot_at(operation(task), place_of(frame))


class Near(Steered):
    """Executions beside an order: it leaves operations out, goes another way, lets chance say who is free.

    Args:
        stream: where chance comes from.
    """

    name = "near"

    def __init__(
        self, order: list[Named], stream: Stream, whose: int = ALIKE, loose: Iterable[int] = ()
    ) -> None:
        self._stream = stream
        self._turn = 0
        super().__init__(order, whose, loose)

    def _chosen(self) -> list[_Wanted]:
        self._turn += 1
        self._stray = STRAYS[self._turn % len(STRAYS)]
        return [wanted for wanted in self._all if self._stream.random() >= LEFT_OUT]

    def end(self, steps: int, trace: list[Any] | None) -> bool:
        """There is always another one."""
        return True

    def _go(self, free: list[Task], enabled: list[Task], me: Task | None, thread: str) -> Task:
        if self._stray and self._stream.random() < self._stray:
            return enabled[self._stream.below(len(enabled))]
        return super()._go(free, enabled, me, thread)

    def _afterwards(self, enabled: list[Task], me: Task | None) -> Task:
        if self._stray and self._stream.random() < self._stray:
            return enabled[self._stream.below(len(enabled))]
        return super()._afterwards(enabled, me)
