"""Locks, conditions and semaphores of a checked program: each operation one point, on plain fields."""

import sys
import warnings
from typing import Any

from weft.check.world import MODEL, Notes, born, release_point
from weft.core.places import place_of
from weft.host.platform import TIMEOUT_MAX
from weft.models.controlled import Task

__all__ = ["BoundedSemaphore", "Condition", "Lock", "RLock", "Semaphore", "allocate_lock", "deadline_of"]

_point = MODEL.point


def deadline_of(blocking: bool, timeout: Any) -> float | None:
    """When a lock's `acquire` gives up, None for never; refuses what CPython refuses, in its words."""
    if not blocking:
        if timeout != -1:
            raise ValueError("can't specify a timeout for a non-blocking call")
        return MODEL.now
    if timeout == -1:
        return None
    if timeout < 0:
        raise ValueError("timeout value must be a non-negative number")
    if timeout > TIMEOUT_MAX:
        raise OverflowError("timeout value is too large")
    return MODEL.after(float(timeout))


def _lock_free(task: Task) -> bool:
    return task.target._owner is None or (task.deadline is not None and MODEL.now >= task.deadline)


class Lock:
    """As `_thread.lock`."""

    __slots__ = ("__weakref__", "_aside", "_owner", "_site")

    def __init__(self) -> None:
        self._owner: Task | None = None
        self._aside: list[Task] | None = None
        born(self)

    def _put_back(self) -> None:
        self._owner = self._aside = None

    def acquire(self, blocking: bool = True, timeout: float = -1) -> bool:
        """Take the lock; whether it was taken."""
        if blocking and timeout == -1:
            if self._owner is not None and not MODEL.detour:
                self._aside = MODEL.stand_aside(self._aside)
            _point("acquire", self, None, None, _lock_free)
            self._owner = MODEL.current
            return True
        deadline = deadline_of(blocking, timeout)
        MODEL.tried.add("lock")
        if blocking and timeout > 0:
            _point("acquire", self, None, None, _lock_free, deadline)
        else:
            _point("try", self)
        if self._owner is not None:
            return False
        self._owner = MODEL.current
        MODEL.changes += 1
        return True

    def __enter__(self) -> bool:
        if self._owner is not None and not MODEL.detour:
            self._aside = MODEL.stand_aside(self._aside)
        _point("acquire", self, None, None, _lock_free)
        self._owner = MODEL.current
        return True

    def release(self) -> None:
        """Let the lock go."""
        release_point("lock", self)
        if self._owner is None:
            raise RuntimeError("release unlocked lock")
        self._let_go()

    def _let_go(self) -> None:
        self._owner = None
        if self._aside is not None:
            MODEL.put_back(self._aside)
            self._aside = None

    def __exit__(self, *_: object) -> None:
        self.release()

    def locked(self) -> bool:
        """Whether somebody holds it."""
        MODEL.tried.add("lock")
        _point("locked", self)
        return self._owner is not None

    acquire_lock = acquire
    release_lock = release
    locked_lock = locked

    def _at_fork_reinit(self) -> None:
        self._let_go()

    def _free(self) -> bool:
        return self._owner is None

    def _release_save(self) -> Any:
        if MODEL.on_release is not None:
            MODEL.on_release(MODEL.current, self)
        self._let_go()

    def _acquire_restore(self, _: Any) -> None:
        self._owner = MODEL.current

    def _is_owned(self) -> bool:
        return self._owner is not None

    def __repr__(self) -> str:
        state = "unlocked" if self._owner is None else "locked"
        return f"<{state} _thread.lock object at {id(self):#x}>"


def allocate_lock() -> Lock:
    """A new lock."""
    return Lock()


class RLock:
    """As `_thread.RLock`: its owner may take it again."""

    def __init__(self) -> None:
        self._owner: Task | None = None
        self._aside: list[Task] | None = None
        self._count = 0
        born(self)

    def _put_back(self) -> None:
        self._owner, self._count = None, 0
        if self._aside is not None:
            MODEL.put_back(self._aside)
            self._aside = None

    def acquire(self, blocking: bool = True, timeout: float = -1) -> bool:
        """Take the lock once more; whether it was taken."""
        deadline = deadline_of(blocking, timeout)
        if self._owner is MODEL.current:
            self._count += 1
            return True
        if deadline is None:
            if self._owner is not None and not MODEL.detour:
                self._aside = MODEL.stand_aside(self._aside)
            _point("acquire", self, None, None, _lock_free)
        else:
            MODEL.tried.add("lock")
            if blocking and timeout > 0:
                _point("acquire", self, None, None, _lock_free, deadline)
            else:
                _point("try", self)
            if self._owner is not None:
                return False
            MODEL.changes += 1
        self._owner = MODEL.current
        self._count = 1
        return True

    def __enter__(self) -> bool:
        return self.acquire()

    def release(self) -> None:
        """Let the lock go once."""
        if self._owner is not MODEL.current:
            raise RuntimeError("cannot release un-acquired lock")
        if self._count > 1:
            self._count -= 1
            return
        release_point("lock", self)
        self._put_back()

    def __exit__(self, *_: object) -> None:
        self.release()

    def locked(self) -> bool:
        """Whether somebody holds it."""
        MODEL.tried.add("lock")
        _point("locked", self)
        return self._owner is not None

    def _at_fork_reinit(self) -> None:
        self._put_back()

    def _free(self) -> bool:
        return self._owner is None

    def _release_save(self) -> Any:
        if MODEL.on_release is not None:
            MODEL.on_release(MODEL.current, self)
        state = (self._count, self._owner)
        self._put_back()
        return state

    def _acquire_restore(self, state: Any) -> None:
        self._count, self._owner = state

    def _is_owned(self) -> bool:
        return self._owner is MODEL.current

    def _recursion_count(self) -> int:
        return self._count if self._owner is MODEL.current else 0

    def __repr__(self) -> str:
        state = "unlocked" if self._owner is None else "locked"
        owner = 0 if self._owner is None else self._owner.ident
        return f"<{state} _thread.RLock object owner={owner} count={self._count} at {id(self):#x}>"


class _Waiter:
    """One thread in a condition's queue."""

    __slots__ = ("condition", "notified", "task")

    def __init__(self, condition: "Condition", task: Task) -> None:
        self.condition = condition
        self.notified = False
        self.task = task


def _may_wake(task: Task) -> bool:
    """The end of a wait on a condition takes the lock again: `target` is the lock, `key` the waiter."""
    if task.key.notified or (task.deadline is not None and MODEL.now >= task.deadline):
        return bool(task.target._free())
    return False


class Condition:
    """As `threading.Condition`."""

    def __init__(self, lock: Any = None) -> None:
        if lock is None:
            lock = RLock()
        self._lock = lock
        self.acquire = lock.acquire
        self.release = lock.release
        self._ours = type(lock) is RLock or type(lock) is Lock
        self._waiters: list[_Waiter] = []
        self.missed = 0  # notifies that found nobody
        born(self)

    def _put_back(self) -> None:
        self._waiters = []
        self.missed = 0

    def __enter__(self) -> Any:
        return self._lock.__enter__()

    def __exit__(self, *exc: Any) -> Any:
        return self._lock.__exit__(*exc)

    def __repr__(self) -> str:
        return f"<Condition({self._lock}, {len(self._waiters)})>"

    def _at_fork_reinit(self) -> None:
        self._lock._at_fork_reinit()
        self._waiters = []

    def _release_save(self) -> Any:
        save = getattr(self._lock, "_release_save", None)
        return save() if save is not None else self._lock.release()

    def _acquire_restore(self, state: Any) -> None:
        restore = getattr(self._lock, "_acquire_restore", None)
        if restore is not None:
            restore(state)
        else:
            self._lock.acquire()

    def _is_owned(self) -> bool:
        if self._ours:
            return bool(self._lock._is_owned())
        owned = getattr(self._lock, "_is_owned", None)
        if owned is not None:
            return bool(owned())
        if self._lock.acquire(False):
            self._lock.release()
            return False
        return True

    def wait(self, timeout: float | None = None) -> bool:
        """Let the lock go, wait for a notify or for `timeout` seconds, and take the lock again."""
        if not self._is_owned():
            raise RuntimeError("cannot wait on un-acquired lock")
        me = MODEL.current
        deadline = None if timeout is None else MODEL.after(max(0.0, timeout))
        waiter = _Waiter(self, me)
        self._waiters.append(waiter)
        MODEL.changes += 1
        state = self._release_save()
        try:
            if self._ours:
                _point("wait", self._lock, waiter, None, _may_wake, deadline)
            else:
                _point("wait", self, waiter, None, _notified, deadline)
        finally:
            if not waiter.notified:
                self._waiters.remove(waiter)
            self._acquire_restore(state)
        return waiter.notified

    def wait_for(self, predicate: Any, timeout: float | None = None) -> Any:
        """Wait until the predicate is true; what it returned last."""
        end = None
        result = predicate()
        while not result:
            if timeout is not None:
                if end is None:
                    end = MODEL.after(timeout)
                elif end - MODEL.now <= 0:
                    break
                self.wait(end - MODEL.now)
            else:
                self.wait(None)
            result = predicate()
        return result

    def notify(self, n: int = 1) -> None:
        """Wake up to `n` threads that wait."""
        if not self._is_owned():
            raise RuntimeError("cannot notify on un-acquired lock")
        if any(waiter.task.deadline is not None for waiter in self._waiters):
            _point("notify", self._lock)
        MODEL.changes += 1
        if not self._waiters:
            self.missed += 1
        if Notes.heard is not None:
            woken = ", ".join(waiter.task.name for waiter in self._waiters[:n])
            text = f"notifies {woken}" if woken else "notifies nobody: nobody waits"
            Notes.heard.append((MODEL.current.number, self._lock, text, place_of(sys._getframe(1))))
        for waiter in self._waiters[:n]:
            waiter.notified = True
        del self._waiters[:n]

    def notify_all(self) -> None:
        """Wake all threads that wait."""
        self.notify(len(self._waiters))

    def notifyAll(self) -> None:  # noqa: N802 - CPython's old name
        """As `notify_all`."""
        warnings.warn("notifyAll() is deprecated, use notify_all() instead", DeprecationWarning, stacklevel=2)
        self.notify_all()


def _notified(task: Task) -> bool:
    return bool(task.key.notified or (task.deadline is not None and MODEL.now >= task.deadline))


def _permit(task: Task) -> bool:
    return task.target._value > 0 or (task.deadline is not None and MODEL.now >= task.deadline)


class Semaphore:
    """As `threading.Semaphore`."""

    def __init__(self, value: int = 1) -> None:
        if value < 0:
            raise ValueError("semaphore initial value must be >= 0")
        self._value = self._first = value
        born(self)

    def _put_back(self) -> None:
        self._value = self._first

    def __repr__(self) -> str:
        cls = self.__class__
        return f"<{cls.__module__}.{cls.__qualname__} at {id(self):#x}: value={self._value}>"

    def acquire(self, blocking: bool = True, timeout: float | None = None) -> bool:
        """Take a permit; whether one was taken."""
        if not blocking and timeout is not None:
            raise ValueError("can't specify timeout for non-blocking acquire")
        if blocking and timeout is None:
            _point("acquire", self, None, None, _permit)
        else:
            MODEL.tried.add("semaphore")
            if blocking and timeout is not None and timeout > 0:
                _point("acquire", self, None, None, _permit, MODEL.after(timeout))
            else:
                _point("try", self)
            if self._value <= 0:
                return False
            MODEL.changes += 1
        self._value -= 1
        return True

    def __enter__(self) -> bool:
        return self.acquire()

    def release(self, n: int = 1) -> None:
        """Give back `n` permits."""
        if n < 1:
            raise ValueError("n must be one or more")
        release_point("semaphore", self)
        self._value += n

    def __exit__(self, *_: object) -> None:
        self.release()


class BoundedSemaphore(Semaphore):
    """As `threading.BoundedSemaphore`."""

    def __init__(self, value: int = 1) -> None:
        super().__init__(value)
        self._initial_value = value

    def __repr__(self) -> str:
        return f"{super().__repr__()[:-1]}/{self._initial_value}>"

    def release(self, n: int = 1) -> None:
        """Give back `n` permits; ValueError beyond the first number."""
        if n < 1:
            raise ValueError("n must be one or more")
        release_point("semaphore", self)
        if self._value + n > self._initial_value:
            raise ValueError("Semaphore released too many times")
        self._value += n
