"""`_thread.lock` and `_thread.RLock`: mutual exclusion, first come first served.

A release hands the lock to the thread that has waited longest, so a woken waiter owns it already and
never races for it. Both know their owner: that is what reports and the wait-for graph live on.
The slow ways follow the three rules of `weft.core.parking`; "atomic" marks the segments they lean on.
"""

from collections import deque
from typing import Any

from weft.core.current import adopt, getcurrent
from weft.core.parking import TIMEOUT, WITHDRAWN, park, settle
from weft.core.places import transparent
from weft.core.thread import ControlBlock
from weft.core.wait import WaitReason
from weft.host.guard import cover
from weft.host.platform import PLAIN_LOCK_TYPE, RLOCK_SHOWS_LOCKED, check_acquire, monotonic

__all__ = ["Lock", "RLock", "allocate_lock"]


@cover
class Lock:
    """A mutual exclusion lock, as `threading.Lock()` makes it.

    It is not reentrant and any thread may release it. Errors and texts are those of CPython's
    `_thread.lock`.
    """

    __slots__ = ("__weakref__", "_owner", "_waiters")

    def __init__(self) -> None:
        self._owner: ControlBlock | None = None
        self._waiters: deque[ControlBlock] = deque()

    def __init_subclass__(cls) -> None:
        raise TypeError("type '_thread.lock' is not an acceptable base type")

    def acquire(self, blocking: bool = True, timeout: float = -1) -> bool:
        """Take the lock, waiting for it if `blocking`, for at most `timeout` seconds (-1: for ever).

        Returns:
            True if the lock was taken, False if not.
        """
        try:
            me = getcurrent().block  # type: ignore[attr-defined]
        except AttributeError:
            me = adopt()
        if self._owner is None and timeout == -1:  # atomic
            self._owner = me
            return True
        if blocking is not True or timeout != -1:
            return self._acquire_timed(me, blocking, timeout)
        waiters = self._waiters
        while True:
            me.on = self
            waiters.append(me)
            if self._owner is None and self._withdraw(me):
                me.on = None
                if self._owner is None:  # atomic
                    self._owner = me
                    return True
                continue
            carrier = me.carrier
            me.since = carrier.now
            try:
                resume = carrier.pick()
            except IndexError:
                resume = carrier.idle()
            resume()
            me.on = None
            if not me.alarm or self._settled(me):
                return True

    __enter__ = acquire

    def _settled(self, me: ControlBlock) -> bool:
        """Answer an alarm; True if the lock is ours. One that we got is let go if we must raise."""
        alarm, me.alarm = me.alarm, 0
        try:
            settle(me, alarm)
        except BaseException:
            if not alarm & WITHDRAWN:
                self.release()
            raise
        return not alarm & WITHDRAWN

    def _acquire_timed(self, me: ControlBlock, blocking: bool, timeout: float) -> bool:
        check_acquire(blocking, timeout)
        if self._owner is None:  # atomic
            self._owner = me
            return True
        if not blocking or timeout == 0:
            return False
        deadline = monotonic() + timeout if timeout >= 0 else None
        while True:
            me.on = self
            self._waiters.append(me)
            if self._owner is None and self._withdraw(me):
                me.on = None
            else:
                alarm = park(me, deadline)
                if not alarm:
                    return True
                me.alarm |= alarm
                if self._settled(me):
                    return True
                if alarm & TIMEOUT:
                    return False
            if self._owner is None:  # atomic
                self._owner = me
                return True

    def release(self) -> None:
        """Let the lock go, to the thread that has waited longest if there is one.

        Raises:
            RuntimeError: the lock is not locked.
        """
        if self._owner is None:
            raise RuntimeError("release unlocked lock")
        if self._waiters:  # atomic with the store below
            try:
                heir = self._waiters.popleft()
            except IndexError:
                return self.release()
            self._owner = heir
            carrier = heir.carrier
            carrier.push(heir.resume)
            if carrier.waiting:
                carrier.wake()
        else:
            self._owner = None
        return None

    def __exit__(self, exc_type: object, exc: object, traceback: object) -> None:
        if self._owner is None:
            raise RuntimeError("release unlocked lock")
        if self._waiters:
            self.release()
        else:
            self._owner = None

    def __reduce__(self) -> Any:
        raise TypeError("cannot pickle '_thread.lock' object")

    @transparent
    def locked(self) -> bool:
        """Whether some thread has the lock."""
        return self._owner is not None

    _hand_over = release  # the name that an RLock has for it

    acquire_lock = acquire
    release_lock = release
    locked_lock = locked

    def _at_fork_reinit(self) -> None:
        self._owner = None
        self._waiters.clear()

    def _withdraw(self, block: ControlBlock) -> bool:
        try:
            self._waiters.remove(block)
        except ValueError:
            return False
        return True

    def _explain(self, block: ControlBlock) -> tuple[WaitReason, object, ControlBlock | None]:
        return WaitReason.LOCK, self, self._owner

    def __repr__(self) -> str:
        state = "unlocked" if self._owner is None else "locked"
        return f"<{state} _thread.lock object at {id(self):#x}>"


def allocate_lock() -> Lock:
    """Make a lock; what `threading.Lock` is."""
    lock = _new_lock(Lock)
    lock._owner = None
    lock._waiters = deque()
    return lock


_new_lock = object.__new__

if not PLAIN_LOCK_TYPE:  # before 3.13 the type could not be called

    def _refuse(cls: type, *args: object, **kwargs: object) -> Any:
        raise TypeError("cannot create '_thread.lock' instances")

    Lock.__new__ = _refuse  # type: ignore[method-assign]


@cover
class RLock:
    """A reentrant lock: its owner may take it again, and lets it go as often as it took it.

    Errors and texts are those of CPython's `_thread.RLock`.
    """

    __slots__ = ("__weakref__", "_count", "_owner", "_waiters")

    def __new__(cls, *args: object, **kwargs: object) -> "RLock":
        self = object.__new__(cls)
        self._owner = None
        self._count = 0
        self._waiters = deque()
        return self

    _owner: ControlBlock | None
    _count: int  # how often its owner has taken it beyond the first time
    _waiters: deque[ControlBlock]

    def acquire(self, blocking: bool = True, timeout: float = -1) -> bool:
        """Take the lock, or take it once more; see `Lock.acquire`."""
        try:
            me = getcurrent().block  # type: ignore[attr-defined]
        except AttributeError:
            me = adopt()
        if self._owner is None and timeout == -1:  # atomic
            self._owner = me
            return True
        if self._owner is me:
            if timeout != -1:
                check_acquire(blocking, timeout)
            self._count += 1
            return True
        if blocking is not True or timeout != -1:
            return self._acquire_timed(me, blocking, timeout)
        waiters = self._waiters
        while True:
            me.on = self
            waiters.append(me)
            if self._owner is None and self._withdraw(me):
                me.on = None
                if self._owner is None:  # atomic
                    self._owner = me
                    return True
                continue
            carrier = me.carrier
            me.since = carrier.now
            try:
                resume = carrier.pick()
            except IndexError:
                resume = carrier.idle()
            resume()
            me.on = None
            if not me.alarm or self._settled(me):
                return True

    __enter__ = acquire

    def _settled(self, me: ControlBlock) -> bool:
        alarm, me.alarm = me.alarm, 0
        try:
            settle(me, alarm)
        except BaseException:
            if not alarm & WITHDRAWN:
                self.release()
            raise
        return not alarm & WITHDRAWN

    def _acquire_timed(self, me: ControlBlock, blocking: bool, timeout: float) -> bool:
        check_acquire(blocking, timeout)
        if self._owner is None:  # atomic
            self._owner = me
            return True
        if not blocking or timeout == 0:
            return False
        deadline = monotonic() + timeout if timeout >= 0 else None
        while True:
            me.on = self
            self._waiters.append(me)
            if self._owner is None and self._withdraw(me):
                me.on = None
            else:
                alarm = park(me, deadline)
                if alarm:
                    me.alarm |= alarm
                    if not self._settled(me):
                        if alarm & TIMEOUT:
                            return False
                        continue
                return True
            if self._owner is None:  # atomic
                self._owner = me
                return True

    def release(self) -> None:
        """Let the lock go once; the last time hands it to the thread that has waited longest.

        Raises:
            RuntimeError: the caller does not own the lock.
        """
        try:
            me = getcurrent().block  # type: ignore[attr-defined]
        except AttributeError:
            me = adopt()
        if self._owner is not me:
            raise RuntimeError("cannot release un-acquired lock")
        if self._count:
            self._count -= 1
        elif self._waiters:  # atomic with the store below
            self._hand_over()
        else:
            self._owner = None

    def _hand_over(self) -> None:
        if self._waiters:  # atomic with the store below
            try:
                heir = self._waiters.popleft()
            except IndexError:
                return self._hand_over()
            self._owner = heir
            carrier = heir.carrier
            carrier.push(heir.resume)
            if carrier.waiting:
                carrier.wake()
        else:
            self._owner = None
        return None

    def __exit__(self, exc_type: object, exc: object, traceback: object) -> None:
        try:
            me = getcurrent().block  # type: ignore[attr-defined]
        except AttributeError:
            me = adopt()
        if self._owner is not me:
            raise RuntimeError("cannot release un-acquired lock")
        if self._count:
            self._count -= 1
        elif self._waiters:
            self._hand_over()
        else:
            self._owner = None

    def __reduce__(self) -> Any:
        raise TypeError("cannot pickle '_thread.RLock' object")

    @transparent
    def locked(self) -> bool:
        """Whether some thread has the lock."""
        return self._owner is not None

    @transparent
    def _is_owned(self) -> bool:
        try:
            return self._owner is getcurrent().block  # type: ignore[attr-defined]
        except AttributeError:
            return self._owner is adopt()

    @transparent
    def _recursion_count(self) -> int:
        return self._count + 1 if self._is_owned() else 0

    def _release_save(self) -> tuple[int, ControlBlock]:
        if self._owner is None:
            raise RuntimeError("cannot release un-acquired lock")
        state = self._count, self._owner
        self._count = 0
        self._hand_over()
        return state

    def _acquire_restore(self, state: tuple[int, ControlBlock]) -> None:
        self.acquire()
        self._count, self._owner = state

    def _at_fork_reinit(self) -> None:
        self._owner = None
        self._count = 0
        self._waiters.clear()

    def _withdraw(self, block: ControlBlock) -> bool:
        try:
            self._waiters.remove(block)
        except ValueError:
            return False
        return True

    def _explain(self, block: ControlBlock) -> tuple[WaitReason, object, ControlBlock | None]:
        return WaitReason.LOCK, self, self._owner

    def __repr__(self) -> str:
        owner = self._owner
        return (
            f"<{'unlocked' if owner is None else 'locked'} {type(self).__module__}.{type(self).__qualname__}"
            f" object owner={0 if owner is None else owner.ident}"
            f" count={0 if owner is None else self._count + 1} at {id(self):#x}>"
        )


if not RLOCK_SHOWS_LOCKED:
    del RLock.locked
