"""The user model (N:1): all threads on one kernel thread, a worker stack each, preempted in slices."""

from collections.abc import Callable
from types import FrameType
from typing import Any

from weft.core.events import Listener
from weft.core.life import know
from weft.core.parking import bury
from weft.core.policy import Policy
from weft.core.thread import ControlBlock, fresh_block
from weft.core.timers import Call
from weft.host import threads
from weft.host.guard import GUARDED, guarded, outside
from weft.host.stacks import getcurrent, root
from weft.models.foreign import ForeignCarrier, nothing
from weft.models.loop import Loop
from weft.models.preemption import Preemption

__all__ = ["UserModel"]


@know
class UserModel:
    """Threads that the kernel does not know of.

    Args:
        slice: seconds a thread runs while others are ready; 0: never preempt.
        on_stuck, pending, deliver, blocked_limit: see Loop and Preemption.
    """

    __slots__ = ("__dict__", "loop", "preemption", "started")  # what the part in C reads

    name = "user"
    preemption: Preemption | None

    def __init__(
        self,
        slice: float,
        on_stuck: Callable[[], bool],
        pending: Callable[[], bool],
        deliver: Callable[[FrameType | None], bool],
        blocked_limit: float = 0,
    ) -> None:
        ticks = bool(slice) and threads.get_ident() == threads.main_ident()
        self.loop = Loop(on_stuck, ticks)
        self.main = ControlBlock(self.loop, daemon=False)
        self.main.begun = True
        self.main.ident = threads.get_ident()
        self.main.label = "MainThread"
        self._root = root()
        self.kernel_ident = threads.get_ident()
        here = getcurrent()
        self._root.block = self.main
        here.block = self.main  # type: ignore[attr-defined]
        self.main.resume = here.switch
        self._blocks = self.loop.alive
        self._blocks[self.main] = None
        self._foreign: set[ControlBlock] = set()
        self.started = 0
        self.preemption = None
        if ticks:
            self.preemption = Preemption(self.loop, slice, pending, deliver, blocked_limit)

    @guarded
    def start(
        self,
        run: Callable[[ControlBlock], object],
        daemon: bool,
        thread: Any = None,
        register: Callable[[ControlBlock], object] | None = None,
    ) -> ControlBlock:
        """Start a thread that calls `run`; see weft.core.ports.Model.

        Raises:
            RuntimeError: the watchdog is not there and the machine will not start it.
        """
        preemption = self.preemption
        if preemption is not None and (preemption.asleep or not preemption.alive or not preemption.prepared):
            preemption.ensure_running()
        block = fresh_block(self.loop, outside(run) if GUARDED else run, thread, daemon)
        if register is not None:
            register(block)
        self.started += 1
        self.loop.launch(block)
        return block

    def listen(self, listener: Listener | None) -> None:
        """Tell a listener what happens to threads (weft.core.events); None: nobody."""
        self.loop.listen(listener)

    def adopt(self) -> ControlBlock:
        """A block for a caller without one: a foreign kernel thread, or a greenlet of the program's."""
        here = getcurrent()
        if threads.get_ident() == self.kernel_ident:
            return self._adopt_greenlet(here, self.loop)
        block = ForeignCarrier.block_for(here)
        self._foreign.add(block)
        return block

    def _adopt_greenlet(self, here: object, loop: Loop) -> ControlBlock:
        """The program made this greenlet itself, inside a thread of ours: it parks on its own behalf."""
        above = here.parent  # type: ignore[attr-defined]
        while above is not None and not hasattr(above, "block"):
            above = above.parent
        owner: ControlBlock = above.block if above is not None else self.main
        block = ControlBlock(loop)
        block.begun = True
        block.ident = owner.ident
        block.thread, block.locals, block.label = owner.thread, owner.locals, owner.label
        block.daemon = owner.daemon
        block.resume = here.switch  # type: ignore[attr-defined]
        here.block = block  # type: ignore[attr-defined]
        return block

    def blocks(self) -> list[ControlBlock]:
        """Every thread that has not ended, the main one first, the others in the order of their start."""
        return [self.main, *(block for block in list(self._blocks) if block is not self.main)]

    def foreign_blocks(self) -> list[ControlBlock]:
        """Kernel threads that are not ours and have met us."""
        alive = threads.current_frames()
        self._foreign = {block for block in self._foreign if block.ident in alive}
        return list(self._foreign)

    def own_kernel_threads(self) -> int:
        """How many kernel threads of the process are ours: the carrier, and the watchdog."""
        return 1 + (self.preemption is not None and self.preemption.alive)

    def after_fork(self, survivor: ControlBlock) -> None:
        """In a forked child: the calling thread alone lives on, on a fresh queue and poller."""
        dead = self._blocks.keys() - {survivor}
        self._buried = [block.resume for block in dead]  # their stacks must not unwind here
        self._blocks.clear()
        self._blocks[survivor] = None
        foreign, self._foreign = self._foreign - {survivor}, set()
        loop = self.loop
        bury(dead | foreign)
        while loop.ready:
            loop.pick()
        loop.nursery.fresh.clear()
        loop.timers.heap.clear()
        loop.timers.dead = 0
        loop.serve(loop.poller.after_fork())
        loop.native_id = threads.get_native_id()
        self.main = survivor
        self.kernel_ident = loop.kernel_ident = threads.get_ident()
        if self.preemption is not None:
            self.preemption.after_fork()

    def pause(self) -> None:
        """Stop the watchdog and wait until it has ended (fork)."""
        if self.preemption is not None:
            self.preemption.pause()

    def resume(self) -> None:
        """Allow the watchdog again."""
        if self.preemption is not None:
            self.preemption.resume()

    def nudge(self, block: ControlBlock) -> None:
        """Something was thrown at a thread: have its carrier see to it soon."""
        if self.preemption is not None:
            self.preemption.kick()

    def everywhere(self, function: Callable[[], object]) -> None:
        """Call a function on each carrier but the caller's: there is none."""

    def use(self, make_policy: Callable[[], Policy | None]) -> None:
        """Have a policy choose who runs next."""
        self.loop.use(make_policy())

    def call_at(self, when: float, start: Callable[..., object], function: Any, args: Any) -> Call:
        """Call `start(function, args)` at a time (monotonic seconds); it may only make threads ready."""
        return self._call_on(self.loop, when, start, function, args)

    @staticmethod
    def _call_on(loop: Loop, when: float, start: Callable[..., object], function: Any, args: Any) -> Call:
        call = loop.timers.call(when, start, function, args)
        if loop.waiting:  # the caller is another kernel thread
            loop.wake()
        return call

    def left_behind(self) -> list[Any]:
        """What must not be freed at the end besides the stacks of live threads: nothing here."""
        return []

    def end(self) -> None:
        """The interpreter ends: the main thread goes on alone, as a kernel thread."""
        if self.preemption is not None:
            self.preemption.stop()
        self.loop.forget_collector()
        self._go_on_alone()

    def _go_on_alone(self) -> None:
        self.main.carrier = ForeignCarrier(self.main)
        self.main.carrier.native_id = self.loop.native_id
        self.main.resume = nothing

    def stop(self) -> None:
        """Stop the watchdog and give the descriptors back.

        What modules have kept of ours (locks, sockets) works on, for kernel threads.
        """
        if self.preemption is not None:
            self.preemption.stop()
        self.loop.close()
        self._go_on_alone()
