"""A trace function in C, set for another kernel thread: how Python code there is interrupted before 3.12.

`_PyEval_SetTrace` takes the thread it is for. From the next line of Python code on, that thread calls the
function, which takes itself away again, so between two interruptions nothing is paid.

`_tracer.c` has the function where weft was compiled. Elsewhere ctypes makes one, which cannot be called
where the program has recursed to its limit (docs/limits.md).
"""

import sys
from collections.abc import Callable
from typing import Any

from weft.config import wants_pure

__all__ = ["COMPILED", "Tracer", "get_trace", "set_trace"]

REVISION = 1  # `_tracer.c` has the same

try:
    from weft.host import _tracer
except ImportError:
    _tracer = None  # type: ignore[assignment]

#: Whether the version in C is there, and was compiled from the source that belongs to this one.
COMPILED = _tracer is not None and getattr(_tracer, "REVISION", 0) == REVISION

get_trace, set_trace = sys.gettrace, sys.settrace  # the names in `sys` will be weft's own


class Tracer:
    """Calls a function at the next line or call on a kernel thread.

    Args:
        came: called on that kernel thread; what it raises is printed, but for a RecursionError.

    Raises:
        OSError, AttributeError: the interpreter hides its C functions.
    """

    def __init__(self, came: Callable[[], object]) -> None:
        if COMPILED and not wants_pure():
            _tracer.use(came)
            self.put: Any = _tracer.put
            self.here: Callable[[], Any] = _tracer.here
            self.function: Any = True
        else:
            self._make(came)

    def _make(self, came: Callable[[], object]) -> None:
        import ctypes  # noqa: PLC0415 - needed only where there are several carriers

        api = ctypes.PyDLL(None)
        current: Any = api.PyThreadState_Get
        current.restype = ctypes.c_void_p
        current.argtypes = ()
        self.here = lambda: ctypes.c_void_p(current())  # what stands for the calling kernel thread
        #: `put(thread, function, None)`: have it called there from the next line on; `None` for it: not any
        #: more. C functions that keep the interpreter's lock, so a test before one is atomic with it.
        #: No `argtypes`: each is a call of its own, which fails where the program has recursed to its limit.
        self.put = api._PyEval_SetTrace

        def call(_object: Any, _frame: Any, _what: int, _arg: Any) -> int:
            try:
                came()
            except RecursionError:
                pass  # the program is at its limit: so at one of the next lines
            except BaseException as error:  # noqa: BLE001 - what ctypes gives to C for an exception is no number
                sys.__excepthook__(type(error), error, error.__traceback__)
            return 0

        kind = ctypes.PYFUNCTYPE(
            ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int, ctypes.c_void_p
        )
        self._kept = kind(call)
        self.function = ctypes.cast(self._kept, ctypes.c_void_p)
