"""Looks after the carriers of the hybrid model: who has been in C for long, whose slice is over.

A kernel thread of weft's own looks once a slice while any carrier is busy. It decides nothing on the carriers
themselves: one off the main kernel thread that has others ready, or timers or descriptors to see to, is
interrupted (`monitored`; `traced` before 3.12) and attends on its own stack. The main kernel thread has
`preemption` for that.

A carrier whose Python code has not moved between two looks sits in a C call, or seems to. It is *stuck*: new
threads are placed elsewhere, what stands before it and has not begun is taken by others, and it is
interrupted more and more rarely, since the events that do so are felt by all.

The switch goes through `sys.call_tracing`: the interpreter holds back events while a callback runs, and the
stack that is switched to must not inherit that.
"""

import sys
from types import FrameType
from typing import Any

from weft.core.events import Kind
from weft.core.parking import SIGNAL, THROWN, settle
from weft.core.places import may_preempt
from weft.core.thread import ControlBlock
from weft.host import signals, threads
from weft.host.clock import monotonic
from weft.host.guard import guarded
from weft.host.platform import HAS_EVENTS
from weft.models.loop import Loop
from weft.models.monitored import Monitored
from weft.models.traced import Traced

__all__ = ["Overseer"]

SOON = 0.001  # seconds until a look when one is wanted at once
REST = 8  # slices in which all carriers sleep, after which looks get rarer, and at last stop
RAREST = 32  # slices between two interruptions of a carrier that does not attend
CLOSELY = 3  # looks until a thread that has something to meet is thought to come to no line
LOOK = 0.01  # seconds between two looks where there are no slices


class _Seen:
    """What is known of one carrier."""

    __slots__ = ("at", "loop", "missed", "skip")

    def __init__(self, loop: Loop) -> None:
        self.loop = loop
        self.at: tuple[int, int] | None = None  # where its Python code stood at the last look
        self.missed = self.skip = 0


class Overseer:
    """The watchdog of several carriers.

    Args:
        loops: all of them, the first one on the main kernel thread; more may be added to the list.
        slice: seconds that a thread runs while others are ready; 0: threads are not interrupted.
    """

    def __init__(self, loops: list[Loop], slice: float) -> None:
        self._loops = loops
        self._pause = slice or LOOK
        self.interrupter: Monitored | Traced | None = None
        if slice:
            kind: Any = Monitored if HAS_EVENTS else Traced
            self.interrupter = kind(self._attend, self._raise_here)
        self._seen: dict[Loop, _Seen] = {}
        self._thrown: dict[ControlBlock, int] = {}  # looks since then
        self.alive = self.asleep = False
        self.switches = 0
        self._stopping = self._ending = False
        self._bell = threads.raw_lock()
        self._bell.acquire()
        self._over = threads.raw_lock()

    def begin(self, loop: Loop) -> None:
        """A further carrier begins; called on its kernel thread."""
        loop.on_leave_idle = self.rouse
        if self.interrupter is not None:
            self.interrupter.begin(loop)

    def forget(self, loop: Loop) -> None:
        """A carrier has ended."""
        if self.interrupter is not None:
            self.interrupter.forget(loop)

    def ensure_running(self) -> None:
        """Start the watchdog if it is not there; wake it if it sleeps."""
        if not self.alive and not self._stopping:  # atomic with the store
            self.alive = True
            self._over.acquire()
            try:
                threads.start_own(self._watch)
            except RuntimeError:
                self.alive = False
                self._over.release()
                raise
        elif self.asleep:
            self.rouse()

    def rouse(self) -> None:
        """Wake the watchdog if it sleeps for good."""
        if self.asleep:
            self.asleep = False
            self._ring()

    def _ring(self) -> None:
        try:
            self._bell.release()
        except RuntimeError:
            pass  # another has done so already

    def kick(self, loop: Loop) -> None:
        """Have a carrier off the main kernel thread attend soon: something is to be done on it."""
        if self.interrupter is not None:
            self.interrupter.press(loop)

    def throw(self, block: ControlBlock, loop: Loop) -> None:
        """Something was thrown at a thread of such a carrier: it is to meet that as soon as it runs."""
        if self.interrupter is not None and block.on is None:
            self._thrown[block] = 0
            self.interrupter.lines = True
            self.interrupter.press(loop)
            self.interrupter.watch(block)
            self.ensure_running()

    def pause(self) -> None:
        """Stop the watchdog and wait until it has ended (fork)."""
        self._stopping = True
        if self.alive:
            self.asleep = False
            self._ring()
            self._over.acquire()
            self._over.release()
            self._bell.acquire(False)

    def resume(self) -> None:
        """Allow it again, and start it if there is more than one carrier."""
        self._stopping = False
        if len(self._loops) > 1:
            self.ensure_running()

    def after_fork(self, loops: list[Loop]) -> None:
        """In a forked child: no watchdog came along, and one carrier, which is the main kernel thread now."""
        self._loops = loops
        self._seen.clear()
        self._thrown.clear()
        self.alive = self.asleep = False
        self._bell = threads.raw_lock()
        self._bell.acquire()
        self._over = threads.raw_lock()
        if self.interrupter is not None:
            self.interrupter.clear()

    def end(self, others: list[Loop]) -> None:
        """The program ends: have these carriers come to a stop wherever Python code of theirs runs."""
        self._ending = True
        self.pause()
        self.insist(others)

    def insist(self, loops: list[Loop]) -> None:
        """Have these carriers attend at their next chance, if they have not."""
        if self.interrupter is not None:
            for loop in loops:
                self.interrupter.insist(loop)

    def close(self) -> None:
        """Interrupt nobody any more."""
        if self.interrupter is not None:
            self.interrupter.close()

    # -- the watchdog's kernel thread -------------------------------------------------------------------

    def _watch(self) -> None:
        try:
            quiet = 0
            while not self._stopping:
                self._bell.acquire(timeout=self._pause * (1 << min(3, quiet // REST)))
                if self._stopping:
                    break
                if self._look():
                    quiet = 0
                    continue
                quiet += 1
                if quiet > 4 * REST:
                    self.asleep = True
                    if not any(not loop.waiting for loop in self._loops) and not self._stopping:
                        self._bell.acquire()
                    self.asleep = False
                    quiet = 0
        finally:
            self.alive = False
            self._over.release()

    @guarded
    def _look(self) -> bool:
        """Look at each carrier; False if all sleep."""
        busy = False
        self._see_to_thrown()
        places = _places()
        for loop in tuple(self._loops):
            seen = self._seen.get(loop)
            if seen is None:
                seen = self._seen[loop] = _Seen(loop)
            if loop.waiting:
                loop.stuck, seen.at, seen.missed = False, None, 0
                continue
            busy = True
            at, looks = places.get(loop.kernel_ident, (None, False))
            same = at is not None and at == seen.at and not looks
            seen.at = at
            if at is None and self.interrupter is not None:
                same = loop in self.interrupter.marked  # and it has not attended since the last look
            loop.stuck = same
            if not same:
                seen.missed = seen.skip = 0
            else:
                if loop.nursery.fresh:
                    self._have_taken(loop)
                self._have_called(loop)
            if loop is not self._loops[0]:
                self._interrupt(seen)
        return busy

    def _see_to_thrown(self) -> None:
        """Have lines watched only while a thread that runs, or will, has something to meet."""
        if self._thrown and self.interrupter is not None:
            for block in tuple(self._thrown):
                if not block.alarm & THROWN or block.on is not None or block.done:
                    self._thrown.pop(block, None)
                    continue
                self._thrown[block] = looks = self._thrown.get(block, 0) + 1
                self.interrupter.watch(block)
                if looks > CLOSELY and isinstance(block.carrier, Loop):
                    self.interrupter.look_closely(block.carrier)
            self.interrupter.lines = bool(self._thrown)
            self.interrupter.turn()

    def _have_taken(self, stuck: Loop) -> None:
        """Wake who sleeps: what stands before a stuck carrier and has not begun can be taken."""
        for loop in self._loops:
            if loop is not stuck and loop.waiting:
                loop.wake()

    def _have_called(self, stuck: Loop) -> None:
        """Have another carrier make the calls whose time has come on a stuck one (`call_later`)."""
        now = monotonic()
        when = stuck.timers.next_hint()
        if when is None or when > now:
            return
        free = [loop for loop in self._loops if loop is not stuck and not loop.stuck]
        for loop in sorted(free, key=lambda loop: not loop.waiting)[:1]:
            if stuck.timers.hand_over(now, loop.timers) and loop.waiting:
                loop.wake()

    def _interrupt(self, seen: _Seen) -> None:
        """Interrupt a carrier if that is needed; one that has not attended last time, more rarely."""
        interrupter, loop = self.interrupter, seen.loop
        if interrupter is None:
            return
        if loop in interrupter.marked:
            seen.missed += 1
            if loop.stuck and not self._ending:
                seen.skip = min(RAREST, 1 << min(seen.missed, 8))
                interrupter.release(loop)
            else:
                interrupter.insist(loop)
        elif seen.skip:
            seen.skip -= 1
        elif self._starved(loop) or any(block.carrier is loop for block in tuple(self._thrown)):
            interrupter.press(loop)

    def _starved(self, loop: Loop) -> bool:
        """Whether a thread, a timer or a descriptor may have waited for most of a slice; see `Preemption`."""
        now = monotonic()
        if now - loop.now < self._pause / 2:
            return False
        if loop.ready or loop.poller:
            return True
        when = loop.timers.next_hint()
        return when is not None and when <= now

    # -- on a carrier -------------------------------------------------------------------------------------

    @guarded
    def _attend(self, loop: Loop, me: Any, frame: FrameType | None) -> bool:
        """The carrier's slice is up: see to timers and descriptors, and let the next thread run."""
        interrupter = self.interrupter
        if interrupter is None or loop.waiting or me.on is not None or not may_preempt(frame):
            return False  # not here; at one of the next events
        interrupter.release(loop)
        loop.breathe()
        if (not loop.ready and not self._ending) or loop.collecting or not me.begun or me.done:
            return True
        self.switches += 1
        if loop.listener is not None:
            loop.listener(Kind.PREEMPTED, me, None)
        loop.again(me.resume)
        try:
            resume = loop.pick()
        except IndexError:
            return True
        sys.call_tracing(resume, ())
        return True

    @guarded
    def _raise_here(self, me: Any, frame: FrameType) -> None:
        """At the beginning of a line: raise what was thrown at the thread."""
        if not me.alarm & THROWN or me.on is not None or me.done or not may_preempt(frame):
            return
        self._thrown.pop(me, None)
        alarm, me.alarm = me.alarm, 0
        settle(me, alarm & (THROWN | SIGNAL))


def _places() -> dict[int, tuple[tuple[int, int], bool]]:
    """Where the Python code of each kernel thread stands, and whether the eval loop looks around there.

    No frame is kept: what it holds would live on for as long.
    """
    frames = threads.frames_now()
    return {ident: ((id(f), f.f_lasti), at_boundary(f)) for ident, f in frames.items()}


def at_boundary(frame: FrameType | None) -> bool:
    """Whether a frame stands where the eval loop itself looks for things to do."""
    return frame is not None and signals.at_boundary(frame)
