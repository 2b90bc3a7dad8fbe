"""Waiting for signals: `signal.sigwait`, `sigwaitinfo`, `sigtimedwait`, `pause`.

No descriptor of Python's tells of a blocked signal, so those are looked for again and again. `pause` parks
on nothing: a signal that has a handler ends any wait of the main thread.
"""

from typing import Any

from weft.core.current import current
from weft.core.parking import SIGNAL, park, settle
from weft.core.thread import ControlBlock
from weft.core.wait import WaitReason
from weft.host import signals
from weft.host.guard import guarded
from weft.host.platform import monotonic
from weft.stdlib.descriptors import nap, naps
from weft.stdlib.supplied import dress

__all__ = ["adapt_waits"]

LONGEST = 0.02  # seconds between two looks for a blocked signal


class _Pause:
    """What a thread waits on that wants any signal."""

    def _withdraw(self, block: ControlBlock) -> bool:
        if block.value is _PAUSED:  # atomic
            block.value = None
            return True
        return False

    def _explain(self, block: ControlBlock) -> tuple[WaitReason, object, ControlBlock | None]:
        return WaitReason.OTHER, repr(self), None

    def __repr__(self) -> str:
        return "for a signal"


_PAUSE = _Pause()
_PAUSED = object()  # a pausing thread's value until it is withdrawn


@guarded
def pause() -> None:
    """Wait until a signal arrives."""
    me = current()
    while True:
        me.value = _PAUSED
        me.on = _PAUSE
        alarm = park(me, monotonic() + 3600.0)
        settle(me, alarm)
        if alarm & SIGNAL:
            return


@guarded
def sigtimedwait(sigset: Any, timeout: Any, /) -> Any:
    """Like sigwaitinfo(), but with a timeout. Returns None if the timeout is reached."""
    sigset = tuple(sigset)
    found = signals.sigtimedwait(sigset, timeout if _is_past(timeout) else 0)
    if found is not None or _is_past(timeout):
        return found
    for when in naps(monotonic() + timeout, LONGEST):
        nap(when)
        found = signals.sigtimedwait(sigset, 0)
        if found is not None:
            return found
    return None


def _is_past(timeout: Any) -> bool:
    """Whether C may be asked right away: there is nothing to wait for, or something is wrong with it."""
    return not isinstance(timeout, (int, float)) or not 0 < timeout < 1e8


def sigwaitinfo(sigset: Any, /) -> Any:
    """Wait synchronously until one of the signals in *sigset* is delivered. Returns a struct_siginfo."""
    sigset = tuple(sigset)
    found = signals.sigtimedwait(sigset, 0)
    looks = naps(longest=LONGEST)
    while found is None:
        nap(next(looks))
        found = signals.sigtimedwait(sigset, 0)
    return found


def adapt_waits(module: Any) -> None:
    """Put what parks into the `signal` module."""
    if signals.sigtimedwait is not None:
        real_sigwait = module.sigwait
        to_signal = getattr(module, "_int_to_enum", lambda number, kind: number)

        def sigwait(sigset: Any, /) -> Any:
            """Wait for a signal of a set, and return its number."""
            return to_signal(sigwaitinfo(sigset).si_signo, module.Signals)

        sigwait.__doc__ = real_sigwait.__doc__
        module.sigwait = dress(sigwait, "signal", "sigwait")
        module.sigwaitinfo = dress(sigwaitinfo, "signal", "sigwaitinfo")
        module.sigtimedwait = dress(sigtimedwait, "signal", "sigtimedwait")
    if hasattr(module, "pause"):
        module.pause = dress(pause, "signal", "pause")
