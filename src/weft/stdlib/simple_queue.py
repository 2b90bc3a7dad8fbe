"""`_queue.SimpleQueue`: an unbounded FIFO queue whose `put` may be called from anywhere.

`put` never blocks and may interrupt itself (a finalizer, a signal handler) or a `get` at any point: a
getter registers, looks again, and only then parks.
"""

from collections import deque
from operator import index
from typing import Any

from weft.core.current import adopt, getcurrent
from weft.core.parking import TIMEOUT, WITHDRAWN, park, send_back, settle, wake
from weft.core.places import transparent
from weft.core.thread import ControlBlock
from weft.core.wait import WaitReason
from weft.host.guard import cover
from weft.host.platform import Empty, deadline_after

__all__ = ["Empty", "SimpleQueue"]


@cover
class SimpleQueue:
    """Simple, unbounded, reentrant FIFO queue; as `queue.SimpleQueue`."""

    __slots__ = ("__weakref__", "_getters", "_items")

    def __init__(self) -> None:
        self._items: deque[Any] = deque()
        self._getters: deque[ControlBlock] = deque()

    def put(self, item: Any, block: bool = True, timeout: float | None = None) -> None:
        """Put the item; never blocks. `block` and `timeout` are there for likeness with Queue."""
        getters = self._getters
        while getters and not self._items:
            try:
                heir = getters.popleft()
            except IndexError:
                continue
            heir.value = item
            carrier = heir.carrier
            carrier.push(heir.resume)
            if carrier.waiting:
                carrier.wake()
            return
        self._items.append(item)
        if getters:  # one came to wait as it was put
            self._pair()

    def put_nowait(self, item: Any) -> None:
        """The same as `put`."""
        self.put(item)

    def get(self, block: bool = True, timeout: float | None = None) -> Any:
        """Take the oldest item, waiting for one if `block`, for at most `timeout` seconds.

        Raises:
            Empty: there is none (in time).
        """
        if timeout is not None and not isinstance(timeout, (int, float)):
            timeout = index(timeout)
        if timeout is not None and timeout < 0 and block:
            raise ValueError("'timeout' must be a non-negative number")
        deadline = None
        while True:
            if self._items:
                try:
                    return self._items.popleft()
                except IndexError:
                    continue
            if deadline is None and (timeout is not None or not block):
                if not block:
                    raise Empty
                assert timeout is not None
                deadline = deadline_after(timeout)
                if timeout == 0:
                    raise Empty
            try:
                me = getcurrent().block  # type: ignore[attr-defined]
            except AttributeError:
                me = adopt()
            me.on = self
            self._getters.append(me)
            if self._items and self._withdraw(me):
                me.on = None
                continue
            alarm = park(me, deadline)
            if alarm:
                item, me.value = me.value, None
                try:
                    settle(me, alarm)
                except BaseException:
                    if not alarm & WITHDRAWN:
                        self._give_back(item)
                    raise
                me.value = item
                if alarm & WITHDRAWN:
                    me.value = None
                    if alarm & TIMEOUT and not self._items:
                        raise Empty
                    continue
            item, me.value = me.value, None
            return item

    def _pair(self) -> None:
        """Give what lies here to getters that came to wait beside it."""
        while self._getters and self._items:
            try:
                heir = self._getters.popleft()
            except IndexError:
                continue
            try:
                item = self._items.popleft()
            except IndexError:  # somebody took it: the getter begins again
                send_back(heir)
                continue
            heir.value = item
            wake(heir)

    def _give_back(self, item: Any) -> None:
        """An item that its getter may not keep: to the next one who waits, else to the front."""
        try:
            heir = self._getters.popleft()
        except IndexError:
            self._items.appendleft(item)
            self._pair()
            return
        heir.value = item
        wake(heir)

    def __reduce__(self) -> Any:
        raise TypeError("cannot pickle '_queue.SimpleQueue' object")

    def get_nowait(self) -> Any:
        """Take the oldest item; raises Empty at once if there is none."""
        return self.get(False)

    @transparent
    def empty(self) -> bool:
        """Whether the queue is empty now (not reliable: others may put meanwhile)."""
        return not self._items

    @transparent
    def qsize(self) -> int:
        """How many items there are now (not reliable: others may put or get meanwhile)."""
        return len(self._items)

    __class_getitem__: Any = classmethod(type(list[int]))

    def _withdraw(self, block: ControlBlock) -> bool:
        try:
            self._getters.remove(block)
        except ValueError:
            return False
        return True

    def _explain(self, block: ControlBlock) -> tuple[WaitReason, object, ControlBlock | None]:
        return WaitReason.QUEUE_GET, self, None
