"""What had to come before what in one execution: a vector clock for each thread.

Two kinds at once. In `full` a lock that is let go comes before whoever takes it next; in `order` it does not:
there the order in which threads take a lock is chance, and only starts, joins, events, queues, barriers,
semaphores and notifies bind. The first is for races, the second for locks taken in two orders.
"""

from typing import Any

from weft.check.holding import hold
from weft.check.locks import Lock, RLock
from weft.check.world import DIRECTED, MODEL, Several
from weft.models.controlled import Task

__all__ = ["Clock", "Clocks"]

Clock = dict[int, int]

_TAKES = frozenset(
    {
        "acquire",
        "try",
        "wait",
        "get",
        "try get",
        "is_set",
        "qsize",
        "locked",
        "waiting",
        "drain",
        "is_alive",
        "barrier",
        "recv",
        "accept",
        "connect",
    }
)
_GIVES = frozenset(
    {
        "release",
        "set",
        "clear",
        "put",
        "try put",
        "get",
        "try get",
        "notify",
        "task_done",
        "shutdown",
        "barrier",
        "abort",
        "reset",
        "send",
        "connect",
        "close",
        "listen",
    }
)


class Clocks:
    """The clocks of all threads, brought forward by each step."""

    def __init__(self) -> None:
        self.full: dict[int, Clock] = {}
        self.order: dict[int, Clock] = {}
        self._given: dict[int, tuple[Clock, Clock, Any]] = {}  # by id, with what holds it

    def begin(self) -> None:
        """An execution begins."""
        self.full = {0: {0: 1}}
        self.order = {0: {0: 1}}
        self._given = {}

    def step(self, task: Task) -> None:
        """A thread is about to do what it has announced."""
        kind, target = task.kind, task.target
        if kind.__class__ is not str:
            return
        me = task.number
        if kind == "start":
            self._begin_child(me)
        elif kind == "join":
            if target.done and target.number in self.full:
                _join(self.full[me], self.full[target.number])
                _join(self.order[me], self.order[target.number])
        elif target.__class__ is Several:
            for thing, key in target.things:
                for each in _directions(thing, key):
                    self._take(me, kind, each)
        elif target is not None:
            for each in _directions(target, task.key) if kind in DIRECTED or kind == "close" else (target,):
                if kind in _TAKES:
                    self._take(me, kind, each)
                if kind in _GIVES:
                    self.released(task, each)

    def _begin_child(self, me: int) -> None:
        child = MODEL.started
        for clocks in (self.full, self.order):
            clocks[child] = {**clocks[me], child: 1}
            clocks[me][me] += 1

    def _take(self, me: int, kind: str, target: Any) -> None:
        given = self._given.get(id(target))
        if given is None:
            return
        _join(self.full[me], given[0])
        if kind == "wait" or type(target) not in (Lock, RLock):
            _join(self.order[me], given[1])

    def released(self, task: Task, target: Any) -> None:
        """A thread lets something go: what it has done comes before whoever takes it."""
        me = task.number
        given = self._given.get(id(target))
        if given is None:
            known = self._given
            given = known[id(target)] = ({}, {}, hold(target, lambda key: known.pop(key, None)))
        for clocks, kept in ((self.full, given[0]), (self.order, given[1])):
            _join(kept, clocks[me])
            clocks[me][me] += 1


def _directions(target: Any, key: Any) -> tuple[Any, ...]:
    """What an operation on a connection touches: a channel, or both; anything else is itself."""
    if not hasattr(type(target), "_weft_told_") or not hasattr(target, "channels"):
        return (target,)
    return tuple(target.channels) if key is None else (target.channels[key],)


def _join(clock: Clock, other: Clock) -> None:
    for number, count in other.items():
        if count > clock.get(number, 0):
            clock[number] = count
