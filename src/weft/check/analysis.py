"""What one execution shows beyond its failures: races, locks in two orders, calls out of sight.

It listens to every step, which makes an execution several times as slow, so a search has it listen now and
then. Nothing here changes what the program does.
"""

import sys
from types import CodeType, FrameType
from typing import Any

from weft.check import findings
from weft.check.clocks import Clocks
from weft.check.lock_order import LockOrder
from weft.check.outside import FILES, File
from weft.check.points import READ
from weft.check.races import Access, Races
from weft.check.world import MODEL
from weft.core.places import HOME, place_of
from weft.instrument import kinds, points
from weft.models.controlled import Task

__all__ = ["Analysis"]

#: Modules whose calls are seen through the primitives that they stand on.
_SEEN = (
    "threading",
    "queue",
    "_thread",
    "concurrent.futures",
    "weft",
    "contextlib",
    "_weakrefset",
    "weakref",
)
DEPTH = 3  # of containers in one another that a call may reach
MOST = 100  # objects that a call is taken to touch
FOREIGN = 7  # a kind of access: a call out of sight


class Analysis:
    """Listens to one execution after another."""

    def __init__(self) -> None:
        self.clocks = Clocks()
        self.races = Races()
        self.locks = LockOrder()
        self.audit = False
        self._profiled: set[int] = set()

    def begin(self, audit: bool) -> None:
        """An execution begins.

        Args:
            audit: whether calls of code that is not rewritten are watched too.
        """
        self.audit = audit
        self._profiled = set()
        self.clocks.begin()
        self.races.begin()
        self.locks.begin()
        FILES.tell = self._file_touched

    def end(self) -> None:
        """It is over, and all threads have been unwound."""
        FILES.tell = None
        if self.audit:
            sys.setprofile(None)

    def step(self, task: Task) -> None:
        """A thread is about to do what it has announced."""
        kind = task.kind
        me = task.number
        clocks = self.clocks
        if me not in clocks.full:  # of a thread that was started where we did not look
            clocks.full[me] = {me: 1}
            clocks.order[me] = {me: 1}
        if kind.__class__ is str:
            if kind in ("acquire", "wait", "try"):
                self.locks.step(task, clocks.order[me], place_of(sys._getframe(1)))
            elif kind == "release":
                self.locks.released(task.target)
            clocks.step(task)
        elif task.site is not None:
            clock = clocks.full[me]
            access = Access(me, task.name, kind != READ, clock[me], task.site)
            self.races.access(access, kind, task.target, task.key, clock)
        if self.audit and me not in self._profiled:
            self._profiled.add(me)
            sys.setprofile(self._called)

    def released(self, task: Task, target: Any) -> None:
        """A thread lets go of something, which is no step."""
        if task.number in self.clocks.full:
            self.clocks.released(task, target)
        self.locks.released(target)

    # -- calls out of sight -----------------------------------------------------------------------------

    def _called(self, frame: FrameType, event: str, function: Any) -> None:
        """The interpreter's profile function: code that is not rewritten is called by code that is."""
        if event == "call":
            code = frame.f_code
            caller = frame.f_back
            if caller is None or caller.f_code.co_filename not in points.rewritten:
                return
            if code.co_filename in points.rewritten or code.co_filename.startswith(HOME):
                return
            module = frame.f_globals.get("__name__", "?")
            if isinstance(module, str) and not module.startswith(_SEEN):
                self._touch(f"{module}.{code.co_qualname}", _arguments(frame, code))
        elif event == "c_call" and frame.f_code.co_filename in points.rewritten:
            owner = getattr(function, "__self__", None)
            if owner is not None and not kinds.kind_of(type(owner)).whole and _is_shared(owner):
                self._touch(f"{type(owner).__name__}.{function.__name__}", [owner])

    def _file_touched(self, file: File, changes: bool) -> None:
        """A thread touches a file, which is the machine's."""
        me = MODEL.current
        clock = self.clocks.full.get(me.number)
        if clock is not None and MODEL.over is None:
            name = f"the file {file.name}"
            access = Access(me.number, me.name, changes, clock[me.number], name)
            self.races.access(access, FOREIGN, file, None, clock)

    def _touch(self, name: str, arguments: list[Any]) -> None:
        if not MODEL.active or MODEL.over is not None or len(MODEL.tasks) < 2:
            return
        me = MODEL.current
        clock = self.clocks.full.get(me.number)
        if clock is None:
            return
        for thing in _reached(arguments):
            access = Access(me.number, me.name, True, clock[me.number], name)
            self.races.access(access, FOREIGN, thing, None, clock)

    # -- what it shows ----------------------------------------------------------------------------------

    def warnings(self) -> list[findings.Finding]:
        """Locks in two orders, and reads that were stale when what they decided was written."""
        found = [findings.lock_order(ring) for ring in self.locks.rings()]
        found += [findings.stale_read(*three) for three in self.races.between if _is_stale(*three)]
        return found

    def notes(self) -> list[findings.Finding]:
        """Accesses that nothing orders, and the other threes."""
        found = [findings.unordered(one, other) for one, other in self.races.found]
        for mine, other, again in self.races.between:
            lost = mine.site in points.defuse(again.site)  # a failure, and told as one
            if not lost and not _is_stale(mine, other, again):
                found.append(findings.in_between(mine, other, again))
        return found


def _is_stale(mine: Access, other: Access, again: Access) -> bool:
    """Whether a read decided about a write, and another thread wrote in between.

    Where both write at one place it may well be a first use that either may do.
    """
    if mine.writes or not other.writes or not again.writes or other.site == again.site:
        return False
    return mine.site in points.decides(again.site)


def _arguments(frame: FrameType, code: CodeType) -> list[Any]:
    count = code.co_argcount + code.co_kwonlyargcount
    count += bool(code.co_flags & 0x04) + bool(code.co_flags & 0x08)  # *args, **kwargs
    values = frame.f_locals
    return [values[name] for name in code.co_varnames[:count] if name in values]


def _is_shared(thing: Any) -> bool:
    """Whether threads may find it changing: a container, or an object with attributes."""
    kind = kinds.kind_of(type(thing))
    if kind.is_class or kind.is_module or callable(thing):
        return False
    module = type(thing).__module__
    if isinstance(module, str) and module.startswith(_SEEN):
        return False
    return bool(kind.container) or kinds.instance_dict(kind, thing) is not None


def _reached(arguments: list[Any]) -> list[Any]:
    """The objects that a call can come to through what it is given."""
    found: dict[int, Any] = {}
    level = arguments
    for _ in range(DEPTH):
        below: list[Any] = []
        for thing in level:
            if id(thing) in found or len(found) >= MOST:
                continue
            cls = type(thing)
            if cls is tuple:
                below += thing
                continue
            if not _is_shared(thing):
                continue
            found[id(thing)] = thing
            if cls is dict:
                below += dict.values(thing)
            elif cls in (list, set):
                below += thing
            else:
                names = kinds.instance_dict(kinds.kind_of(cls), thing)
                below += list(names.values()) if names else []
        level = below
    return list(found.values())
