"""A carrier with one thread: a kernel thread that sleeps on its own baton.

The kernel model gives one to each thread it starts; the user model gives one to a kernel thread that it
did not start and that calls a primitive of ours.
"""

from collections.abc import Callable, Mapping
from types import FrameType
from typing import Any

from weft.core.events import Kind, Listener
from weft.core.parking import TIMEOUT, interrupt
from weft.core.places import place_of, stack_of
from weft.core.thread import ControlBlock
from weft.errors import InternalError
from weft.host import threads
from weft.host.clock import monotonic, sleep
from weft.host.guard import outside
from weft.host.platform import sleeps_in_call
from weft.host.stacks import getcurrent

__all__ = ["ForeignCarrier", "nothing"]


class _OneDeadline:
    """Timers of a carrier that has one thread: the sleep itself keeps the deadline."""

    __slots__ = ()

    def arm(self, when: float, block: ControlBlock) -> list[Any]:
        return [when, 0, block]

    def disarm(self, entry: list[Any]) -> None:
        entry[2] = None


_ONE_DEADLINE = _OneDeadline()


def nothing() -> None:
    """What a baton carries: there is nobody to switch to, the sleeper itself goes on."""


class ForeignCarrier:
    """One kernel thread carrying one thread of the program."""

    waiting = collecting = False
    alone = True
    listener: Listener | None = None  # one for all, since each thread has a carrier of its own
    poller = None

    def __init__(self, block: ControlBlock) -> None:
        self.block = block
        baton: threads.Baton[Any] = threads.Baton()
        self._baton = baton
        self._take = outside(baton.get)
        # Wakes the thread. C all the way, so that storing an owner and pushing is one piece.
        self.push: Any = baton.put
        self.again: Any = baton.put
        self._asleep = False
        self.native_id = 0
        self.timers: Any = _ONE_DEADLINE
        if ForeignCarrier.listener is not None:
            self.listen(True)

    def listen(self, on: bool) -> None:
        """Tell the listener of wakes from now on, or not any more."""
        self.push = self._tell_push if on else self._baton.put

    def _tell_push(self, resume: Any) -> None:
        listener = ForeignCarrier.listener
        if listener is not None:
            listener(Kind.READY, self.block, getattr(getcurrent(), "block", None))
        self._baton.put(resume)

    @classmethod
    def new_block(cls, run: Any = None, thread: Any = None, daemon: bool = True) -> ControlBlock:
        """A block with a carrier of its own, not bound to a kernel thread yet."""
        nobody: Any = None
        block = ControlBlock(nobody, run, thread, daemon)
        block.carrier = cls(block)
        return block

    @classmethod
    def block_for(cls, here: Any) -> ControlBlock:
        """A block for the calling kernel thread, kept on its root greenlet."""
        block = cls.new_block()
        cls.bind(block, here)
        block.label = f"kernel thread {block.native_id}"
        return block

    @classmethod
    def adopt(cls) -> ControlBlock:
        """A block for a caller that has none."""
        return cls.block_for(getcurrent())

    @staticmethod
    def bind(block: ControlBlock, here: Any) -> None:
        """Say that the calling kernel thread carries the block."""
        block.resume = nothing
        block.begun = True
        block.ident = threads.get_ident()
        block.carrier.native_id = threads.get_native_id()
        here.block = block

    @property
    def now(self) -> float:
        """The monotonic clock."""
        return monotonic()

    def pick(self) -> Any:
        """Sleep until somebody wakes the thread; its deadline, if it has one, wakes it too."""
        timer = self.block.timer
        resume = None
        self._asleep = True
        listener = ForeignCarrier.listener
        if listener is not None and self.block.on is not None:
            listener(Kind.PARKED, self.block, None)
        while timer is not None and timer[2] is not None:
            left = timer[0] - monotonic()
            if left <= 0:
                interrupt(self.block, TIMEOUT)
                break
            try:
                resume = self._take(True, left)
                break
            except threads.Empty:
                continue
        if resume is None:
            resume = self._take()
        self._asleep = False
        if listener is not None:
            listener(Kind.RUNNING, self.block, None)
        return resume

    def nap(self, block: ControlBlock, on: object, seconds: float) -> bool:
        """Sleep in the kernel; the main thread does not, since a signal has to end its sleep."""
        if block.ident == threads.main_ident():
            return False
        block.since = now = monotonic()
        block.timer = [now + seconds, 0, block]
        block.on = on
        self._asleep = True
        listener = ForeignCarrier.listener
        if listener is not None:
            listener(Kind.PARKED, block, None)
        try:
            outside(sleep)(seconds)
        finally:
            self._asleep = False
            block.on = block.timer = None
            if listener is not None:
                listener(Kind.RUNNING, block, None)
        return True

    def let_others(self, now: float) -> None:
        """Kernel threads take turns as the interpreter has them."""

    def breathe(self) -> None:
        """Give way to other kernel threads."""
        outside(sleep)(0)

    def idle(self) -> Any:
        """Never called: `pick` sleeps itself."""
        raise InternalError("a carrier with one thread has no idle state")

    def wake(self) -> None:
        """Nothing to do: the push itself wakes."""

    def holds(self, block: ControlBlock) -> bool:
        """Whether the thread has been woken, or has not gone to sleep yet.

        One that has taken the baton and waits for the interpreter's lock still looks asleep; who
        draws conclusions looks twice, some time apart, at the same `since`.
        """
        return block.on is not None and not (self._asleep and self._baton.empty())

    def ready_now(self) -> Callable[[ControlBlock], bool]:
        """`holds` itself: there is no queue to look through."""
        return self.holds

    def frame(self, block: ControlBlock, known: Mapping[int, FrameType] | None = None) -> FrameType | None:
        """The thread's innermost frame."""
        return (threads.current_frames() if known is None else known).get(block.ident)

    def sleeps(self, block: ControlBlock) -> bool:
        """Whether the thread waits in a call of the system, where that can be told."""
        return sleeps_in_call(self.native_id)

    def place(self, block: ControlBlock) -> str:
        """Where in the program the thread is."""
        return place_of(self.frame(block))

    def stack(self, block: ControlBlock) -> list[str]:
        """The thread's calls, outermost first."""
        return stack_of(self.frame(block))
