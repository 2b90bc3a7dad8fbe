"""`threading.Event`: a flag, and a list of those who wait for it."""

from collections import deque
from typing import Any

from weft.core.current import adopt, getcurrent
from weft.core.parking import TIMEOUT, WITHDRAWN, park, settle
from weft.core.places import transparent
from weft.core.thread import ControlBlock
from weft.core.wait import WaitReason
from weft.host.guard import cover
from weft.host.platform import deadline_after
from weft.stdlib.condition import Condition
from weft.stdlib.locks import allocate_lock

__all__ = ["Event"]


@cover
class Event:
    """A flag that threads can wait for; as `threading.Event`."""

    def __init__(self) -> None:
        self._flag = False
        self._waiters: deque[ControlBlock] = deque()

    @transparent
    def is_set(self) -> bool:
        """Whether the flag is set."""
        return self._flag

    def set(self) -> None:
        """Set the flag and wake everybody who waits for it."""
        self._flag = True
        waiters = self._waiters
        left = len(waiters)  # not one that comes while we are at it
        while left:
            try:
                block = waiters.popleft()
            except IndexError:
                return
            left -= 1
            carrier = block.carrier
            carrier.push(block.resume)
            if carrier.waiting:
                carrier.wake()

    def clear(self) -> None:
        """Clear the flag: threads that call `wait` from now on wait again."""
        self._flag = False

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until the flag is set, or for `timeout` seconds.

        Returns:
            True, or False if the time ran out first.
        """
        if self._flag:
            return True
        try:
            me = getcurrent().block  # type: ignore[attr-defined]
        except AttributeError:
            me = adopt()
        if timeout is not None:
            return self._wait_timed(me, timeout)
        while True:
            me.on = self
            self._waiters.append(me)
            if self._flag and self._withdraw(me):
                me.on = None
                return True
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
            settle(me, alarm)
            if self._flag or not alarm & WITHDRAWN:
                return True

    def _wait_timed(self, me: ControlBlock, timeout: float) -> bool:
        if not timeout > 0:
            return self._flag
        deadline = deadline_after(timeout)
        while True:
            me.on = self
            self._waiters.append(me)
            if self._flag and self._withdraw(me):
                me.on = None
                return True
            alarm = park(me, deadline)
            if not alarm:
                return True
            settle(me, alarm)
            if not alarm & WITHDRAWN:
                return True
            if self._flag or alarm & TIMEOUT:
                return self._flag

    @property
    def _cond(self) -> Condition:
        """CPython keeps a condition here, which nobody of ours holds."""
        cond: Condition | None = self.__dict__.get("_weft_cond")
        if cond is None:
            cond = self.__dict__["_weft_cond"] = Condition(allocate_lock())
        return cond

    def isSet(self) -> bool:  # noqa: N802 - CPython's old name
        """Deprecated name of `is_set`."""
        import warnings  # noqa: PLC0415 - as CPython does: only who still calls this pays

        warnings.warn("isSet() is deprecated, use is_set() instead", DeprecationWarning, stacklevel=2)
        return self.is_set()

    def _at_fork_reinit(self) -> None:
        self._waiters.clear()

    def __repr__(self) -> str:
        cls = type(self)
        status = "set" if self._flag else "unset"
        return f"<{cls.__module__}.{cls.__qualname__} at {id(self):#x}: {status}>"

    def __copy__(self) -> "Event":
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
        return WaitReason.EVENT, self, None
