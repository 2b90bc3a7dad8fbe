"""Dynamic partial order reduction with source sets and sleep sets (Abdulla and others, 2014).

Two executions that differ only in the order of operations which do not touch the same thing are the same for
the program. This search runs one of each such class, or little more. After each execution it looks for
*races*: two operations of different threads on one thing, with nothing between them that orders them. For
each race it makes sure that an execution with the two the other way round will be run, from the choice before
the first of them.

What it cannot see it names in `blurred`: time that passes, a loop that waits for a change, a look at whether
a thread is alive. Then the end of the search is not the end of all schedules.
"""

from collections.abc import Sequence
from typing import Any

from weft.check.world import DIRECTED, Several
from weft.models.controlled import ABANDON, PURE, REBIND, Task

__all__ = ["Dpor", "add_to"]

#: Operations whose other outcomes are not all tried, and how to say so.
_BLURRING = {
    "loop": "loops that wait for a change",
    "is_alive": "is_alive()",
    "clock": "loops that look at the clock",
    "sleep": "sleeps",
}
_TIMEOUTS = "timeouts"


class _Event:
    """One step: whose, what, and the clock of what had to come before it."""

    __slots__ = ("clock", "index", "key", "kind", "number", "target", "waits")

    def __init__(self, task: Task, index: int) -> None:
        self.number = task.number
        self.kind = task.kind
        self.target = task.target
        self.key = task.key
        self.waits = task.guard is not None and task.deadline is None
        self.index = index  # among the steps of its thread, from 1
        self.clock: dict[int, int] = {}

    def before(self, other: "_Event") -> bool:
        """Whether it had to come before the other."""
        return other.clock.get(self.number, 0) >= self.index


def _dependent(kind: Any, key: Any, other_kind: Any, other_key: Any) -> bool:
    """Whether the order of two operations on the same thing can matter."""
    if kind in PURE and other_kind in PURE and "try" not in (kind, other_kind):
        return False
    if (kind.__class__ is str or other_kind.__class__ is str) and not (
        kind in DIRECTED and other_kind in DIRECTED
    ):
        return True
    return key is None or other_key is None or bool(key == other_key)


#: What lets a waiting operation go on. Where the second could be done before the first as well, their order
#: makes no difference.
_ENABLING = frozenset(
    {("release", "acquire"), ("release", "wait"), ("notify", "wait"), ("set", "wait"), ("task_done", "drain")}
)


def _touching(kind: Any, target: Any, key: Any, other_kind: Any, other: Any, other_key: Any) -> bool:
    """The same of operations on any two things. The end of the program matters to all that still goes on."""
    if kind == "exit" or other_kind == "exit":
        return True
    if kind == REBIND or other_kind == REBIND:
        return bool(key == other_key)
    if target.__class__ is Several or other.__class__ is Several:
        return any(
            one is two and _dependent(kind, its, other_kind, others)
            for one, its in _things(target, key)
            for two, others in _things(other, other_key)
        )
    return target is not None and other is target and _dependent(kind, key, other_kind, other_key)


def _things(target: Any, key: Any) -> list[tuple[Any, Any]]:
    return target.things if target.__class__ is Several else [(target, key)]


class Dpor:
    """Source-DPOR.

    Args:
        stack: nodes (below) that lead to the part of all executions that is to be searched, and where the
            search stands in it.
        floor: how many of the nodes only lead there. What races ask for at those is not tried but noted.

    Attributes:
        complete: every class of executions has been run, as far as can be seen.
        blurred: what was not seen (above).
        stack: where the search stands between two executions, of plain types.
        asked: (depth, who else would do, whom) for each choice that nodes below the floor should have had
            and have not.
    """

    name = "dpor"
    traced = False
    every = True  # it is asked also where there is nothing to choose

    def __init__(self, stack: list[list[Any]] | None = None, floor: int = 0) -> None:
        self.complete = False
        self.floor = floor
        self.asked: dict[tuple[int, tuple[int, ...], int], None] = {}
        self.blurred: list[str] = []
        self.diverged = 0
        self.pruned = 0
        self.runs = 0
        # A node: [who could go on, whom to try, who was tried, who sleeps, who is tried now, what it does]
        self.stack: list[list[Any]] = stack or []
        self._events: list[_Event] = []
        self._asleep: dict[int, tuple[Any, Any, Any]] = {}
        self._counts: dict[int, int] = {}
        self._released: list[tuple[int, int, int]] = []
        self._waiting: list[_Event] = []  # what threads never came to do

    def begin(self) -> None:
        """An execution begins."""
        self._events = []
        self._asleep = {}
        self._counts = {}
        self._released = []
        self._waiting = []

    def released(self, task: Task, target: Any) -> None:
        """A thread lets a lock go, which is no point: what it has done comes before who takes it next."""
        self._released.append((len(self._events), task.number, id(target)))

    def stopped(self, tasks: list[Task]) -> None:
        """The execution is over and these threads wait: what they wait for could have come earlier."""
        self._waiting = [
            _Event(task, self._counts.get(task.number, 0) + 1)
            for task in tasks
            if task.target is not None and task.kind != "join"
        ]

    # -- during an execution ------------------------------------------------------------------------

    def pick(self, enabled: list[Task], me: Task | None) -> Task | None:
        """The thread that goes on."""
        depth = len(self._events)
        stack = self.stack
        by_number = {task.number: task for task in enabled}
        if depth < len(stack):
            node = stack[depth]
            chosen = by_number.get(node[4])
            if chosen is None or node[5] not in (None, [chosen.kind, chosen.site]):
                self.diverged += 1  # the program is not the same again
                chosen = None
                del stack[depth:]
        else:
            chosen = None
        if depth >= len(stack):
            asleep = self._asleep
            if me is not None and me.number in by_number and me.number not in asleep:
                chosen = me
            else:
                chosen = next((task for task in enabled if task.number not in asleep), None)
            if chosen is None:
                self.pruned += 1
                return ABANDON
            numbers = list(by_number)
            sleepers = [n for n in asleep if n in by_number]
            tried = numbers if chosen.kind == "exit" else [chosen.number]
            stack.append([numbers, list(tried), [], sleepers, chosen.number, None])
        assert chosen is not None
        if stack[depth][5] is None:
            stack[depth][5] = [chosen.kind, chosen.site]
        if depth == len(stack) - 1 and len(stack[depth][2]) + len(stack[depth][3]):
            node = stack[depth]
            for number in (*node[2], *node[3]):
                task = by_number.get(number)
                if task is not None and task is not chosen:
                    self._asleep[number] = (task.kind, task.target, task.key)
        self._step(chosen)
        return chosen

    def _step(self, task: Task) -> None:
        """The thread does what it has announced: who sleeps wakes if that touches the same thing."""
        number, kind, target, key = task.number, task.kind, task.target, task.key
        if number not in self._counts:
            self._counts[number] = 0
        self._counts[number] = index = self._counts[number] + 1
        self._events.append(_Event(task, index))
        if kind in _BLURRING:
            self._blur(_BLURRING[kind])
        elif task.deadline is not None:
            self._blur(_TIMEOUTS)
        if self._asleep:
            self._asleep = {
                other: op
                for other, op in self._asleep.items()
                if other != number and not _touching(kind, target, key, *op)
            }

    def _blur(self, what: str) -> None:
        if what not in self.blurred:
            self.blurred.append(what)

    # -- after it -----------------------------------------------------------------------------------

    def end(self, steps: int, trace: list[Any] | None) -> bool:
        """An execution is over: add what its races ask for, and go to the next thing to try."""
        self.runs += 1
        for first, second, event in self._races():
            self._ask_for(first, second, event)
        self._events = []
        self._waiting = []
        stack = self.stack
        while len(stack) > self.floor:
            node = stack[-1]
            node[2].append(node[4])
            left = [number for number in node[1] if number not in node[2] and number not in node[3]]
            if left:
                node[4], node[5] = left[0], None
                return True
            stack.pop()
        self.complete = not self.blurred and not self.diverged
        return False

    def _races(self) -> list[tuple[int, int, _Event]]:
        """Pairs of steps that could have come the other way round; fills in the clocks.

        Each as the positions of both, and the later one, which may never have come to be done.
        """
        races: list[tuple[int, int, _Event]] = []
        clocks: dict[int, dict[int, int]] = {}
        on_target: dict[int, list[int]] = {}
        held: dict[int, dict[int, int]] = {}
        started = 0
        releases = iter([*self._released, (len(self._events) + 1, 0, 0)])
        release = next(releases)
        events = self._events
        rebinds = any(
            event.kind == REBIND or event.target.__class__ is Several for event in [*events, *self._waiting]
        )
        for position, event in enumerate(events):
            while release[0] <= position:
                _join(held.setdefault(release[2], {}), clocks.get(release[1], {}))
                release = next(releases)
            clock = clocks.setdefault(event.number, {})
            target = event.target
            if event.kind == "join":
                _join(clock, clocks.get(target.number, {}))
            elif target is not None or event.kind == "exit":
                earlier = on_target.setdefault(id(target), [])
                among = range(position) if rebinds or target is None else earlier
                self._compare(event, position, clock, among, races)
                earlier.append(position)
                if id(target) in held:
                    _join(clock, held[id(target)])
            clock[event.number] = event.index
            event.clock = dict(clock)
            if event.kind == "start":
                started += 1
                clocks[started] = dict(clock)
        for event in self._waiting:
            event.clock = clock = dict(clocks.get(event.number, {}))
            among = range(len(events)) if rebinds else on_target.get(id(event.target), [])
            self._compare(event, len(events), clock, among, races)
            clock[event.number] = event.index
        return races

    def _compare(
        self,
        event: _Event,
        position: int,
        clock: dict[int, int],
        among: Sequence[int],
        races: list[tuple[int, int, _Event]],
    ) -> None:
        """Add the races of one step with earlier ones, and bring its clock forward.

        What lets a waiting step go on comes before it; and yet the step may have been possible earlier too,
        before what comes before that.
        """
        enabled_by: list[_Event] = []
        for at in reversed(among):
            other = self._events[at]
            if other.number == event.number or other.index <= clock.get(other.number, 0):
                continue
            if not _touching(event.kind, event.target, event.key, other.kind, other.target, other.key):
                continue
            if event.waits and other.kind.__class__ is str:
                enabled_by.append(other)
                if (other.kind, event.kind) not in _ENABLING:
                    races.append((at, position, event))
            else:
                races.append((at, position, event))
                _join(clock, other.clock)
        for other in enabled_by:
            _join(clock, other.clock)

    def _ask_for(self, first: int, second: int, late: _Event) -> None:
        """Have the second of two racing steps tried before the first."""
        events = self._events
        if first >= len(self.stack):
            return
        node = self.stack[first]
        early = events[first]
        after = [event for event in events[first + 1 : second] if not early.before(event)]
        after.append(late)
        initials: list[int] = []
        seen: set[int] = set()
        for position, event in enumerate(after):
            if event.number in seen:
                continue
            seen.add(event.number)
            if not any(other.before(event) for other in after[:position] if other is not event):
                initials.append(event.number)
        if any(number in node[1] or number in node[3] for number in initials):
            return
        if first < self.floor:
            self.asked[first, tuple(initials), late.number] = None
        else:
            add_to(node, initials, late.number)


def add_to(node: list[Any], initials: Sequence[int], late: int) -> list[int]:
    """Have one of these threads tried at a node, best the late one; who is to be tried there now."""
    if any(number in node[1] or number in node[3] for number in initials):
        return []
    could = [number for number in initials if number in node[0]]
    if could:
        added = [late if late in could else could[0]]
    else:
        added = [number for number in node[0] if number not in node[1]]
    node[1] += added
    return added


def _join(clock: dict[int, int], other: dict[int, int]) -> None:
    for number, index in other.items():
        if index > clock.get(number, 0):
            clock[number] = index
