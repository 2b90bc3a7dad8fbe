"""Signals as the interpreter delivers them, and the tripwire that preempts.

The tripwire is a signal number that nobody uses. It is never really sent: `_thread.interrupt_main`
only marks it as arrived, so the main kernel thread calls the handler at its next look at the eval
breaker and no system call is interrupted.
"""

import _thread
import os
import signal
from collections.abc import Callable
from types import FrameType
from typing import Any

from weft.host.platform import high, identify

__all__ = [
    "BOUNDARIES",
    "OURS",
    "QUIT",
    "TRIPWIRE",
    "Arrivals",
    "at_boundary",
    "block_all",
    "default",
    "default_int_handler",
    "get",
    "is_tripwire",
    "numbers",
    "prepare",
    "put",
    "set_tripwire",
    "sigtimedwait",
    "trip",
    "trip_at_next_look",
    "wake_by",
]

TRIPWIRE = int(getattr(signal, "SIGRTMAX", 0) or signal.Signals.SIGURG)

QUIT = int(signal.SIGQUIT) if hasattr(signal, "SIGQUIT") else None  # prints every thread

default = signal.SIG_DFL
put = signal.signal
get = signal.getsignal
pthread_kill: Callable[[int, int], None] | None = getattr(signal, "pthread_kill", None)
pthread_sigmask: Any = getattr(signal, "pthread_sigmask", None)
BLOCK, UNBLOCK, SETMASK = (getattr(signal, f"SIG_{name}", 0) for name in ("BLOCK", "UNBLOCK", "SETMASK"))
sigtimedwait: Any = getattr(signal, "sigtimedwait", None)
default_int_handler = signal.default_int_handler
_read = os.read
_interrupt = _thread.interrupt_main
_set_wakeup_fd = signal.set_wakeup_fd  # the names in `signal` will be weft's own
_set_mask: Any = getattr(signal, "pthread_sigmask", None)


def trip() -> None:
    """Have the tripwire's handler called soon in the main kernel thread; cheap, from any thread."""
    _interrupt(TRIPWIRE)  # type: ignore[arg-type]  # any number will do


def set_tripwire(handler: Callable[[int, Any], object] | None) -> None:
    """Install the tripwire's handler, or take it away (None). Only the main kernel thread may."""
    put(TRIPWIRE, handler if handler is not None else _too_late)


def is_tripwire(handler: Callable[[int, Any], object]) -> bool:
    """Whether this is the tripwire's handler: the program may have taken the signal for itself."""
    return get(TRIPWIRE) == handler


def _too_late(*_: object) -> None:
    """A mark may still be on its way when the tripwire goes."""


def prepare() -> None:
    """Load what the two functions below stand on; not in a handler, which may interrupt an import."""
    if _boundaries:
        return
    import ctypes  # noqa: PLC0415 - a program without threads has no need of the two
    import opcode  # noqa: PLC0415

    try:
        api = ctypes.PyDLL(None)
        mark = ctypes.cast(api.PyErr_SetInterruptEx, ctypes.c_void_p)
        add = api.Py_AddPendingCall
        add.argtypes = (ctypes.c_void_p, ctypes.c_void_p)
        _pending_call.append(lambda: add(mark, TRIPWIRE))
    except (OSError, AttributeError):
        pass  # an interpreter that hides them: the watchdog comes back instead
    _boundaries.update(number for name, number in opcode.opmap.items() if name in BOUNDARIES)


def at_boundary(frame: FrameType) -> bool:
    """Whether a frame stands where a function begins or a loop goes back.

    A handler is called by the eval loop, or from within a C call that looks for signals (buffered files
    do, between two writes, with their lock held). In both cases a frame may stand at its call; here it
    can only be the eval loop.
    """
    return frame.f_code.co_code[frame.f_lasti] in _boundaries


def trip_at_next_look() -> bool:
    """Have the tripwire marked by the eval loop itself, the next time it looks for things to do.

    So the mark is never met inside the C call that runs now, and it is met at the look after that; the
    watchdog, which needs the interpreter's lock, would come at the same place again and again.

    Returns:
        False if the interpreter's C functions cannot be reached.
    """
    if not _pending_call:
        return False
    _pending_call[0]()
    return True


BOUNDARIES = frozenset(
    {"RESUME", "JUMP_BACKWARD"}
    | {f"POP_JUMP_BACKWARD_IF_{what}" for what in ("TRUE", "FALSE", "NONE", "NOT_NONE")}  # 3.11
)
_boundaries: set[int] = set()
_pending_call: list[Callable[[], object]] = []


#: The signals that weft uses itself: a program sees their default until it sets a handler of its own.
OURS = frozenset(n for n in (QUIT, TRIPWIRE) if n is not None)


def wake_by(fd: int) -> None:
    """Have a byte written to a non-blocking descriptor at every signal; -1: not any more.

    A signal that comes just before a sleep begins would otherwise be met only when it ends.
    """
    _set_wakeup_fd(fd, warn_on_full_buffer=False)


class Arrivals:
    """Signals that have arrived, and that the main kernel thread has not met yet.

    A handler runs at the main thread's next look at the eval breaker, or as the signal ends a system call of
    its. A signal that comes between its last look and its sleep does neither, nor one that the system hands
    to another kernel thread; its number is then still here.
    """

    def __init__(self) -> None:
        self._read = self._write = -1
        self._ours: dict[int, tuple[int, int] | None] = {}
        self._theirs, self._warns = -1, True

    def open(self) -> None:
        """Begin; again after a fork, since parent and child have one pipe."""
        before = self._ours
        self._read, self._write = (high(fd) for fd in os.pipe())
        for fd in (self._read, self._write):
            os.set_blocking(fd, False)
        self._ours = {fd: identify(fd) for fd in (self._read, self._write)}
        self.lend(self._theirs, self._warns)
        self._drop(before)

    def lend(self, fd: int, warns: bool) -> int:
        """Let the program have the interpreter's only wakeup descriptor, until it sets -1.

        What wakes the program's own loop meanwhile is not known here.

        Returns:
            The program's descriptor before; -1: none.
        """
        mine = self._write if identify(self._write) == self._ours[self._write] else -1
        _set_wakeup_fd(mine if fd == -1 else fd, warn_on_full_buffer=warns and fd != -1)
        before, self._theirs, self._warns = self._theirs, fd, warns
        return before

    def close(self) -> None:
        """End: the program's descriptor stays, ours go."""
        _set_wakeup_fd(self._theirs, warn_on_full_buffer=self._warns)
        self._drop(self._ours)
        self._ours = {}
        self._read = -1

    @staticmethod
    def _drop(ours: dict[int, tuple[int, int] | None]) -> None:
        for fd, identity in ours.items():
            if identify(fd) == identity:  # else the program has closed it
                os.close(fd)

    def take(self) -> bytes:
        """The numbers of those that have come since the last time; empty too if the pipe is not there."""
        try:
            return _read(self._read, 4096)
        except OSError:
            return b""


def block_all() -> None:
    """Have no signal delivered to the calling kernel thread: it is none of the program's.

    A signal that the program has blocked, to wait for it, would otherwise come here and end the process.
    """
    if _set_mask is not None:
        _set_mask(signal.SIG_BLOCK, signal.valid_signals())


def numbers() -> list[int]:
    """The signals of this system that a program may handle."""
    return sorted(int(n) for n in signal.valid_signals())
