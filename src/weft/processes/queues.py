"""Queues that processes share: CPython's own classes, with the lock, the counts and the items shared.

The items of a FIFO or LIFO queue stand one after another in a file in memory, so that `put` and `get` cost
the same however many there are. Queues whose class orders its items by itself (PriorityQueue, and those that
programs make) are read and written as a whole each time.
"""

import os
import struct
from collections import deque
from collections.abc import Callable
from types import GenericAlias, MappingProxyType
from typing import Any

from weft.core.wait import WaitReason
from weft.errors import WeftError
from weft.host.processes import queue
from weft.processes.cells import Cell, arena
from weft.processes.locks import Change, Mutex, Shared
from weft.processes.parcels import load, pack

__all__ = ["LifoQueue", "PriorityQueue", "Queue", "SimpleQueue"]

OWN = ("_init", "_qsize", "_put", "_get")
SIZE = struct.Struct("<Q")  # stands before and after each item in the file


def _packed(item: Any) -> bytes:
    try:
        return pack(item)
    except Exception as error:
        raise WeftError(
            f"an item of a queue goes to another process and must be pickled, and {_short(item)} cannot:"
            f" {error}; put what can be pickled"
        ) from error


def _short(thing: Any) -> str:
    text = repr(thing)
    return text if len(text) <= 80 else text[:77] + "..."


class Queue(queue.Queue):  # type: ignore[type-arg]
    """`queue.Queue`, among processes; items are pickled as they are put."""

    _why = MappingProxyType(
        {"get": WaitReason.QUEUE_GET, "put": WaitReason.QUEUE_PUT, "join": WaitReason.QUEUE_JOIN}
    )
    unfinished_tasks = Shared()
    is_shutdown = Shared()
    _whole = False
    _newest_first = False

    def __init__(self, maxsize: int = 0) -> None:
        self._ends = Cell([0, 0, 0])  # where the first item begins, where the last one ends, how many
        super().__init__(maxsize)
        self.mutex = Mutex()  # type: ignore[assignment]
        self.not_empty = Change(self.mutex)
        self.not_full = Change(self.mutex)
        self.all_tasks_done = Change(self.mutex)

    def __init_subclass__(cls) -> None:
        """A class that orders its items itself: what its methods set is read before, written after."""
        super().__init_subclass__()
        if not cls.__module__.startswith("weft.") and any(name in vars(cls) for name in OWN):
            cls._whole = True
            for name in OWN:
                function = getattr(cls, name)
                if not hasattr(function, "whole"):
                    setattr(cls, name, _as_a_whole(name, function))

    def _path(self) -> str:
        return os.path.join(arena().folder, f"items{self._ends.slot}")

    def _init(self, maxsize: int) -> None:
        if self._whole:
            self.__dict__["queue"] = deque()
            return
        with open(self._path(), "wb" if self._ends.new else "ab"):
            pass

    def _qsize(self) -> int:
        if self._whole:
            return len(self.__dict__["queue"])
        return int(self._ends.look(_number))

    def _put(self, item: Any) -> None:
        if self._whole:
            self.__dict__["queue"].append(item)
            return
        data = _packed(item)
        size = SIZE.pack(len(data))
        with open(self._path(), "r+b", buffering=0) as file:
            self._ends.change(_append, file.fileno(), size + data + size)

    def _get(self) -> Any:
        if self._whole:
            items = self.__dict__["queue"]
            return items.pop() if self._newest_first else items.popleft()
        with open(self._path(), "r+b", buffering=0) as file:
            return load(self._ends.change(_last if self._newest_first else _next, file.fileno()))

    @property
    def queue(self) -> Any:
        """The items, to look at; they cannot be changed by this."""
        if "queue" in self.__dict__:  # one of the class's own methods runs
            return self.__dict__["queue"]
        with open(self._path(), "rb") as file:
            if self._whole:
                return tuple(load(file.read())["queue"])
            return tuple(load(data) for data in self._ends.look(_all, file.fileno()))

    @queue.setter
    def queue(self, items: Any) -> None:
        self.__dict__["queue"] = items

    def __getstate__(self) -> Any:
        return {name: value for name, value in vars(self).items() if name not in ("queue", "_open")}


def _number(state: list[int]) -> int:
    return state[2]


def _append(state: list[int], fd: int, record: bytes) -> None:
    os.pwrite(fd, record, state[1])
    state[1] += len(record)
    state[2] += 1


def _next(state: list[int], fd: int) -> bytes:
    (size,) = SIZE.unpack(os.pread(fd, SIZE.size, state[0]))
    data = os.pread(fd, size, state[0] + SIZE.size)
    state[0] += size + 2 * SIZE.size
    _shrink(state, fd)
    return data


def _last(state: list[int], fd: int) -> bytes:
    (size,) = SIZE.unpack(os.pread(fd, SIZE.size, state[1] - SIZE.size))
    state[1] -= size + 2 * SIZE.size
    data = os.pread(fd, size, state[1] + SIZE.size)
    _shrink(state, fd)
    return data


GAP = 1 << 20  # bytes that may lie unused before the first item


def _shrink(state: list[int], fd: int) -> None:
    """Do not let the file grow for ever at its end while items are taken at its beginning."""
    state[2] -= 1
    if not state[2]:
        state[0] = state[1] = 0
        os.ftruncate(fd, 0)
    elif state[0] > GAP and state[0] > state[1] - state[0]:
        rest = os.pread(fd, state[1] - state[0], state[0])
        os.pwrite(fd, rest, 0)
        state[0], state[1] = 0, len(rest)
        os.ftruncate(fd, len(rest))


def _all(state: list[int], fd: int) -> list[bytes]:
    found, at = [], state[0]
    while at < state[1]:
        (size,) = SIZE.unpack(os.pread(fd, SIZE.size, at))
        found.append(os.pread(fd, size, at + SIZE.size))
        at += size + 2 * SIZE.size
    return found


def _as_a_whole(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """A method of a class that orders its items itself, between reading them and writing them."""

    def method(self: Any, *args: Any) -> Any:
        if "_open" in self.__dict__:  # called by another of them
            return function(self, *args)
        if name == "_init" and not self._ends.new:  # a module is imported afresh: the items are there
            return None
        path = self._path()
        items: dict[str, Any] = {}
        if name != "_init":
            with open(path, "rb") as file:
                items = load(file.read())
        before = [each for each in self.__dict__ if each not in items]
        self.__dict__.update(items, _open=True)
        try:
            result = function(self, *args)
        finally:
            del self.__dict__["_open"]
            left = {each: self.__dict__.pop(each) for each in [*self.__dict__] if each not in before}
        if name != "_qsize":
            data = _packed(left)
            with open(path, "wb") as file:
                file.write(data)
        return result

    method.whole = True  # type: ignore[attr-defined]
    return method


class LifoQueue(Queue):
    """`queue.LifoQueue`, among processes."""

    _newest_first = True


class PriorityQueue(Queue):
    """`queue.PriorityQueue`, among processes."""

    _whole = True
    _init = _as_a_whole("_init", queue.PriorityQueue._init)
    _qsize = _as_a_whole("_qsize", queue.PriorityQueue._qsize)
    _put = _as_a_whole("_put", queue.PriorityQueue._put)
    _get = _as_a_whole("_get", queue.PriorityQueue._get)


class SimpleQueue:
    """`queue.SimpleQueue`, among processes."""

    __class_getitem__: Any = classmethod(GenericAlias)

    def __init__(self) -> None:
        self._items = Queue()

    def put(self, item: Any, block: bool = True, timeout: float | None = None) -> None:
        """Put an item; it never waits."""
        self._items.put(item)

    def get(self, block: bool = True, timeout: float | None = None) -> Any:
        """Take the oldest item, waiting for one if need be."""
        return self._items.get(block, timeout)

    def put_nowait(self, item: Any) -> None:
        """Put an item."""
        self._items.put(item)

    def get_nowait(self) -> Any:
        """Take the oldest item; Empty if there is none."""
        return self._items.get(False)

    def empty(self) -> bool:
        """Whether there is no item."""
        return not self._items.qsize()

    def qsize(self) -> int:
        """How many items there are."""
        return self._items.qsize()
