"""What the controlled model and those above it speak of: threads with their pending operations, and choices.

Each thread has a record, which says what it is about to do before it does it. Strategies see nothing else.
"""

from collections.abc import Callable
from types import FrameType
from typing import Any, Protocol

from weft.host.stacks import frame_of

__all__ = ["ABANDON", "Chooser", "Ended", "Over", "Task"]


class Ended(BaseException):
    """Thrown into a thread of an execution that is over."""


class Over:
    """Why an execution is over: `kind` is "end", "deadlock", "bound", "livelock" or "stop"; `detail` is for
    who stopped it.
    """

    __slots__ = ("detail", "kind")

    def __init__(self, kind: str, detail: Any = None) -> None:
        self.kind = kind
        self.detail = detail


class Chooser(Protocol):
    """Chooses among the threads that can go on; a strategy seen from below."""

    def pick(self, enabled: "list[Task]", me: "Task | None") -> "Task | None":
        """The thread that goes on; None: the virtual clock jumps to the next deadline first.

        Args:
            enabled: at least one thread, in the order of their start; or one alone if time could pass.
            me: the thread that has run so far, None if it has ended.
        """


class Task:
    """The record of one thread, with the operation that it is about to do.

    Attributes:
        number: 0 for the main thread, then in the order of start.
        kind, target, key, site: the pending operation: what, on which object, on which part of it, and
            where in the source (None: to be read off the stack).
        guard: says whether the operation can be done now; None: it always can.
        deadline: virtual time at which the wait gives up, or None.
        stack: the greenlet; `block` of it is the task.
        done: whether the thread has ended.
        joiners: who stands aside until it has.
        wait: for reports: (reason, what holds it up: a task or None).
    """

    __slots__ = (
        "__dict__",
        "__weakref__",
        "daemon",
        "deadline",
        "done",
        "ending",
        "guard",
        "ident",
        "joiners",
        "key",
        "kind",
        "locals",
        "number",
        "parent",
        "run",
        "site",
        "spins",
        "stack",
        "switch",
        "target",
        "thread",
        "throws",
    )

    def __init__(self, number: int, run: Any, daemon: bool) -> None:
        self.number = number
        self.ident = 1000 + number
        self.run = run
        self.daemon = daemon
        self.done = False
        self.kind: Any = "start"
        self.target: Any = None
        self.key: Any = None
        self.site: Any = None
        self.guard: Callable[[Task], bool] | None = None
        self.deadline: float | None = None
        self.stack: Any = None
        self.switch: Any = None
        self.thread: Any = None
        self.locals: Any = None
        self.ending: Any = None
        self.joiners: list[Task] | None = None
        self.parent = -1
        self.throws = 0
        self.spins: Any = None

    @property
    def name(self) -> str:
        """The name of the program's thread object."""
        thread = self.thread
        if thread is None:
            return f"thread {self.number}" if self.number else "MainThread"
        return str(thread.name)

    def frame(self) -> FrameType | None:
        """The innermost frame of a thread that is not running."""
        return frame_of(self.switch)

    def __repr__(self) -> str:
        return f"<thread {self.number} {self.name!r}: {self.kind}>"


#: What a chooser returns when the execution is not worth going on with.
ABANDON = Task(-3, None, True)
