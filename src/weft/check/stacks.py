"""Stacks as lists of places, for locks: where one was made, and how a thread came to take it."""

import os
import sys
from collections.abc import Iterable
from types import CodeType, FrameType

from weft.core.places import HOME
from weft.host.platform import MAKES_LOCKS

__all__ = ["NOTING", "Frames", "frames_of", "made_at", "places_of", "program_place"]

Frames = list[tuple[CodeType, int]]
"""The innermost frame first: each one's code, and its instruction."""

DEEPEST = 100  # frames
_STDLIB = os.path.dirname(os.path.abspath(os.__file__)) + os.sep
_THREADING = _STDLIB + "threading.py"
#: What stands outside a test, and between it and an import.
_OUTSIDE = (HOME, "<frozen", _THREADING, _STDLIB + "importlib", _STDLIB + "unittest", _STDLIB + "runpy.py")


class Noting:
    """Whether the checks of this process note where locks are made, and by which stacks they are taken."""

    on = False


NOTING = Noting()


def frames_of(frame: FrameType | None) -> Frames:
    """The stack that ends in a frame."""
    frames: Frames = []
    while frame is not None and len(frames) < DEEPEST:
        frames.append((frame.f_code, frame.f_lasti))
        frame = frame.f_back
    return frames


def made_at(kind: str, frames: Frames) -> str:
    """The name of a place that makes locks: the program's own line, and what it calls to make one."""
    inner: list[str] = []
    for code, instruction in frames:
        name = code.co_filename
        if name.startswith(HOME) or (name == _THREADING and code.co_name == "RLock"):
            continue
        place = _place(code, instruction)
        if not name.startswith(MAKES_LOCKS):
            return " by ".join([f"{kind} made at {place}", *reversed(inner)])
        inner.append(f"{os.path.basename(name)}:{place.rpartition(':')[2]}")
    return f"{kind} made at {inner[-1] if inner else '?'}"


def places_of(frames: Frames) -> list[str]:
    """A stack, outermost place first: without pytest outside the test, `threading` and weft itself."""
    own = [(code, at) for code, at in frames if not code.co_filename.startswith(HOME)]
    while len(own) > 1 and own[0][0].co_filename == _THREADING:
        del own[0]
    pytest = _machinery()
    for index, (code, _) in enumerate(own):
        if code.co_filename.startswith(pytest) and index:
            own = own[:index]
            break
    while len(own) > 1 and own[-1][0].co_filename.startswith(_OUTSIDE):
        del own[-1]
    return [_place(code, at) for code, at in reversed(own)]


def program_place(stack: Iterable[str]) -> str:
    """The innermost place of a stack that is not the standard library's own."""
    last = "?"
    for place in stack:
        if last == "?" or not place.startswith(MAKES_LOCKS):
            last = place
    return last


def _place(code: CodeType, instruction: int) -> str:
    return f"{code.co_filename}:{_line_of(code, instruction)} in {code.co_qualname}"


def _line_of(code: CodeType, instruction: int) -> int:
    for start, end, line in code.co_lines():
        if start <= instruction < end:
            return line or code.co_firstlineno
    return code.co_firstlineno


def _machinery() -> tuple[str, ...]:
    """The folders of pytest, where it is loaded."""
    modules = [sys.modules.get(name) for name in ("_pytest", "pluggy")]
    return tuple(os.path.dirname(str(module.__file__)) + os.sep for module in modules if module) or ("\0",)
