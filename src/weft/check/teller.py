"""Notes each step of one execution: whose, what, where, and for the story the value that was read or written.

What a step touches has a number, the same for each step that touches it.
"""

import sys
from typing import Any

from weft.check import findings
from weft.check.holding import hold
from weft.check.lanes import Lanes
from weft.check.said import Said
from weft.check.values import name_of, shown_at
from weft.check.world import FAULTS
from weft.core.places import place_of
from weft.instrument import points
from weft.instrument.kinds import SEQUENCES
from weft.models.controlled import REBIND, Task

__all__ = ["Detail", "Step", "Teller", "Wait", "operation"]

Step = tuple[int, str, str]
"""One step of an execution: thread, operation, "file:line in function"."""
Detail = tuple[int, str]
"""What a step touches, by number (0: nothing that matters), and what there is to say of it."""
Wait = tuple[int, str, str, int]
"""What a thread waits for in the end: thread, place, text, and its number."""

READ, WRITE, CALL = 1, 2, 3
_CONTAINERS = (dict, set, *SEQUENCES)
_ACCESS = {READ: "reads", WRITE: "writes", CALL: "calls", REBIND: "writes"}


class Teller:
    """Listens to an execution.

    Attributes:
        steps, details: a pair for each step.
        names: the threads' names, by number.
        lanes: who lived, waited and held what meanwhile.
    """

    def __init__(self) -> None:
        self.steps: list[Step] = []
        self.details: list[Detail] = []
        self.names: dict[int, str] = {}
        self.waits: list[Wait] = []
        self.lanes: Lanes | None = None  # from the first step
        self._things: dict[int, dict[Any, int]] = {}
        self._numbered = 0
        self._kept: list[Any] = []
        self._open: tuple[Any, Any] | None = None  # what the last step writes

    def step(self, task: Task) -> None:
        """A thread is about to do what it has announced."""
        self.finish()
        site, target, key = task.site, task.target, task.key
        if self.lanes is None:
            self.lanes = Lanes(lambda target: self._number(target, None))
        self.lanes.step(task)
        self.names[task.number] = task.name
        if type(task.kind) is Said:
            self.steps.append((task.number, str(task.kind), task.kind.place))
            self.details.append((self._number(target, None), str(task.kind)))
            return
        place = findings.place_of_site(site) if site is not None else place_of(sys._getframe(1))
        self.steps.append((task.number, operation(task), place))
        text = ""
        if task.kind == READ:
            text = shown_at(target, key)
            text = f"reads {text}" if text and text[0] != "<" else ""
        elif task.kind in _ACCESS:
            self._open = (target, key)
        elif target is not None and not isinstance(target, Task):
            name = name_of(target, sys._getframe(1), key)
            text = f"{_VERBS.get(task.kind, task.kind)} {name}" if name else ""
        self.details.append((self._number(target, key if site is not None else None), text))

    def stuck(self, tasks: list[Task]) -> None:
        """The execution ends with these threads waiting."""
        for task in tasks:
            if task.kind in FAULTS:
                continue
            frame = task.frame()
            self.names[task.number] = task.name
            thing = self._number(task.target, None)
            self.waits.append((task.number, place_of(frame), findings.waits_for(task), thing))

    def finish(self) -> None:
        """The last step has been made."""
        if self._open is not None:
            text = shown_at(*self._open)
            if text and text[0] != "<":
                what = "writes" if self._open[1] is not None else "now"
                self.details[-1] = (self.details[-1][0], f"{what} {text}")
            self._open = None
        if self.lanes is not None:
            self.lanes.look()

    def _number(self, target: Any, key: Any) -> int:
        if target is None or isinstance(target, Task):
            return 0
        things = self._things
        parts = things.get(id(target))
        if parts is None:
            parts = things[id(target)] = {}
            self._kept.append(hold(target, lambda key: things.pop(key, None)))
        number = parts.get(key)
        if number is None:
            whole = isinstance(target, _CONTAINERS)
            number = parts.get(None) if whole else None
            if number is None:
                self._numbered = number = self._numbered + 1
            if whole and key is None:
                self._join(parts, number)
            parts[key] = number
        return number

    def _join(self, parts: dict[Any, int], number: int) -> None:
        """Something looks at a whole container, or changes it: its parts are no things any more."""
        before = set(parts.values())
        parts.update(dict.fromkeys(parts, number))
        self.details[:] = [(number if thing in before else thing, text) for thing, text in self.details]


_VERBS = {"acquire": "takes", "wait": "waits on", "get": "gets from", "put": "puts into"}
_VERBS |= {"send": "sends on", "recv": "receives on", "accept": "accepts at", "connect": "connects to"}
_VERBS |= {
    "bind": "binds",
    "listen": "listens at",
    "close": "closes",
    "shutdown": "ends",
    "select": "looks at",
}
_VERBS |= {"shorten": "shortens the next on", "delay": "delays", "deliver": "delivers", "cut off": "cuts off"}
_VERBS |= {"try get": "gets from", "try put": "puts into", "try": "tries"}


def operation(task: Task) -> str:
    """What a thread is about to do, in words."""
    kind = _ACCESS.get(task.kind, task.kind)
    target = task.target
    if isinstance(target, Task):
        return f"{kind} {target.name}"
    if task.site is not None:
        return f"{kind} {points.sites[task.site].text}"
    if isinstance(kind, str) and hasattr(type(target), "_weft_told_"):
        return f"{kind} {name_of(target, None, task.key)}"
    return f"{kind} {type(target).__name__}" if target is not None else str(kind)
