"""Announces what instrumented code is about to touch, and sees updates that get lost.

A lost update: a thread reads a value, another thread writes it, and the first one writes what it made of the
value that it had read. It is sure where the value read flows into the value written
(weft.instrument.points.defuse).
"""

from collections.abc import Callable
from typing import Any

from weft.check.world import MODEL
from weft.instrument import points
from weft.models.controlled import Task
from weft.stdlib.local import Local

__all__ = ["LostUpdate", "Watch"]

READ, WRITE, CALL, LOOP = 1, 2, 3, 4  # as weft.instrument.points.Access
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


class _IsLocal(dict[type, bool]):
    """Whether a class is one of thread-locals; asking again costs one look-up."""

    def __missing__(self, cls: type) -> bool:
        self[cls] = answer = Local in type.mro(cls)
        return answer


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
        is_local, sources = _IsLocal(), self._sources

        def listen(access: int, obj: Any, key: Any, site: int) -> None:
            if not model.active:
                return
            if is_local[type(obj)]:  # its contents are each thread's own
                return
            if access == LOOP:
                loop(site)
                return
            if len(model.tasks) < 2:
                model.steps += 1
                return
            if access == CALL:  # its key is the method: it looks at the whole container, or changes it
                point(READ if key in LOOKS else CALL, obj, None, site)
                return
            point(access, obj, key, site)
            try:
                place: Any = (id(obj), key)
                hash(key)
            except Exception:  # noqa: BLE001 - an item's key of the program's own
                return
            if access == READ:
                if site not in sources:  # what is kept of a read keeps its object alive
                    return
                last = written.get(place)
                mine = reads.get(model.current.number)
                if mine is None:
                    mine = reads[model.current.number] = {}
                mine[place, site] = (last[0] if last is not None else 0, obj)
            elif access == WRITE:
                me = model.current
                last = written.get(place)
                mine = reads.get(me.number)
                if last is not None and mine and last[1] is not me:
                    self._look(me, obj, key, site, mine, last)
                written[place] = (model.steps, me, site)

        return listen

    def _look(self, me: Task, obj: Any, key: Any, site: Any, mine: Any, last: Any) -> None:
        """A write over another thread's write: is what is written made of an older value?"""
        place = (id(obj), key)
        for source in points.defuse(site):
            read = mine.get((place, source))
            if read is not None and read[1] is obj and read[0] < last[0]:
                self.lost.append(LostUpdate(me, obj, key, source, last[1], last[2], site))
                return
