"""`_multiprocessing.SemLock` for user threads: what all locks of `multiprocessing` stand on.

CPython's waits in C, which stops every user thread, and takes the kernel thread for the owner. Here the
semaphore itself is still the system's, shared with other processes, but it is only asked without waiting,
and owner and count are kept for each thread. Threads of this process that wait stand in a line. The first
of them asks again whenever one of this process lets go, and, since nobody tells of other processes, at
growing intervals. While it is the only thread there is, it waits in C after all, in short stretches.
"""

from collections import deque
from math import copysign
from typing import Any

from weft.core.current import current
from weft.core.parking import park, settle, wake
from weft.core.thread import ControlBlock
from weft.core.wait import WaitReason
from weft.host.guard import cover, outside
from weft.host.platform import TIMEOUT_MAX, monotonic

__all__ = ["supply_sem_lock"]

RECURSIVE, COUNTING = 0, 1  # kinds, as multiprocessing.synchronize names them
FIRST_NAP, LONGEST_NAP, GROWTH = 0.0001, 0.01, 1.5  # seconds between two questions, and how they grow
STRETCH = 0.05  # seconds that the only thread waits in C before it looks at signals


@cover
class _SemLock:
    """A semaphore or recursive lock shared by processes; errors and texts are those of CPython's."""

    __slots__ = ("__weakref__", "_asleep", "_held", "_kind", "_line", "_owner", "_real")

    _make: Any  # CPython's type, put in by `supply_sem_lock`
    _real: Any
    _kind: int

    def __new__(cls, kind: int, value: int, maxvalue: int, name: str, unlink: bool) -> "_SemLock":
        counting = COUNTING if kind == RECURSIVE else kind
        return cls._around(cls._make(counting, value, maxvalue, name, unlink), kind)

    @classmethod
    def _around(cls, real: Any, kind: int) -> "_SemLock":
        self = object.__new__(cls)
        self._real = real
        self._kind = kind
        self._forget()
        return self

    def _forget(self) -> None:
        self._held = 0  # how often this process has taken it and not let it go
        self._owner: ControlBlock | None = None  # who took it last
        self._line: deque[ControlBlock] = deque()  # who waits, first come first
        self._asleep: set[ControlBlock] = set()  # which of them are parked and have no wake on its way

    @classmethod
    def _rebuild(cls, handle: int, kind: int, maxvalue: int, name: str | None, /) -> "_SemLock":
        counting = COUNTING if kind == RECURSIVE else kind
        return cls._around(cls._make._rebuild(handle, counting, maxvalue, name), kind)

    handle = property(lambda self: self._real.handle)
    kind = property(lambda self: self._kind)
    maxvalue = property(lambda self: self._real.maxvalue)
    name = property(lambda self: self._real.name)

    def acquire(self, block: bool = True, timeout: float | None = None) -> bool:
        """Acquire the semaphore/lock."""
        me = current()
        if self._kind == RECURSIVE and self._is_mine():
            self._held += 1
            return True
        seconds = None if timeout is None else copysign(timeout, timeout)  # refuses as C does
        if not (block and self._line) and self._real.acquire(False):
            self._held += 1
            self._owner = me
            return True
        if not block or (seconds is not None and seconds <= 0):
            return False
        return self._wait(me, None if seconds is None else monotonic() + min(seconds, TIMEOUT_MAX))

    def _wait(self, me: ControlBlock, deadline: float | None) -> bool:
        line = self._line
        while line and line[0].done:  # left behind by a fork
            line.popleft()
        line.append(me)
        nap = FIRST_NAP
        try:
            while True:
                first = line[0] is me
                if first and self._real.acquire(False):
                    break
                now = monotonic()
                if deadline is not None and now >= deadline:
                    return False
                if first and me.carrier.alone:
                    stretch = STRETCH if deadline is None else min(STRETCH, deadline - now)
                    if outside(self._real.acquire)(True, stretch):
                        break
                    alarm, me.alarm = me.alarm, 0
                    settle(me, alarm)
                    continue
                until = deadline
                if first:
                    until = now + nap if deadline is None else min(now + nap, deadline)
                    nap = min(nap * GROWTH, LONGEST_NAP)
                me.on = self
                self._asleep.add(me)
                if not first and line[0] is me and self._withdraw(me):
                    me.on = None
                    continue
                alarm = park(me, until)
                if not alarm:
                    nap = FIRST_NAP
                settle(me, alarm)
        finally:
            line.remove(me)
            self._nudge()
        self._held += 1
        self._owner = me
        return True

    def _nudge(self) -> None:
        """Have the first in the line look again."""
        if self._line:
            first = self._line[0]
            if self._withdraw(first):
                wake(first)

    def release(self) -> None:
        """Release the semaphore/lock."""
        if self._kind == RECURSIVE:
            if not self._is_mine():
                raise AssertionError("attempt to release recursive lock not owned by thread")
            if self._held > 1:
                self._held -= 1
                return
        self._held -= 1  # first: who gets it next may be another kernel thread, at once
        try:
            self._real.release()
        except BaseException:
            self._held += 1
            raise
        if self._line:
            self._nudge()

    def __enter__(self) -> bool:
        return self.acquire()

    def __exit__(self, *error: object) -> None:
        self.release()

    def _count(self) -> int:
        """Num of `acquire()`s minus num of `release()`s for this process."""
        return self._held

    def _is_mine(self) -> bool:
        """Whether the lock is owned by this thread."""
        return self._held > 0 and self._owner is current()

    def _get_value(self) -> int:
        """Get the value of the semaphore."""
        return self._real._get_value()  # type: ignore[no-any-return]

    def _is_zero(self) -> bool:
        """Return whether semaphore has value zero."""
        return self._real._is_zero()  # type: ignore[no-any-return]

    def _after_fork(self) -> None:
        """Rezero the net acquisition count after fork()."""
        self._real._after_fork()
        self._forget()

    def __reduce__(self) -> Any:
        raise TypeError("cannot pickle '_multiprocessing.SemLock' object")

    def _withdraw(self, block: ControlBlock) -> bool:
        try:
            self._asleep.remove(block)
        except KeyError:
            return False
        return True

    def _explain(self, block: ControlBlock) -> tuple[WaitReason, object, ControlBlock | None]:
        one = self.maxvalue == 1
        return (
            WaitReason.LOCK if one else WaitReason.SEMAPHORE,
            self,
            self._owner if one and self._held else None,
        )


def supply_sem_lock(module: Any) -> None:
    """Put a semaphore that parks into the executed C module `_multiprocessing`."""
    real = getattr(module, "SemLock", None)
    if real is None:  # a system without them
        return
    real = getattr(real, "_make", real)
    body = {"__slots__": (), "__module__": "_multiprocessing", "__doc__": real.__doc__}
    module.SemLock = type(
        "SemLock", (_SemLock,), {**body, "_make": real, "SEM_VALUE_MAX": real.SEM_VALUE_MAX}
    )
