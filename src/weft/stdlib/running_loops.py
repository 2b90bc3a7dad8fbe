"""Which asyncio loop runs in the calling thread: one for each user thread, where C keeps one for all of them.

C's own note stays empty. Where C looks for the loop itself (a `Future` made without one) it finds none and
asks asyncio's policy, through a function that it took from `asyncio.events` when it was loaded: at that
moment it is given one that knows the running loop.
"""

import os
import sys
from collections.abc import Callable
from types import FunctionType
from typing import Any

from weft.core.current import current
from weft.core.thread import ControlBlock
from weft.stdlib.supplied import dress

__all__ = ["RunningLoops"]


class _JustThis:
    """A policy for the length of one question."""

    def __init__(self, loop: Any) -> None:
        self._loop = loop

    def get_event_loop(self) -> Any:
        return self._loop


class RunningLoops:
    """Adapts the C module `_asyncio` when it is loaded."""

    def __init__(self) -> None:
        self._running: dict[ControlBlock, Any] = {}
        self._policy: Callable[[], Any] | None = None
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._running.clear)  # no loop runs in a child

    def before(self) -> Callable[[], None]:
        """Just before the module is executed: have it take our function; returns what undoes that."""
        events: Any = sys.modules.get("asyncio.events")
        policy = self._policy = getattr(events, "get_event_loop_policy", None)
        if policy is None:
            return lambda: None
        ask: Callable[[], Any] = policy

        def get_event_loop_policy() -> Any:
            loop = self._running.get(current())
            return ask() if loop is None else _JustThis(loop)

        def undo() -> None:
            events.get_event_loop_policy = policy

        events.get_event_loop_policy = get_event_loop_policy
        return undo

    def __call__(self, module: Any) -> None:
        """The module has been executed: put in what programs ask."""
        if self._policy is None:
            return
        running = self._running
        policy = self._policy

        def _get_running_loop() -> Any:
            """Return the running event loop or None."""
            return running.get(current())

        def _set_running_loop(loop: Any, /) -> None:
            """Set the running event loop."""
            if loop is None:
                running.pop(current(), None)
            else:
                running[current()] = loop

        def get_running_loop() -> Any:
            """Return the running event loop. Raises a RuntimeError if there is none."""
            loop = running.get(current())
            if loop is None:
                raise RuntimeError("no running event loop")
            return loop

        def get_event_loop() -> Any:
            """Return the running event loop, or what the policy says if none is running."""
            loop = running.get(current())
            return policy().get_event_loop() if loop is None else loop

        # The policy warns at the first frame that is not asyncio's: this one must count as such.
        theirs = {**globals(), "__name__": "asyncio.events"}
        asked = FunctionType(get_event_loop.__code__, theirs, None, None, get_event_loop.__closure__)
        asked.__doc__ = get_event_loop.__doc__
        for function in (_get_running_loop, _set_running_loop, get_running_loop):
            setattr(module, function.__name__, dress(function, "_asyncio", function.__name__))
        module.get_event_loop = dress(asked, "_asyncio", "get_event_loop")
        if hasattr(module, "_get_event_loop"):  # 3.11
            module._get_event_loop = lambda stacklevel=3: asked()
        real_current_task = getattr(module, "current_task", None)
        if real_current_task is not None:  # from 3.12 on

            def current_task(loop: Any = None) -> Any:
                """Return a currently executed task."""
                return real_current_task(get_running_loop() if loop is None else loop)

            module.current_task = dress(current_task, "_asyncio", "current_task")
