"""The user model (N:1): all threads on one kernel thread, a worker stack each, preempted in slices."""

from collections.abc import Callable
from types import FrameType

from weft.core.policy import Policy
from weft.core.thread import ControlBlock
from weft.host import threads
from weft.host.stacks import getcurrent, root
from weft.models.foreign import ForeignCarrier
from weft.models.loop import Loop
from weft.models.preemption import Preemption

__all__ = ["UserModel"]


class UserModel:
    """Threads that the kernel does not know of.

    Args:
        policy: who runs next; None: first in, first out.
        slice: seconds a thread runs while others are ready; 0: never preempt.
        on_stuck, pending, deliver: see Loop and Preemption.
    """

    name = "user"

    def __init__(
        self,
        policy: Policy | None,
        slice: float,
        on_stuck: Callable[[], bool],
        pending: Callable[[], bool],
        deliver: Callable[[FrameType | None], bool],
    ) -> None:
        self.loop = Loop(policy, on_stuck)
        self.loop.on_end = self._ended
        self.native_id = threads.get_native_id()
        self.main = ControlBlock(self.loop)
        self.main.begun = True
        self.main.daemon = False
        self.main.ident = threads.get_ident()
        self.main.native_id = self.native_id
        self.main.label = "MainThread"
        self._root = root()
        self.kernel_ident = threads.get_ident()
        here = getcurrent()
        self._root.block = self.main
        here.block = self.main  # type: ignore[attr-defined]
        self.main.resume = here.switch
        self._blocks: set[ControlBlock] = {self.main}
        self._foreign: set[ControlBlock] = set()
        self.started = 0
        self.preemption: Preemption | None = None
        if slice and threads.get_ident() == threads.main_ident():
            self.preemption = Preemption(self.loop, slice, pending, deliver)

    def spawn(self, run: Callable[[], object], daemon: bool) -> ControlBlock:
        """Make a block for a thread that will call `run`; `launch` makes it ready."""
        block = ControlBlock(self.loop, run)
        block.daemon = daemon
        block.native_id = self.native_id
        return block

    def launch(self, block: ControlBlock, register: Callable[[], object] | None = None) -> None:
        """Make a new thread ready. `register` is called as soon as its ident is known."""
        self._blocks.add(block)
        self.started += 1
        if register is not None:
            register()
        loop = self.loop
        loop.push(block)
        if loop.waiting:
            loop.wake()
        preemption = self.preemption
        if preemption is not None and (not preemption._alive or preemption._asleep):
            preemption.ensure_running()

    def adopt(self) -> ControlBlock:
        """A block for a caller without one: a foreign kernel thread, or a greenlet of the program's."""
        here = getcurrent()
        if threads.get_ident() == self.kernel_ident:
            return self._adopt_greenlet(here)
        block = ForeignCarrier.block_for(here)
        self._foreign.add(block)
        return block

    def _adopt_greenlet(self, here: object) -> ControlBlock:
        """The program made this greenlet itself, inside a thread of ours: it parks on its own behalf."""
        above = here.parent  # type: ignore[attr-defined]
        while above is not None and not hasattr(above, "block"):
            above = above.parent
        owner: ControlBlock = above.block if above is not None else self.main
        block = ControlBlock(self.loop)
        block.begun = True
        block.ident, block.native_id = owner.ident, owner.native_id
        block.thread, block.locals, block.label = owner.thread, owner.locals, owner.label
        block.daemon = owner.daemon
        block.resume = here.switch  # type: ignore[attr-defined]
        here.block = block  # type: ignore[attr-defined]
        return block

    def blocks(self) -> list[ControlBlock]:
        """Every thread that has not ended, the main one first."""
        others = sorted(self._blocks - {self.main}, key=lambda block: block.ident)
        return [self.main, *others]

    def foreign_blocks(self) -> list[ControlBlock]:
        """Kernel threads that are not ours and have met us."""
        alive = threads.current_frames()
        self._foreign = {block for block in self._foreign if block.ident in alive}
        return list(self._foreign)

    def own_kernel_threads(self) -> int:
        """How many kernel threads of the process are ours: the carrier, and the watchdog."""
        return 1 + (self.preemption is not None and self.preemption._alive)

    def after_fork(self, survivor: ControlBlock) -> None:
        """In a forked child: the calling thread alone lives on, on a fresh queue and poller."""
        dead = self._blocks - {survivor}
        self._buried = [block.resume for block in dead]  # their stacks must not unwind here
        self._blocks = {survivor}
        self._foreign = set()
        loop = self.loop
        for block in dead:
            block.done = True
        while loop.ready:
            loop.pick()
        loop.timers.heap.clear()
        loop.timers.dead = 0
        loop.poller.after_fork()
        self.native_id = threads.get_native_id()
        survivor.native_id = self.native_id
        self.main = survivor
        self.kernel_ident = threads.get_ident()
        if self.preemption is not None:
            self.preemption.after_fork()

    def _ended(self, block: ControlBlock) -> None:
        self._blocks.discard(block)

    def stop(self) -> None:
        """Stop the watchdog and give the descriptors back."""
        if self.preemption is not None:
            self.preemption.stop()
        self.loop.poller.close()
