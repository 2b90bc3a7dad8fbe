"""Preemption of carriers that are not the main kernel thread: by the interpreter's own events (PEP 669, 3.12).

A watchdog looks once a slice. Where threads wait behind one that runs, it marks the carrier and turns the events on
at which a function begins or a loop goes back. The first one that comes on that carrier turns them off and
switches. Between slices nothing is paid but the instrumented code's first run after each turn.

The switch goes through `sys.call_tracing`: the interpreter holds back events while a callback runs, and the stack that
is switched to must not inherit that. Exceptions that are set for a thread are not raised here, since one that
leaves a callback of a jump escapes the `try` around the loop; they come at the thread's next wait.
"""

import sys
from types import CodeType, FrameType
from typing import Any

from weft.core.places import may_preempt
from weft.host import threads
from weft.host.clock import monotonic
from weft.host.stacks import getcurrent
from weft.models.loop import Loop

__all__ = ["Monitored"]

NAME = "weft"
_monitoring: Any = getattr(sys, "monitoring", None)


class Monitored:
    """Time slices for the threads of carriers off the main kernel thread.

    Args:
        slice: seconds that a thread runs while others are ready.
    """

    def __init__(self, slice: float) -> None:
        self.slice = slice
        self.alive = False
        self.switches = 0
        self._pressed = False
        self._loops: list[Loop] = []
        self._marked: set[Loop] = set()
        self._bell = threads.raw_lock()
        self._bell.acquire()
        self._stopping = False
        self._tool = self._take_tool()
        events = _monitoring.events
        self._events = events.PY_START | events.PY_RESUME | events.JUMP
        for event in (events.PY_START, events.PY_RESUME):
            _monitoring.register_callback(self._tool, event, self._came)
        _monitoring.register_callback(self._tool, events.JUMP, self._jumped)

    @staticmethod
    def possible() -> bool:
        """Whether the interpreter has the events (3.12)."""
        return _monitoring is not None

    @staticmethod
    def _take_tool() -> int:
        """A number among the interpreter's tools: one that nobody has by custom, if there is one."""
        for number in (4, 3, 5, 2, 1, 0):
            if _monitoring.get_tool(number) in (None, NAME):
                if _monitoring.get_tool(number) is None:
                    _monitoring.use_tool_id(number, NAME)
                return number
        raise RuntimeError("all tool numbers of sys.monitoring are taken")

    def add(self, loop: Loop) -> None:
        """Keep slices on one carrier more."""
        self._loops.append(loop)

    def ensure_running(self) -> None:
        """Start the watchdog if it is not there."""
        if not self.alive and not self._stopping:  # atomic with the store
            self.alive = True
            threads.start_own(self._watch)

    def press(self, loops: list[Loop]) -> None:
        """Have these carriers switch at the next chance, ready threads or not."""
        self._pressed = True
        self._marked.update(loops)
        self._turn(off=False)

    def stop(self) -> None:
        """End the watchdog and give the tool number back."""
        self._stopping = True
        try:
            self._bell.release()
        except RuntimeError:
            pass
        self._turn(off=True)

    def after_fork(self) -> None:
        """In a forked child: no watchdog came along, and no further carriers."""
        self._loops.clear()
        self._marked.clear()
        self.alive = False
        self._bell = threads.raw_lock()
        self._bell.acquire()
        self._turn(off=True)

    def _turn(self, off: bool) -> None:
        if _monitoring.get_tool(self._tool) == NAME:
            _monitoring.set_events(self._tool, 0 if off else self._events)

    def _watch(self) -> None:
        while not self._stopping:
            self._bell.acquire(timeout=self.slice)
            if self._stopping:
                break
            for loop in self._loops:
                if not loop.waiting and (loop.ready or self._due(loop)):
                    self._marked.add(loop)
            if self._marked:
                self._turn(off=False)
        self.alive = False

    @staticmethod
    def _due(loop: Loop) -> bool:
        if loop.poller:
            return True
        when = loop.timers.next_hint()
        return when is not None and when <= monotonic()

    # -- on a carrier ----------------------------------------------------------------------------------

    def _jumped(self, code: CodeType, offset: int, target: int) -> Any:
        return self._came(code, offset) if target <= offset else None

    def _came(self, code: CodeType, offset: int) -> Any:
        me = getattr(getcurrent(), "block", None)
        loop = me.carrier if me is not None else None
        if loop not in self._marked:
            if not self._marked:
                self._turn(off=True)
            return None
        frame = sys._getframe(1)
        while frame is not None and frame.f_code is not code:  # `_jumped`, if it was that
            frame = frame.f_back  # type: ignore[assignment]
        self._attend(loop, me, frame)
        return None

    def _attend(self, loop: Loop, me: Any, frame: FrameType | None) -> None:
        """The carrier's slice is up: see to timers and descriptors, and let the next thread run."""
        if loop.waiting or me.on is not None or not may_preempt(frame):
            return  # not here; at one of the next events
        self._marked.discard(loop)
        if not self._marked:
            self._turn(off=True)
        loop.breathe()
        if (not loop.ready and not self._pressed) or loop.collecting or not me.begun or me.done:
            return
        self.switches += 1
        loop.push(me.resume)
        try:
            resume = loop.pick()
        except IndexError:
            return
        sys.call_tracing(resume, ())
