"""The dispatch loop of a carrier that runs many threads on one kernel thread.

There is no hub. A thread that parks takes the next ready one off the queue and switches straight to
it; one that finds nothing ready runs the timers and the poller itself, on its own stack. The queue
holds callables: for a thread that has begun, its worker's bound `switch`; for one that has not, its
control block, which begins it when called. So `pick()()` is the whole dispatch.

Workers outlive threads. A worker whose thread has ended takes the next unbegun thread in its own loop:
no new stack is mapped, and a thread that never blocks costs no greenlet and no switch at all.
"""

import sys
from collections import deque
from collections.abc import Callable
from types import FrameType
from typing import Any

from weft.core.parking import wake
from weft.core.places import floor, place_of, stack_of
from weft.core.policy import Policy
from weft.core.thread import ControlBlock
from weft.core.timers import Timers
from weft.errors import InternalError
from weft.host.clock import monotonic
from weft.host.poller import Poller
from weft.host.stacks import Nursery, Worker, frame_of, getcurrent

__all__ = ["Loop"]

GRACE = 0.05  # seconds idle with no timer armed before asking whether the program is stuck
RECHECK = 1.0  # seconds between two such questions while something outside may still wake us
SPARES = 4096  # idle workers kept; each holds a stack of about 6 KB


class Loop:
    """A carrier (weft.core.ports) for user threads.

    Args:
        policy: who runs next; None: first in, first out, straight off a deque.
        on_stuck: called when nothing is ready and no timer is armed; returns True if it made a thread
            ready (a deadlock was reported), False if something outside may still wake one.
    """

    def __init__(self, policy: Policy | None, on_stuck: Callable[[], bool]) -> None:
        self.waiting = False
        self.now = monotonic()
        self.timers = Timers()
        self.poller = Poller()
        self.wake = self.poller.wake
        self.on_stuck = on_stuck
        self.on_leave_idle: Callable[[], None] | None = None
        self.on_end: Callable[[ControlBlock], None] = lambda block: None
        self.spares: list[Worker] = []
        self.policy = policy
        self.ready: deque[Any] | _PolicyQueue
        if policy is None:
            fifo: deque[Any] = deque()
            self.ready = fifo
            self.push: Callable[[Any], None] = fifo.append
            self.pick: Callable[[], Callable[[], Any]] = fifo.popleft
        else:
            queue = _PolicyQueue(policy)
            self.ready = queue
            self.push = queue.append
            self.pick = queue.popleft
        self.nursery = Nursery(self._work)

    # -- what a parking thread calls ----------------------------------------------------------

    def idle(self) -> Callable[[], Any]:
        """Nothing is ready: run timers and sleep until something is; return it."""
        timers, poller = self.timers, self.poller
        grace = GRACE
        while True:
            self.now = now = monotonic()
            when = timers.next()
            if when is not None and when <= now:
                timers.fire(now)
            else:
                self.waiting = True
                try:
                    if not self.ready:
                        poller.wait(when - now if when is not None else grace)
                finally:
                    self.waiting = False
                if not self.ready and when is None:
                    grace = GRACE if self.on_stuck() else RECHECK
            try:
                resume = self.pick()
            except IndexError:
                continue
            if self.on_leave_idle is not None:
                self.on_leave_idle()
            return resume

    def begin(self, block: ControlBlock) -> None:
        """Run an unbegun thread: on a spare worker if there is one, else on a new one."""
        while self.spares:
            worker = self.spares.pop()
            if _is_between_threads(worker):
                worker.block = block
                block.resume = worker.switch
                worker.switch(block)
                return
            # A finalizer runs on the stack of that worker just now; it will be a spare again later.
        self.nursery.begin(block)

    @floor
    def _work(self) -> None:
        """The life of a worker: one thread after another."""
        me = getcurrent()
        block: ControlBlock = me.block  # type: ignore[attr-defined]
        while True:
            block.begun = True
            try:
                block.run()
            except BaseException as error:  # noqa: BLE001 - nothing may leave a worker
                block.error = InternalError(f"a thread's body raised {error!r}")
            block.run = None
            self._end(block)
            if me.gr_context is not None:
                me.gr_context = None
            resume: Any = self._next()
            if resume.__class__ is ControlBlock:
                block = resume
                me.block = block  # type: ignore[attr-defined]
                block.resume = me.switch
                continue
            block = None  # type: ignore[assignment]
            while block is None:  # a wake for a thread that has ended here is no thread to run
                self._retire(me)
                block = resume()
                if block is None:
                    resume = self._next()

    def _retire(self, worker: Any) -> None:
        """Count a worker as spare; past the limit the oldest one gives its stack back."""
        if len(self.spares) >= SPARES:
            oldest = self.spares.pop(0)
            if _is_between_threads(oldest):
                oldest.parent = worker
                oldest.throw()
        self.spares.append(worker)

    def _next(self) -> Callable[[], Any]:
        try:
            return self.pick()
        except IndexError:
            return self.idle()

    def _end(self, block: ControlBlock) -> None:
        block.done = True
        self.on_end(block)
        joiners = block.joiners
        if joiners:
            while joiners:
                wake(joiners.popleft())

    # -- for reports --------------------------------------------------------------------------

    def holds(self, block: ControlBlock) -> bool:
        """Whether the thread stands in the ready queue."""
        if not block.begun and block.run is not None:
            return block in self.ready
        return block.resume in self.ready

    def frame(self, block: ControlBlock) -> FrameType | None:
        """The innermost frame of a suspended thread, or of the caller if it asks for itself."""
        here = getcurrent()
        if getattr(here, "block", None) is block:
            return sys._getframe(1)
        return frame_of(block.resume)

    def place(self, block: ControlBlock) -> str:
        """Where in the program the thread is."""
        return place_of(self.frame(block))

    def stack(self, block: ControlBlock) -> list[str]:
        """The thread's calls, outermost first."""
        return stack_of(self.frame(block))


def _is_between_threads(worker: Worker) -> bool:
    """Whether a spare worker rests in its loop, and no finalizer runs on its stack."""
    frame = worker.gr_frame
    return frame is not None and frame.f_code is _WORK


_WORK = Loop._work.__code__


class _PolicyQueue:
    """A ready queue that asks a policy; it looks like the deque that stands there otherwise."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self._pick = policy.pick
        self._add = policy.add

    def append(self, resume: Any) -> None:
        self._add(resume if resume.__class__ is ControlBlock else resume.__self__.block)

    def popleft(self) -> Callable[[], Any]:
        block = self._pick()
        return block.resume if block.begun else block

    def __len__(self) -> int:
        return len(self._policy)

    def __contains__(self, resume: Any) -> bool:
        block = resume if resume.__class__ is ControlBlock else resume.__self__.block
        return any(block is other for other in getattr(self._policy, "blocks", lambda: ())())
