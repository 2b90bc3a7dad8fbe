"""The guard in C, if weft was compiled on a free-threaded build: what weft.guard has in Python."""

from typing import Any

from weft.config import wants_pure

__all__ = ["COMPILED", "compiled"]

try:
    from weft.host import _guard
except ImportError:
    _guard = None  # type: ignore[assignment]

REVISION = 1  # `_guard.c` has the same
#: Whether the version in C is there, and was compiled from the source that belongs to this one.
COMPILED = _guard is not None and getattr(_guard, "REVISION", 0) == REVISION


def compiled() -> Any:
    """The part in C, or None where there is none or it is not wanted (WEFT_PURE)."""
    return _guard if COMPILED and not wants_pure() else None
