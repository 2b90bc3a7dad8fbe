"""Which control block runs now.

The running greenlet carries its control block in the attribute `block`: a user thread's worker, and
just so the root greenlet of each kernel thread that weft started or met. So the answer costs one call
and one attribute on every model, and a foreign kernel thread never passes for a user thread.
"""

from collections.abc import Callable

from greenlet import getcurrent

from weft.core.thread import ControlBlock
from weft.errors import WeftError

__all__ = ["adopt", "current", "getcurrent", "set_adopter"]


def _no_runtime() -> ControlBlock:
    raise WeftError("no weft runtime is in force here: call weft.install() or use `weft run`")


_adopter: Callable[[], ControlBlock] = _no_runtime


def adopt() -> ControlBlock:
    """The block of a caller that has none yet: a kernel thread that weft did not start."""
    return _adopter()


def set_adopter(make: Callable[[], ControlBlock] | None) -> None:
    """Name the function that makes a block for a foreign caller (the runtime's; None: nobody's)."""
    global _adopter
    _adopter = make or _no_runtime


def current() -> ControlBlock:
    """The control block of the calling thread."""
    try:
        return getcurrent().block  # type: ignore[attr-defined,no-any-return]
    except AttributeError:
        return _adopter()
