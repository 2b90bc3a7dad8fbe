"""`sys.settrace`, `sys.setprofile` and `sys._current_frames` for threads that share a kernel thread.

CPython keeps one trace function and one profile function a kernel thread. As soon as a program sets one,
every switch saves the pair of the stack that is left and puts in that of the stack that goes on; until
then nothing is paid. Frames of weft are not shown to the program's functions.

What is set from C is not seen when it is set. So `threading.settrace` and `setprofile`, which tools call
next, start the swapping too, and so does `cProfile` before 3.12, whose profiles `enable` puts back.
A C profiler that cannot be put back from Python is left where it is: it has the whole kernel thread.
"""

import functools
import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

from weft.core.current import current, getcurrent
from weft.core.places import HOME
from weft.core.thread import ControlBlock
from weft.guard import guarded
from weft.host.platform import HAS_EVENTS
from weft.host.stacks import add_switch_tracer, drop_switch_tracer
from weft.host.threads import get_ident, without_own

__all__ = ["Tracing"]

NO_HOOKS = (None, None)

_real_settrace, _real_gettrace = sys.settrace, sys.gettrace
_real_setprofile, _real_getprofile = sys.setprofile, sys.getprofile
_real_settrace_all: Any = getattr(sys, "_settraceallthreads", None)  # 3.12
_real_setprofile_all: Any = getattr(sys, "_setprofileallthreads", None)


class _Shown:
    """A program's trace or profile function, called for the program's own frames alone."""

    __slots__ = ("function",)

    def __init__(self, function: Any) -> None:
        self.function = function

    def __call__(self, frame: FrameType, event: str, arg: Any) -> Any:
        if frame.f_code.co_filename.startswith(HOME):
            return None
        return self.function(frame, event, arg)


def _wrap(function: Any) -> Any:
    return None if function is None else _Shown(function)


def _wants_all(profiler: Any) -> bool:
    """Whether it was set from C and could not be put back once it is gone."""
    return profiler is not None and not callable(profiler) and not _is_profile(profiler)


def _is_profile(profiler: Any) -> bool:
    """Whether it is a `cProfile.Profile` (before 3.12; later ones are no profile function)."""
    return hasattr(profiler, "enable") and type(profiler).__mro__[-2].__module__ == "_lsprof"


def _swap_profilers(out: Any, to: Any) -> None:
    if out is to or _wants_all(out) or _wants_all(to):
        return
    _real_setprofile(None if _is_profile(to) else to)
    if _is_profile(to):
        to.enable()


def _unwrap(function: Any) -> Any:
    return function.function if type(function) is _Shown else function


class Tracing:
    """Trace and profile functions per thread.

    Args:
        blocks: gives every thread.
        everywhere: calls a function on each other carrier; None: each thread has a kernel thread of its own,
            so that no switch has to swap the functions.
    """

    def __init__(
        self,
        blocks: Callable[[], list[ControlBlock]],
        everywhere: Callable[[Callable[[], object]], None] | None,
    ) -> None:
        self._blocks = blocks
        self._shared = everywhere is not None
        self._everywhere = everywhere or (lambda function: None)
        self._engaged: set[int] = set()  # kernel threads
        self._undo: list[Callable[[], object]] = []

    def replacements(self) -> list[tuple[Any, str, Any]]:
        """The functions to put in place: (module, name, value)."""
        found = [
            (sys, "settrace", self.settrace),
            (sys, "gettrace", self.gettrace),
            (sys, "setprofile", self.setprofile),
            (sys, "getprofile", self.getprofile),
            (sys, "_current_frames", _make_current_frames(self._blocks)),
        ]
        if hasattr(sys, "_settraceallthreads"):
            found.append((sys, "_settraceallthreads", self.settrace_all))
            found.append((sys, "_setprofileallthreads", self.setprofile_all))
        return found

    def settrace(self, function: Any, /) -> None:
        """Set the calling thread's trace function; as `sys.settrace`."""
        self._engage(function)
        _real_settrace(_wrap(function))

    def gettrace(self) -> Any:
        """The calling thread's trace function, or None; as `sys.gettrace`."""
        return _unwrap(_real_gettrace())

    def setprofile(self, function: Any, /) -> None:
        """Set the calling thread's profile function; as `sys.setprofile`."""
        self._engage(function)
        _real_setprofile(_wrap(function))

    def getprofile(self) -> Any:
        """The calling thread's profile function, or None; as `sys.getprofile`."""
        return _unwrap(_real_getprofile())

    def settrace_all(self, function: Any, /) -> None:
        """Set the trace function of every thread; as `sys._settraceallthreads`."""
        if not self._shared:
            _real_settrace_all(_wrap(function))
            return
        self._set_others(0, _wrap(function), _real_settrace)
        self.settrace(function)

    def setprofile_all(self, function: Any, /) -> None:
        """Set the profile function of every thread; as `sys._setprofileallthreads`."""
        if not self._shared:
            _real_setprofile_all(_wrap(function))
            return
        self._set_others(1, _wrap(function), _real_setprofile)
        self.setprofile(function)

    @guarded
    def _set_others(self, which: int, function: Any, put: Callable[[Any], object]) -> None:
        def set_there() -> None:
            self._engage(function)
            put(function)

        self._everywhere(set_there)
        self._engage(function)
        here = getcurrent()
        for block in self._blocks():
            stack: Any = getattr(block.resume, "__self__", None)
            if stack is not None and stack is not here and hasattr(stack, "gr_frame"):
                hooks = list(getattr(stack, "hooks", NO_HOOKS))
                hooks[which] = function
                stack.hooks = tuple(hooks)

    def _engage(self, function: Any) -> None:
        """From the first function on: swap at every switch, and clear at the end of each such thread."""
        if function is None or not self._shared:
            return
        self._swap_here()
        block = current()
        if _clear not in (block.ending or ()):
            block.ending = [*(block.ending or ()), _clear]

    def _swap_here(self) -> None:
        """On the calling kernel thread."""
        here = get_ident()
        if here not in self._engaged:
            self._engaged.add(here)
            current().carrier.traced = True  # type: ignore[attr-defined]  # weft's own is not put there any more
            add_switch_tracer(self._switched)

    @staticmethod
    def _switched(event: str, stacks: Any) -> None:
        origin, target = stacks
        if origin is target:
            return
        here = (_real_gettrace(), _real_getprofile())
        there = getattr(target, "hooks", NO_HOOKS)
        if here != NO_HOOKS or getattr(origin, "hooks", NO_HOOKS) != NO_HOOKS:
            origin.hooks = here
        if here != there:
            _real_settrace(there[0])
            _swap_profilers(here[1], there[1])

    def adapters(self) -> dict[str, Callable[[Any], None]]:
        """Module name to what is done to the module once it is there."""
        if not self._shared:
            return {}
        found: dict[str, Callable[[Any], None]] = {"threading": self._adapt_threading}
        if not HAS_EVENTS:  # where it has, a profile is made of them, and of all threads on every model
            found["cProfile"] = self._adapt_profile
        return found

    def _adapt_threading(self, module: Any) -> None:
        for name in ("settrace", "setprofile"):
            setattr(module, name, self._engaging(getattr(module, name)))

    def _adapt_profile(self, module: Any) -> None:
        kind = module.Profile
        kind.enable = self._engaging(kind.enable)
        self._undo.append(lambda: delattr(kind, "enable"))  # it is inherited from C

    def _engaging(self, real: Any) -> Any:
        """The function `real`, which sets a function from C or is called by those who have set one."""

        @functools.wraps(real)
        def engaging(*args: Any, **named: Any) -> Any:
            self._engage(real)
            return real(*args, **named)

        return engaging

    def close(self) -> None:
        """Stop swapping."""
        while self._undo:
            self._undo.pop()()
        if get_ident() in self._engaged:
            drop_switch_tracer(self._switched)


def _clear() -> None:
    _real_settrace(None)
    _swap_profilers(_real_getprofile(), None)


def _make_current_frames(blocks: Callable[[], list[ControlBlock]]) -> Callable[[], dict[int, FrameType]]:
    """`sys._current_frames` with every thread of the program in it, and none of weft's own."""
    real = sys._current_frames

    def _current_frames() -> dict[int, FrameType]:
        """Return a dict mapping each thread's identifier to its current stack frame."""
        frames = without_own(real())
        here = getattr(getcurrent(), "block", None)
        for block in blocks():
            frame = sys._getframe(1) if block is here else block.carrier.frame(block)
            if frame is not None:
                frames[block.ident] = frame
        return frames

    return _current_frames
