"""Locks, conditions, semaphores, events and barriers that processes share.

`Lock`, `RLock` and the waits of `Condition` are made of cells; the others are CPython's own classes, whose
fields are shared.
"""

from typing import Any

from weft.core.wait import WaitReason
from weft.host.platform import check_acquire
from weft.host.processes import is_alive, monotonic, threading
from weft.processes.cells import Cell, Entry, Waiter, tell

__all__ = [
    "Barrier",
    "BoundedSemaphore",
    "Change",
    "Condition",
    "Event",
    "Lock",
    "Mutex",
    "RLock",
    "Semaphore",
    "Shared",
]

LOOK = 0.2  # seconds between looks at whether the process that has a mutex is alive


class Lock:
    """`threading.Lock`, among processes: whoever releases it hands it to who has waited longest."""

    _why = WaitReason.LOCK

    def __init__(self) -> None:
        self._cell = Cell(["", []])  # who has it, and who waits

    def acquire(self, blocking: bool = True, timeout: float = -1) -> bool:
        """Take the lock; False: it was not to be had in time."""
        check_acquire(blocking, timeout)
        waiter = Waiter()
        if not blocking or timeout == 0:
            return bool(self._cell.change(_take, waiter.entry, False))
        if self._cell.change(_take, waiter.entry, True):
            return True
        return waiter.wait(self._cell, None if timeout < 0 else timeout, self.release)

    def release(self) -> None:
        """Let it go."""
        self._cell.change(_give)

    def locked(self) -> bool:
        """Whether anyone has it."""
        return bool(self._cell.look(_holder))

    __enter__ = acquire
    acquire_lock = acquire
    release_lock = release
    locked_lock = locked

    def __exit__(self, *_: object) -> None:
        self.release()

    def _at_fork_reinit(self) -> None:
        """A fork shares the lock: it stays as it is."""

    def __repr__(self) -> str:
        state = "locked" if self.locked() else "unlocked"
        return f"<{state} _thread.lock object at {id(self):#x}>"


def _take(state: list[Any], entry: Entry, queue: bool) -> bool:
    if not state[0]:
        state[0] = entry[0]
        return True
    if queue:
        state[1].append(entry)
    return False


def _give(state: list[Any]) -> None:
    if not state[0]:
        raise RuntimeError("release unlocked lock")
    state[0] = ""
    while state[1]:
        entry = state[1].pop(0)
        if tell(entry):
            state[0] = entry[0]
            return


def _holder(state: list[Any]) -> Any:
    return state[0]


class Mutex(Lock):
    """The lock inside a queue, an event or a semaphore: of a process that is killed, another inherits it."""

    def acquire(self, blocking: bool = True, timeout: float = -1) -> bool:
        """Take the lock; False: it was not to be had in time."""
        end = None if timeout < 0 else monotonic() + timeout
        while True:
            left = LOOK if end is None else min(LOOK, end - monotonic())
            if super().acquire(blocking and left > 0, left if blocking and left > 0 else -1):
                return True
            if self._cell.change(_inherit, Waiter().entry[0]):
                return True
            if not blocking or left < LOOK:
                return False

    __enter__ = acquire


def _inherit(state: list[Any], me: str) -> bool:
    if state[0] and is_alive(int(state[0].partition(".")[0])):
        return False
    state[0] = me
    return True


class RLock:
    """`threading.RLock`, among processes."""

    _why = WaitReason.LOCK

    def __init__(self) -> None:
        self._cell = Cell(["", 0, []])  # who has it, how many times, and who waits

    def acquire(self, blocking: bool = True, timeout: float = -1) -> bool:
        """Take the lock, once more if the caller has it; False: it was not to be had in time."""
        check_acquire(blocking, timeout)
        waiter = Waiter()
        wait = blocking and timeout != 0
        if self._cell.change(_enter, waiter.entry, wait):
            return True
        return wait and waiter.wait(self._cell, None if timeout < 0 else timeout, self.release)

    def release(self) -> None:
        """Let it go once."""
        self._cell.change(_leave, Waiter().entry[0], 1)

    __enter__ = acquire

    def __exit__(self, *_: object) -> None:
        self.release()

    def locked(self) -> bool:
        """Whether anyone has it."""
        return bool(self._cell.look(_holder))

    def _is_owned(self) -> bool:
        return bool(self._cell.look(_holder) == Waiter().entry[0])

    def _recursion_count(self) -> int:
        owner, count, _ = self._cell.look(list)
        return int(count) if owner == Waiter().entry[0] else 0

    def _release_save(self) -> int:
        return int(self._cell.change(_leave, Waiter().entry[0], None))

    def _acquire_restore(self, count: int) -> None:
        self.acquire()
        self._cell.change(_count, count)

    def _at_fork_reinit(self) -> None:
        """A fork shares the lock: it stays as it is."""

    def __repr__(self) -> str:
        owner, count, _ = self._cell.look(list)
        pid = int(owner.partition(".")[0]) if owner else 0
        state = "locked" if owner else "unlocked"
        return f"<{state} _thread.RLock object owner={pid} count={count} at {id(self):#x}>"


def _enter(state: list[Any], entry: Entry, queue: bool) -> bool:
    if state[0] in ("", entry[0]):
        state[0] = entry[0]
        state[1] += 1
        return True
    if queue:
        state[2].append(entry)
    return False


def _leave(state: list[Any], me: str, times: int | None) -> int:
    if state[0] != me:
        raise RuntimeError("cannot release un-acquired lock")
    had = int(state[1])
    state[1] -= had if times is None else times
    if state[1]:
        return had
    state[0] = ""
    while state[2]:
        entry = state[2].pop(0)
        if tell(entry):
            state[0], state[1] = entry[0], 1
            break
    return had


def _count(state: list[Any], count: int) -> None:
    state[1] = count


class Condition(threading.Condition):
    """`threading.Condition`, among processes, over one of the locks above."""

    _why = WaitReason.CONDITION
    _longest: float | None = None  # seconds of one wait

    def __init__(self, lock: Any = None) -> None:
        self._cell = Cell([[]])  # who waits
        use: Any = RLock() if lock is None else lock
        super().__init__(use)

    @property
    def _waiters(self) -> Any:
        return self._cell.look(_listed)

    @_waiters.setter
    def _waiters(self, value: Any) -> None:
        pass  # CPython's own list is another process's business

    def wait(self, timeout: float | None = None) -> bool:
        """Let the lock go, wait until notified, take it again; False: the time was over first."""
        if not self._is_owned():  # type: ignore[attr-defined]
            raise RuntimeError("cannot wait on un-acquired lock")
        if timeout is not None and timeout > 0:
            check_acquire(True, timeout)
        if self._longest is not None:
            timeout = self._longest if timeout is None else min(timeout, self._longest)
        waiter = Waiter()
        self._cell.change(_join, waiter.entry)
        saved = self._release_save()  # type: ignore[attr-defined]
        try:
            return waiter.wait(self._cell, timeout, lambda: self._cell.change(_notify, 1))
        finally:
            self._acquire_restore(saved)  # type: ignore[attr-defined]

    def notify(self, n: int = 1) -> None:
        """Wake up to `n` of those who wait, in the order in which they came."""
        if not self._is_owned():  # type: ignore[attr-defined]
            raise RuntimeError("cannot notify on un-acquired lock")
        self._cell.change(_notify, n)


class Change(Condition):
    """The condition inside a queue or a semaphore, whose waiters look for themselves once they wake.

    They do so from time to time: a notice may have gone to a process just as it was killed.
    """

    _longest = 1.0


def _listed(state: list[Any]) -> list[Entry]:
    return list(state[0])


def _join(state: list[Any], entry: Entry) -> None:
    state[0].append(entry)


def _notify(state: list[Any], n: int) -> None:
    while state[0] and n > 0:
        n -= tell(state[0].pop(0))


class Shared:
    """An attribute of an object that all processes see alike: what `marshal` can write."""

    def __set_name__(self, owner: type, name: str) -> None:
        self._key = f"_shared{name}"

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        if instance is None:
            return self
        cell = instance.__dict__.get(self._key)
        if cell is None:
            raise AttributeError(self._key.removeprefix("_shared"))
        return cell.look(_first)

    def __set__(self, instance: Any, value: Any) -> None:
        cell = instance.__dict__.get(self._key)
        if cell is None:
            instance.__dict__[self._key] = Cell([value])
        else:
            cell.change(_put_first, value)


def _first(state: list[Any]) -> Any:
    return state[0]


def _put_first(state: list[Any], value: Any) -> None:
    state[0] = value


class _Shown:
    """Shown under the name that programs know it by."""

    def __repr__(self) -> str:
        return super().__repr__().replace(f"<{__name__}.", "<threading.", 1)


class Semaphore(_Shown, threading.Semaphore):
    """`threading.Semaphore`, among processes."""

    _why = WaitReason.SEMAPHORE
    _value = Shared()

    def __init__(self, value: int = 1) -> None:
        super().__init__(value)
        self._cond = Change(Mutex())


class BoundedSemaphore(Semaphore, threading.BoundedSemaphore):
    """`threading.BoundedSemaphore`, among processes."""


class Event(_Shown, threading.Event):
    """`threading.Event`, among processes."""

    _why = WaitReason.EVENT
    _flag = Shared()

    def __init__(self) -> None:
        super().__init__()
        self._cond = Condition(Mutex())


class Barrier(_Shown, threading.Barrier):
    """`threading.Barrier`, among processes; its action runs in one of them."""

    _why = WaitReason.CONDITION
    _state = Shared()
    _count = Shared()

    def __init__(self, parties: int, action: Any = None, timeout: float | None = None) -> None:
        super().__init__(parties, action, timeout)
        self._cond = Condition(Mutex())
