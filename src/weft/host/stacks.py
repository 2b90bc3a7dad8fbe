"""Stacks that one kernel thread switches between: greenlets.

Every worker begins from one shallow *nursery* greenlet whose parent is the root. Begun from one
another they would inherit each other's depth of C stack and of recursion, and a chain of a thousand
ends in RecursionError.
"""

from collections.abc import Callable
from types import FrameType
from typing import Any

import greenlet as _greenlet

__all__ = ["Nursery", "Worker", "frame_of", "getcurrent", "root", "set_switch_tracer"]

getcurrent = _greenlet.getcurrent


class Worker(_greenlet.greenlet):
    """A stack that runs one thread after another; `block` is the thread it runs now."""

    __slots__ = ("block", "context")


def root() -> Any:
    """The greenlet that the calling kernel thread began with."""
    here = getcurrent()
    while here.parent is not None:
        here = here.parent
    return here


class Nursery:
    """Begins workers from a shallow stack."""

    def __init__(self, loop: Callable[[], Any]) -> None:
        self._loop = loop
        self._root = root()
        self._stack = _greenlet.greenlet(self._serve, self._root)
        self._stack.switch(getcurrent())

    def _serve(self, back: Any) -> None:
        block = back.switch()
        while True:
            worker = Worker(self._loop, self._root)
            worker.block = block
            block.resume = worker.switch
            block = worker.switch()

    def begin(self, block: Any) -> None:
        """Give the block a fresh worker and switch to it; returns when the caller is resumed."""
        self._stack.switch(block)


def frame_of(resume: Any) -> FrameType | None:
    """The innermost frame of the stack that `resume` switches to, if it is suspended."""
    stack = getattr(resume, "__self__", None)
    frame = getattr(stack, "gr_frame", None)
    return frame if isinstance(frame, FrameType) else None


def set_switch_tracer(tracer: Callable[[str, Any], None] | None) -> None:
    """Have `tracer(event, (origin, target))` called at every switch on this kernel thread."""
    _greenlet.settrace(tracer)
