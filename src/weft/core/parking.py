"""The one way to block and the one way to wake.

Every lock, queue, join and sleep is a customer of `park` and `wake`. The rules:

1. **Register, check again, park.** A thread first sets `block.on`, puts itself where a waker will
   look, checks once more whether it still has to wait, and then parks. What happens between the first
   check and the park (a finalizer that releases, another carrier) is so never lost.
2. **Whoever takes a block off a waiters' list owns its one wake** and must call `wake`. A timer, a
   signal or an asynchronous exception ends a wait by taking the block off the same list
   (`on._withdraw(block)`), so nobody can be woken twice.
3. **A thread that was registered and could not be withdrawn has a wake on its way** and must park to
   take it, even if it has nothing to wait for any more.

The hot primitives write the park out, because each further frame of Python around a switch costs about
a tenth of the switch (docs/internals/decisions.md):

    me.on = self; waiters.append(me)           # register
    ...                                        # check again
    carrier = me.carrier
    me.since = carrier.now
    try:
        resume = carrier.pick()                # what runs instead of us
    except IndexError:
        resume = carrier.idle()
    resume()                                   # returns when somebody has woken us
    me.on = None
    if me.alarm: ...                           # why: a deadline, a signal, an exception

*Atomic segments.* With the interpreter's lock, CPython looks for other things to do (another kernel
thread, a signal, a collection) only where a call returns, a loop jumps back or a function begins. A
stretch of loads, tests and stores, and one call of a C function at its end, is therefore atomic on
every model. The primitives are written in such stretches and take no lock of their own; the comment
"atomic" marks the ones that lean on it.
"""

from collections.abc import Iterable
from typing import Any

from weft.core.thread import ControlBlock
from weft.guard import guarded

__all__ = [
    "RETRY",
    "SIGNAL",
    "THROWN",
    "TIMEOUT",
    "WITHDRAWN",
    "bury",
    "interrupt",
    "park",
    "send_back",
    "settle",
    "wake",
]

# Bits of ControlBlock.alarm.
TIMEOUT = 1  # withdrawn because the deadline has come
SIGNAL = 2  # there are signals to handle; only the main thread gets this
THROWN = 4  # an exception was set for the thread from outside (block.error)
WITHDRAWN = 8  # the wait ended without what was waited for
RETRY = 16  # withdrawn because the object is no longer what it was: begin again


@guarded
def wake(block: ControlBlock) -> None:
    """Make a parked thread ready: the one wake of its park. The caller has taken it off its list."""
    carrier = block.carrier
    carrier.push(block.resume)
    if carrier.waiting:
        carrier.wake()


@guarded
def send_back(block: ControlBlock) -> None:
    """Wake a thread that is to begin again. The caller has taken it off its list."""
    block.alarm |= RETRY | WITHDRAWN
    wake(block)


@guarded
def interrupt(block: ControlBlock, bits: int) -> bool:
    """End a thread's wait from outside, if it waits and nobody has woken it yet.

    Returns:
        True if the thread was withdrawn and made ready, with `bits` in its alarm and what it was
        withdrawn from in its value.
    """
    on = block.on
    if on is None or not on._withdraw(block):
        return False
    block.value = on
    block.alarm |= bits | WITHDRAWN
    wake(block)
    return True


@guarded
def park(block: ControlBlock, deadline: float | None = None) -> int:
    """Let other threads run until the caller's block is woken; the caller has registered already.

    Args:
        block: the caller's own block, with `on` set.
        deadline: monotonic time at which the wait gives up; None: never.

    Returns:
        The alarm bits that came with the wake; 0 for a plain one. The alarm is cleared.
    """
    carrier = block.carrier
    block.since = carrier.now
    if deadline is not None:
        block.timer = carrier.timers.arm(deadline, block)
    try:
        resume = carrier.pick()
    except IndexError:
        resume = carrier.idle()
    resume()
    block.on = None
    timer = block.timer
    if timer is not None:
        carrier.timers.disarm(timer)
        block.timer = None
    alarm = block.alarm
    if alarm:
        block.alarm = 0
    return alarm


@guarded
def bury(blocks: Iterable[ControlBlock]) -> None:
    """Threads that a fork left behind have ended: nothing is handed to them and nothing wakes them."""
    for block in blocks:
        block.done = True
        if block.on is not None:
            block.on._withdraw(block)


class _Settler:
    """What a thread does about signals and thrown exceptions; the runtime puts its own in."""

    handle_signals: Any = staticmethod(lambda: None)


settler = _Settler()


def settle(block: ControlBlock, alarm: int) -> None:
    """Do what the alarm asks, in the thread that it came for.

    Raises:
        BaseException: what a signal handler raised, or what was thrown at the thread.
    """
    if alarm & THROWN:
        error, block.error = block.error, None
        if alarm & SIGNAL:
            block.alarm |= SIGNAL
        if error is not None:
            raise error
    if alarm & SIGNAL:
        settler.handle_signals()
