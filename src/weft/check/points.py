"""Announces what instrumented code is about to touch, and sees updates that get lost.

A lost update: a thread reads a value, another thread writes it, and the first one writes what it made of the
value that it had read. It is sure where the value read flows into the value written
(weft.instrument.points.defuse).
"""

from collections.abc import Callable
from typing import Any

from weft.check.world import MODEL
from weft.instrument import points
from weft.models.controlled import REBIND, Task
from weft.stdlib.local import Local

__all__ = ["LostUpdate", "Watch"]

READ, WRITE, CALL, LOOP, BEHIND = 1, 2, 3, 4, 5  # as weft.instrument.points.Access
#: Methods of built-in containers that change nothing.
LOOKS = frozenset(
    {
        "copy",
        "count",
        "get",
        "index",
        "items",
        "keys",
        "values",
        "isdisjoint",
        "issubset",
        "issuperset",
        "union",
    }
    | {"intersection", "difference", "symmetric_difference", "find", "startswith", "endswith", "decode"}
)


#: Types of keys whose `==` is that of the interpreter.
PLAIN_KEYS = frozenset({str, int, bytes, float, bool, complex, type(None)})
LOCAL, CLASS = 1, 2
_names_of: Any = type.__dict__["__dict__"].__get__


class _Special(dict[type, int]):
    """Whether a type is one of thread-locals, or of classes; asking again costs one look-up."""

    def __missing__(self, cls: type) -> int:
        order = type.mro(cls) if cls is not type else (type,)
        self[cls] = answer = LOCAL if Local in order else CLASS if type in order else 0
        return answer


def plain_key(key: Any) -> Any:
    """The key if comparing it runs no code of the program's, else None: the container as a whole."""
    cls = type(key)
    if cls in PLAIN_KEYS:
        return key
    if cls is tuple:
        return key if all(plain_key(part) is not None or part is None for part in key) else None
    if cls is type:
        return key
    for base in type.mro(cls):
        names = _names_of(base)
        if "__eq__" in names or "__hash__" in names:
            return key if base is object else None
    return None


class LostUpdate:
    """One lost update: who read where, who wrote meanwhile, who wrote over it."""

    __slots__ = ("key", "read", "target", "task", "write", "writer", "written")

    def __init__(
        self, task: Task, target: Any, key: Any, read: int, writer: Task, written: int, write: int
    ) -> None:
        self.task = task
        self.target = f"{type(target).__name__}"
        self.key = key
        self.read = read
        self.writer = writer
        self.written = written
        self.write = write

    def told(self) -> tuple[Any, ...]:
        """All that a finding says of it: sites, names, and the key where the source has no text for it."""
        text = None if points.sites[self.read].text else str(self.key)
        return (self.read, self.written, self.write, text, self.task.name, self.writer.name)


class Watch:
    """What one execution knows of the accesses so far; `listen` is what instrumented code calls."""

    def __init__(self) -> None:
        self.lost: list[LostUpdate] = []
        self._written: dict[tuple[int, Any], tuple[int, Task, Any]] = {}
        self._reads: dict[int, dict[Any, Any]] = {}
        self._sources: set[int] = set()  # reads whose value flows into a write
        self._known = 0
        self.listen = self._listener()

    def begin(self) -> None:
        """An execution begins."""
        while self._known < len(points.sites):  # what has been imported since
            self._sources |= points.defuse(self._known)
            self._known += 1
        self.lost = []
        self._written.clear()
        self._reads.clear()

    def _listener(self) -> Callable[[int, Any, Any, int], None]:
        """The hook of instrumented code: a function of its own, since it is called for each access."""
        model, point, loop = MODEL, MODEL.point, MODEL.loop
        written, reads = self._written, self._reads
        special, sources = _Special(), self._sources
        behind: list[Any] = []

        def alone(access: int, site: int) -> None:
            if not model.active:
                return
            if access == LOOP:
                loop(site)
            else:  # nobody else is there, nor was one with whom a search should know of a race
                model.steps += 1

        def less_often(access: int, obj: Any, key: Any, site: int) -> None:
            if access == LOOP:
                loop(site)
            elif access == CALL:  # its key is the method: it looks at the whole container, or changes it
                if special[type(obj)] != LOCAL:
                    point(READ if key in LOOKS else CALL, obj, None, site)
            elif special[type(obj)] != LOCAL:
                behind.append(obj)

        def listen(access: int, obj: Any, key: Any, site: int) -> None:
            if not model.many:
                alone(access, site)
                return
            if access > WRITE:
                less_often(access, obj, key, site)
                return
            what = special[type(obj)]
            cls = None
            if what and (what == LOCAL or access == WRITE):
                if what == LOCAL:  # its contents are each thread's own
                    return
                point(REBIND, obj, key, site)
            else:
                if type(key) not in PLAIN_KEYS:
                    key = plain_key(key)
                if behind:
                    cls = behind.pop()
                point(access, obj, key, site)
            if access == READ:
                if site not in sources:  # what is kept of a read keeps its object alive
                    return
                number = model.current.number
                mine = reads.get(number)
                if mine is None:
                    mine = reads[number] = {}
                mine[id(obj), key, site] = (model.steps, obj)
                if cls is not None:
                    mine[id(cls), key, site] = (model.steps, cls)
            else:
                me = model.current
                place = (id(obj), key)
                last = written.get(place)
                if last is not None and last[1] is not me:
                    mine = reads.get(me.number)
                    if mine:
                        self._look(me, obj, key, site, mine, last)
                written[place] = (model.steps, me, site)

        return listen

    def _look(self, me: Task, obj: Any, key: Any, site: Any, mine: Any, last: Any) -> None:
        """A write over another thread's write: is what is written made of an older value?"""
        for source in points.defuse(site):
            read = mine.get((id(obj), key, source))
            if read is not None and read[1] is obj and read[0] < last[0]:
                self.lost.append(LostUpdate(me, obj, key, source, last[1], last[2], site))
                return
