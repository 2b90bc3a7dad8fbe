"""Every difference between versions, systems and builds, and the real machine's names, in one place.

The names of the interpreter's own modules are bound here before weft supplies its own, so that weft
itself always reaches the real ones.
"""

import _thread
import fcntl
import os
import select
import sys
import time
from _queue import Empty
from collections.abc import Iterable
from typing import Any

__all__ = [
    "CACHES_WITHOUT_LOCK",
    "CALLS_MAY_SWITCH",
    "CHECKS_HANDLES",
    "CPYTHON",
    "FREE_THREADED",
    "HAS_EVENTS",
    "HIGH",
    "INHERITS_CONTEXT",
    "IS_DARWIN",
    "MAGIC",
    "MAKES_LOCKS",
    "MAXRSS",
    "PLAIN_LOCK_TYPE",
    "RLOCK_SHOWS_LOCKED",
    "SHOWS_CODE_LINES",
    "TESTED",
    "THREADS_HAVE_CONTEXTS",
    "TIMEOUT_MAX",
    "VERSION",
    "Empty",
    "await_exit",
    "check_acquire",
    "deadline_after",
    "end_at_once",
    "exit_now",
    "gil_enabled",
    "high",
    "identify",
    "kernel_thread_count",
    "monotonic",
    "readable_within",
    "sleeps_in_call",
    "unraisable_args",
    "wants_processor",
]

VERSION = sys.version_info[:2]
CPYTHON = sys.implementation.name == "cpython"
TESTED = (3, 11) <= VERSION <= (3, 13)
_STDLIB = os.path.dirname(os.path.abspath(os.__file__)) + os.sep
#: Files, and a folder, of the standard library that make locks for their callers: a lock's place is theirs.
MAKES_LOCKS = (
    *(_STDLIB + name for name in ("threading.py", "queue.py", "functools.py")),
    _STDLIB + os.path.join("concurrent", "futures", ""),
    _STDLIB + os.path.join("logging", "__init__.py"),
)

PLAIN_LOCK_TYPE = VERSION >= (3, 13)  # `_thread.lock` is a type one may call
CHECKS_HANDLES = VERSION >= (3, 13)  # threads are joined by `_ThreadHandle`, not by a sentinel lock
THREADS_HAVE_CONTEXTS = VERSION >= (3, 14)  # `Thread(context=...)`
INHERITS_CONTEXT = bool(
    getattr(sys.flags, "thread_inherit_context", False)
)  # a thread begins with a copy of its starter's
RLOCK_SHOWS_LOCKED = VERSION >= (3, 14)  # `RLock.locked()` is there
CACHES_WITHOUT_LOCK = VERSION >= (3, 12)  # `functools.cached_property` takes no lock
SHOWS_CODE_LINES = VERSION >= (3, 13)  # tracebacks show the source of `python -c`
MAGIC = (
    f"{sys.implementation.cache_tag} {sys.hexversion:x}".encode()
)  # code of one interpreter is for it alone
HAS_EVENTS = VERSION >= (3, 12)  # sys.monitoring (PEP 669)
# A switch of stacks inside the event of a function that begins or is resumed:
# 3.12 then counts references wrongly.
CALLS_MAY_SWITCH = VERSION >= (3, 13)
TIMEOUT_MAX: float = _thread.TIMEOUT_MAX
monotonic = time.monotonic
exit_now = os._exit
_sleep = time.sleep  # the name in `time` will be weft's own
IS_DARWIN = sys.platform == "darwin"
MAXRSS = 1 if IS_DARWIN else 1024  # bytes of one unit in which the system tells peak memory
LEAVE = 1.0  # seconds that a kernel thread may take from its last Python code to its end
HIGH = 700  # above what most programs open, below what select() can take (1,024)


def gil_enabled() -> bool:
    """Whether the interpreter's lock is in force: always before 3.13."""
    probe = getattr(sys, "_is_gil_enabled", None)
    return True if probe is None else bool(probe())


FREE_THREADED = not gil_enabled()


def end_at_once(status: int) -> None:
    """End the process without cleaning up, but for what it has printed: what would run then may wait."""
    try:
        sys.stdout.flush()
    except (OSError, ValueError, RuntimeError, AttributeError):
        pass  # closed, not there, or a stuck thread stands in the middle of it
    exit_now(status)


def check_acquire(blocking: bool, timeout: float) -> None:
    """Refuse bad arguments of `acquire` with this interpreter's own errors and texts.

    A free real lock is asked: it says what CPython says, whatever the version.
    """
    _thread.allocate_lock().acquire(blocking, timeout)


def deadline_after(timeout: float) -> float:
    """When `timeout` seconds from now are over, on the monotonic clock.

    Raises:
        OverflowError, ValueError: it is too large, or not a number, in CPython's words.
    """
    if not timeout <= TIMEOUT_MAX:
        check_acquire(True, timeout)
    return monotonic() + timeout


def unraisable_args(fields: tuple[Any, ...]) -> Any:
    """What `sys.unraisablehook` takes: exc_type, exc_value, exc_traceback, err_msg, object.

    The interpreter names the type nowhere, so one such event is made and its type kept.
    """
    if not _unraisable_type:
        hook = sys.unraisablehook
        sys.unraisablehook = lambda args: _unraisable_type.append(type(args))
        try:
            _Noisy()
        finally:
            sys.unraisablehook = hook
    return _unraisable_type[0](fields)


_unraisable_type: list[Any] = []


class _Noisy:
    def __del__(self) -> None:
        raise ValueError("made to be ignored")


def kernel_thread_count() -> int | None:
    """How many kernel threads the process has; None where the system does not tell."""
    try:
        return len(os.listdir("/proc/self/task"))
    except OSError:
        return None


def await_exit(native_ids: Iterable[int]) -> None:
    """Wait until kernel threads that have said goodbye are gone from the system's own list, if it has one.

    Between the last of their Python code and that there is a moment, in which `fork` would still count them.
    """
    deadline = monotonic() + LEAVE
    for number in native_ids:
        while os.path.exists(f"/proc/self/task/{number}") and monotonic() < deadline:
            _sleep(0.0001)


def sleeps_in_call(native_id: int) -> bool:
    """Whether a kernel thread of this process is known to sleep in a call of the system.

    Linux names the function of the kernel that it sleeps in. Who sleeps on a futex may wait for the
    interpreter's lock, which a thread that runs Python code does all the time.
    """
    try:
        with open(f"/proc/self/task/{native_id}/wchan", "rb") as file:
            place = file.read()
    except OSError:
        return False
    return place.strip() not in (b"", b"0") and b"futex" not in place


def wants_processor(native_id: int) -> bool:
    """Whether a kernel thread of this process runs or is ready to; False where the system does not tell."""
    try:
        with open(f"/proc/self/task/{native_id}/stat", "rb") as file:
            state = file.read().rpartition(b") ")[2][:1]
    except OSError:
        return False
    return state == b"R"


def high(fd: int) -> int:
    """The same descriptor under a number that programs do not come to by themselves."""
    if fd >= HIGH:
        return fd  # one more would take the place of the next, and the last has to be low enough for select()
    try:
        moved = fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, HIGH)
    except OSError:
        return fd
    os.close(fd)
    return moved


def readable_within(fd: int, seconds: float) -> bool:
    """Whether a descriptor has something to read, or its end, before that time is over."""
    return bool(select.select([fd], [], [], seconds)[0])


def identify(fd: int) -> tuple[int, int] | None:
    """What an open descriptor stands for, so that it is known again; None if it is not open."""
    try:
        found = os.fstat(fd)
    except OSError:
        return None
    return found.st_dev, found.st_ino
