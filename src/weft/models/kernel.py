"""The kernel model (1:1): each thread is a kernel thread, and parks on a baton of its own.

The kernel schedules; weft's primitives stand above, so that waits have reasons and holders, and a
program in which every thread waits is told so. A monitor looks a few times a second; nothing is paid
between its looks.
"""

from collections.abc import Callable
from typing import Any

from weft.core.events import Kind, Listener
from weft.core.parking import TIMEOUT, bury, interrupt
from weft.core.places import floor, transparent
from weft.core.thread import ControlBlock
from weft.host import threads
from weft.host.clock import monotonic, sleep
from weft.host.platform import await_exit, exit_now, wants_processor
from weft.host.stacks import getcurrent
from weft.models.foreign import ForeignCarrier

__all__ = ["KernelModel"]

LOOK = 0.1  # seconds between two looks of the monitor


class KernelModel:
    """Threads that the kernel schedules.

    Args:
        on_stuck: called when every thread has been parked with no deadline for two looks in a row.
        outside: whether something that is not ours could wake a thread; asked after each look, so that who
            was woken before has all the time until the next one to be seen.
        pending: tells whether signals wait for delivery.
        meet_missed: called at each look, for signals that came when the main thread did not meet them.
    """

    name = "kernel"

    def __init__(
        self,
        on_stuck: Callable[[], bool],
        outside: Callable[[], bool],
        pending: Callable[[], bool],
        meet_missed: Callable[[], object],
    ) -> None:
        self._on_stuck = on_stuck
        self._outside = outside
        self._pending = pending
        self._meet_missed = meet_missed
        self.main = ForeignCarrier.block_for(getcurrent())
        self.main.label = "MainThread"
        self.main.daemon = False
        self._blocks: dict[ControlBlock, None] = {self.main: None}  # in the order of their start
        self._foreign: set[ControlBlock] = set()
        self.started = 0
        self._bell = threads.raw_lock()
        self._bell.acquire()
        self._over = threads.raw_lock()
        self._alive = False
        self._native_id = 0
        self._stopping = False

    @transparent
    def start(
        self,
        run: Callable[[ControlBlock], object],
        daemon: bool,
        thread: Any = None,
        register: Callable[[ControlBlock], object] | None = None,
    ) -> ControlBlock:
        """Start a kernel thread; returns when it runs; see weft.core.ports.Model.

        Raises:
            RuntimeError: the system will not start one.
        """
        block = ForeignCarrier.new_block(run, thread, daemon)
        gate = threads.raw_lock()
        gate.acquire()
        self._blocks[block] = None
        listener = ForeignCarrier.listener
        if listener is not None:
            listener(Kind.STARTED, block, getattr(getcurrent(), "block", None))
        try:
            threads.start(self._carry, block, register, gate)
        except BaseException:
            self._blocks.pop(block, None)
            if listener is not None:
                block.done = True
                listener(Kind.ENDED, block, None)
            raise
        self.started += 1
        gate.acquire()
        if not self._alive and not self._stopping:
            self.ensure_monitor()
        return block

    @floor
    def _carry(self, block: ControlBlock, register: Any, gate: Any) -> None:
        ForeignCarrier.bind(block, getcurrent())
        if register is not None:
            register(block)
        listener = ForeignCarrier.listener
        if listener is not None:
            for kind in (Kind.READY, Kind.RUNNING):
                listener(kind, block, None)
        gate.release()
        try:
            block.run(block)
        finally:
            block.run = None
            block.done = True
            self._blocks.pop(block, None)
            listener = ForeignCarrier.listener
            if listener is not None:
                listener(Kind.ENDED, block, None)
            joiners = block.joiners
            if joiners:
                while joiners:
                    joiner = joiners.pop(0)
                    joiner.carrier.push(joiner.resume)
            if block is self.main:  # a forked child's: its process ends when its last thread does
                while self._blocks:
                    sleep(LOOK)
                exit_now(0)

    def listen(self, listener: Listener | None) -> None:
        """Tell a listener what happens to threads (weft.core.events); None: nobody."""
        ForeignCarrier.listener = listener
        for block in self.blocks():
            block.carrier.listen(listener is not None)  # type: ignore[attr-defined]

    def adopt(self) -> ControlBlock:
        """A block for a kernel thread that weft did not start."""
        block = ForeignCarrier.block_for(getcurrent())
        self._foreign.add(block)
        return block

    def blocks(self) -> list[ControlBlock]:
        """Every thread that has not ended, the main one first."""
        return [self.main, *(block for block in list(self._blocks) if block is not self.main)]

    def foreign_blocks(self) -> list[ControlBlock]:
        """Kernel threads that are not ours and have met us."""
        alive = threads.current_frames()
        self._foreign = {block for block in self._foreign if block.ident in alive}
        return list(self._foreign)

    def own_kernel_threads(self) -> int:
        """How many kernel threads of the process are ours: one a thread, and the monitor."""
        return len(self._blocks) + self._alive

    # -- the monitor -------------------------------------------------------------------------------

    def ensure_monitor(self) -> None:
        """Start the monitor if it is not there."""
        if not self._alive and not self._stopping:
            self._alive = True
            self._over.acquire()
            threads.start_own(self._watch)

    def _watch(self) -> None:
        self._native_id = threads.get_native_id()
        before: list[tuple[int, float]] | None = None
        told: list[tuple[int, float]] | None = None
        try:
            while not self._stopping:
                if self._bell.acquire(timeout=LOOK) or self._stopping:
                    break
                self._end_overdue()
                self._meet_missed()
                now = self._all_parked()
                if now is not None and now == before and now != told and not self._one_is_ready():
                    told = now if self._on_stuck() else None
                before = now
        finally:
            self._alive = False
            self._over.release()

    def _end_overdue(self) -> None:
        """End waits whose time is long over.

        Before 3.13 a timed `get` of C's SimpleQueue sleeps for ever if its deadline passes between its first
        try and its sleep, as it does now and then on a busy machine.
        """
        now = monotonic()
        for block in list(self._blocks):
            timer = block.timer
            if timer is not None and timer[2] is not None and timer[0] + LOOK / 2 < now:
                interrupt(block, TIMEOUT)

    def _all_parked(self) -> list[tuple[int, float]] | None:
        """Which thread waits since when, if all wait with no deadline and only for each other; else None."""
        seen = []
        for block in list(self._blocks):
            if block.on is None or block.timer is not None or block.carrier.holds(block) or self._pending():
                return None
            seen.append((id(block), block.since))
        return None if self._outside() else sorted(seen)

    def _one_is_ready(self) -> bool:
        """Whether a thread has been woken that got no processor since: it still looks parked."""
        return any(wants_processor(block.carrier.native_id) for block in list(self._blocks))

    def pause(self) -> None:
        """Stop the monitor and wait until it has ended (fork)."""
        self._stopping = True
        if self._alive:
            self._bell.release()
            self._over.acquire()
            self._over.release()
            await_exit((self._native_id,))
            self._bell.acquire(False)

    def resume(self) -> None:
        """Allow the monitor again."""
        self._stopping = False
        if len(self._blocks) > 1:
            self.ensure_monitor()

    def after_fork(self, survivor: ControlBlock) -> None:
        """In a forked child: the calling thread alone lives on."""
        bury((self._blocks.keys() | self._foreign) - {survivor})
        self._blocks = {survivor: None}
        self._foreign = set()
        self.main = survivor
        survivor.ident = threads.get_ident()
        survivor.carrier.native_id = threads.get_native_id()
        self._bell = threads.raw_lock()
        self._bell.acquire()
        self._over = threads.raw_lock()
        self._alive = self._stopping = False

    def nudge(self, block: ControlBlock) -> None:
        """Something was thrown at a thread: it meets that at the end of its wait."""

    def call_at(self, when: float, start: Callable[..., object], function: Any, args: Any) -> "Call":
        """Call `start(function, args)` at a time (monotonic seconds), on a kernel thread of its own."""
        return Call(when, start, function, args)

    def left_behind(self) -> list[Any]:
        """What must not be freed at the end: nothing, the kernel keeps the stacks."""
        return []

    def end(self) -> None:
        """The interpreter ends."""
        self.pause()

    def stop(self) -> None:
        """Stop the monitor."""
        self.pause()


class Call:
    """A call that is to come: a kernel thread that sleeps until then."""

    def __init__(self, when: float, start: Callable[..., object], function: Any, args: Any) -> None:
        self._bell = threads.raw_lock()
        self._bell.acquire()
        threads.start(self._wait, when, start, function, args)

    def _wait(self, when: float, start: Callable[..., object], function: Any, args: Any) -> None:
        if not self._bell.acquire(timeout=max(0.0, when - monotonic())):
            start(function, args)

    def cancel(self) -> None:
        """Make sure that it does not come, if it has not yet."""
        try:
            self._bell.release()
        except RuntimeError:
            pass  # cancelled already
