"""The hybrid model (M:N): user threads on several carriers, each a kernel thread with a loop of its own.

A thread is placed when it starts, on the carrier that has least to do. Once begun it stays: a stack cannot
move to another kernel thread. What has not begun is taken over by a carrier that has nothing to do. Wakes
cross carriers by a push into the other's queue and, if that one sleeps, a wake of its poller.

With the interpreter's lock one carrier runs Python at a time, so the primitives need no guard
(docs/internals/atomic-segments.md); what several carriers give then is that a call which sits in C holds up
one of them alone.
"""

from collections import deque
from collections.abc import Callable
from types import FrameType
from typing import Any

from weft.core.policy import Policy
from weft.core.thread import ControlBlock, fresh_block
from weft.core.timers import Call
from weft.core.wait import WaitReason
from weft.guard import GUARDED, guarded, let_go, outside, take
from weft.host import threads
from weft.host.clock import monotonic, sleep
from weft.host.platform import FREE_THREADED
from weft.host.stacks import Begin, getcurrent
from weft.models.loop import Loop, nobody_else
from weft.models.overseer import Overseer, at_boundary
from weft.models.user import UserModel

__all__ = ["HybridModel"]

PATIENCE = 0.5  # seconds until the end of a program waits no more for a carrier that runs Python code
IN_C = 0.02  # the same for one whose Python code does not move
AGAIN = 16  # looks at a carrier that is to stop until it is interrupted once more
AT_A_STRETCH = 0.005  # seconds until carriers at work get the interpreter's lock: its usual switch interval
REST = 0.0002  # seconds in which they take it


class _Keeping:
    """What the stack waits on that a carrier began with: the end of the carrier."""

    def _withdraw(self, block: ControlBlock) -> bool:
        return False

    def _explain(self, block: ControlBlock) -> tuple[WaitReason, object, ControlBlock | None]:
        return WaitReason.OTHER, None, None


class HybridModel(UserModel):
    """Threads of the program on a few kernel threads.

    Args:
        slice, on_stuck, pending, deliver, blocked_limit: see UserModel.
        carriers: how many kernel threads carry; the first is the one that calls.
    """

    name = "hybrid"

    def __init__(
        self,
        slice: float,
        on_stuck: Callable[[], bool],
        pending: Callable[[], bool],
        deliver: Callable[[FrameType | None], bool],
        blocked_limit: float = 0,
        carriers: int = 2,
    ) -> None:
        super().__init__(slice, self._nothing_ready, pending, deliver, blocked_limit)
        self._tell_stuck = on_stuck
        self.carriers = carriers
        self.loops = [self.loop]
        self.loop.steal = self._steal_for(self.loop)
        self.loop.let_others = self._courtesy_of(self.loop)
        self._by_ident = {self.kernel_ident: self.loop}
        self._turn = 0
        self._left_behind: list[Loop] = []  # by a fork
        self._adding = threads.raw_lock()
        self._asking = threads.raw_lock()
        self._register: Callable[[ControlBlock], object] | None = None
        self.make_policy: Callable[[], Policy | None] = lambda: None
        self.overseer = Overseer(self.loops, slice)

    # -- carriers --------------------------------------------------------------------------------------

    @outside
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
                threads.start_carrier(self._carry, gate)
                gate.acquire()
        finally:
            self._adding.release()

    def _carry(self, gate: Any) -> None:
        """The life of a further carrier."""
        if GUARDED:
            take()
        loop = Loop(self._nothing_ready, self.overseer.interrupter is not None, self.loop)
        loop.steal = self._steal_for(loop)
        loop.let_others = self._courtesy_of(loop)
        loop.use(self.make_policy())
        keeper = ControlBlock(loop)
        here: Any = getcurrent()
        here.block = keeper
        keeper.begun = True
        keeper.resume = here.switch
        keeper.label = f"carrier {len(self.loops)}"
        keeper.on = _Keeping()
        loop.keeper = keeper
        if self.loop.listener is not None:
            loop.listen(self.loop.listener)
        self.overseer.begin(loop)
        self._by_ident[loop.kernel_ident] = loop
        self.loops.append(loop)
        gate.release()
        while not loop.stopped:
            try:
                resume = loop.pick()
            except IndexError:
                resume = loop.idle()
            resume()
        self.overseer.forget(loop)
        self._by_ident.pop(loop.kernel_ident, None)
        loop.close()
        if GUARDED:
            let_go()

    def _courtesy_of(self, mine: Loop) -> Callable[[float], None]:
        """A function that lets other carriers have the interpreter's lock, if it has not for a while.

        Who asks for it waits for a switch interval and asks its holder then. A holder that lets go of it
        every now and then, to poll say, and has it again before the other is awake, is never asked: each
        time the other's wait begins anew (`take_gil` in CPython's ceval_gil).
        """
        if FREE_THREADED:
            return nobody_else
        rested = 0.0

        @outside
        def let_others(now: float) -> None:
            nonlocal rested
            if now - rested <= AT_A_STRETCH:
                return
            if any(not (other.waiting or other.stuck) for other in self.loops if other is not mine):
                sleep(REST)
                rested = now

        return let_others

    def _steal_for(self, mine: Loop) -> Callable[[], bool]:
        """A function that brings the carrier one thread that waits elsewhere and has not begun."""

        def steal() -> bool:
            for other in self.loops:
                nursery = other.nursery
                if other is mine:
                    continue
                if FREE_THREADED and other.waiting:
                    continue  # it has been woken for what stands there, and needs nobody's lock to come
                if mine.listener is not None and self._steal_named(other, mine):
                    return True
                if not nursery.fresh or not other.plain or not mine.plain:
                    continue
                try:
                    other.ready.remove(nursery.next)  # type: ignore[union-attr]
                except ValueError:
                    continue  # its own carrier was faster
                block = nursery.fresh.popleft()  # each `next` that was taken stands for one
                self._move(block, mine)
                mine.nursery.fresh.append(block)
                mine.push(mine.nursery.next)
                return True
            return False

        return steal

    def _steal_named(self, other: Loop, mine: Loop) -> bool:
        """The same where somebody listens: who has not begun stands in the queue under its own name."""
        if not isinstance(other.ready, deque) or not isinstance(mine.ready, deque):
            return False
        for resume in tuple(other.ready):
            if resume.__class__ is Begin:
                try:
                    other.ready.remove(resume)
                except ValueError:
                    continue
                block = resume.args[0]
                self._move(block, mine)
                mine.ready.append(mine.nursery.begin(block))  # it was ready before: nothing to tell
                return True
        return False

    def _move(self, block: ControlBlock, mine: Loop) -> None:
        """A thread that has not begun goes to another carrier."""
        block.carrier = mine
        if self._register is not None and block.thread is not None:
            self._register(block)  # another kernel thread carries it now

    # -- threads ----------------------------------------------------------------------------------------

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
            RuntimeError: the machine will not start a carrier or a watchdog.
        """
        if len(self.loops) < self.carriers:
            self._add_carrier()
        preemption = self.preemption
        if preemption is not None and (preemption.asleep or not preemption.alive or not preemption.prepared):
            preemption.ensure_running()
        overseer = self.overseer
        if overseer.asleep or not overseer.alive:
            overseer.ensure_running()
        here = self._by_ident.get(threads.get_ident())
        loop = self._place()
        block = fresh_block(loop, run, thread, daemon)
        if register is not None:
            register(block)
            if thread is not None:
                self._register = register
        self.started += 1
        if loop is here:
            loop.launch(block)
        else:
            loop.launch_from_afar(block)
        return block

    def _place(self) -> Loop:
        """The carrier with least to do that is not stuck; in turn where they are alike."""
        loops = self.loops
        self._turn = turn = (self._turn + 1) % len(loops)
        best, least = loops[turn], 1 << 60
        for loop in loops[turn:] + loops[:turn]:
            load = len(loop.ready) + (not loop.waiting) + (loop.stuck << 30)
            if load < least:
                best, least = loop, load
        return best

    def adopt(self) -> ControlBlock:
        """A block for a caller without one: a foreign kernel thread, or a greenlet of the program's."""
        loop = self._by_ident.get(threads.get_ident())
        if loop is not None:
            return self._adopt_greenlet(getcurrent(), loop)
        return super().adopt()

    def nudge(self, block: ControlBlock) -> None:
        """Something was thrown at a thread: have its carrier see to it soon."""
        loop = block.carrier
        if loop is self.loop or not isinstance(loop, Loop):
            super().nudge(block)
        else:
            self.overseer.throw(block, loop)

    @guarded
    def everywhere(self, function: Callable[[], object]) -> None:
        """Call a function on each carrier but the caller's, soon; it may do nothing but note things."""
        here = threads.get_ident()
        for loop in tuple(self.loops):
            if loop.kernel_ident == here:
                continue
            loop.timers.arm(0.0, function)
            if loop.waiting:
                loop.wake()
            elif loop is not self.loop:
                self.overseer.kick(loop)
            elif self.preemption is not None:
                self.preemption.kick()

    def call_at(self, when: float, start: Callable[..., object], function: Any, args: Any) -> Call:
        """Call `start(function, args)` at a time (monotonic seconds); it may only make threads ready."""
        loop = self._by_ident.get(threads.get_ident(), self.loop)
        return self._call_on(loop, when, start, function, args)

    def own_kernel_threads(self) -> int:
        """How many kernel threads of the process are ours: the carriers and their watchdogs."""
        return super().own_kernel_threads() + len(self.loops) - 1 + self.overseer.alive

    def listen(self, listener: Any) -> None:
        """Tell a listener what happens to threads (weft.core.events); None: nobody."""
        for loop in self.loops:
            loop.listen(listener)

    def use(self, make_policy: Callable[[], Policy | None]) -> None:
        """Give each carrier a policy of its own."""
        self.make_policy = make_policy
        super().use(make_policy)

    def _nothing_ready(self) -> bool:
        """One carrier has nothing to do: the program may be stuck if that is so of all, at one moment.

        So they are asked twice, and none may have begun another sleep in between.
        """
        since = [loop.now for loop in self.loops]
        for loop in (*self.loops, *self.loops):
            if loop.ready or (not loop.waiting and not loop.is_here()) or loop.timers.armed:
                return False
        if since != [loop.now for loop in self.loops]:
            return False
        if any(channel.awaited for channel in list(self.loop.poller.channels.values())):
            return False
        if not self._asking.acquire(False):
            return False  # another carrier asks already
        try:
            return self._tell_stuck()
        finally:
            self._asking.release()

    # -- fork and the end -----------------------------------------------------------------------------------

    @outside
    def pause(self) -> None:
        """Stop the watchdogs and wait until they have ended (fork)."""
        if self.preemption is not None:
            self.preemption.pause()
        self.overseer.pause()

    def resume(self) -> None:
        """Allow them again."""
        if self.preemption is not None:
            self.preemption.resume()
        self.overseer.resume()

    def after_fork(self, survivor: ControlBlock) -> None:
        """In a forked child: the calling thread alone lives on, and its carrier."""
        before = self.loop
        mine = survivor.carrier if isinstance(survivor.carrier, Loop) else before
        others = [loop for loop in self.loops if loop is not mine]
        self._left_behind += others  # their stacks must not unwind here
        self.loops = [mine]
        if mine is not before:
            self.loop = mine
            mine.signals, mine.poller.reopened = before.signals, before.poller.reopened
            mine.on_leave_idle = None
            if self.preemption is not None:
                self.preemption.move(mine)
        for loop in others:
            loop.forget_collector()
            loop.poller.close()
        threads.unmask()
        self._adding, self._asking = threads.raw_lock(), threads.raw_lock()
        super().after_fork(survivor)
        self._by_ident = {self.kernel_ident: mine}
        self.overseer.after_fork(self.loops)

    def left_behind(self) -> list[Any]:
        """The stacks of other kernel threads, which cannot be unwound on this one; idle workers have some."""
        return [*self.loops[1:], *self._left_behind]

    def end(self) -> None:
        """The interpreter ends: the main thread goes on alone; the carriers stop where they are."""
        if self.preemption is not None:
            self.preemption.stop()  # nobody else may take the main kernel thread while the others are awaited
        self._stop_others(for_good=True)
        super().end()

    def _stop_others(self, for_good: bool) -> None:
        others = self.loops[1:]
        for loop in others:
            loop.forget_collector()
            loop.stop_for_good(None if for_good else loop.keeper)
        self.overseer.end(others)
        begun = monotonic()
        at: dict[Loop, Any] = {}
        looks = 0
        while others and monotonic() - begun < PATIENCE:
            sleep(0.0002)
            looks += 1
            if looks % AGAIN == 0:
                self.overseer.insist(others)
            frames = threads.frames_now()
            others = [loop for loop in others if not loop.stopped]
            if monotonic() - begun > IN_C:
                others = [loop for loop in others if _moves(frames.get(loop.kernel_ident), loop, at)]
            elif not at:
                for loop in others:
                    _moves(frames.get(loop.kernel_ident), loop, at)
        self.overseer.close()

    def stop(self) -> None:
        """Stop the watchdogs and the carriers, and give the descriptors back."""
        self._stop_others(for_good=False)
        super().stop()


def _moves(frame: FrameType | None, loop: Loop, at: dict[Loop, Any]) -> bool:
    """Whether a carrier's Python code stands elsewhere than at the first look, or can be interrupted."""
    here = None if frame is None else (id(frame), frame.f_lasti)
    return at.setdefault(loop, here) != here or at_boundary(frame)
