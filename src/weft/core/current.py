"""Which control block runs now.

The running greenlet carries its control block in the attribute `block`: a user thread's worker, and
just so the root greenlet of each kernel thread that weft started or met. So the answer costs one call
and one attribute on every model, and a foreign kernel thread never passes for a user thread.
"""

import sys
from collections.abc import Callable

from greenlet import getcurrent

from weft.core.thread import ControlBlock
from weft.errors import WeftError

__all__ = ["adopt", "current", "getcurrent", "set_adopter", "stand_still"]


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


class _Still:
    """Stands for the running greenlet when the interpreter ends and greenlets are gone."""

    __slots__ = ("block",)
    parent = gr_frame = None

    def __init__(self, block: ControlBlock) -> None:
        self.block = block


def stand_still(main: ControlBlock) -> None:
    """From here on every caller is the main thread: greenlet answers no more."""
    still, real = _Still(main), getcurrent
    for name, module in list(sys.modules.items()):
        if name.startswith("weft.") and getattr(module, "getcurrent", None) is real:
            module.getcurrent = lambda: still  # type: ignore[attr-defined]


def current() -> ControlBlock:
    """The control block of the calling thread."""
    try:
        return getcurrent().block  # type: ignore[attr-defined,no-any-return]
    except AttributeError:
        return _adopter()
