"""The hybrid model (M:N): user threads on several carriers, each a kernel thread with a loop of its own.

A thread is placed when it starts, on the carrier that has least to do; a carrier that has nothing to do takes
what waits elsewhere and has not begun. Once begun it stays: a stack cannot move to another kernel thread. Wakes cross
carriers by a push into the other's queue and, if that one sleeps, a wake of its poller.

With the interpreter's lock one carrier runs Python at a time, so the primitives need no guard
(docs/internals/atomic-segments.md); what several carriers give then is that a call which sits in C holds up
one of them alone.
"""

from collections.abc import Callable
from types import FrameType
from typing import Any

from weft.core.policy import Policy
from weft.core.thread import ControlBlock, fresh_block
from weft.core.wait import WaitReason
from weft.host import threads
from weft.host.clock import monotonic, sleep
from weft.host.stacks import getcurrent
from weft.models.loop import Loop
from weft.models.monitored import Monitored
from weft.models.user import UserModel

__all__ = ["HybridModel"]

PATIENCE = 0.5  # seconds until the end of a program waits no more for a carrier that sits in C


class _Keeping:
    """What the stack waits on that a carrier began with: the end of the carrier."""

    def _withdraw(self, block: ControlBlock) -> bool:
        return False

    def _explain(self, block: ControlBlock) -> tuple[WaitReason, object, ControlBlock | None]:
        return WaitReason.OTHER, None, None


class HybridModel(UserModel):
    """Threads of the program on a few kernel threads.

    Args:
        slice, on_stuck, pending, deliver: see UserModel.
        carriers: how many kernel threads carry; the first is the one that calls.
        make_policy: gives each carrier its policy; None: first in, first out.
    """

    name = "hybrid"

    def __init__(
        self,
        slice: float,
        on_stuck: Callable[[], bool],
        pending: Callable[[], bool],
        deliver: Callable[[FrameType | None], bool],
        carriers: int,
    ) -> None:
        super().__init__(slice, self._nothing_ready, pending, deliver)
        self._on_stuck = on_stuck
        self.carriers = carriers
        self.loops = [self.loop]
        self._by_ident = {self.kernel_ident: self.loop}
        self._turn = 0
        self._adding = threads.raw_lock()
        self.make_policy: Callable[[], Policy | None] = lambda: None
        self.monitored = Monitored(slice) if slice and Monitored.possible() else None

    # -- carriers --------------------------------------------------------------------------------------

    def _add_carrier(self) -> None:
        """One carrier more, if there are not enough; ready when this returns.

        Raises:
            RuntimeError: the machine will not start a kernel thread.
        """
        if not self._adding.acquire(False):
            return  # somebody else is at it
        try:
            if len(self.loops) < self.carriers:
                gate = threads.raw_lock()
                gate.acquire()
                threads.start_own(self._carry, gate)
                gate.acquire()
        finally:
            self._adding.release()

    def _carry(self, gate: Any) -> None:
        """The life of a further carrier."""
        loop = Loop(self._nothing_ready, ticks=self.monitored is not None)
        loop.alive = self.loop.alive
        loop.steal = self._steal_for(loop)
        loop.use(self.make_policy())
        keeper = ControlBlock(loop)
        here: Any = getcurrent()
        here.block = keeper
        keeper.begun = True
        keeper.resume = here.switch
        keeper.label = f"carrier {len(self.loops)}"
        keeper.on = _Keeping()
        if self.loop.listener is not None:
            loop.listen(self.loop.listener)
        self._by_ident[loop.kernel_ident] = loop
        self.loops.append(loop)
        if self.monitored is not None:
            self.monitored.add(loop)
        gate.release()
        while True:
            try:
                resume = loop.pick()
            except IndexError:
                resume = loop.idle()
            resume()

    def _steal_for(self, mine: Loop) -> Callable[[], bool]:
        """A function that brings the carrier one thread that waits elsewhere and has not begun."""

        def steal() -> bool:
            for other in self.loops:
                nursery = other.nursery
                if other is mine or not nursery.fresh or not other.plain or not mine.plain:
                    continue
                try:
                    other.ready.remove(nursery.next)  # type: ignore[union-attr]
                    block = nursery.fresh.popleft()
                except (ValueError, IndexError):
                    continue  # its own carrier was faster
                block.carrier = mine
                mine.nursery.fresh.append(block)
                mine.push(mine.nursery.next)
                return True
            return False

        return steal

    # -- threads ----------------------------------------------------------------------------------------

    def start(
        self,
        run: Callable[[ControlBlock], object],
        daemon: bool,
        thread: Any = None,
        register: Callable[[ControlBlock], object] | None = None,
    ) -> ControlBlock:
        """Start a thread that calls `run`; see weft.core.ports.Model.

        Raises:
            RuntimeError: the machine will not start a carrier or a watchdog.
        """
        if len(self.loops) < self.carriers:
            self._add_carrier()
        preemption = self.preemption
        if preemption is not None and (preemption.asleep or not preemption.alive or not preemption.prepared):
            preemption.ensure_running()
        if self.monitored is not None:
            self.monitored.ensure_running()
        loop = self._place()
        block = fresh_block(loop, run, thread, daemon)
        if register is not None:
            register(block)
        self.started += 1
        if loop.kernel_ident == threads.get_ident():
            loop.launch(block)
        else:
            loop.launch_from_afar(block)
        return block

    def _place(self) -> Loop:
        """The carrier with least to do; in turn where they are alike."""
        loops = self.loops
        self._turn = turn = (self._turn + 1) % len(loops)
        best, least = loops[turn], 1 << 60
        for loop in loops[turn:] + loops[:turn]:
            load = len(loop.ready) + (not loop.waiting)
            if load < least:
                best, least = loop, load
        return best

    def adopt(self) -> ControlBlock:
        """A block for a caller without one: a foreign kernel thread, or a greenlet of the program's."""
        loop = self._by_ident.get(threads.get_ident())
        if loop is not None:
            return self._adopt_greenlet(getcurrent(), loop)
        return super().adopt()

    def own_kernel_threads(self) -> int:
        """How many kernel threads of the process are ours: the carriers and their watchdogs."""
        watched = self.monitored is not None and self.monitored.alive
        return super().own_kernel_threads() + len(self.loops) - 1 + watched

    def listen(self, listener: Any) -> None:
        """Tell a listener what happens to threads (weft.core.events); None: nobody."""
        for loop in self.loops:
            loop.listen(listener)

    def _nothing_ready(self) -> bool:
        """One carrier has nothing to do: the program may be stuck if that is so of all."""
        for loop in self.loops:
            if loop.ready or not loop.waiting and loop.kernel_ident != threads.get_ident():
                return False
            if loop.timers.next_hint() is not None or any(c.awaited for c in list(loop.poller.channels.values())):
                return False
        return self._on_stuck()

    # -- fork and the end -----------------------------------------------------------------------------------

    def after_fork(self, survivor: ControlBlock) -> None:
        """In a forked child: the calling thread alone lives on, and its carrier."""
        mine = survivor.carrier if isinstance(survivor.carrier, Loop) else self.loop
        others = [loop for loop in self.loops if loop is not mine]
        self._left_behind = others  # their stacks must not unwind here
        for loop in others:
            loop.forget_collector()
            loop.poller.close()
        self.loops = [mine]
        self.loop = mine
        mine.steal = None
        self._adding = threads.raw_lock()
        if self.monitored is not None:
            self.monitored.after_fork()
        super().after_fork(survivor)
        self._by_ident = {self.kernel_ident: mine}

    def end(self) -> None:
        """The interpreter ends: the main thread goes on alone; the carriers stop where they are."""
        self._stop_others()
        super().end()

    def _stop_others(self) -> None:
        others = self.loops[1:]
        for loop in others:
            loop.forget_collector()
            loop.stop_for_good()
        if self.monitored is not None and others:
            self.monitored.press(others)
        patience = monotonic() + PATIENCE
        while not all(loop.stopped for loop in others) and monotonic() < patience:
            sleep(0.0002)
        if self.monitored is not None:
            self.monitored.stop()

    def stop(self) -> None:
        """Stop the watchdogs and the carriers, and give the descriptors back."""
        self._stop_others()
        super().stop()
