"""What a thread is: the control block, its states and the one table of transitions.

A *thread* is what the program has; the *control block* is weft's record of it; the *carrier* is what
executes it (a kernel thread of its own, or one that runs many). A block belongs to one carrier for life.

States are not stored beside the facts, they are read off them, so that a switch pays nothing for them
and they can never disagree: `on` says what a block waits for, its carrier says whether it is queued.
"""

import enum
from typing import TYPE_CHECKING, Any

from weft.core.life import know
from weft.core.wait import Wait, WaitReason

if TYPE_CHECKING:
    from weft.core.ports import Carrier

__all__ = ["TRANSITIONS", "ControlBlock", "State", "explained", "fresh_block"]


class State(enum.Enum):
    """Where a thread is in its life. Each line: on a ready queue? has the carrier? who moves it on?"""

    NEW = "new"  # no; no; the thread that calls start()
    READY = "ready"  # yes; no; the carrier that picks it
    RUNNING = "running"  # no; yes; itself, or the preemption of its slice
    BLOCKED = "blocked"  # no; no; whoever unparks it: a release, a timer, a signal
    DONE = "done"  # no; no; nobody


#: Every step that a thread can take; tests hold recorded runs against it.
TRANSITIONS: dict[State, frozenset[State]] = {
    State.NEW: frozenset({State.READY}),
    State.READY: frozenset({State.RUNNING}),
    State.RUNNING: frozenset({State.READY, State.BLOCKED, State.DONE}),
    State.BLOCKED: frozenset({State.READY}),
    State.DONE: frozenset(),
}


class _Hot:
    """The fields that a switch touches: slots of a base class come first, and lie side by side."""

    __slots__ = ("alarm", "carrier", "done", "noted", "on", "resume", "since", "timer", "value")


@know
class ControlBlock(_Hot):
    """The record of one thread.

    The fields that a park and a wake touch come first; they belong to the thread itself while it runs
    and to its one waker after that. All are single stores.

    Attributes:
        carrier: what executes the thread; it never changes.
        resume: the callable that the carrier's queue holds while the thread is ready.
        on: the object the thread waits on, or None. It has `_withdraw(block) -> bool`.
        alarm: bits of `weft.core.parking` that a thread looks at when a park returns.
        value: what a waker hands over (an item, a result).
        timer: the armed deadline of the wait, or None.
        noted: where it waits, as a recording holds it (weft.watch.notes); not there before the first.
        ending: functions to call as the thread ends, while it is still the current one, or None.
        ident: the thread's identifier, as `threading.get_ident()` gives it.
        label: the name of a thread that has no object any more, or none of the program's.
        number: what a name that nobody has asked for is made of, with `label` for its target's; or None.
    """

    # What few threads ever set is kept in the instance dictionary, which then exists; the rest has slots.
    __slots__ = (
        "__dict__",
        "__weakref__",
        "begun",
        "daemon",
        "ending",
        "ident",
        "joiners",
        "label",
        "number",
        "run",
        "thread",
    )

    locals: "dict[Any, Any] | None" = None
    error: BaseException | None = None
    failure: str | None = None  # what left the thread, in one line
    sigmask: "frozenset[int] | None" = None  # of a thread that shares its kernel thread with the main one
    priority = 0
    policy_data: Any = None

    carrier: "Carrier"
    run: Any
    thread: Any
    daemon: bool
    begun: bool
    done: bool
    on: Any
    timer: Any
    value: Any
    resume: Any
    joiners: "list[ControlBlock] | None"
    alarm: int
    since: float
    noted: object
    ident: int
    ending: Any
    label: str | None
    number: int | None

    def __new__(
        cls, carrier: "Carrier", run: Any = None, thread: Any = None, daemon: bool = True
    ) -> "ControlBlock":
        return fresh_block(carrier, run, thread, daemon)

    # -- what a program or a report reads -------------------------------------------------

    @property
    def name(self) -> str:
        """The name of the program's thread object, or one made from the identifier."""
        thread = self.thread
        if thread is not None:
            return str(thread.name)
        label, number = self.label, self.number
        if number is not None:
            return numbered(number, label)
        return label or f"thread-{self.ident:#x}"

    @property
    def state(self) -> State:
        """Where the thread is in its life, read off the facts."""
        if self.done:
            return State.DONE
        if self.carrier.holds(self):
            return State.READY
        if not self.begun:
            return State.NEW
        return State.BLOCKED if self.on is not None else State.RUNNING

    @property
    def wait(self) -> Wait | None:
        """The record of the wait the thread is in, or None while it runs or is ready."""
        on = self.on
        if on is None or self.done or self.carrier.holds(self):
            return None
        timer = self.timer
        reason, target, holder = explained(on, self)
        return Wait(
            reason=reason,
            on=target,
            holder=holder,
            place=self._place(),
            since=self.since,
            deadline=timer[0] if timer else None,
        )

    def _place(self) -> str:
        """Where the thread waits; with no frame of the program on its stack, what it was started with."""
        place = self.carrier.place(self)
        if place == "?":
            target = getattr(self.thread, "_target", None)
            name = getattr(target, "__qualname__", None)
            if name is not None:
                place = f"the start of {self.name!r}, whose target is {name}"
        return place

    def stack(self) -> list[str]:
        """The thread's calls, outermost first, as "file:line in function"; empty if not to be had."""
        return self.carrier.stack(self)

    @property
    def native_id(self) -> int:
        """The kernel's number of the kernel thread that runs it."""
        return self.carrier.native_id

    @property
    def locals_count(self) -> int:
        """How many thread-local objects hold something for this thread."""
        return len(self.locals or ())

    def _withdraw(self, waiter: "ControlBlock") -> bool:
        """Take a thread that joins this one off the list; False if it has been woken already."""
        try:
            self.joiners.remove(waiter)  # type: ignore[union-attr]
        except (ValueError, AttributeError):
            return False
        return True

    def _explain(self, waiter: "ControlBlock") -> tuple[WaitReason, object, "ControlBlock | None"]:
        return WaitReason.JOIN, self, self

    def __repr__(self) -> str:
        # Cheap and without a question to the carrier: `deque.remove` asks for it in the middle of a tick.
        return f"<thread {self.name!r}>"


def explained(on: Any, block: ControlBlock) -> "tuple[WaitReason, object, ControlBlock | None]":
    """Why a thread waits that waits on this, for what, and who could end it, if that is one thread.

    What it waits on tells reason and object of a wait that is over, too; the holder is always today's.
    """
    explain = getattr(on, "_explain", None)
    return explain(block) if explain is not None else (WaitReason.OTHER, on, None)


def numbered(number: int, target: str | None) -> str:
    """The name that CPython gives a thread by its number and the name of its target, if it has one."""
    return f"Thread-{number}" if target is None else f"Thread-{number} ({target})"


_new = object.__new__


def fresh_block(carrier: "Carrier", run: Any, thread: Any, daemon: bool) -> ControlBlock:
    """Make a control block; a function, since a class with slots has its `__init__` called the slow way."""
    block = _new(ControlBlock)
    block.carrier = carrier
    block.run = run
    block.thread = thread
    block.daemon = daemon
    block.begun = block.done = False
    block.on = block.timer = block.value = block.resume = block.joiners = block.ending = block.label = None
    block.number = None
    block.alarm = 0
    block.since = 0.0
    block.ident = id(block)
    return block
