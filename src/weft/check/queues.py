"""Queues of a checked program: `put`, `get`, `task_done` and `join` are one operation each.

They keep their `mutex`, which programs lock too. A class of the program with hooks of its own (`_init`,
`_qsize`, `_put`, `_get`) is *classic*: it gets CPython's own methods over our lock and conditions, since its
hooks may do anything, and no guard may run code of the program.
"""

from collections import deque
from typing import Any

from weft.check.locks import Condition, Lock
from weft.check.world import MODEL, born
from weft.host.platform import Empty
from weft.models.controlled import Task

__all__ = ["SimpleQueue", "quicken_queue"]

HOOKS = ("_init", "_qsize", "_put", "_get")
METHODS = ("put", "get", "task_done", "join", "qsize", "empty", "full", "shutdown")

_point = MODEL.point
_plain: set[type] = set()  # CPython's classes
_hooks: set[int] = set()  # the ids of their hooks
_cpython: dict[str, Any] = {}  # CPython's own methods


def _has_hooks(cls: type) -> bool:
    """Whether a class has hooks that are not CPython's."""
    return any(id(getattr(cls, name)) not in _hooks for name in HOOKS)


def _late(task: Task) -> bool:
    return task.deadline is not None and MODEL.now >= task.deadline


def _may_get(task: Task) -> bool:
    queue = task.target
    return queue.mutex._owner is None and (queue._qsize() > 0 or queue.is_shutdown or _late(task))


def _may_put(task: Task) -> bool:
    queue = task.target
    if queue.mutex._owner is not None:
        return False
    return queue.maxsize <= 0 or queue._qsize() < queue.maxsize or queue.is_shutdown or _late(task)


def _all_done(task: Task) -> bool:
    return task.target.mutex._owner is None and task.target.unfinished_tasks == 0


def _mutex_free(task: Task) -> bool:
    return task.target.mutex._owner is None


def _check_timeout(timeout: Any) -> Any:
    if timeout is not None and timeout < 0:
        raise ValueError("'timeout' must be a non-negative number")
    return None if timeout is None else MODEL.after(timeout)


def _size(self: Any) -> Any:
    """How many items there are."""
    if type(self) not in _plain and _has_hooks(type(self)):
        return _cpython["qsize"](self)
    _point("qsize", self, None, None, _mutex_free)
    return int(self._qsize())


def _is_empty(self: Any) -> Any:
    """Whether there is none."""
    if type(self) not in _plain and _has_hooks(type(self)):
        return _cpython["empty"](self)
    _point("qsize", self, None, None, _mutex_free)
    return bool(not self._qsize())


def _is_full(self: Any) -> Any:
    """Whether there is no room."""
    if type(self) not in _plain and _has_hooks(type(self)):
        return _cpython["full"](self)
    _point("qsize", self, None, None, _mutex_free)
    return bool(0 < self.maxsize <= self._qsize())


def _shutdown(self: Any, immediate: bool = False) -> Any:
    """Refuse puts from now on; gets once it is empty, or at once."""
    if type(self) not in _plain and _has_hooks(type(self)):
        return _cpython["shutdown"](self, immediate)
    _point("shutdown", self, None, None, _mutex_free)
    self.is_shutdown = True
    if immediate:
        while self._qsize():
            self._get()
            if self.unfinished_tasks > 0:
                self.unfinished_tasks -= 1
    return None


def quicken_queue(module: Any) -> None:
    """Put single operations into an executed copy of CPython's `queue`."""
    cls, empty, full = module.Queue, module.Empty, module.Full
    shut_down: Any = getattr(module, "ShutDown", None)

    def begin(self: Any, maxsize: int = 0) -> None:
        self.maxsize = maxsize
        self._init(maxsize)
        self.mutex = Lock()
        self.not_empty = Condition(self.mutex)
        self.not_full = Condition(self.mutex)
        self.all_tasks_done = Condition(self.mutex)
        self.unfinished_tasks = 0
        self.is_shutdown = False

    def put(self: Any, item: Any, block: bool = True, timeout: float | None = None) -> Any:
        """Put an item into the queue, waiting for room if `block`, for at most `timeout` seconds."""
        if type(self) not in _plain and _has_hooks(type(self)):
            return _cpython["put"](self, item, block, timeout)
        if self.maxsize <= 0:
            _point("put", self, None, None, _mutex_free)
        elif not block:
            _point("try put", self, None, None, _mutex_free)
            if not self.is_shutdown and self._qsize() >= self.maxsize:
                raise full
        else:
            _point("put", self, None, None, _may_put, _check_timeout(timeout))
            if not self.is_shutdown and self._qsize() >= self.maxsize:
                raise full
        if self.is_shutdown:
            raise shut_down
        self.mutex._owner = MODEL.current
        try:
            self._put(item)
            self.unfinished_tasks += 1
        finally:
            self.mutex._let_go()

    def get(self: Any, block: bool = True, timeout: float | None = None) -> Any:
        """Take an item from the queue, waiting for one if `block`, for at most `timeout` seconds."""
        if type(self) not in _plain and _has_hooks(type(self)):
            return _cpython["get"](self, block, timeout)
        if not block:
            _point("try get", self, None, None, _mutex_free)
        else:
            _point("get", self, None, None, _may_get, _check_timeout(timeout))
        if self._qsize() <= 0:
            raise shut_down if self.is_shutdown else empty
        self.mutex._owner = MODEL.current
        try:
            return self._get()
        finally:
            self.mutex._let_go()

    def task_done(self: Any) -> Any:
        """Say that a task that was got is done."""
        if type(self) not in _plain and _has_hooks(type(self)):
            return _cpython["task_done"](self)
        _point("task_done", self, None, None, _mutex_free)
        if self.unfinished_tasks <= 0:
            raise ValueError("task_done() called too many times")
        self.unfinished_tasks -= 1
        return None

    def join(self: Any) -> Any:
        """Wait until every item that was put has been got and said to be done."""
        if type(self) not in _plain and _has_hooks(type(self)):
            return _cpython["join"](self)
        _point("drain", self, None, None, _all_done)
        return None

    cls.__init__ = begin
    _plain.update((cls, module.LifoQueue, module.PriorityQueue))
    _hooks.update(id(vars(each)[name]) for each in _plain for name in HOOKS if name in vars(each))
    methods = [put, get, task_done, join, _size, _is_empty, _is_full, _shutdown]
    for name, method in zip(METHODS, methods, strict=True):
        if hasattr(cls, name):
            _cpython[name] = getattr(cls, name)
            setattr(cls, name, method)


def _has_item(task: Task) -> bool:
    return bool(task.target._items) or _late(task)


class SimpleQueue:
    """As `queue.SimpleQueue`."""

    def __init__(self) -> None:
        self._items: deque[Any] = deque()
        born(self)

    def _put_back(self) -> None:
        self._items.clear()

    def put(self, item: Any, block: bool = True, timeout: float | None = None) -> None:
        """Put the item."""
        _point("put", self)
        self._items.append(item)

    def get(self, block: bool = True, timeout: float | None = None) -> Any:
        """Take the oldest item, waiting for one if `block`, for at most `timeout` seconds."""
        if block:
            _point("get", self, None, None, _has_item, _check_timeout(timeout))
        else:
            _point("try get", self)
        if not self._items:
            raise Empty
        return self._items.popleft()

    def put_nowait(self, item: Any) -> None:
        """As `put`."""
        self.put(item)

    def get_nowait(self) -> Any:
        """Take the oldest item if there is one."""
        return self.get(False)

    def empty(self) -> bool:
        """Whether there is none."""
        _point("qsize", self)
        return not self._items

    def qsize(self) -> int:
        """How many items there are."""
        _point("qsize", self)
        return len(self._items)

    __class_getitem__: Any = classmethod(type(list[int]))
