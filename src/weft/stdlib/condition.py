"""`threading.Condition`, with a queue of its own instead of a lock for each waiter.

`notify` does not wake a waiter so that it then queues for the lock: it moves the waiter to the lock's
own queue (wait morphing), so the release hands the lock over and one wake is all there is. That needs a
lock of ours underneath; with any other object as the lock, CPython's algorithm does the work.
"""

from collections import deque
from collections.abc import Callable
from typing import Any

from weft.core.current import adopt, getcurrent
from weft.core.events import Kind, listening
from weft.core.parking import TIMEOUT, WITHDRAWN, park, settle
from weft.core.places import transparent
from weft.core.thread import ControlBlock
from weft.core.wait import WaitReason
from weft.host.guard import cover
from weft.host.platform import deadline_after, monotonic
from weft.stdlib.locks import Lock, RLock, allocate_lock

__all__ = ["Condition"]


@cover
class Condition:
    """A condition variable; arguments, errors and texts are those of `threading.Condition`."""

    _native: bool

    def __init__(self, lock: Any = None) -> None:
        if lock is None:
            lock = RLock()
        self._lock = lock
        self.acquire = lock.acquire
        self.release = lock.release
        self._native = type(lock) is RLock or type(lock) is Lock
        if not self._native:
            for name in ("_release_save", "_acquire_restore", "_is_owned"):
                method = getattr(lock, name, None)
                if method is not None:
                    setattr(self, name, method)
        self._waiters: deque[Any] = deque()

    def _at_fork_reinit(self) -> None:
        self._lock._at_fork_reinit()
        self._waiters.clear()

    def __enter__(self) -> Any:
        lock = self._lock
        if type(lock) is RLock:  # what its own __enter__ does, without the frame
            try:
                me = getcurrent().block  # type: ignore[attr-defined]
            except AttributeError:
                me = adopt()
            if lock._owner is None:  # atomic
                lock._owner = me
                return True
        return lock.__enter__()

    def __exit__(self, exc_type: object, exc: object, traceback: object) -> Any:
        lock = self._lock
        if type(lock) is RLock and not lock._count:
            try:
                me = getcurrent().block  # type: ignore[attr-defined]
            except AttributeError:
                me = adopt()
            if lock._owner is not me:
                raise RuntimeError("cannot release un-acquired lock")
            if not lock._waiters:  # atomic with the store
                lock._owner = None
                return None
            try:
                heir = lock._waiters.popleft()
            except IndexError:
                return lock.__exit__(exc_type, exc, traceback)
            lock._owner = heir
            carrier = heir.carrier
            carrier.push(heir.resume)
            if carrier.waiting:
                carrier.wake()
            return None
        return lock.__exit__(exc_type, exc, traceback)

    def __repr__(self) -> str:
        return f"<Condition({self._lock}, {len(self._waiters)})>"

    def _release_save(self) -> Any:
        lock = self._lock
        return lock._release_save() if type(lock) is RLock else lock.release()

    def _acquire_restore(self, state: Any) -> None:
        lock = self._lock
        if type(lock) is RLock:
            lock._acquire_restore(state)
        else:
            lock.acquire()

    def _is_owned(self) -> bool:
        lock = self._lock
        if type(lock) is RLock:
            return lock._is_owned()
        if type(lock) is Lock:
            return lock._owner is not None
        if lock.acquire(False):
            lock.release()
            return False
        return True

    def wait(self, timeout: float | None = None) -> bool:
        """Let the lock go, wait for a notify or for `timeout` seconds, and take the lock again.

        Returns:
            True if notified, False if the time ran out.

        Raises:
            RuntimeError: the lock is not held.
        """
        if not self._native:
            return self._wait_foreign(timeout)
        try:
            me = getcurrent().block  # type: ignore[attr-defined]
        except AttributeError:
            me = adopt()
        lock = self._lock
        if type(lock) is RLock:
            if lock._owner is not me:
                raise RuntimeError("cannot wait on un-acquired lock")
            count = lock._count  # how often it is taken beyond the first time
        else:
            if lock._owner is None:
                raise RuntimeError("cannot wait on un-acquired lock")
            count = 0
        deadline = None
        if timeout is not None:
            if not timeout > 0:
                self._acquire_restore(self._release_save())
                return False
            deadline = deadline_after(timeout)
        me.on = self
        self._waiters.append(me)
        if count:
            lock._count = 0
        if not lock._waiters:  # let the lock go, as its release does; atomic with the store
            lock._owner = None
        else:
            lock._hand_over()
        if deadline is None:
            carrier = me.carrier
            me.since = carrier.now
            try:
                resume = carrier.pick()
            except IndexError:
                resume = carrier.idle()
            resume()
            me.on = None
            if not me.alarm:
                if count:
                    lock._count = count
                return True
            alarm, me.alarm = me.alarm, 0
        else:
            alarm = park(me, deadline)
        return self._end_wait(me, count, alarm, deadline)

    def _end_wait(self, me: ControlBlock, count: int, alarm: int, deadline: float | None) -> bool:
        """The rest of a wait that did not end with a plain notify: always ends holding the lock."""
        lock = self._lock
        while True:
            has_lock = not alarm & WITHDRAWN
            withdrawn_from, me.value = me.value, None
            notified = has_lock or withdrawn_from is lock  # a notify had moved us to the lock's queue
            try:
                settle(me, alarm)
            except BaseException:
                if not has_lock:
                    self._retake(lock, count)
                elif count:
                    lock._count = count
                raise
            if notified or alarm & TIMEOUT:
                break
            me.on = self
            self._waiters.append(me)
            alarm = park(me, deadline)
        if not has_lock:
            self._retake(lock, count)
        elif count:
            lock._count = count
        return notified

    @staticmethod
    def _retake(lock: Any, count: int) -> None:
        """Take the lock again whatever is thrown at us meanwhile; the last thrown thing is raised."""
        late: BaseException | None = None
        while True:
            try:
                lock.acquire()
                break
            except BaseException as error:  # noqa: BLE001 - raised below, once the lock is ours
                late = error
        if count:
            lock._count = count
        if late is not None:
            raise late

    def _wait_foreign(self, timeout: float | None) -> bool:
        """CPython's wait, for a lock that is not ours: each waiter sleeps on a lock of its own."""
        if not self._is_owned():
            raise RuntimeError("cannot wait on un-acquired lock")
        gate = allocate_lock()
        gate.acquire()
        self._waiters.append(gate)
        state = self._release_save()
        notified = False
        try:
            if timeout is None:
                notified = gate.acquire()
            else:
                notified = gate.acquire(True, timeout) if timeout > 0 else gate.acquire(False)
            return notified
        finally:
            self._acquire_restore(state)
            if not notified:
                try:
                    self._waiters.remove(gate)
                except ValueError:
                    pass

    @transparent
    def wait_for(self, predicate: Callable[[], Any], timeout: float | None = None) -> Any:
        """Wait until `predicate()` is true, or for `timeout` seconds; returns its last value."""
        end = None
        left = timeout
        result = predicate()
        while not result:
            if left is not None:
                if end is None:
                    end = monotonic() + left
                else:
                    left = end - monotonic()
                    if left <= 0:
                        break
            self.wait(left)
            result = predicate()
        return result

    def notify(self, n: int = 1) -> None:
        """Wake at most `n` waiters, the longest first; they go on when the lock is let go.

        Raises:
            RuntimeError: the lock is not held.
        """
        lock = self._lock
        if not self._native:
            return self._notify_foreign(n)
        if type(lock) is RLock:
            try:
                me = getcurrent().block  # type: ignore[attr-defined]
            except AttributeError:
                me = adopt()
            if lock._owner is not me:
                raise RuntimeError("cannot notify on un-acquired lock")
        elif lock._owner is None:
            raise RuntimeError("cannot notify on un-acquired lock")
        waiters = self._waiters
        while n > 0 and waiters:
            try:
                heir = waiters.popleft()
            except IndexError:
                return None
            n -= 1
            if heir.timer is not None:  # once notified, the deadline no longer counts
                heir.carrier.timers.disarm(heir.timer)
                heir.timer = None
            if listening:
                listening[0](Kind.NOTIFIED, heir, None)
            heir.on = lock
            lock._waiters.append(heir)
            if lock._owner is None:  # let go by another thread meanwhile: a plain Lock allows it
                lock._owner = heir
                lock.release()
        return None

    def _notify_foreign(self, n: int) -> None:
        if not self._is_owned():
            raise RuntimeError("cannot notify on un-acquired lock")
        waiters = self._waiters
        while waiters and n > 0:
            gate = waiters[0]
            try:
                gate.release()
            except RuntimeError:
                pass  # gh-92530: a notify was interrupted between its release and its remove
            else:
                n -= 1
            try:
                waiters.remove(gate)
            except ValueError:
                pass

    def notify_all(self) -> None:
        """Wake all waiters."""
        self.notify(len(self._waiters))

    def notifyAll(self) -> None:  # noqa: N802 - CPython's old name
        """Deprecated name of `notify_all`."""
        import warnings  # noqa: PLC0415 - as CPython does: only who still calls this pays

        warnings.warn("notifyAll() is deprecated, use notify_all() instead", DeprecationWarning, stacklevel=2)
        self.notify_all()

    def _withdraw(self, block: ControlBlock) -> bool:
        try:
            self._waiters.remove(block)
        except ValueError:
            return False
        return True

    def _explain(self, block: ControlBlock) -> tuple[WaitReason, object, ControlBlock | None]:
        return WaitReason.CONDITION, self, None
