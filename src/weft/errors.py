"""What weft raises for itself.

    WeftError               a call, an option or a set-up that cannot work; the text says what to do
    ├── DeadlockError       every thread waits and nothing can wake one (raised in the main thread)
    └── InternalError       a broken invariant: a fault in weft, never in the program

What the look-alikes of CPython's classes raise are CPython's own types and texts.
"""


class WeftError(Exception):
    """A call, an option or a set-up of weft that cannot work."""


class DeadlockError(WeftError, RuntimeError):
    """Every thread of the program waits, and no timer, descriptor or signal can wake one."""


class InternalError(WeftError):
    """An invariant of weft is broken; please report it with the dump that comes with it."""
