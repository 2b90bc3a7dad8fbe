"""Frames as places in the program: "file:line in function", with weft's own frames left out.

Also the rule of what may be preempted, since it is a question about frames.
"""

import os
from collections.abc import Callable
from types import CodeType, FrameType
from typing import Any, TypeVar

__all__ = [
    "AT_END",
    "HOME",
    "floor",
    "may_preempt",
    "of_pools",
    "place_of",
    "short",
    "spot_of",
    "spots_of",
    "stack_of",
    "transparent",
    "whose",
    "words_for",
]

HOME = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep
_STDLIB = os.path.dirname(os.path.abspath(os.__file__)) + os.sep
_POOLS = _STDLIB + os.path.join("concurrent", "futures", "")
#: Modules of CPython that stand between a program and a wait: not the place a person looks for.
_BETWEEN = (
    _STDLIB + "threading.py",
    _STDLIB + "queue.py",
    _POOLS,
    _STDLIB + os.path.join("asyncio", ""),
    *(_STDLIB + name for name in ("socket.py", "ssl.py", "selectors.py", "subprocess.py")),
)
_LAUNCH = HOME + "launch.py"
#: Where the main thread is when none of the program's own calls is left: it waits for the other threads.
AT_END = "the end of the program"

_transparent: set[CodeType] = set()
_floors: set[CodeType] = set()

F = TypeVar("F", bound=Callable[..., object])


def transparent(function: F) -> F:
    """Mark a function of weft that only reads, or that calls the program's code in a consistent state.

    A thread may be preempted above such a frame; above any other frame of weft it may not, since that
    frame may stand in the middle of a change (a finalizer can run on top of it).
    """
    _transparent.add(function.__code__)
    return function


def floor(function: F) -> F:
    """Mark a function of weft on which a thread's own calls begin: nothing below it matters."""
    _floors.add(function.__code__)
    return function


def may_preempt(frame: FrameType | None) -> bool:
    """Whether a thread whose innermost frame this is may be switched away from now.

    Not in a trace function: while one runs, the interpreter traces nothing on the kernel thread, so those
    that went on instead would not be traced.
    """
    while frame is not None:
        code = frame.f_code
        if code.co_filename.startswith(HOME):
            if code in _floors:
                return True
            if code not in _transparent:
                return False
        caller = frame.f_back
        if caller is not None and caller.f_trace is not None and _code_of(caller.f_trace) is code:
            return False
        frame = caller
    return True


def _code_of(function: Any) -> CodeType | None:
    """The code that runs when it is called: a function's, a method's, that of an object's `__call__`."""
    kinds = type(function).__mro__
    called = next((vars(kind)["__call__"] for kind in kinds if "__call__" in vars(kind)), None)
    for each in (function, getattr(function, "__func__", None), called):
        code = getattr(each, "__code__", None)
        if code is not None:
            return code  # type: ignore[no-any-return]
    return None


def _describe(frame: FrameType) -> str:
    code = frame.f_code
    return f"{code.co_filename}:{frame.f_lineno} in {code.co_name}"


def place_of(frame: FrameType | None) -> str:
    """The innermost place in the program's own code, `AT_END` if none is left, or "?" if there is none."""
    fallback = "?"
    while frame is not None:
        name = frame.f_code.co_filename
        if name == _LAUNCH:  # what called it is the command, which nobody looks for
            return AT_END
        if not name.startswith(HOME) and not name.startswith("<frozen"):
            if not name.startswith(_BETWEEN):
                return _describe(frame)
            if fallback == "?":
                fallback = _describe(frame)
        frame = frame.f_back
    return fallback


_PROGRAM, _STDLIB_PART, _OURS = range(3)  # `watch/_notes.c` has these numbers too
_whose: dict[str, int] = {}  # by the name of the file


def spot_of(frame: FrameType | None) -> tuple[CodeType, int] | None:
    """What `place_of` finds, as the code and the offset in it, for who has no time to make words of it."""
    fallback = None
    while frame is not None:
        code = frame.f_code
        is_of = _whose.get(code.co_filename)
        if is_of is None:
            is_of = _whose[code.co_filename] = whose(code.co_filename)
        if is_of == _PROGRAM:
            return code, frame.f_lasti
        if is_of == _STDLIB_PART and fallback is None:
            fallback = code, frame.f_lasti
        frame = frame.f_back
    return fallback


def spots_of(frame: FrameType | None, most: int) -> list[tuple[CodeType, int]]:
    """What `stack_of` finds, the innermost `most` of them, as codes and the offsets in them."""
    spots: list[tuple[CodeType, int]] = []
    while frame is not None and len(spots) < most:
        code = frame.f_code
        if code.co_filename == _LAUNCH:
            break
        if not code.co_filename.startswith(HOME):
            spots.append((code, frame.f_lasti))
        frame = frame.f_back
    spots.reverse()
    return spots


def whose(name: str) -> int:
    """Whose file that is: 0: the program's, 1: of CPython's between a program and a wait, 2: ours."""
    if name == _LAUNCH:  # the main thread has none of the program's own calls left: `words_for` says so
        return _PROGRAM
    if name.startswith((HOME, "<frozen")):
        return _OURS
    return _STDLIB_PART if name.startswith(_BETWEEN) else _PROGRAM


def of_pools(name: str) -> bool:
    """Whether a file is of `concurrent.futures`."""
    return name.startswith(_POOLS)


def words_for(spot: tuple[CodeType, int]) -> str:
    """A spot as a place: "file:line in function", or `AT_END`."""
    code, offset = spot
    if code.co_filename == _LAUNCH:
        return AT_END
    line = code.co_firstlineno
    for start, end, number in code.co_lines():
        if start <= offset < end and number is not None:
            line = number
            break
    return f"{code.co_filename}:{line} in {code.co_name}"


def stack_of(frame: FrameType | None) -> list[str]:
    """All places from the outermost to the innermost, without weft's own and those of its command."""
    places: list[str] = []
    while frame is not None and frame.f_code.co_filename != _LAUNCH:
        if not frame.f_code.co_filename.startswith(HOME):
            places.append(_describe(frame))
        frame = frame.f_back
    places.reverse()
    return places


def short(place: str) -> str:
    """A place with its file relative to where we are, if that is shorter."""
    path, colon, rest = place.partition(":")
    if not colon:  # AT_END, or "?"
        return place
    relative = os.path.relpath(path) if os.path.isabs(path) else path
    return f"{min(relative, path, key=len)}:{rest}"
