"""How a carrier off the main kernel thread is interrupted before 3.12: by a trace function, for one line.

It stands in for `monitored`, whose place it takes in all. A carrier on which the program traces itself is
left alone: there is room for one trace function.
"""

import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

from weft.core.parking import THROWN
from weft.core.places import HOME
from weft.core.thread import ControlBlock
from weft.host import signals, threads, tracer
from weft.host.stacks import getcurrent
from weft.models.loop import Loop

__all__ = ["Traced"]


class Traced:
    """Interrupts marked carriers; see `Monitored`, which has the arguments."""

    def __init__(
        self,
        attend: Callable[[Loop, Any, FrameType | None], bool],
        raise_here: Callable[[Any, FrameType], None],
    ) -> None:
        self._attend = attend
        self._may_raise = raise_here
        self.marked: set[Loop] = set()
        self.lines = False
        self._threads: dict[Loop, Any] = {}
        self._tracer: tracer.Tracer | None = None
        try:
            self._tracer = tracer.Tracer(self._came)
        except (OSError, AttributeError, ImportError):
            pass  # an interpreter that hides its C functions: no slices but on the main kernel thread

    def begin(self, loop: Loop) -> None:
        """A carrier begins, on the calling kernel thread."""
        if self._tracer is not None:
            self._threads[loop] = self._tracer.here()

    def press(self, loop: Loop) -> None:
        """Have a carrier attend at the next chance.

        That tracing is on is told to the stack that runs, not to the kernel thread. If another stack goes on
        before the next line, which has been told of nothing, it has to be told again.
        """
        thread = self._threads.get(loop)
        if thread is not None and self._tracer is not None and not loop.traced:
            self.marked.add(loop)
            frame = threads.frames_now().get(loop.kernel_ident)
            while frame is not None and _is_weft(frame):
                frame.f_trace_lines = False
                frame = frame.f_back
            put, function = self._tracer.put, self._tracer.function
            if loop in self.marked and not loop.traced:  # atomic: it may have attended by an earlier mark
                put(thread, function, None)

    def insist(self, loop: Loop) -> None:
        """Have a marked carrier attend that has not yet: a loop of one instruction never comes to a line."""
        self.press(loop)
        if loop in self.marked and not loop.traced:
            frame = threads.frames_now().get(loop.kernel_ident)
            if frame is not None and not _is_weft(frame):
                frame.f_trace_opcodes = True

    def watch(self, block: ControlBlock) -> None:
        """A thread has something to meet: `_came` sees to that."""

    def look_closely(self, loop: Loop) -> None:
        """It comes to no line: the same."""

    def release(self, loop: Loop) -> None:
        """Have it go on in peace."""
        thread = self._threads.get(loop)
        if loop in self.marked:
            self.marked.discard(loop)
            if thread is not None and self._tracer is not None:
                put = self._tracer.put
                if not loop.traced:  # atomic: else it is the program's function that is there
                    put(thread, None, None)

    def forget(self, loop: Loop) -> None:
        """A carrier has ended, and what stood for its kernel thread with it."""
        self._threads.pop(loop, None)
        self.marked.discard(loop)

    def clear(self) -> None:
        """Interrupt nobody: in a forked child, where the carriers are gone."""
        self.marked.clear()
        self.lines = False
        self._threads.clear()

    def close(self) -> None:
        """Interrupt nobody any more, whoever asks for it: the trace function goes with its module."""
        for loop in tuple(self.marked):
            self.release(loop)
        self._threads.clear()

    def turn(self) -> None:
        """Nothing is on that no carrier is marked for."""

    def _came(self) -> None:
        frame: FrameType | None = sys._getframe(1)
        while frame is not None and frame.f_code.co_filename.startswith(HOME) and _is_ours(frame):
            frame = frame.f_back
        weft = frame is not None and _is_weft(frame)
        if weft and frame is not None:
            frame.f_trace_lines = False  # before all else: at its next line it may be within a segment
        me = getattr(getcurrent(), "block", None)
        loop = me.carrier if me is not None else None
        if me is None or loop not in self.marked:
            if self._tracer is not None and tracer.get_trace() is None:  # not `_line`, nor the program's
                self._tracer.put(self._tracer.here(), None, None)  # what is left of a mark that is gone
            return
        if weft:
            return
        if frame is not None and frame.f_trace_opcodes:
            frame.f_trace_opcodes = False
        if me.alarm & THROWN and frame is not None and me.on is None:
            # What is raised here is lost: a trace function in Python may raise, at the next line, or where a
            # loop of one instruction goes back.
            self.release(loop)
            frame.f_trace = self._line
            frame.f_trace_opcodes = True
            tracer.set_trace(self._line)
            return
        self._attend(loop, me, frame)

    def _line(self, frame: FrameType, event: str, _arg: Any) -> Any:
        if event == "opcode" and not signals.at_boundary(frame):
            return self._line
        tracer.set_trace(None)
        if event in ("line", "opcode"):
            frame.f_trace = None
            frame.f_trace_opcodes = False
        me = getattr(getcurrent(), "block", None)
        if me is not None and me.alarm & THROWN:
            self._may_raise(me, frame)
        return None


_OURS = frozenset({"call", "_came"})


def _is_weft(frame: FrameType) -> bool:
    """Whether a frame is weft's: there the interpreter's lock must not be given up between any two lines."""
    return frame.f_code.co_filename.startswith(HOME)


def _is_ours(frame: FrameType) -> bool:
    """Whether a frame belongs to the way from the interpreter to here."""
    return frame.f_code.co_name in _OURS and frame.f_code.co_filename in (__file__, tracer.__file__)
