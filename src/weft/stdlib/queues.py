"""`queue.Queue` and `LifoQueue` without a lock in the way.

A queue is *direct* as long as nobody looks inside: items go from a putter to a getter, or into a deque,
in atomic segments, and no lock is taken. As soon as the program touches what CPython's class exposes
(`mutex`, `not_empty`, `queue`, ...), shuts the queue down or overrides `_put` and its kin, the queue
becomes *classic* for good: CPython's own methods over a mutex and three conditions. Threads that wait
at that moment are withdrawn and begin again.

A queue is *calm* when it is direct, has no limit, and no getter waits: a put then has one question to
ask. A getter stands on the list before it says that calm is over, and a put says that it is back only
when it sees nobody on the list.

A putter looks for getters once more when its item lies there, as a getter looks for items once more when it
stands on the list: whichever comes second sees the other.

Room is counted in `_room`, which is what is left of `maxsize` (always 1 if there is no limit). A getter
that finds putters waiting passes its room on and takes the putter's item along.
"""

from collections import deque
from math import inf
from typing import Any

from weft.core.current import adopt, getcurrent
from weft.core.parking import RETRY, TIMEOUT, WITHDRAWN, park, send_back, settle, wake
from weft.core.places import transparent
from weft.core.thread import ControlBlock
from weft.core.wait import WaitReason
from weft.host.guard import cover
from weft.host.platform import deadline_after, monotonic
from weft.host.threads import raw_lock

__all__ = ["quicken_queue"]

_HOOKS = ("_init", "_qsize", "_put", "_get")
_EXPOSED = frozenset({"queue", "mutex", "not_empty", "not_full", "all_tasks_done"})


class _Joiners:
    """What a thread in `Queue.join` waits on."""

    __slots__ = ("blocks", "queue")

    def __init__(self, queue: Any) -> None:
        self.queue = queue
        self.blocks: deque[ControlBlock] = deque()

    def _withdraw(self, block: ControlBlock) -> bool:
        try:
            self.blocks.remove(block)
        except ValueError:
            return False
        return True

    def _explain(self, block: ControlBlock) -> tuple[WaitReason, object, ControlBlock | None]:
        return WaitReason.QUEUE_JOIN, self.queue, None


class _Putters(_Joiners):
    """What a thread in `Queue.put` waits on."""

    __slots__ = ()

    def _explain(self, block: ControlBlock) -> tuple[WaitReason, object, ControlBlock | None]:
        return WaitReason.QUEUE_PUT, self.queue, None


class _Exposed:
    """An attribute of CPython's class that a direct queue does not have until somebody looks.

    It is no data descriptor, so that the instance's own attribute goes before it once it is there (and
    the class needs no `__getattr__`, which would slow every other attribute down).
    """

    def __init__(self, name: str) -> None:
        self._name = name

    def __get__(self, queue: Any, owner: type) -> Any:
        if queue is None:
            return self
        if "_items" in queue.__dict__:
            queue._go_classic()
            return queue.__dict__[self._name]
        raise AttributeError(f"{owner.__name__!r} object has no attribute {self._name!r}")


def quicken_queue(module: Any, port: Any) -> None:
    """Put fast classes into one executed copy of CPython's `queue`, built upon its own."""
    classic: Any = module.Queue
    full: Any = module.Full
    empty: Any = module.Empty
    threading: Any = module.threading

    class Queue(classic):  # type: ignore[misc]
        """A queue of at most `maxsize` items (0: no limit); as `queue.Queue`."""

        def __init__(self, maxsize: int = 0) -> None:
            cls = type(self)
            if cls is not Queue and cls is not LifoQueue and _overrides(cls):
                self._classic = True
                self._calm = False
                self._items: Any = ()
                self._room: float = -1
                self._getters: deque[ControlBlock] = deque()
                classic.__init__(self, maxsize)
                return
            self._maxsize = maxsize
            self._classic = False
            self._guard = raw_lock()
            self._items = deque()
            self._bounded = maxsize > 0
            self._newest_first = False
            self._room = maxsize if maxsize > 0 else 1
            self._calm = maxsize <= 0
            self._getters = deque()
            self._putters: deque[ControlBlock] | None = None
            self._joiners: _Joiners | None = None
            self.unfinished_tasks = 0
            self.is_shutdown = False

        @property
        def maxsize(self) -> int:
            """How many items fit; 0 or less: no limit."""
            return self._maxsize

        @maxsize.setter
        def maxsize(self, maxsize: int) -> None:
            self._maxsize = maxsize
            if "_items" in self.__dict__ and not self._classic:
                self._go_classic()

        def put(self, item: Any, block: bool = True, timeout: float | None = None) -> None:
            """Put an item, waiting for room if `block`, for at most `timeout` seconds.

            Raises:
                Full: there is no room (in time).
            """
            if self._calm:
                self.unfinished_tasks += 1
                self._items.append(item)
                if self._getters:
                    self._pair()
                return None
            if timeout is not None and timeout < 0 and block and self._maxsize > 0:
                raise ValueError("'timeout' must be a non-negative number")
            while True:
                if self._room > 0:
                    if not self._getters or self._items:  # atomic, from the test of the room on
                        if self._bounded:
                            self._room -= 1
                            self.unfinished_tasks += 1
                            self._items.append(item)
                            if self._getters:
                                self._pair()
                            return None
                        self._calm = not self._getters
                        self.unfinished_tasks += 1
                        self._items.append(item)
                        if self._getters:
                            self._pair()
                        return None
                    try:
                        heir = self._getters.popleft()
                    except IndexError:
                        continue
                    heir.value = item
                    self.unfinished_tasks += 1
                    carrier = heir.carrier
                    carrier.push(heir.resume)
                    if carrier.waiting:
                        carrier.wake()
                    return None
                if self._classic:
                    return classic.put(self, item, block, timeout)  # type: ignore[no-any-return]
                if not block:
                    raise full
                try:
                    me = getcurrent().block  # type: ignore[attr-defined]
                except AttributeError:
                    me = adopt()
                if timeout is not None:
                    return self._put_timed(me, item, timeout)
                putters = self._putters
                if putters is None:
                    putters = self._make_putters()
                me.value = item
                me.on = self._put_wait
                putters.append(me)
                if (self._room > 0 or self._classic) and me.on._withdraw(me):
                    me.on = None
                    continue
                carrier = me.carrier
                me.since = carrier.now
                try:
                    resume = carrier.pick()
                except IndexError:
                    resume = carrier.idle()
                resume()
                me.on = None
                if not me.alarm:
                    return None
                alarm, me.alarm = me.alarm, 0
                settle(me, alarm)
                if not alarm & WITHDRAWN:
                    return None

        def _make_putters(self) -> deque[ControlBlock]:
            fresh = _Putters(self)
            if self._putters is None:  # atomic
                self._put_wait, self._putters = fresh, fresh.blocks
            return self._putters

        def _put_timed(self, me: ControlBlock, item: Any, timeout: float) -> None:
            deadline = deadline_after(timeout)
            while True:
                if self._putters is None:
                    self._make_putters()
                me.value = item
                me.on = self._put_wait
                me.on.blocks.append(me)
                if (self._room > 0 or self._classic) and me.on._withdraw(me):
                    me.on = None
                    return self.put(item, True, max(0.0, deadline - monotonic()))
                alarm = park(me, deadline)
                settle(me, alarm)
                if not alarm & WITHDRAWN:
                    return None
                if alarm & TIMEOUT:
                    raise full
                if alarm & RETRY:
                    return self.put(item, True, max(0.0, deadline - monotonic()))

        def get(self, block: bool = True, timeout: float | None = None) -> Any:
            """Take an item, waiting for one if `block`, for at most `timeout` seconds.

            Raises:
                Empty: there is none (in time).
            """
            if timeout is not None and timeout < 0 and block:
                raise ValueError("'timeout' must be a non-negative number")
            while True:
                if self._items:
                    try:
                        item = self._items.pop() if self._newest_first else self._items.popleft()
                    except IndexError:
                        continue
                    if self._bounded:
                        if self._putters:  # atomic with the store
                            self._pass_room()
                            if self._getters:
                                self._pair()
                        else:
                            self._room += 1
                    return item
                if self._classic:
                    return classic.get(self, block, timeout)
                if not block:
                    raise empty
                try:
                    me = getcurrent().block  # type: ignore[attr-defined]
                except AttributeError:
                    me = adopt()
                if timeout is not None:
                    return self._get_timed(me, timeout)
                me.on = self
                self._getters.append(me)
                self._calm = False  # after the append: while a getter stands there, nobody sets it
                if (self._items or self._classic) and self._withdraw(me):
                    me.on = None
                    continue
                carrier = me.carrier
                me.since = carrier.now
                try:
                    resume = carrier.pick()
                except IndexError:
                    resume = carrier.idle()
                resume()
                me.on = None
                if not me.alarm or self._handed(me):
                    item, me.value = me.value, None
                    return item

        def _handed(self, me: ControlBlock) -> bool:
            """Answer an alarm; True if an item was handed over. One that we may not keep goes back."""
            alarm, me.alarm = me.alarm, 0
            item, me.value = me.value, None
            try:
                settle(me, alarm)
            except BaseException:
                if not alarm & WITHDRAWN:
                    self._give_back(item)
                raise
            if alarm & WITHDRAWN:
                return False
            me.value = item
            return True

        def _give_back(self, item: Any) -> None:
            if self._classic:
                with self.mutex:
                    self.queue.insert(0, item)
                    self.not_empty.notify()
                return
            try:
                heir = self._getters.popleft()
            except IndexError:
                if self._bounded:
                    self._room -= 1
                self._items.appendleft(item)
                self._pair()
                return
            heir.value = item
            wake(heir)

        def _get_timed(self, me: ControlBlock, timeout: float) -> Any:
            if timeout == 0:
                raise empty
            deadline = deadline_after(timeout)
            while True:
                me.on = self
                self._getters.append(me)
                self._calm = False
                if (self._items or self._classic) and self._withdraw(me):
                    me.on = None
                    return self.get(True, max(0.0, deadline - monotonic()))
                alarm = park(me, deadline)
                me.alarm |= alarm
                if not alarm or self._handed(me):
                    item, me.value = me.value, None
                    return item
                if self._items or alarm & RETRY:
                    return self.get(True, max(0.0, deadline - monotonic()))
                if alarm & TIMEOUT:
                    raise empty

        def _pair(self) -> None:
            """Give what lies here to getters that came to wait as it was put."""
            while self._getters and self._items:
                try:
                    heir = self._getters.popleft()
                except IndexError:
                    continue
                try:
                    item = self._items.pop() if self._newest_first else self._items.popleft()
                except IndexError:  # somebody took it: the getter begins again
                    send_back(heir)
                    continue
                if self._bounded:
                    if self._putters:  # atomic with the store
                        self._pass_room()
                    else:
                        self._room += 1
                heir.value = item
                wake(heir)

        def _pass_room(self) -> None:
            """An item was taken: let the first waiting putter's item in instead; then `_pair`."""
            while True:
                if not self._putters:  # atomic with the store
                    self._room += 1
                    return
                try:
                    putter = self._putters.popleft()
                except IndexError:
                    continue
                if self._classic:  # the queue changed its ways since: the putter begins again
                    send_back(putter)
                    continue
                item, putter.value = putter.value, None
                self.unfinished_tasks += 1
                if not self._getters or self._items:
                    self._items.append(item)
                    wake(putter)
                    return
                # Somebody came to wait meanwhile and takes the item; the room is still there.
                try:
                    heir = self._getters.popleft()
                except IndexError:
                    self._add_late(item)
                    wake(putter)
                    return
                heir.value = item
                wake(heir)
                wake(putter)

        def _add_late(self, item: Any) -> None:
            """Let an item in that has its room already, whatever the queue has become."""
            if self._classic:
                with self.mutex:
                    self._put(item)
                    self.not_empty.notify()
            else:
                self._items.append(item)

        def task_done(self) -> None:
            """Say that a task that was taken is done.

            Raises:
                ValueError: called more often than there were items.
            """
            if self._classic:
                return classic.task_done(self)  # type: ignore[no-any-return]
            left = self.unfinished_tasks - 1
            if left < 0:
                raise ValueError("task_done() called too many times")
            self.unfinished_tasks = left
            if left == 0 and self._joiners is not None:
                joiners = self._joiners.blocks
                while joiners:
                    wake(joiners.popleft())
            return None

        def join(self) -> None:
            """Wait until every item that was put has been taken and is done."""
            while True:
                if self._classic:
                    return classic.join(self)  # type: ignore[no-any-return]
                if not self.unfinished_tasks:
                    return None
                if self._joiners is None:
                    fresh = _Joiners(self)
                    if self._joiners is None:  # atomic
                        self._joiners = fresh
                try:
                    me = getcurrent().block  # type: ignore[attr-defined]
                except AttributeError:
                    me = adopt()
                me.on = joiners = self._joiners
                joiners.blocks.append(me)
                if (not self.unfinished_tasks or self._classic) and joiners._withdraw(me):
                    me.on = None
                    continue
                alarm = park(me)
                settle(me, alarm)
                if not alarm & WITHDRAWN:
                    return None

        @transparent
        def qsize(self) -> int:
            """How many items there are now (not reliable: others may put or get meanwhile)."""
            return classic.qsize(self) if self._classic else len(self._items)

        @transparent
        def empty(self) -> bool:
            """Whether there is no item now (not reliable)."""
            return classic.empty(self) if self._classic else not self._items

        @transparent
        def full(self) -> bool:
            """Whether there is no room now (not reliable)."""
            return classic.full(self) if self._classic else 0 < self._maxsize <= len(self._items)

        if hasattr(classic, "shutdown"):

            def shutdown(self, immediate: bool = False) -> None:
                """Refuse further puts; gets end once the queue is empty (at once if `immediate`)."""
                if not self._classic:
                    self._go_classic()
                classic.shutdown(self, immediate)

        def _go_classic(self) -> None:
            """Become a queue of mutex and conditions; whoever waits begins again.

            The items stay in their deque and the count of tasks is not touched, so that what other
            threads have under way ends rightly. All the classic parts are there before it shows.
            """
            guard = self._guard
            guard.acquire()
            try:
                if self._classic:
                    return
                mutex = threading.Lock()
                not_empty = threading.Condition(mutex)
                not_full = threading.Condition(mutex)
                all_tasks_done = threading.Condition(mutex)
                self.mutex, self.not_empty, self.not_full = mutex, not_empty, not_full
                self.all_tasks_done = all_tasks_done
                items = self._items
                self._calm = False  # atomic with the stores below
                self._items, self._room, self._bounded, self._classic = (), -inf, False, True
                self.queue: Any = list(items) if self._newest_first else items
            finally:
                guard.release()
            waiting = [self._getters]
            if self._putters is not None:
                waiting.append(self._putters)
            if self._joiners is not None:
                waiting.append(self._joiners.blocks)
            for blocks in waiting:
                while blocks:
                    try:
                        block = blocks.popleft()
                    except IndexError:
                        break
                    send_back(block)

        def _init(self, maxsize: int) -> None:
            self.queue = deque()

        def _withdraw(self, block: ControlBlock) -> bool:
            try:
                self._getters.remove(block)
            except ValueError:
                return False
            return True

        def _explain(self, block: ControlBlock) -> tuple[WaitReason, object, ControlBlock | None]:
            return WaitReason.QUEUE_GET, self, None

    class LifoQueue(Queue):
        """A queue that gives the newest item first; as `queue.LifoQueue`."""

        def __init__(self, maxsize: int = 0) -> None:
            super().__init__(maxsize)
            self._newest_first = True

        def _init(self, maxsize: int) -> None:
            self.queue = []

        def _get(self) -> Any:
            return self.queue.pop()

        def _give_back(self, item: Any) -> None:
            self.put(item)
            self.unfinished_tasks -= 1

    class PriorityQueue(Queue):
        """A queue that gives the smallest item first; as `queue.PriorityQueue`."""

        _init = module.PriorityQueue._init
        _qsize = module.PriorityQueue._qsize
        _put = module.PriorityQueue._put
        _get = module.PriorityQueue._get

    plain = [[getattr(c, h) for h in _HOOKS] for c in (Queue, LifoQueue)]

    def _overrides(cls: type) -> bool:
        return [getattr(cls, h) for h in _HOOKS] not in plain

    for name in _EXPOSED:
        setattr(Queue, name, _Exposed(name))
    for cls in (Queue, LifoQueue, PriorityQueue):
        cover(cls)
        cls.__module__ = module.__name__
        cls.__qualname__ = cls.__name__
        setattr(module, cls.__name__, cls)
