"""Preemption of user threads: a watchdog that trips the carrier when a slice has run out.

Nothing is paid between slices. The watchdog is a kernel thread that sleeps a slice at a time while
threads stay ready, sleeps longer while the carrier runs out of them in each slice (it then looks at timers
and descriptors itself, and nobody has waited for long), and sleeps for good once it has been idle for
a while; whoever leaves the idle state then rouses it. It only marks the tripwire signal as arrived;
the handler runs on the carrier, at the interpreter's next look at the eval breaker, fires due timers and
yields on behalf of the thread it interrupts.

A thread is switched away from only where the eval loop itself called the handler: at the start of a
function or at the end of a loop's round. Anywhere else the call may come from within C code that holds a
lock of its own, or from a primitive of weft in the middle of a change. The handler cannot trip itself
again (it would interrupt itself for ever); it has the eval loop do so at its next look, through a pending
call.
"""

import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

from weft.core.events import Kind
from weft.core.life import know
from weft.core.parking import SIGNAL, THROWN, settle
from weft.core.places import may_preempt
from weft.host import signals, threads
from weft.host.clock import monotonic
from weft.host.guard import GUARDED, enter, leave
from weft.host.platform import await_exit
from weft.host.stacks import getcurrent
from weft.models.blocked import BlockedReports
from weft.models.loop import Loop

__all__ = ["Preemption"]

SOON = 0.0005  # seconds until another try when a thread could not be preempted where it stood
PATIENCE = 100  # looks of the eval loop in a row at which a thread may refuse to be preempted
REST = 8  # slices without a ready thread after which the ticks get longer, and at last stop


@know
class Preemption:
    """Time slices for the threads of one carrier on the main kernel thread.

    Args:
        loop: the carrier.
        slice: seconds that a thread runs while others are ready.
        pending: tells whether signals wait for delivery; they use the same tick.
        deliver: delivers them, given the innermost frame of what runs; False if not here and now.
        blocked_limit: seconds in one C call, while others wait, after which that is told; 0: never.
    """

    __slots__ = ("__dict__", "alive", "asleep", "prepared")  # what the part in C reads

    def __init__(
        self,
        loop: Loop,
        slice: float,
        pending: Callable[[], bool],
        deliver: Callable[[FrameType | None], bool],
        blocked_limit: float = 0,
    ) -> None:
        self._loop = loop
        self.slice = slice
        self._pending = pending
        self._deliver = deliver
        self._bell = threads.raw_lock()
        self._bell.acquire()
        self._over = threads.raw_lock()
        self.alive = False
        self.asleep = False
        self._stopping = False
        self._refused = False
        self._hurry = False
        self._refusals = 0
        self._again = False
        self._native_id = 0
        self._tripping = False
        self.prepared = False
        self.switches = 0
        self._wanted = 0.0  # when it was last asked to come
        self._reports = BlockedReports(loop, blocked_limit, lambda: signals.is_tripwire(self._on_trip))
        signals.set_tripwire(self._on_trip)

    def ensure_running(self) -> None:
        """Start the watchdog if it is not there: there is somebody to be fair to."""
        if not self.prepared:
            signals.prepare()
            self.prepared = True
        self._start()

    def _start(self) -> None:
        """The same from a signal handler, which must not import: it may have interrupted an import."""
        if not self.alive and not self._stopping:  # atomic with the store
            self.alive = True
            self._wanted = monotonic()
            self._over.acquire()
            try:
                threads.start_own(self._watch)
            except RuntimeError:  # the interpreter is ending, or the machine has no more
                self.alive = False
                self._over.release()
                raise
        elif self.asleep:
            self.rouse()

    def rouse(self) -> None:
        """Wake the watchdog if it sleeps for good."""
        if self.asleep:
            self._wanted = monotonic()
            self.asleep = False
            try:
                self._bell.release()
            except RuntimeError:
                pass  # another has roused it already

    def kick(self) -> None:
        """Have the handler run very soon: signals wait, or an exception was set for a thread."""
        self._hurry = True
        self._start()
        if not self.asleep:
            try:
                self._bell.release()
            except RuntimeError:
                pass

    def pause(self) -> None:
        """Stop the watchdog and wait until it has ended; `resume` lets it start again (fork)."""
        self._stopping = True
        if self.alive:
            self.asleep = False
            try:
                self._bell.release()
            except RuntimeError:
                pass
            self._over.acquire()
            self._over.release()
            await_exit((self._native_id,))
            self._bell.acquire(False)

    def resume(self) -> None:
        """Allow the watchdog again, and start it if threads are ready."""
        self._stopping = False
        if self._loop.ready:
            self.ensure_running()

    def move(self, loop: Loop) -> None:
        """In a forked child whose main kernel thread is another carrier than the parent's."""
        self._loop = loop
        self._reports.move(loop)

    def after_fork(self) -> None:
        """In a forked child: no watchdog came along."""
        self._bell = threads.raw_lock()
        self._bell.acquire()
        self._over = threads.raw_lock()
        self.alive = self.asleep = self._hurry = False

    def stop(self) -> None:
        """End the watchdog and take the tripwire away."""
        self.pause()
        self._loop.on_leave_idle = None
        signals.set_tripwire(None)

    # -- the watchdog's kernel thread -------------------------------------------------------------

    def _watch(self) -> None:
        try:
            self._native_id = threads.get_native_id()
            signals.block_all()
            quiet = 0
            self._come(self._wanted)
            while not self._stopping:
                if self._refused or self._hurry:
                    wait = SOON
                else:
                    # Coming back takes the interpreter's lock, which a busy thread gives up only
                    # after the switch interval: that time is part of the slice.
                    wait = max(self.slice - sys.getswitchinterval(), self.slice / 2)
                    wait *= 1 << min(3, quiet // REST)
                meant = monotonic() + wait
                self._bell.acquire(timeout=wait)
                loop = self._loop
                if self._stopping:
                    break
                if self._hurry or (not loop.waiting and (self._refused or self._starved())):
                    quiet = 0
                    self._refused = self._hurry = False
                    self._come(meant)
                    signals.trip()
                    continue
                quiet += 1
                self._refused = False
                self._reports.attended()
                if loop.waiting and quiet > 4 * REST:
                    loop.on_leave_idle = self.rouse
                    self.asleep = True
                    if loop.waiting and not self._hurry and not self._stopping:
                        self._bell.acquire()
                        self._come(self._wanted)
                    self.asleep = False
                    loop.on_leave_idle = None
                    quiet = 0
        finally:
            self.alive = False
            self._over.release()

    def _come(self, meant: float) -> None:
        """The watchdog is here and meant to be at that time: does the carrier sit in one call for long?"""
        if not self._loop.waiting and not self._stopping:
            self._reports.tripped(monotonic() - meant)

    def _starved(self) -> bool:
        """Whether a thread, a timer or a descriptor may have waited for most of a slice.

        None has if the carrier ran out of ready threads meanwhile: it then looked at all of them.
        """
        loop, now = self._loop, monotonic()
        if now - loop.now < self.slice / 2:
            return False
        if loop.ready or loop.poller:
            return True
        when = loop.timers.next_hint()
        return when is not None and when <= now

    def _try_again(self) -> None:
        """Not here: try at the eval loop's next look, and if that goes on for long, a little later.

        The last that the handler does. At a look within the handler the next try would come to nothing.
        """
        self._refusals += 1
        if self._refusals > PATIENCE or not signals.trip_at_next_look():
            self._refusals = 0
            self._refused = True

    # -- on the carrier ----------------------------------------------------------------------------

    def _on_trip(self, signum: int, frame: FrameType | None) -> None:
        loop = self._loop
        self._reports.met(frame)
        if self._tripping:  # the handler itself was interrupted by the next tick
            return
        self._tripping = True
        self._again = False
        entered = GUARDED and enter()
        try:
            chosen = self._attend(loop, frame)
        finally:
            self._tripping = False
            if entered:
                leave()
        if self._again:
            self._try_again()
        else:
            self._refusals = 0
        if chosen is None:
            return
        me, resume = chosen
        entered = GUARDED and enter()
        resume()
        if entered:
            leave()
        if me.alarm & (THROWN | SIGNAL):
            alarm, me.alarm = me.alarm, 0
            settle(me, alarm)

    def _attend(self, loop: Loop, frame: FrameType | None) -> tuple[Any, Any] | None:
        """See to timers, descriptors and signals; who is to be preempted, and what runs instead."""
        loop.now = now = monotonic()
        timers = loop.timers
        if timers.heap and timers.heap[0][0] <= now:
            timers.fire(now)
        if loop.poller and not loop.waiting and not self._refusals:
            loop.serve(loop.poller.look())
        if self._pending() and not self._deliver(frame):
            self._again = True
        me = getattr(getcurrent(), "block", None)
        if me is None or loop.waiting:
            return None
        if me.alarm & THROWN and me.on is None:
            if may_preempt(frame):
                alarm, me.alarm = me.alarm, 0
                settle(me, alarm)
            else:
                self._refused = True
        if not loop.ready or me.on is not None:
            return None
        if (
            loop.collecting
            or not me.begun
            or me.done
            or (frame is not None and not signals.at_boundary(frame))
            or not may_preempt(frame)
        ):
            self._again = True
            return None
        self.switches += 1
        carrier = me.carrier
        if loop.listener is not None:
            loop.listener(Kind.PREEMPTED, me, None)
        carrier.again(me.resume)
        try:
            resume: Any = carrier.pick()
        except IndexError:
            return None
        return me, resume
