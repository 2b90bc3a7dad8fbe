"""What CPython keeps once a kernel thread for `asyncio`, kept once a thread: the running loop and its hooks.

The running event loop, the hooks of asynchronous generators and the depth to which coroutines note their
origin belong to CPython's thread state, and so to all user threads of a carrier together. From the moment a
thread sets one of them, every switch on its carrier puts in those of the thread that goes on; when no thread
has any left, switches are free again. A greenlet that the program makes itself has those of the thread that
made it.
"""

import sys
from collections.abc import Callable
from typing import Any

from weft.core.current import current
from weft.core.thread import ControlBlock
from weft.host.stacks import add_switch_tracer, drop_switch_tracer
from weft.host.threads import get_ident

__all__ = ["AsyncState"]

_Kept = tuple[Any, Any, Any, int]  # running loop, the two hooks, depth
NOTHING: _Kept = (None, None, None, 0)

_set_hooks, _get_hooks = sys.set_asyncgen_hooks, sys.get_asyncgen_hooks
_set_depth, _get_depth = sys.set_coroutine_origin_tracking_depth, sys.get_coroutine_origin_tracking_depth


def _shares(block: ControlBlock) -> bool:
    return block.carrier.poller is not None


class AsyncState:
    """The state of `asyncio` in C, per thread.

    Args:
        main: gives the main thread's block.
        shares: whether a thread shares its kernel thread with others.
    """

    def __init__(self, main: Callable[[], Any], shares: Callable[[Any], bool] = _shares) -> None:
        self._main = main
        self._shares = shares
        self._swaps: dict[int, _Swap] = {}  # by kernel thread
        self._closed = False
        self._module: Any = None
        self._get_loop: Callable[[], Any] = lambda: None
        self._set_loop: Callable[[Any], None] = lambda loop: None

    def replacements(self) -> list[tuple[Any, str, Any]]:
        """The functions to put in place: (module, name, value)."""
        return [
            (sys, "set_asyncgen_hooks", self._notes(_set_hooks)),
            (sys, "set_coroutine_origin_tracking_depth", self._notes(_set_depth)),
        ]

    def adapt(self, module: Any) -> None:
        """Have `_asyncio`, or what has its functions, when it is loaded, say when a loop begins to run."""
        self._module = module
        self._get_loop = module._get_running_loop
        self._set_loop = module._set_running_loop
        module._set_running_loop = self._notes(self._set_loop)

    def adapt_anew(self, module: Any) -> None:
        """The same before each run of a program that is run many times, and each begins with nothing."""
        if self._module is not module:
            self.adapt(module)
        mine = self._swaps.get(get_ident())
        if mine is not None:
            mine.disengage()
            mine.kept.clear()
        self._forget()

    def _notes(self, real: Callable[..., None]) -> Any:
        """The function, which also sees to it that what it sets stays with the calling thread."""

        def set_(*args: Any, **kwargs: Any) -> None:
            real(*args, **kwargs)
            if not self._closed and _is_set(self._read()):
                self._engage()

        set_.__name__ = set_.__qualname__ = real.__name__
        set_.__doc__, set_.__module__ = real.__doc__, real.__module__
        return staticmethod(set_)

    def _engage(self) -> None:
        me = current()
        if not self._shares(me):
            return  # a kernel thread of its own: CPython's state is its own too
        kernel_thread = get_ident()
        swap = self._swaps.get(kernel_thread)
        if swap is None:
            swap = self._swaps[kernel_thread] = _Swap(self._read, self._put)
        swap.engage()
        if me is not self._main() and self._forget not in (me.ending or ()):
            me.ending = [*(me.ending or ()), self._forget]

    def _read(self) -> _Kept:
        first, last = _get_hooks()
        return self._get_loop(), first, last, _get_depth()

    def _put(self, here: _Kept, there: _Kept) -> None:
        """Put one in place of another; what is the same is left alone, since audit hooks are told of each."""
        if here[0] is not there[0]:
            self._set_loop(there[0])
        if here[1] is not there[1] or here[2] is not there[2]:
            _set_hooks(there[1], there[2])
        if here[3] != there[3]:
            _set_depth(there[3])

    def _forget(self) -> None:
        """A thread ends: the next one on its stack begins with nothing."""
        self._put(self._read(), NOTHING)

    def after_fork(self) -> None:
        """In a forked child: the other threads are gone."""
        mine = self._swaps.get(get_ident())
        self._swaps = {} if mine is None else {get_ident(): mine}
        if mine is not None:
            mine.kept.clear()

    def close(self) -> None:
        """Stop swapping, for good."""
        self._closed = True
        mine = self._swaps.get(get_ident())
        if mine is not None:
            mine.disengage()
        if self._module is not None:
            self._module._set_running_loop = self._set_loop


class _Swap:
    """The swapping on one kernel thread.

    Attributes:
        kept: the state of the threads that do not run just now, by ident.
    """

    def __init__(self, read: Callable[[], _Kept], put: Callable[[_Kept, _Kept], None]) -> None:
        self._read = read
        self._put = put
        self._engaged = False
        self.kept: dict[int, _Kept] = {}

    def engage(self) -> None:
        if not self._engaged:
            self._engaged = True
            add_switch_tracer(self._switched)

    def _switched(self, event: str, stacks: Any) -> None:
        origin, target = (_ident(stack) for stack in stacks)
        if origin == target:
            return
        here = self._read()
        there = self.kept.pop(target, NOTHING)
        if _is_set(here):
            self.kept[origin] = here
        elif not self.kept and there is NOTHING:
            self.disengage()
            return
        self._put(here, there)

    def disengage(self) -> None:
        if self._engaged:
            self._engaged = False
            drop_switch_tracer(self._switched)


def _is_set(kept: _Kept) -> bool:
    return kept[0] is not None or kept[1] is not None or kept[2] is not None or kept[3] != 0


def _ident(stack: Any) -> int:
    """The thread that a stack belongs to: its own, or that of the stack it was made on."""
    while stack is not None:
        block = getattr(stack, "block", None)
        if block is not None:
            return block.ident  # type: ignore[no-any-return]
        stack = stack.parent
    return 0
