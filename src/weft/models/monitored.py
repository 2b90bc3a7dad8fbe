"""How a carrier off the main kernel thread is interrupted: by the interpreter's own events (PEP 669, 3.12).

Signals reach the main kernel thread alone. So a carrier that is to attend is *marked*, and the events are
turned on at which a function begins or a loop goes back (on 3.12 only the latter). The first one that comes
on that carrier turns them off and attends. Between slices nothing is paid but the instrumented code's first
run after each turn.

An exception that leaves a callback of a jump escapes the `try` around the loop, so what is set for a thread
from outside is raised where a line begins. Lines are events only while there is such a thing, and only of
the program's code that stands on that thread's stack or begins there: at each event the interpreter's lock
may go, which must not happen between two lines of weft. A loop that stays within its line comes to no
beginning: of its code each instruction is then an event.
"""

import sys
from collections.abc import Callable
from types import CodeType, FrameType
from typing import Any

from weft.core.places import HOME
from weft.core.thread import ControlBlock
from weft.guard import guarded
from weft.host import signals, threads
from weft.host.platform import CALLS_MAY_SWITCH
from weft.host.stacks import getcurrent
from weft.models.loop import Loop

__all__ = ["Monitored"]

NAME = "weft"
_monitoring: Any = getattr(sys, "monitoring", None)
_DISABLE: Any = getattr(_monitoring, "DISABLE", None)  # a jump forward is never told of again


class Monitored:
    """Interrupts marked carriers.

    Args:
        attend: called on a marked carrier, with its loop, the thread that runs and its innermost frame;
            returns whether it has attended.
        raise_here: the same where a line begins, for who has something thrown at it.
    """

    def __init__(
        self,
        attend: Callable[[Loop, Any, FrameType | None], bool],
        raise_here: Callable[[Any, FrameType], None],
    ) -> None:
        self._attend = attend
        self._raise = raise_here
        self.marked: set[Loop] = set()
        self.lines = False
        self._watched: dict[CodeType, int] = {}  # the events of its own that are on for it
        self._tool = _take_tool()
        events = _monitoring.events
        self._events = events.JUMP
        if CALLS_MAY_SWITCH:
            self._events |= events.PY_START | events.PY_RESUME
        for event in (events.PY_START, events.PY_RESUME):
            _monitoring.register_callback(self._tool, event, self._began)
        _monitoring.register_callback(self._tool, events.JUMP, self._jumped)
        _monitoring.register_callback(self._tool, events.LINE, self._line)
        _monitoring.register_callback(self._tool, events.INSTRUCTION, self._instruction)

    def begin(self, loop: Loop) -> None:
        """A carrier begins, on the calling kernel thread."""

    @guarded
    def press(self, loop: Loop) -> None:
        """Have a carrier attend at the next chance."""
        self.marked.add(loop)
        self.turn()

    def insist(self, loop: Loop) -> None:
        """The same for one that has not attended yet."""
        self.press(loop)

    def watch(self, block: ControlBlock) -> None:
        """A thread has something to meet: look at the lines of all its calls."""
        frame = block.carrier.frame(block)
        while frame is not None:
            self._add(frame.f_code, _monitoring.events.LINE)
            frame = frame.f_back

    def look_closely(self, loop: Loop) -> None:
        """A thread has something to meet and comes to no line: look at each instruction that runs there."""
        frame = threads.frames_now().get(loop.kernel_ident)
        if frame is not None:
            self._add(frame.f_code, _monitoring.events.INSTRUCTION)

    def _add(self, code: CodeType, event: int) -> None:
        """Have this event come from a piece of the program's code, until no thread has anything to meet."""
        there = self._watched.get(code, 0)
        if not there & event and not code.co_filename.startswith(HOME) and self._is_ours():
            self._watched[code] = there | event
            _monitoring.set_local_events(self._tool, code, there | event)

    @guarded
    def release(self, loop: Loop) -> None:
        """Have it go on in peace."""
        self.marked.discard(loop)
        self.turn()

    def forget(self, loop: Loop) -> None:
        """A carrier has ended."""
        self.release(loop)

    def clear(self) -> None:
        """Interrupt nobody."""
        self.marked.clear()
        self.lines = False
        self.turn()

    def close(self) -> None:
        """Give the tool's number back."""
        self.clear()
        if self._is_ours():
            _monitoring.free_tool_id(self._tool)

    def _is_ours(self) -> bool:
        return bool(_monitoring.get_tool(self._tool) == NAME)

    @guarded
    def turn(self) -> None:
        """Turn the events on or off, as is needed by now."""
        if self._is_ours():
            wanted = self._events if self.marked else 0
            if self.lines:
                wanted |= _monitoring.events.PY_START | _monitoring.events.PY_RESUME
            if _monitoring.get_events(self._tool) != wanted:
                _monitoring.set_events(self._tool, wanted)
            while self._watched and not self.lines:
                try:
                    code, _ = self._watched.popitem()
                except KeyError:
                    break  # another carrier is at it
                _monitoring.set_local_events(self._tool, code, 0)

    def _jumped(self, code: CodeType, offset: int, target: int) -> Any:
        return self._came(code, offset) if target <= offset else _DISABLE

    def _began(self, code: CodeType, offset: int) -> Any:
        if self.lines:
            me = getattr(getcurrent(), "block", None)
            if me is not None and me.alarm:
                self._add(code, _monitoring.events.LINE)
        return self._came(code, offset) if CALLS_MAY_SWITCH else None

    def _came(self, code: CodeType, offset: int) -> Any:
        me = getattr(getcurrent(), "block", None)
        loop = me.carrier if me is not None else None
        if loop not in self.marked:
            if not self.marked:
                self.turn()
            return None
        self._attend(loop, me, _frame_of(code))
        return None

    def _line(self, code: CodeType, line: int) -> Any:
        me = getattr(getcurrent(), "block", None)
        if me is not None and me.alarm:
            frame = _frame_of(code)
            if frame is not None:
                self._raise(me, frame)

    def _instruction(self, code: CodeType, offset: int) -> Any:
        me = getattr(getcurrent(), "block", None)
        if me is not None and me.alarm:
            frame = _frame_of(code)
            if frame is not None and signals.at_boundary(frame):
                self._raise(me, frame)


def _frame_of(code: CodeType) -> FrameType | None:
    """The innermost frame of the code that an event came from."""
    frame: FrameType | None = sys._getframe(2)
    while frame is not None and frame.f_code is not code:
        frame = frame.f_back
    return frame


def _take_tool() -> int:
    """A number among the interpreter's tools: one that nobody has by custom, if there is one.

    Raises:
        RuntimeError: all are taken.
    """
    for number in (4, 3, 5, 2, 1, 0):
        if _monitoring.get_tool(number) in (None, NAME):
            if _monitoring.get_tool(number) is None:
                _monitoring.use_tool_id(number, NAME)
            return number
    raise RuntimeError("all tool numbers of sys.monitoring are taken")
