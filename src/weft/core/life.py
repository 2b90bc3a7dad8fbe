"""The life of a thread in C, if weft was compiled: what is hot in making, starting, running and joining it.

`_life.c` has the ordinary cases of `Loop._work` (weft.models.loop) and of Thread's methods
(weft.stdlib.threading_fast), and calls those for all else. It reads the slots of weft's own classes where
they lie; each is told to it by `know`. There is a compiled part on builds with the interpreter's lock, which
guards it.
"""

from typing import Any

from weft.config import wants_guard, wants_pure

__all__ = ["COMPILED", "compiled", "know"]

try:
    from weft.core import _life
except ImportError:
    _life = None  # type: ignore[assignment]

REVISION = 1  # `_life.c` has the same
#: Whether the version in C is there, and was compiled from the source that belongs to this one.
COMPILED = _life is not None and getattr(_life, "REVISION", 0) == REVISION


def know(cls: type) -> Any:
    """Tell the part in C, if there is one, where a class has its slots; gives the class."""
    if COMPILED:
        _life.know(cls)
    return cls


def compiled() -> Any:
    """The part in C, or None where there is none or it is not wanted (WEFT_PURE)."""
    return _life if COMPILED and not (wants_pure() or wants_guard()) else None
