"""The one controlled model of this process, and what was made before any execution began.

A primitive that a module makes when it is imported lives through many executions; each begins with it as the
import left it (`put_back`).
"""

import sys
from typing import Any, Protocol

from weft.check.stacks import NOTING, frames_of, made_at
from weft.models.controlled import Controlled

__all__ = [
    "DIRECTED",
    "FAULTS",
    "FAULT_NAMES",
    "MODEL",
    "NET",
    "Notes",
    "Several",
    "born",
    "note_passed",
    "passed",
    "put_back",
    "release_point",
]

MODEL = Controlled()
#: Operations on one direction of a connection, which is their key: those on the other are independent of it.
DIRECTED = frozenset({"send", "recv", "select", "shutdown"})
#: Operations of the simulated network's own threads, by the names that people have for such faults.
FAULT_NAMES = {"short": "shorten", "delay": "delay", "reset": "cut off"}
FAULTS = frozenset(FAULT_NAMES.values())


class NET:
    """How the program gets sockets."""

    mode = ""  # simulated; "faults short delay": and these may happen; "pass": those of the machine

    @classmethod
    def faults(cls) -> list[str]:
        """The operations of the network that may happen."""
        return [FAULT_NAMES[name] for name in cls.mode.split()[1:]]


passed: set[str] = set()  # what this process has let through to the machine, where nobody sees it


class Notes:
    """What was done since the last step and is no step: whose, on what, what, where.

    Kept only where an execution is told (weft.check.lanes).
    """

    heard: list[tuple[int, Any, str, str]] | None = None


class _Lasting(Protocol):
    def _put_back(self) -> None: ...


_lasting: list[_Lasting] = []
_counted: dict[str, int] = {}  # how many locks each place has made, outside executions and in this one
_in_execution: dict[str, int] = {}


def born(primitive: _Lasting) -> None:
    """Remember a primitive that was made outside an execution."""
    if not MODEL.active:
        _lasting.append(primitive)
    if NOTING.on and type(primitive).__name__ in ("Lock", "RLock"):
        _note_birth(primitive)


def _note_birth(lock: Any) -> None:
    """Where it is made, and as which one there: in another execution that will be the same one's name."""
    place = made_at(type(lock).__name__, frames_of(sys._getframe(2)))
    if MODEL.active:
        number = _in_execution[place] = _in_execution.get(place, 0) + 1
        lock._site = (place, f"{number} in the test")
    else:
        number = _counted[place] = _counted.get(place, 0) + 1
        lock._site = (place, f"{number}")


def put_back() -> None:
    """Give every primitive that the imports made the state in which they left it."""
    _in_execution.clear()
    for primitive in _lasting:
        primitive._put_back()


def note_passed(what: str) -> None:
    """Something happened that no search can see: after it none is complete."""
    if MODEL.active:
        passed.add(what)


class Several:
    """The target of an operation that looks at several things: pairs of a target and a key."""

    __slots__ = ("things",)

    def __init__(self, things: list[tuple[Any, Any]]) -> None:
        self.things = things

    def _weft_told_(self, _: Any) -> str:
        told = [thing._weft_told_(key) for thing, key in self.things]
        return ", ".join(dict.fromkeys(told)) or "nothing"


def release_point(kind: str, primitive: Any) -> None:
    """Letting something go is a point only where something of its kind is tried, or asked for its state.

    Else nobody can tell whether it came just before the releasing thread's next operation.
    """
    if kind in MODEL.release_points:
        MODEL.point("release", primitive)
    else:
        MODEL.changes += 1
        if MODEL.on_release is not None:
            MODEL.on_release(MODEL.current, primitive)
