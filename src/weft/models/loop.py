"""The dispatch loop of a carrier that runs many threads on one kernel thread.

There is no hub. A thread that parks takes the next ready one off the queue and switches straight to
it; one that finds nothing ready runs the timers and the poller itself, on its own stack. The queue
holds callables: for a thread that has begun, its worker's bound `switch`; for one that has not, the
nursery's `next`, the same for all, which begins the first block of `nursery.fresh` when called (a policy
or a listener wants to know which, so for them it is a `Begin` of that block). So `pick()()` is the
whole dispatch.

Workers outlive threads. A worker whose thread has ended takes the next unbegun thread in its own loop:
no new stack is mapped, and a thread that never blocks costs no greenlet and no switch at all.
"""

import sys
from collections import deque
from collections.abc import Callable, Collection, Iterator, Mapping
from types import FrameType
from typing import Any

from weft.core.channel import READS, WRITES
from weft.core.events import Kind, Listener, Recorder
from weft.core.life import compiled, know
from weft.core.parking import wake
from weft.core.places import floor, place_of, stack_of
from weft.core.policy import Policy
from weft.core.thread import ControlBlock
from weft.core.timers import Timers
from weft.errors import InternalError
from weft.host import collector, threads
from weft.host.clock import monotonic
from weft.host.guard import GUARDED, leave, outside, with_guard_alone
from weft.host.platform import exit_now
from weft.host.poller import Poller
from weft.host.stacks import Begin, Nursery, Worker, frame_of, getcurrent

__all__ = ["Loop"]

GRACE = 0.05  # seconds idle with no timer armed before asking whether the program is stuck
RECHECK = 1.0  # seconds between two such questions while something outside may still wake us
EPOLLIN_OUT = 0x5  # a connection that has something to read and room to write
LOOK_EVERY = 64  # switches between two looks at timers and descriptors where no tick comes
SPARES = 4096  # idle workers kept; each holds a stack of about 6 KB

know(Worker)


def nobody_else(now: float) -> None:
    """There is one carrier: nobody waits for the interpreter's lock but weft's own kernel threads."""


if GUARDED:
    floor(outside(nobody_else))  # what runs without the guard may be preempted, whatever is below


@know
class Loop:
    """A carrier (weft.core.ports) for user threads.

    Args:
        ticks: whether a watchdog sees to timers and descriptors while threads are busy.
        beside: a carrier of the same program: what is kept once for all is that one's.
        on_stuck: called when nothing is ready and no timer is armed; returns True if it made a thread
            ready (a deadlock was reported), False if something outside may still wake one.
    """

    __slots__ = (  # what the part in C reads
        "__dict__",
        "alive",
        "enlist",
        "listener",
        "native_id",
        "next",
        "pick",
        "plain",
        "push",
        "ready",
        "spares",
        "unlist",
        "waiting",
    )

    listener: Listener | None
    pick: Callable[[], Callable[[], Any]]
    plain: bool
    push: Callable[[Any], None]
    ready: "deque[Any] | _PolicyQueue"
    waiting: bool

    def __init__(
        self, on_stuck: Callable[[], bool], ticks: bool = True, beside: "Loop | None" = None
    ) -> None:
        self.waiting = False
        self.stuck = self.traced = False
        self.keeper: ControlBlock | None = None
        self.stopped = False
        self.now = monotonic()
        self.kernel_ident = threads.get_ident()
        self.timers = Timers(self.is_here)
        self.poller: Poller = Poller(beside.poller.channels if beside is not None else None)
        self.wake = self.poller.wake
        if GUARDED:
            self.poller.wait = outside(self.poller.wait)  # type: ignore[method-assign]
        self.on_stuck = on_stuck
        self.ticks = ticks
        self._picks = 0
        self.signals: Collection[int] = ()  # those that wait to be handled: no time to sleep
        self.listener = None
        self.steal: Callable[[], bool] | None = None
        self.let_others: Callable[[float], None] = nobody_else
        self.on_leave_idle: Callable[[], None] | None = None
        self.alive: dict[ControlBlock, None] = {} if beside is None else beside.alive  # as they were started
        self.native_id = threads.get_native_id()
        self.spares: deque[Worker] = deque()
        part = compiled()
        self.nursery = Nursery(part.Work(self, SPARES) if part is not None else self._work, self.spares)
        self.next = self.nursery.next
        self.enlist, self.unlist = self.nursery.fresh.append, self.nursery.fresh.popleft
        self._before_collection: tuple[Any, ...] | None = None
        self._parked_in_collection = False
        self.use(None)
        collector.watch(self._collection)  # one may come at once

    def use(self, policy: Policy | None) -> None:
        """Let a policy choose who runs next (None: first in, first out, straight off a deque).

        Only while no thread is ready.
        """
        self.plain = policy is None and self.listener is None
        if policy is None:
            fifo: deque[Any] = deque()
            self.ready = fifo
            self.push = fifo.append
            self.again: Callable[[Any], None] = fifo.append
        else:
            queue = _PolicyQueue(policy, self.nursery.begin, self.is_here)
            self.ready = queue
            self.push = self.again = queue.append
        self.pick = self._plain_pick()

    def _plain_pick(self) -> Callable[[], Callable[[], Any]]:
        return with_guard_alone(self.ready.popleft if self.ticks else self._pick_and_look)

    def _pick_and_look(self) -> Callable[[], Any]:
        """Pick where no tick comes: threads that always have work do not starve timers and descriptors."""
        self._picks += 1
        if self._picks >= LOOK_EVERY:
            self._picks = 0
            self.breathe()
        return self.ready.popleft()

    def listen(self, listener: Listener | None) -> None:
        """Tell a listener what happens to the threads here from now on; None: nobody."""
        self.listener = listener
        ready = self.ready
        self.plain = listener is None and isinstance(ready, deque)
        take = self._plain_pick()
        self.again = ready.append
        if listener is None:
            self.push, self.pick = ready.append, take
            return
        if self.is_here():
            self._name_unbegun()
        if isinstance(listener, Recorder):
            self.push, self.pick = listener.hooks(self, take, ready.append)
            return
        tell: Listener = listener

        def push(resume: Any) -> None:
            tell(Kind.READY, _block_of(resume), getattr(getcurrent(), "block", None))
            ready.append(resume)

        def pick() -> Callable[[], Any]:
            me = getattr(getcurrent(), "block", None)
            if me is not None and me.on is not None and not me.done and not told and me is not self.keeper:
                told.append(me)
                tell(Kind.PARKED, me, None)
            resume = take()
            told.clear()
            nursery = self.nursery
            tell(Kind.RUNNING, nursery.fresh[0] if resume is nursery.next else _block_of(resume), None)
            return resume

        told: list[ControlBlock] = []  # who parked and found nothing ready: it asks again and again
        self.push = self.again = push
        self.pick = pick

    def _name_unbegun(self) -> None:
        """Threads that have not begun stand in the queue under their own names, for who wants to know."""
        ready, fresh, begin_next = self.ready, self.nursery.fresh, self.nursery.next
        if isinstance(ready, deque):
            for at, resume in enumerate(tuple(ready)):
                if resume is begin_next:
                    ready[at] = self.nursery.begin(fresh.popleft())

    # -- what a parking thread calls ----------------------------------------------------------

    def idle(self) -> Callable[[], Any]:
        """Nothing is ready: run timers and sleep until something is; return it."""
        timers, poller = self.timers, self.poller
        grace: float | None = GRACE
        while True:
            self.now = now = monotonic()
            when = timers.next() if timers.heap else None
            if when is not None and when <= now:
                timers.fire(now)
            elif self.steal is None or self.ready or not self.steal():
                self.waiting = True
                found: Any = ()
                try:
                    if not self.ready and not self.signals:
                        found = poller.wait(when - now) if when is not None else poller.wait(grace, False)
                finally:
                    self.waiting = False
                if found:
                    self.now = monotonic()
                    self.serve(found)
                elif when is None and not self.ready and grace is not None:
                    grace = self._ask(grace)
            try:
                resume = self.pick()
            except IndexError:
                continue
            if self.on_leave_idle is not None:
                self.on_leave_idle()
            return resume

    def _ask(self, grace: float) -> float | None:
        """Nothing has come for a while: how long to sleep until the question whether the program is stuck."""
        if any(channel.awaited for channel in list(self.poller.channels.values())):
            return None  # a descriptor may bring something at any time
        return GRACE if self.on_stuck() else RECHECK

    def serve(self, found: list[tuple[int, int]]) -> None:
        """Tell the channels what has changed; those who wait become ready."""
        poller = self.poller
        channels = poller.channels
        push = self.push
        for fd, events in found:
            channel = channels.get(fd)
            if channel is None:
                poller.stray(fd)
            elif events == EPOLLIN_OUT and channel.reader is not None and not channel.more:
                # `Channel.deliver`, written out for what comes most: a request on a connection.
                channel.readable = channel.writable = True
                block, channel.reader = channel.reader, None  # atomic
                if block is not None and block.carrier is self:
                    push(block.resume)
                elif block is not None:
                    wake(block)
                if channel.writer is not None:
                    channel.deliver(events, wake)
            else:
                if channel.loose and not channel.awaited:
                    poller.drop(fd, channel)
                    if channel.awaited:  # on another carrier somebody came just now: he is to look again
                        events |= READS | WRITES
                channel.deliver(events, wake)

    # -- garbage collections ----------------------------------------------------------------------

    @property
    def alone(self) -> bool:
        """Whether there is one thread and no call that is to come: nobody who could run meanwhile."""
        return len(self.alive) == 1 and not self.timers.heap

    @property
    def collecting(self) -> bool:
        """Whether a garbage collection runs on this carrier: nobody may be switched to then."""
        return self._before_collection is not None

    def _collection(self, starts: bool) -> None:
        """CPython's collector keeps its lists on the C stack: that stack must stay where it is.

        So finalizers that it calls cannot park, and what they do to the thread they run on is undone.
        """
        if threads.get_ident() != self.kernel_ident:
            return
        if starts:
            me = getattr(getcurrent(), "block", None)
            self._before_collection = (self.pick, me, me and (me.on, me.value, me.timer, me.alarm))
            self.pick = self._pick_in_collection
        elif self._before_collection is not None:
            self.pick, me, fields = self._before_collection
            self._before_collection = None
            if me is not None and self._parked_in_collection:  # else what changed was handed to it
                self._parked_in_collection = False
                me.on, me.value, me.timer, alarm = fields
                me.alarm |= alarm

    def _pick_in_collection(self) -> Callable[[], Any]:
        """A finalizer inside a collection parks: wait on the spot for its time, or refuse."""
        me: ControlBlock = getcurrent().block  # type: ignore[attr-defined]
        ready = self.ready
        self._parked_in_collection = True
        while True:
            if me.resume in list(ready):
                self.discard(me)
                return _stay
            if me.timer is None:
                on, me.on = me.on, None
                on._withdraw(me)
                raise RuntimeError(
                    f"a finalizer that runs inside a garbage collection cannot wait for {on!r}: "
                    "no other user thread can run until the collection is over"
                )
            self.now = monotonic()
            if not self.timers.fire(self.now):
                self.serve(self.poller.wait(max(0.0, (self.timers.next() or self.now) - self.now)))

    def forget_collector(self) -> None:
        """Be told of collections no more."""
        collector.unwatch(self._collection)

    def close(self) -> None:
        """Give back what the machine gave."""
        self.forget_collector()
        self.poller.close()

    def discard(self, block: ControlBlock) -> None:
        """Take a thread out of the ready queue."""
        if isinstance(self.ready, deque):
            self.ready.remove(block.resume)
        else:
            self.ready.discard(block)

    def nap(self, block: ControlBlock, on: object, seconds: float) -> bool:
        """A user thread does not sleep in the kernel: it parks."""
        return False

    def breathe(self) -> None:
        """A thread gives way and is the only ready one: let timers that are due fire."""
        self.now = now = monotonic()
        if self.timers.heap:
            self.timers.fire(now)
        if self.poller:
            self.serve(self.poller.look())
        self.let_others(now)

    def launch(self, block: ControlBlock) -> None:
        """Make a new thread ready.

        With nobody else in the queue and a spare worker at hand, the thread gets the worker at once, so
        that whoever parks next switches straight into it.
        """
        self.alive[block] = None
        if self.listener is not None:
            self.listener(Kind.STARTED, block, None)
        if not self.ready and self.spares:
            worker = self.spares.pop()
            if worker.block.on is None:
                block.resume = worker.block.resume
                worker.block = block
                block.begun = True
                self.push(block.resume)
                if self.waiting:
                    self.wake()
                return
        if self.plain:
            self.nursery.fresh.append(block)
            self.push(self.nursery.next)
        else:
            self.push(self.nursery.begin(block))
        if self.waiting:
            self.wake()

    def is_here(self) -> bool:
        """Whether the caller is on this carrier's kernel thread."""
        return threads.get_ident() == self.kernel_ident

    def launch_from_afar(self, block: ControlBlock) -> None:
        """`launch`, called by another carrier: this one's workers are not touched."""
        self.alive[block] = None
        if self.listener is not None:
            self.listener(Kind.STARTED, block, None)
        if self.plain:
            self.nursery.fresh.append(block)
            self.push(self.nursery.next)
        else:
            self.push(self.nursery.begin(block))
        if self.waiting:
            self.wake()

    def stop_for_good(self, keeper: Any = None) -> None:
        """The program ends: whoever parks on this carrier stops there, in a sleep that does not end.

        Its kernel thread must not come back to ask for the interpreter's lock, which ends a kernel thread
        while the interpreter is taken apart, in the middle of its stacks.

        Args:
            keeper: what the carrier began with: if no thread is left here, that is gone back to.
        """
        forever = threads.raw_lock()
        forever.acquire()

        def pick() -> Callable[[], Any]:
            self.stopped = True
            if keeper is not None and not any(block.carrier is self for block in list(self.alive)):
                return keeper.resume  # type: ignore[no-any-return]
            leave()
            while True:
                forever.acquire()

        self.pick = pick
        self.wake()

    @floor
    def _work(self) -> None:
        """The life of a worker: one thread after another. `_life.c` has the same."""
        me: Any = getcurrent()
        block: ControlBlock = me.block
        switch = block.resume
        alive, spares = self.alive, self.spares
        fresh, begin_next = self.nursery.fresh, self.nursery.next
        while True:
            block = me.block
            block.begun = True
            try:
                block.run(block)
            except BaseException as error:  # noqa: BLE001 - nothing may leave a worker
                self._broken(block, error)
            block.run = None
            block.done = True
            alive.pop(block, None)
            if block.joiners is not None or self.listener is not None or not alive:
                self._ended(block)
            if me.gr_context is not None:
                me.gr_context = None
            try:
                resume: Any = self.pick()
            except IndexError:
                block = me.block = self._nobody(switch)  # what the program's thread held is let go
                resume = self.idle()
            if resume is begin_next:
                block = me.block = fresh.popleft()
                block.resume = switch
                continue
            if resume.__class__ is Begin:
                block = me.block = resume.args[0]
                block.resume = switch
                continue
            while True:
                if len(spares) < SPARES:
                    spares.append(me)
                else:
                    self._retire(me)
                resume()
                if not me.block.done:
                    break
                # A wake came for a thread that has ended here: there is nothing to run.
                try:
                    resume = self.pick()
                except IndexError:
                    resume = self.idle()

    def _broken(self, block: ControlBlock, error: BaseException) -> None:
        """What runs a thread has not taken an exception itself."""
        block.error = InternalError(f"a thread's body raised {error!r}")

    def _ended(self, block: ControlBlock) -> None:
        """A thread has ended, and somebody is to know."""
        if self.listener is not None:
            self.listener(Kind.ENDED, block, None)
        joiners = block.joiners
        while joiners:
            wake(joiners.pop(0))
        if not self.alive:  # the main thread is gone: a forked child's, which ends with its last thread
            exit_now(0)

    def _nobody(self, switch: Any) -> ControlBlock:
        """A block for a worker that has ended its thread and finds nothing to do."""
        block = ControlBlock(self)
        block.begun = block.done = True
        block.resume = switch
        return block

    def _retire(self, worker: Any) -> None:
        """Count a worker as spare where there are enough: the oldest one gives its stack back."""
        spares = self.spares
        oldest = spares.popleft()
        if oldest.block.on is None:
            oldest.parent = worker
            oldest.throw()
        spares.append(worker)

    # -- for reports --------------------------------------------------------------------------

    def ready_blocks(self) -> list[ControlBlock]:
        """The threads that stand in the ready queue."""
        begin_next = self.nursery.next
        begun = [_block_of(resume) for resume in tuple(self.ready) if resume is not begin_next]
        return [*begun, *self.nursery.fresh]

    def holds(self, block: ControlBlock) -> bool:
        """Whether the thread stands in the ready queue."""
        return any(ready is block for ready in self.ready_blocks())

    def ready_now(self) -> Callable[[ControlBlock], bool]:
        """Whether a thread stands in the ready queue, or has come to it since: one look for many."""
        ready = frozenset(self.ready_blocks())

        def is_ready(block: ControlBlock) -> bool:
            if block in ready:
                return True
            return block.on is None and block.begun and frame_of(block.resume) is not None

        return is_ready

    def frame(self, block: ControlBlock, known: Mapping[int, FrameType] | None = None) -> FrameType | None:
        """The innermost frame of a suspended thread, or of the caller if it asks for itself."""
        if known is None and getattr(getcurrent(), "block", None) is block:
            return sys._getframe(1)
        frame = frame_of(block.resume)
        if frame is None and block.begun and not block.done:  # it runs
            if known is not None:
                return known.get(self.kernel_ident)
            if not self.is_here():
                return threads.current_frames().get(self.kernel_ident)
        return frame

    def sleeps(self, block: ControlBlock) -> bool:
        """Nobody sleeps in the kernel but who asks, and all with it."""
        return False

    def place(self, block: ControlBlock) -> str:
        """Where in the program the thread is."""
        return place_of(self.frame(block))

    def stack(self, block: ControlBlock) -> list[str]:
        """The thread's calls, outermost first."""
        return stack_of(self.frame(block))


def _stay() -> None:
    """What a thread that goes on at once calls in place of a switch."""


def _block_of(resume: Any) -> ControlBlock:
    """The thread that an entry of the ready queue stands for, which is not the nursery's `next`."""
    block: ControlBlock = resume.args[0] if resume.__class__ is Begin else resume.__self__.block
    return block


class _PolicyQueue:
    """A ready queue that asks a policy; it looks like the deque that stands there otherwise.

    A policy is the carrier's alone: what other kernel threads push stands in an inbox until it looks.
    """

    def __init__(
        self,
        policy: Policy,
        begin: Callable[[ControlBlock], Callable[[], Any]],
        is_here: Callable[[], bool],
    ) -> None:
        self._policy = policy
        self._pick = policy.pick
        self._add = policy.add
        self._begin = begin
        self._is_here = is_here
        self._ready: dict[ControlBlock, None] = {}
        self._inbox: deque[ControlBlock] = deque()

    def append(self, resume: Any) -> None:
        block = _block_of(resume)
        self._ready[block] = None
        if self._is_here():
            self._add(block)
        else:
            self._inbox.append(block)

    def _take_in(self) -> None:
        inbox = self._inbox
        while inbox:
            self._add(inbox.popleft())

    def popleft(self) -> Callable[[], Any]:
        if self._inbox:
            self._take_in()
        block = self._pick()
        self._ready.pop(block, None)
        return block.resume if block.resume is not None else self._begin(block)

    def discard(self, block: ControlBlock) -> None:
        """Take one thread out: the policy is asked for all, and given back the others."""
        self._take_in()
        others = []
        while len(self._policy):
            other = self._pick()
            if other is not block:
                others.append(other)
        self._ready.pop(block, None)
        for other in others:
            self._add(other)

    def __len__(self) -> int:
        return len(self._policy) + len(self._inbox)

    def __iter__(self) -> Iterator[Any]:
        return iter([block.resume or self._begin(block) for block in list(self._ready)])
