"""What only a kernel thread can wait for: one is sent out, and the caller alone parks until it is back.

For what waits in C, perhaps for ever, and is rare: opening a FIFO. (Calls that end use the pool of offload.)
"""

from collections.abc import Callable
from typing import Any

from weft.core.current import current
from weft.core.parking import park, settle, wake
from weft.core.thread import ControlBlock
from weft.core.wait import WaitReason
from weft.host import threads
from weft.host.guard import guarded
from weft.host.signals import block_all

__all__ = ["send_out"]


class _Errand:
    """What the caller waits on: a call that a kernel thread makes."""

    def __init__(self, call: Callable[[], Any], undo: Callable[[Any], object] | None) -> None:
        self._call = call
        self._undo = undo
        self._block: ControlBlock | None = None
        self._given_up = False
        self.done = False
        self.result: Any = None
        self.error: BaseException | None = None

    def run(self) -> None:
        """The kernel thread's part."""
        block_all()
        try:
            self.result = self._call()
        except BaseException as error:  # noqa: BLE001 - it is the caller's
            self.error = error
        self.done = True
        block, self._block = self._block, None  # atomic
        if block is not None:
            wake(block)
        elif self._given_up:
            self._clear_away()

    def await_end(self, me: ControlBlock) -> None:
        """The caller's part.

        Raises:
            BaseException: a signal's handler or another thread ended the wait; nobody will want the result.
        """
        try:
            while not self.done:
                me.on = self
                self._block = me
                if self.done and self._withdraw(me):
                    me.on = None
                    return
                settle(me, park(me))
        except BaseException:
            self._given_up = True
            if self.done:
                self._clear_away()
            raise

    def _clear_away(self) -> None:
        """Undo what the call has done, once."""
        undo, self._undo = self._undo, None  # atomic
        if undo is not None and self.error is None:
            undo(self.result)

    def _withdraw(self, block: ControlBlock) -> bool:
        mine, self._block = self._block, None  # atomic
        return mine is not None

    def _explain(self, block: ControlBlock) -> tuple[WaitReason, object, ControlBlock | None]:
        return WaitReason.DESCRIPTOR, repr(self), None

    def __repr__(self) -> str:
        return "a call on a kernel thread of its own"


@guarded
def send_out(call: Callable[[], Any], undo: Callable[[Any], object] | None = None) -> Any:
    """What the call returns or raises, made by a kernel thread while the caller parks.

    Args:
        undo: called with the result if the caller has been interrupted meanwhile.
    """
    me = current()
    if me.carrier.poller is None:  # the caller is a kernel thread of its own
        return call()
    errand = _Errand(call, undo)
    threads.start(errand.run)
    errand.await_end(me)
    if errand.error is not None:
        raise errand.error
    return errand.result
