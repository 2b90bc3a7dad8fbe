"""Errors of the simulated network: the system's numbers with the system's words, and refusals of our own."""

import errno
import os

__all__ = ["HOW", "Refused", "bad_descriptor", "fail", "not_simulated"]

HOW = (
    "its network is a simulated one, of this program alone; `weft check --net-pass` lets the program have the"
    " machine's sockets"
)


class Refused(OSError):
    """The program asks for what the simulated network does not have."""


def fail(number: int) -> OSError:
    """The error that the system has under this number."""
    return OSError(number, os.strerror(number))


def bad_descriptor() -> OSError:
    """A descriptor that is closed, or never was."""
    return fail(errno.EBADF)


def not_simulated(what: str) -> Refused:
    """Something that is there, but not here.

    Args:
        what: what the program asked for, as "raw sockets".
    """
    return Refused(errno.EOPNOTSUPP, f"weft check refuses {what}: {HOW}")
