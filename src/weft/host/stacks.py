"""Stacks that one kernel thread switches between: greenlets.

Every worker begins from one shallow *nursery* greenlet whose parent is the root. Begun from one
another they would inherit each other's depth of C stack and of recursion, and a chain of a thousand
ends in RecursionError.
"""

from _functools import partial  # type: ignore[import-not-found]  # functools leads to much more
from collections import deque
from collections.abc import Callable
from types import FrameType
from typing import Any

import greenlet as _greenlet

from weft.host.platform import FREE_THREADED
from weft.host.threads import get_ident

__all__ = [
    "UNFIT",
    "Begin",
    "Nursery",
    "Worker",
    "add_switch_tracer",
    "drop_switch_tracer",
    "frame_of",
    "getcurrent",
    "root",
]

getcurrent = _greenlet.getcurrent


def _unfit() -> str | None:
    """Why several kernel threads cannot each switch stacks here; None if they can.

    Without the interpreter's lock CPython locks single objects, also while it calls back (`list.extend` of a
    generator, a file's buffers). Before 3.5.4 greenlet leaves them locked when it switches, and the next one
    that comes to such an object puts its kernel thread to sleep for good.
    """
    numbers = [int(part) for part in _greenlet.__version__.split(".")[:3] if part.isdigit()]
    if not FREE_THREADED or numbers >= [3, 5, 4]:
        return None
    return f"greenlet {_greenlet.__version__} keeps objects locked across a switch; 3.5.4 and newer do not"


UNFIT = _unfit()


class Worker(_greenlet.greenlet):
    """A stack that runs one thread after another; `block` is the thread it runs now."""

    __slots__ = ("block", "hooks")

    block: Any
    hooks: tuple[Any, Any]


def root() -> Any:
    """The greenlet that the calling kernel thread began with."""
    here = getcurrent()
    while here.parent is not None:
        here = here.parent
    return here


class Nursery:
    """Begins threads from a shallow stack.

    `next`, when called, runs the first block of `fresh` on a spare worker or on a new one in place of the
    caller; `begin(block)` makes a callable that does so for one block. Both are C all the way, so that a
    thread that parks and thereby begins another keeps no frame of ours on its stack for it.

    Args:
        loop: what a worker runs.
        spares: workers between two threads; the nursery takes from it.
    """

    def __init__(self, loop: Callable[[], Any], spares: "deque[Worker]") -> None:
        self._loop = loop
        self._spares = spares
        self.fresh: deque[Any] = deque()
        self._root = root()
        self._stack = _greenlet.greenlet(self._serve, self._root)
        self._stack.switch(getcurrent())
        self.next = self._stack.switch

    def _serve(self, back: Any) -> None:
        spares, fresh = self._spares, self.fresh
        asked = back.switch()
        while True:
            block = asked or fresh.popleft()
            worker = None
            while spares and worker is None:
                worker = spares.pop()
                if worker.block.on is not None:  # a finalizer waits on its stack just now
                    worker = None
            if worker is None:
                worker = Worker(self._loop, self._root)
            worker.block = block
            block.resume = worker.switch
            asked = worker.switch()

    def begin(self, block: Any) -> Callable[[], Any]:
        """The callable that begins the block."""
        return Begin(self.next, block)  # type: ignore[no-any-return]


Begin = partial  # what stands for one thread that has not begun; its argument is the block


def frame_of(resume: Any) -> FrameType | None:
    """The innermost frame of the stack that `resume` switches to, if it is suspended."""
    stack = getattr(resume, "__self__", None)
    frame = getattr(stack, "gr_frame", None)
    return frame if isinstance(frame, FrameType) else None


_tracers: dict[int, list[Callable[[str, Any], None]]] = {}  # of each kernel thread


def add_switch_tracer(tracer: Callable[[str, Any], None]) -> None:
    """Have `tracer(event, (origin, target))` called at every switch on the calling kernel thread."""
    _tracers.setdefault(get_ident(), []).append(tracer)
    _set_tracers()


def drop_switch_tracer(tracer: Callable[[str, Any], None]) -> None:
    """Call it no more; without a tracer switches cost nothing more."""
    mine = _tracers.get(get_ident(), [])
    if tracer in mine:
        mine.remove(tracer)
    _set_tracers()


def _set_tracers() -> None:
    tracers = tuple(_tracers.get(get_ident(), ()))

    def all_of_them(event: str, stacks: Any) -> None:
        for tracer in tracers:
            tracer(event, stacks)

    _greenlet.settrace(all_of_them if len(tracers) > 1 else tracers[0] if tracers else None)
