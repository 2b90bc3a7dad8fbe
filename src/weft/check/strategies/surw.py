"""SURW (Zhao, Wolff, Mathur and Roychoudhury, 2025): the orders of chosen operations, all alike likely.

How many of the chosen operations each thread has left is known from the execution before. The thread that
makes the next of them, the *intended* one, is drawn in proportion to what is left; a thread that stands
before a chosen operation and is not intended is held until the intended one has made its own. If the numbers
are right and nothing blocks, each order of the chosen operations comes equally often. What is not chosen
runs as chance has it. In each execution it is another variable, or kind of primitive, whose operations are
chosen, and sometimes all operations.

An intended thread that polls for what a held one would do never comes to a chosen operation: after so many
steps without one a held thread goes on in its place.
"""

from typing import Any

from weft.host.entropy import Stream
from weft.models.controlled import Task

__all__ = ["Surw"]

PATIENCE = 200  # steps without a chosen operation, while some thread is held for one
ACCESSES = 0.5  # how often accesses are chosen from, where there are locks and the like too
_Group = tuple[bool, str, Any]
"""Whether it is an access, and no operation on a lock or the like; the class; the attribute or variable."""
_WHOLE: _Group = (True, "", None)  # all operations


def _group(task: Task) -> _Group:
    """What the pending operation is on, named so that it is the same in the next execution."""
    target = task.target
    key = task.key
    if target is None:
        return (False, str(task.kind), None)
    return (type(task.kind) is not str, type(target).__name__, key if type(key) is str else None)


class Surw:
    """Selectively uniform random walk.

    Args:
        stream: where chance comes from.
        whole: whether all operations are among what is chosen from.
    """

    traced = False
    every = True  # it counts operations also where there is nothing to choose

    def __init__(self, stream: Stream, whole: bool = True) -> None:
        self.name = "surw"
        self._stream = stream
        self._whole = whole
        self._parents: dict[int, int] = {}
        self._profile: dict[int, dict[_Group, int]] = {}  # of the last execution, by thread
        self._counts: dict[int, dict[_Group, int]] = {}  # of this one
        self._chosen: _Group | None = None
        self._left: dict[int, int] = {}  # chosen operations, with those of threads not yet started
        self._stands: dict[int, bool] = {}  # whether threads stand before chosen operations
        self._intended = -1
        self._started = 0
        self._held = 0  # steps since the last chosen operation that left some thread held

    def begin(self) -> None:
        """An execution begins: choose."""
        self._counts = {}
        self._started = 0
        self._left = {}
        self._stands = {}
        self._held = 0
        self._chosen = None
        groups = sorted(self._shared(), key=repr)
        if self._whole:
            groups.append(_WHOLE)
        if self._profile and groups:
            accesses = self._stream.random() < ACCESSES
            some = [group for group in groups if group[0] is accesses] or groups
            self._chosen = some[self._stream.below(len(some))]
            self._left = {0: sum(self._of(number) for number in self._profile)}
        self._intended = 0

    def _shared(self) -> set[_Group]:
        """What more than one thread has touched."""
        once: set[_Group] = set()
        more: set[_Group] = set()
        for counts in self._profile.values():
            more |= once & counts.keys()
            once |= counts.keys()
        return more

    def _of(self, number: int) -> int:
        """How many chosen operations a thread made the last time."""
        counts = self._profile.get(number, {})
        if self._chosen == _WHOLE:
            return sum(counts.values())
        return counts.get(self._chosen, 0) if self._chosen is not None else 0

    def pick(self, enabled: list[Task], me: Task | None) -> Task | None:
        """The thread that goes on."""
        intended, group = self._intended, self._chosen
        if group is None:
            free = enabled
        elif group == _WHOLE:
            free = [task for task in enabled if task.number == intended]
        else:
            free = self._free(enabled, group)
        held = len(free) < len(enabled)
        self._held += held
        if held and self._held > PATIENCE:
            chosen = self._drawn([task for task in enabled if task not in free])
        elif free:
            chosen = free[int(self._stream.random() * len(free))]
        else:  # the intended thread waits, or has none left: the numbers were of another execution
            chosen = self._drawn(enabled)
        self._step(chosen)
        return chosen

    def _free(self, enabled: list[Task], group: _Group) -> list[Task]:
        """The intended thread, and those that stand before no chosen operation."""
        free, intended, stands = [], self._intended, self._stands
        for task in enabled:
            number = task.number
            held = stands.get(number)
            if held is None:
                held = stands[number] = _group(task) == group
            if not held or number == intended:
                free.append(task)
        return free

    def _step(self, task: Task) -> None:
        """The thread does what it has announced."""
        number = task.number
        self._stands.pop(number, None)
        counts = self._counts.get(number)
        if counts is None:
            counts = self._counts[number] = {}
            self._parents.setdefault(number, task.parent)
        group = _group(task)
        counts[group] = counts.get(group, 0) + 1
        if self._chosen == _WHOLE or self._chosen == group:
            self._held = 0
            self._left[number] = max(0, self._left.get(number, 0) - 1)
            self._draw()
        if task.kind == "start":
            self._started += 1
            self._hand_over(number, self._started)

    def _hand_over(self, parent: int, child: int) -> None:
        """A thread is started: what was counted for it, and for those it starts, is its own now."""
        parents = self._parents
        below = {child}
        for number in sorted(self._profile):
            if parents.get(number) in below:
                below.add(number)
        its = sum(self._of(number) for number in below)
        self._left[child] = its
        self._left[parent] = max(0, self._left.get(parent, 0) - its)
        if self._intended == parent:
            self._intended = self._one_of([parent, child])

    def _draw(self) -> None:
        self._intended = self._one_of([number for number, left in self._left.items() if left])

    def _one_of(self, numbers: list[int]) -> int:
        """One of these threads, in proportion to what it has left; -1: nobody has any."""
        left = self._left
        point = self._stream.random() * sum([left[number] for number in numbers])
        for number in numbers:
            point -= left[number]
            if point < 0:
                return number
        return numbers[-1] if numbers else -1

    def _drawn(self, enabled: list[Task]) -> Task:
        weights = [max(1, self._left.get(task.number, 0)) for task in enabled]
        point = self._stream.random() * sum(weights)
        for task, weight in zip(enabled, weights, strict=True):
            point -= weight
            if point < 0:
                return task
        return enabled[-1]

    def end(self, steps: int, trace: list[Any] | None) -> bool:
        """An execution is over: its numbers are those of the next."""
        if self._counts:
            self._profile = self._counts
        return True
