"""`time.sleep`: the thread alone sleeps, and `sleep(0)` lets the next ready thread run."""

from collections.abc import Callable
from operator import index
from typing import Any

from weft.core.current import adopt, getcurrent
from weft.core.parking import TIMEOUT, park, settle
from weft.core.thread import ControlBlock
from weft.core.wait import WaitReason
from weft.host import clock
from weft.host.guard import guarded
from weft.host.platform import TIMEOUT_MAX, monotonic
from weft.stdlib.supplied import bind

__all__ = ["sleep"]


class _Sleep:
    """What a sleeping thread waits on: nobody but the clock wakes it."""

    def _withdraw(self, block: ControlBlock) -> bool:
        if block.value is _ASLEEP:  # atomic
            block.value = None
            return True
        return False

    def _explain(self, block: ControlBlock) -> tuple[WaitReason, object, ControlBlock | None]:
        return WaitReason.SLEEP, None, None

    def __repr__(self) -> str:
        return "sleep"


_SLEEP = _Sleep()
_ASLEEP = object()  # what a sleeper's value is until it is withdrawn


def _sleep(_: object, seconds: float, /) -> None:
    """Delay the calling thread for a number of seconds, which may be a fraction; the others run on."""
    try:
        me = getcurrent().block  # type: ignore[attr-defined]
    except AttributeError:
        me = adopt()
    if seconds == 0:
        if me.done:  # a finalizer on the stack of a worker between two threads
            return
        carrier = me.carrier
        carrier.again(me.resume)
        resume = carrier.pick()
        if resume is me.resume:  # nobody else is ready
            carrier.breathe()
        else:
            resume()
        if me.alarm:
            alarm, me.alarm = me.alarm, 0
            settle(me, alarm)
        return
    _sleep_until(me, seconds)


def _sleep_until(me: ControlBlock, seconds: Any) -> None:
    if not isinstance(seconds, (int, float)):
        seconds = index(seconds)
    if not 0 <= seconds < TIMEOUT_MAX:
        clock.sleep(seconds)  # refuses what is negative, not a number or too large, in CPython's words
        return
    if me.carrier.nap(me, _SLEEP, seconds):
        return
    deadline = monotonic() + seconds
    while True:
        me.value = _ASLEEP
        me.on = _SLEEP
        alarm = park(me, deadline)
        settle(me, alarm)
        if alarm & TIMEOUT:
            return


sleep: Callable[[float], None] = bind(guarded(_sleep), "time", "sleep")
