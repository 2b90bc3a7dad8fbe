"""Signals for programs whose main thread is one of ours.

CPython runs a handler between two bytecodes of whatever runs on the main kernel thread. Here that may
be another thread of the program, or a primitive in the middle of a change. So the handler that the
interpreter sees only notes the signal; the program's handler runs in the main thread: at once if the
main thread runs its own code, else at the end of its wait, which the signal ends.
"""

import os
import sys
from collections import deque
from collections.abc import Callable
from operator import index
from types import FrameType
from typing import Any

from weft.core.current import getcurrent
from weft.core.parking import SIGNAL, interrupt
from weft.core.places import HOME, floor, may_preempt
from weft.core.thread import ControlBlock
from weft.guard import guarded, outside
from weft.host import signals
from weft.host.platform import unraisable_args

__all__ = ["SignalDesk"]

_write = os.write


class WakeupDescriptor:
    """The program's wakeup descriptor: the interpreter has room for one, and that one is weft's own."""

    def __init__(self) -> None:
        self.fd = -1
        self._warns = True

    def set(self, fd: int, warns: bool) -> int:
        """Take another one, and return the one before.

        Raises:
            ValueError: it would block.
            OSError: it is not open.
        """
        if fd != -1:
            os.fstat(fd)
            if os.get_blocking(fd):
                raise ValueError(f"the fd {fd} must be in non-blocking mode")
        before, self.fd = self.fd, fd
        self._warns = warns
        return before

    def tell(self, number: int) -> None:
        """Write a signal's number, as the interpreter does; what goes wrong is told, not raised."""
        try:
            _write(self.fd, bytes((number,)))
        except OSError as error:
            if self._warns or not isinstance(error, BlockingIOError):
                text = "Exception ignored when trying to write to the signal wakeup fd"
                sys.unraisablehook(unraisable_args((type(error), error, None, text, None)))


class SignalDesk:
    """Notes signals and delivers them to the main thread.

    Args:
        main: gives the main thread's block.
        kick: asks for another try soon, from any place.
    """

    def __init__(self, main: Callable[[], ControlBlock], kick: Callable[[], None]) -> None:
        self._main = main
        self._kick = kick
        self._handlers: dict[int, Any] = {}
        self.noted: deque[int] = deque()
        self._opened = False
        self.wakeup = WakeupDescriptor()
        self._arrivals: signals.Arrivals | None = None

    def open(self) -> None:
        """Take over the handlers that are set now (Ctrl-C's, as a rule)."""
        self._opened = True
        for number in signals.numbers():
            handler = signals.get(number)
            if callable(handler) and number not in signals.OURS:
                self._handlers[number] = handler
                signals.put(number, self._arrive)

    def close(self) -> None:
        """Give the program's handlers back to the interpreter."""
        if self._opened:
            for number, handler in self._handlers.items():
                signals.put(number, handler)
            self._handlers.clear()
            self._opened = False
        if self._arrivals is not None:
            self._arrivals.close()
            self._arrivals = None

    def handles_more_than_ctrl_c(self) -> bool:
        """Whether the program has set a handler of its own, which might wake a thread."""
        return any(h is not signals.default_int_handler for h in self._handlers.values())

    def pending(self) -> bool:
        """Whether signals wait to be handled."""
        return bool(self.noted)

    # -- what programs call ------------------------------------------------------------------------

    def signal(self, signalnum: int, handler: Any, /) -> Any:
        """Set the handler of a signal and return the one before; as `signal.signal`."""
        self._check_main("signal")
        before = self.getsignal(signalnum) if _is_number(signalnum) else None
        number = int(signalnum) if _is_number(signalnum) else signalnum
        if callable(handler) and not isinstance(handler, int):
            signals.put(signalnum, self._arrive)
            self._handlers[number] = handler
        else:
            signals.put(signalnum, handler)
            self._handlers.pop(number, None)
        return before

    def getsignal(self, signalnum: int, /) -> Any:
        """The handler of a signal; as `signal.getsignal`."""
        if _is_number(signalnum) and int(signalnum) in self._handlers:
            return self._handlers[int(signalnum)]
        if _is_number(signalnum) and int(signalnum) in signals.OURS:
            return signals.default
        return signals.get(signalnum)

    def set_wakeup_fd(self, fd: int, /, *, warn_on_full_buffer: bool = True) -> int:
        """Set the descriptor that gets a byte for each signal with a handler, and return the one before.

        It must be in non-blocking mode; -1: none. What cannot be written because it is full is told of
        on standard error, unless `warn_on_full_buffer` is false.
        """
        fd = index(fd)
        if self._arrivals is not None:
            return self._arrivals.lend(fd, warn_on_full_buffer)
        self._check_main("set_wakeup_fd")
        return self.wakeup.set(fd, bool(warn_on_full_buffer))

    def _check_main(self, what: str) -> None:
        here = getattr(getcurrent(), "block", None)
        if here is not None and here.thread is not self._main().thread:
            raise ValueError(f"{what} only works in main thread of the main interpreter")

    # -- from the interpreter to the main thread ------------------------------------------------------

    def watch_arrivals(self) -> None:
        """Have `meet_missed` know what has arrived."""
        self._arrivals = signals.Arrivals()
        self._arrivals.open()

    def after_fork(self) -> None:
        """In a forked child: what arrives there is its own."""
        if self._arrivals is not None:
            self._arrivals.open()

    @guarded
    def meet_missed(self) -> None:
        """Wake the main thread for signals that came just before it slept; called now and then.

        Its kernel thread's next look at the eval breaker is then not long in coming. So it is with signals
        that were noted while it stood in a primitive that was about to park.
        """
        arrived = self._arrivals.take() if self._arrivals is not None else b""
        if self.noted or set(arrived) - {signals.TRIPWIRE}:
            interrupt(self._main(), SIGNAL)

    def _arrive(self, signum: int, frame: FrameType | None) -> None:
        self.noted.append(signum)
        if self._arrivals is not None:
            self._arrivals.take()  # they are met
        elif self.wakeup.fd != -1:
            self.wakeup.tell(signum)
        if not self.deliver(frame):
            self._kick()

    @guarded
    def deliver(self, frame: FrameType | None) -> bool:
        """Get the noted signals to the main thread; False if it must be tried again soon."""
        main = self._main()
        here = getattr(getcurrent(), "block", None)
        if main.on is not None:
            if interrupt(main, SIGNAL):
                return True
            main.alarm |= SIGNAL  # its wait is ending by itself; should it miss the alarm, it is kicked
            return False
        if here is main or (here is not None and here.thread is main.thread and here.thread is not None):
            if not may_preempt(frame):
                main.alarm |= SIGNAL  # should the primitive it stands in look at its alarm: well and good
                return False
            self.handle(frame)
            return True
        main.alarm |= SIGNAL
        return True

    @outside
    @floor
    def handle(self, frame: FrameType | None = None) -> None:
        """Run the program's handlers of all noted signals; what one raises goes to the caller."""
        if frame is None:
            frame = sys._getframe(1)
        while frame.f_back is not None and frame.f_code.co_filename.startswith(HOME):
            frame = frame.f_back
        while self.noted:
            number = self.noted.popleft()
            handler = self._handlers.get(number)
            if handler is not None:
                try:
                    handler(number, frame)
                except BaseException:
                    if self.noted:  # the others are handled all the same, soon
                        self._kick()
                    raise


def _is_number(signalnum: object) -> bool:
    return isinstance(signalnum, int) and not isinstance(signalnum, bool)


for _function in (SignalDesk.signal, SignalDesk.getsignal, SignalDesk.set_wakeup_fd):
    _function.__module__, _function.__qualname__ = "signal", _function.__name__
