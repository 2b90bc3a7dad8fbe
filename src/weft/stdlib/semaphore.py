"""`threading.Semaphore` and `BoundedSemaphore`: a count, and a queue of those it is too small for."""

from collections import deque
from typing import Any

from weft.core.current import adopt, getcurrent
from weft.core.parking import TIMEOUT, WITHDRAWN, park, settle
from weft.core.thread import ControlBlock
from weft.core.wait import WaitReason
from weft.host.guard import cover
from weft.host.platform import deadline_after, monotonic

__all__ = ["BoundedSemaphore", "Semaphore"]


@cover
class Semaphore:
    """A counter that `acquire` takes from and `release` adds to; as `threading.Semaphore`.

    A release hands its unit to the thread that has waited longest.
    """

    def __init__(self, value: int = 1) -> None:
        if value < 0:
            raise ValueError("semaphore initial value must be >= 0")
        self._value = value
        self._waiters: deque[ControlBlock] = deque()

    def acquire(self, blocking: bool = True, timeout: float | None = None) -> bool:
        """Take one unit, waiting for it if `blocking`, for at most `timeout` seconds.

        Returns:
            True if a unit was taken.
        """
        if self._value > 0:  # atomic
            self._value -= 1
            if timeout is not None and not blocking:
                self._value += 1
                raise ValueError("can't specify timeout for non-blocking acquire")
            return True
        if not blocking or timeout is not None:
            return self._acquire_timed(blocking, timeout)
        try:
            me = getcurrent().block  # type: ignore[attr-defined]
        except AttributeError:
            me = adopt()
        waiters = self._waiters
        while True:
            me.on = self
            waiters.append(me)
            if self._value > 0 and self._withdraw(me):
                me.on = None
                if self._value > 0:  # atomic
                    self._value -= 1
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
            if not me.alarm:
                return True
            alarm, me.alarm = me.alarm, 0
            if self._settled(me, alarm):
                return True

    __enter__ = acquire

    def _settled(self, me: ControlBlock, alarm: int) -> bool:
        try:
            settle(me, alarm)
        except BaseException:
            if not alarm & WITHDRAWN:
                Semaphore.release(self)
            raise
        return not alarm & WITHDRAWN

    def _acquire_timed(self, blocking: bool, timeout: float | None) -> bool:
        if not blocking:
            if timeout is not None:
                raise ValueError("can't specify timeout for non-blocking acquire")
            return False
        assert timeout is not None
        deadline = monotonic() + timeout
        if timeout <= 0:
            return False
        deadline = deadline_after(timeout)
        try:
            me = getcurrent().block  # type: ignore[attr-defined]
        except AttributeError:
            me = adopt()
        while True:
            if self._value > 0:  # atomic
                self._value -= 1
                return True
            me.on = self
            self._waiters.append(me)
            if self._value > 0 and self._withdraw(me):
                me.on = None
                continue
            alarm = park(me, deadline)
            if not alarm or self._settled(me, alarm):
                return True
            if alarm & TIMEOUT:
                return False

    def release(self, n: int = 1) -> None:
        """Give `n` units: to waiting threads first, in their order.

        Raises:
            ValueError: n is less than 1.
        """
        if n < 1:
            raise ValueError("n must be one or more")
        while n > 0:
            if not self._waiters:  # atomic with the store
                self._value += n
                return
            try:
                heir = self._waiters.popleft()
            except IndexError:
                continue
            n -= 1
            carrier = heir.carrier
            carrier.push(heir.resume)
            if carrier.waiting:
                carrier.wake()

    def __exit__(self, exc_type: object, exc: object, traceback: object) -> None:
        self.release()

    def __repr__(self) -> str:
        cls = type(self)
        return f"<{cls.__module__}.{cls.__qualname__} at {id(self):#x}: value={self._value}>"

    def _at_fork_reinit(self) -> None:
        self._waiters.clear()

    def __copy__(self) -> "Semaphore":
        made = type(self).__new__(type(self))
        made.__dict__.update(self.__dict__)
        return made

    def __reduce__(self) -> Any:
        raise TypeError("cannot pickle '_thread.lock' object")

    def _withdraw(self, block: ControlBlock) -> bool:
        try:
            self._waiters.remove(block)
        except ValueError:
            return False
        return True

    def _explain(self, block: ControlBlock) -> tuple[WaitReason, object, ControlBlock | None]:
        return WaitReason.SEMAPHORE, self, None


@cover
class BoundedSemaphore(Semaphore):
    """A semaphore whose count may not grow past its first value; as `threading.BoundedSemaphore`."""

    def __init__(self, value: int = 1) -> None:
        super().__init__(value)
        self._initial_value = value

    def release(self, n: int = 1) -> None:
        """Give `n` units back.

        Raises:
            ValueError: n is less than 1, or more were given back than had been taken.
        """
        if n < 1:
            raise ValueError("n must be one or more")
        if self._value + n > self._initial_value:  # atomic up to the store
            raise ValueError("Semaphore released too many times")
        if not self._waiters:
            self._value += n
        else:
            Semaphore.release(self, n)

    def __repr__(self) -> str:
        cls = type(self)
        return (
            f"<{cls.__module__}.{cls.__qualname__} at {id(self):#x}: "
            f"value={self._value}/{self._initial_value}>"
        )
