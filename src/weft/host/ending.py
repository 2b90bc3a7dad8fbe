"""What becomes of a kernel thread with many stacks that comes back while the interpreter is taken apart.

Before 3.14 the interpreter ends such a kernel thread on the spot, by `pthread_exit`. The C library then
unwinds the stack, through frames of greenlet that run destructors; but of a stack that was switched to, only
the upper part is there. So a kernel thread that carries stacks sleeps for good instead, as all do from 3.14
on: it has a handler for its own end, which the C library calls before it unwinds the first frame.
"""

from collections.abc import Callable
from typing import Any

__all__ = ["never_unwind"]

ROOM = 64  # bytes for the C library's own record, or for a mutex; both are smaller on all of its machines


def never_unwind() -> Callable[[], object]:
    """Have the calling kernel thread sleep for good where it would be ended; returns what undoes that.

    Where the C library has no such handlers nothing is changed.
    """
    if not _calls:
        return _nothing
    push, pop, record, sleep, mutex = _calls
    place = record()
    push(place, sleep, mutex)
    return lambda: pop(place, 0)


def prepare() -> None:
    """Load what that stands on, on a kernel thread whose imports are the program's."""
    if _calls:
        return
    import ctypes  # noqa: PLC0415 - needed only where there are several carriers

    library = ctypes.CDLL(None)
    try:
        push, pop = library._pthread_cleanup_push, library._pthread_cleanup_pop
        lock, allocate = library.pthread_mutex_lock, library.calloc
    except AttributeError:
        return
    allocate.restype = ctypes.c_void_p
    allocate.argtypes = (ctypes.c_size_t, ctypes.c_size_t)
    push.argtypes = (ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p)
    pop.argtypes = (ctypes.c_void_p, ctypes.c_int)
    lock.argtypes = (ctypes.c_void_p,)

    def record() -> int:
        """Memory that is there for as long as the process: Python's own is given back before the end."""
        return int(allocate(1, ROOM))

    mutex = record()  # zeros are a mutex, of the kind that sleeps also if its owner asks again
    lock(mutex)
    _calls.extend((push, pop, record, ctypes.cast(lock, ctypes.c_void_p), mutex))


_calls: list[Any] = []


def _nothing() -> None:
    """What undoes nothing."""
