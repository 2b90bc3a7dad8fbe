"""The controlled model: one kernel thread, a stack each, and a choice before each operation.

A thread announces what it is about to do (`point`) before it does it, and a *chooser* says which thread
goes on. So the next operation of every thread is known at each choice, and the list of choices makes the
run happen again. Between two points a thread runs alone: the primitives above need no care for atomicity.

An operation that has to wait has a *guard*, a function of the thread that says whether the operation could
be done now. A thread whose guard says no is not offered to the chooser. When no thread can go on, the virtual
clock jumps to the next deadline; when there is none either, the execution is over: a deadlock.

Nothing here reads a clock or draws a number; the same choices give the same execution.
"""

from bisect import insort
from collections.abc import Callable
from math import inf, nextafter
from operator import attrgetter
from typing import Any

from weft.errors import InternalError
from weft.host.platform import TIMEOUT_MAX, check_acquire
from weft.host.stacks import Worker, getcurrent, root
from weft.models.tasks import ABANDON, Chooser, Ended, Over, Task

__all__ = [
    "ABANDON",
    "CLOCK",
    "PURE",
    "REBIND",
    "START_TIME",
    "Chooser",
    "Controlled",
    "Ended",
    "Over",
    "Task",
]

#: Kinds of operations that change nothing by themselves: waiting for another outcome of theirs is spinning.
#: What a try changes where it succeeds the primitive counts itself. 1 is a read (weft.instrument.points).
PURE = frozenset({1, "loop", "try", "is_set", "qsize", "locked", "is_alive", "waiting", "select"})
REBIND = 6  # a write to a class, which whoever looks the name up on any object may see
START_TIME = 1_000.0  # seconds; what the virtual monotonic clock shows as an execution begins
CLOCK = -1  # what stands in a schedule where the clock went forward though a thread could run
MOST_DELAY = 1.0  # seconds of virtual time that may pass in an execution while a thread could run
THROWS = 4  # how often a thread is told that the execution is over before it is left where it stands
IDLE_ROUNDS = 3  # rounds of a loop in which nothing changed, after which others go first
SPIN_LIMIT = 2_000  # such rounds, with nobody else who could change anything, that make a livelock

_number = attrgetter("number")


class Controlled:
    """The model: one execution after another, each a run of `body` under a chooser.

    Attributes:
        tasks: the threads that have not ended, in the order of their start.
        scan: those of them that may be able to go on; who waits for a lock that is held, or for a thread's
            end, need not be asked each time.
        guarded: at least as many as have a guard among those.
        many: whether a point between accesses makes a difference; there are several threads, or were.
        detour: whether a point has more to do than to choose: nothing runs, the execution is over, a thread
            has just been started, somebody listens or the clock is offered.
    """

    __slots__ = (
        "_always",
        "_asker",
        "_nursery",
        "_outside",
        "_pick",
        "_root",
        "_spares",
        "_starter",
        "active",
        "ask_always",
        "before_end",
        "buried",
        "changes",
        "choices",
        "current",
        "delayed",
        "detour",
        "guarded",
        "limit",
        "many",
        "now",
        "observer",
        "offer_clock",
        "on_error",
        "on_release",
        "over",
        "release_points",
        "scan",
        "started",
        "steps",
        "tasks",
        "trace",
        "tried",
    )

    def __init__(self) -> None:
        self._root = root()
        outside = Task(0, None, False)
        outside.stack, outside.switch = self._root, self._root.switch
        self._root.block = outside
        self._outside = outside
        self.current: Task = outside
        self.active = False
        self.over: Over | None = None
        self.now = START_TIME
        self.delayed = 0.0  # seconds that the chooser let pass while a thread could run
        self.steps = 0
        self.changes = 0
        self.tasks: list[Task] = []
        self.scan: list[Task] = []
        self.guarded = 0
        self.many = False
        self.detour = True
        self.started = 0
        self.limit = 0
        self.choices: list[int] = []
        self.trace: list[Any] | None = None
        self.observer: Callable[[Task], None] | None = None
        self.on_error: Callable[[Task, BaseException], Over | None] = _raise_error
        self.before_end: Callable[[Over], None] | None = (
            None  # called while all threads still stand where they are
        )
        self.release_points: frozenset[str] = (
            frozenset()
        )  # what is a point when it is let go, since it is tried somewhere
        self.tried: set[str] = set()
        self.ask_always = False  # whether the chooser is asked also where there is one thread to go on
        self.on_release: Callable[[Task, Any], None] | None = None  # told of locks let go without a point
        self.offer_clock = False  # whether the chooser is asked about the clock too
        self.buried: list[Any] = []  # stacks of threads that would not end
        self._spares: list[Any] = []
        self._starter: Task | None = None
        self._asker: Any = None
        self._nursery = Worker(self._breed, self._root)
        self._always = False  # whether every point of this execution is a detour
        self._pick: Callable[[list[Task], Task | None], Task | None] = _none

    # -- one execution ----------------------------------------------------------------------------------

    def execute(self, body: Callable[[], object], chooser: Chooser, limit: int = 20_000) -> Over:
        """Run `body` as the main thread until it and all threads have ended, or the execution is over.

        Args:
            limit: points after which the execution is over ("bound").
        """
        self._pick = chooser.pick
        self.now = START_TIME
        self.delayed = 0.0
        self.steps = self.changes = self.started = self.guarded = 0
        self.limit = limit
        self.choices = []
        self.tasks = []
        self.scan = []
        self.over = None
        self.tried = set()
        self._starter = None
        self.active = True
        self.detour = self._always = self.observer is not None or self.offer_clock
        main = self._new(lambda _: body(), False)
        self.current = main
        self._begin(main)
        if self.before_end is not None and self.over is not None:
            self.before_end(self.over)
        self._end_all()
        self.active = self.many = False
        self.current = self._outside
        over = self.over
        self.over = None
        if over is None:
            raise InternalError("an execution came back without an end")
        return over

    def stop(self, over: Over) -> None:
        """End the execution: called by the thread that runs; does not return."""
        self._set_over(over)
        self._root.switch()
        raise Ended

    def _set_over(self, over: Over | None) -> None:
        if self.over is None:
            self.over = over
            self.detour = True

    def pause(self) -> tuple[bool, bool, bool]:
        """Whatever runs now is no part of the execution, until `resume` gets what this returns."""
        state = (self.active, self.many, self.detour)
        self.active, self.many, self.detour = False, False, True
        return state

    def resume(self, state: tuple[bool, bool, bool]) -> None:
        """The execution goes on."""
        self.active, self.many, self.detour = state

    def _end_all(self) -> None:
        """Unwind every thread that is left; one that will not is left where it stands."""
        for task in self.tasks[:]:
            while not task.done and task.throws < THROWS:
                task.throws += 1
                self.current = task
                task.stack.throw(Ended)
            if not task.done:
                self.buried.append(task.stack)
        self.tasks = []

    # -- threads ------------------------------------------------------------------------------------------

    def _new(self, run: Any, daemon: bool) -> Task:
        task = Task(self.started, run, daemon)
        self.started += 1
        self.tasks.append(task)
        self.scan.append(task)
        self.many = len(self.tasks) > 1 or (self.ask_always and self.started > 1)
        return task

    def start(
        self, run: Callable[[Task], object], daemon: bool, register: Callable[[Task], object] | None = None
    ) -> Task:
        """Start a thread: it runs until it has announced its first operation, then the caller goes on."""
        if not self.active:
            raise InternalError("a thread was started outside an execution")
        task = self._new(run, daemon)
        task.parent = self.current.number
        if register is not None:
            register(task)
        self._starter = self.current
        self.detour = True
        self.current = task
        self._begin(task)
        if self.over is not None:
            raise Ended
        return task

    def stand_aside(self, others: list[Task] | None) -> list[Task]:
        """The running thread is about to wait, without a deadline, for what cannot be before it is put back.

        Returns whom to `put_back` then: it and these.
        """
        me = self.current
        self.scan.remove(me)
        self.guarded -= 1  # which the point will add
        if others is None:
            return [me]
        others.append(me)
        return others

    def put_back(self, tasks: list[Task]) -> None:
        """These threads may be able to go on."""
        scan = self.scan
        for task in tasks:
            if task not in scan and task in self.tasks:
                insort(scan, task, key=_number)
                self.guarded += 1

    def _begin(self, task: Task) -> None:
        """Switch into a new thread, on a worker that no other thread uses."""
        spares = self._spares
        if not spares:
            self._asker = getcurrent()
            self._nursery.switch()
        worker = spares.pop()
        worker.block = task
        task.stack, task.switch = worker, worker.switch
        worker.switch()

    def _breed(self) -> None:
        """The nursery: begins workers from a shallow stack."""
        while True:
            worker = Worker(self._work, self._root)
            worker.switch()
            self._spares.append(worker)
            self._asker.switch()

    def _work(self) -> None:
        """The life of a worker: one thread after another."""
        me: Any = getcurrent()
        self._nursery.switch()
        while True:
            task = me.block
            try:
                task.run(task)
            except Ended:
                pass
            except BaseException as error:  # noqa: BLE001 - whoever runs the execution says what it means
                if self.over is None:
                    self._set_over(self.on_error(task, error))
            task.run = None
            self._leave(task)
            me.block = self._outside
            del task
            if me.gr_context is not None:
                me.gr_context = None
            self._spares.append(me)
            self._after_end()

    def _leave(self, task: Task) -> None:
        task.done = True
        self.changes += 1
        self.tasks.remove(task)
        self.many = len(self.tasks) > 1 or (self.ask_always and self.started > 1)
        if self.over is None:
            self.scan.remove(task)
            if task.joiners is not None:
                self.put_back(task.joiners)

    def _after_end(self) -> None:
        """A thread has ended on this stack: who goes on?"""
        if self.over is None:
            starter = self._starter
            if starter is not None:  # it ended before its first operation
                self._starter = None
                self.detour = self._always
                self.current = starter
                starter.switch()
                return
            if not self.tasks:
                self._set_over(Over("end"))
            else:
                self.steps += 1
                enabled = self._enabled()
                asked = self._always or self.ask_always or self.steps > self.limit
                if len(enabled) == 1 and not asked:
                    successor: Any = enabled[0]
                else:
                    try:
                        successor = self._select(None, enabled)
                    except Ended:
                        successor = None
                if successor is not None:
                    self.current = successor
                    successor.switch()
                    return
        self._root.switch()

    # -- points ---------------------------------------------------------------------------------------------

    def point(
        self,
        kind: Any,
        target: Any,
        key: Any = None,
        site: Any = None,
        guard: Callable[[Task], bool] | None = None,
        deadline: float | None = None,
    ) -> None:
        """The running thread is about to do this: let the chooser say who goes on.

        Returns when the thread has been chosen and its guard says yes; what it announced it then does
        before its next point, with nobody in between.

        Raises:
            Ended: the execution is over.
        """
        if self.detour:
            self._detour(kind, target, key, site, guard, deadline)
            return
        me = self.current
        me.kind = kind
        me.target = target
        me.key = key
        me.site = site
        if guard is not None:  # both are None between two points
            me.guard = guard
            me.deadline = deadline
            self.guarded += 1
        # `_next` for what is by far the most, written out: a search is made of these lines.
        self.steps = steps = self.steps + 1
        enabled: list[Task] = self.scan
        if self.guarded:
            enabled = [t for t in enabled if t.guard is None or t.guard(t)]
        if len(enabled) > 1 and steps <= self.limit:
            successor: Any = self._pick(enabled, me)
            if successor is ABANDON or successor is None:
                self._finish(me, Over("pruned"))
            self.choices.append(successor.number)
        elif enabled and steps <= self.limit and not self.ask_always:
            successor = enabled[0]
        else:
            successor = self._select(me, enabled)
        if successor is not me:
            self.current = successor
            successor.switch()
            if self.over is not None:
                self._refuse(me)
        me.target = None
        if guard is not None:
            me.guard = me.deadline = None
            self.guarded -= 1
        if kind not in PURE:
            self.changes += 1

    def _detour(
        self, kind: Any, target: Any, key: Any, site: Any, guard: Any, deadline: float | None
    ) -> None:
        """A point, with all that may have to be done there."""
        me = self.current
        if self.over is not None:
            self._refuse(me)
        me.kind = kind
        me.target = target
        me.key = key
        me.site = site
        if guard is not None:
            me.guard = guard
            me.deadline = deadline
        if not self.active:
            if guard is not None and not guard(me):
                raise InternalError(f"the program waits ({kind}) where only one thread runs")
            me.target = me.guard = me.deadline = None
            return
        self.guarded += guard is not None
        successor = self._starter
        if successor is not None:
            self._starter = None
            self.detour = self._always
        else:
            successor = self._next(me)
        if successor is not me:
            self.current = successor
            successor.switch()
        if self.over is not None:
            self._refuse(me)
        observer = self.observer
        if observer is not None:
            observer(me)
        me.target = None
        if guard is not None:
            me.guard = me.deadline = None
            self.guarded -= 1
        if kind not in PURE:
            self.changes += 1

    def _refuse(self, me: Task) -> None:
        if me.throws >= THROWS:
            self._root.switch()  # for good: it swallows what it is told
        me.throws += 1
        raise Ended

    def _next(self, me: Task | None) -> Task:
        """The thread that goes on, by the chooser where there is a choice.

        Raises:
            Ended: nobody can, and nothing can change that.
        """
        self.steps += 1
        return self._select(me, self._enabled())

    def _enabled(self) -> list[Task]:
        """Who could go on just now, in the order of their start."""
        return [t for t in self.scan if t.guard is None or t.guard(t)]

    def _select(self, me: Task | None, enabled: list[Task]) -> Task:
        """The same, of those that could go on just now."""
        if self.steps > self.limit:
            self._finish(me, Over("bound"))
        while True:
            choice = len(enabled) > 1 or (self.offer_clock and enabled and self.near())
            if choice or (enabled and self.ask_always):
                chosen = self._pick(enabled, me)
            elif enabled:
                return enabled[0]
            else:
                if not self._jump():
                    self._stuck(me)
                enabled = self._enabled()
                continue
            if chosen is ABANDON or (chosen is None and len(enabled) > 1 and not self.offer_clock):
                self._finish(me, Over("pruned"))
            if chosen is None:
                self.choices.append(CLOCK)
                before = self.now
                self._jump()
                self.delayed += self.now - before
                enabled = self._enabled()
                continue
            if choice:
                self.choices.append(chosen.number)
            return chosen

    def _deadlines(self) -> list[float]:
        now = self.now
        return [t.deadline for t in self.tasks if t.deadline is not None and t.deadline > now]

    def near(self) -> bool:
        """Whether the next deadline is so near that a thread may well be delayed until then."""
        deadlines = self._deadlines()
        return bool(deadlines) and min(deadlines) - self.now + self.delayed <= MOST_DELAY

    def _jump(self) -> bool:
        """Let the clock go to the next deadline; False if there is none."""
        deadlines = self._deadlines()
        if not deadlines:
            return False
        self.now = min(deadlines)
        self.changes += 1
        return True

    def _stuck(self, me: Task | None) -> None:
        """Nobody can go on and no time will change that."""
        spinning = [t for t in self.tasks if t.kind == "loop"]
        if spinning:
            for task in spinning:
                if task.spins[1] > SPIN_LIMIT:
                    self._finish(me, Over("livelock"))
            for task in spinning:
                task.guard = None
            return
        self._finish(me, Over("deadlock"))

    def _finish(self, me: Task | None, over: Over) -> None:
        self._set_over(over)
        if me is not None:
            self._root.switch()
        raise Ended

    # -- what primitives ask
    # -----------------------------------------------------------------------------------

    def loop(self, site: Any) -> None:
        """A back edge of a `while` loop: rounds that change nothing, and see nothing changed, let others go
        first.
        """
        me = self.current
        spins = me.spins
        changes = self.changes
        if spins is None or spins[2] is not site or spins[0] != changes:
            me.spins = [changes, 1, site]
            return
        spins[1] += 1
        if spins[1] <= IDLE_ROUNDS or not self.active:
            return
        self.point("loop", None, None, site, self._changed)
        if self.changes != changes:
            me.spins = [self.changes, 1, site]

    def _changed(self, task: Task) -> bool:
        return bool(task.spins[0] != self.changes)

    def after(self, seconds: float) -> float:
        """The virtual time that is `seconds` away; not less, as rounding would have it."""
        if not seconds <= TIMEOUT_MAX:
            check_acquire(True, seconds)  # refuses it in CPython's words
        when = self.now + seconds
        while when - self.now < seconds:
            when = nextafter(when, inf)
        return when

    def alone(self) -> bool:
        """Whether one thread is all there is."""
        return len(self.tasks) < 2


def _none(enabled: list[Task], me: Task | None) -> Task | None:  # noqa: ARG001 - a chooser's signature
    return None


def _raise_error(task: Task, error: BaseException) -> Over | None:
    return Over("error", (task, error))
