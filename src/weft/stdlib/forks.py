"""`os.fork` and `os.forkpty`, with something to do once they are over.

From 3.12 on the interpreter warns who forks a process with several kernel threads. On some versions it counts
them after the hooks of a fork have run, so what starts kernel threads again has to come later than those.
"""

import os
from collections.abc import Callable
from typing import Any

from weft.stdlib.supplied import dress

__all__ = ["replacements"]


def replacements(begin: Callable[[], object], end: Callable[[], object]) -> list[tuple[Any, str, Any]]:
    """The functions to put in place: (module, name, value).

    Args:
        begin: called before the fork.
        end: called after it, in both processes.
    """

    def wrapped(name: str, real: Any) -> Any:
        def call() -> Any:
            begin()
            try:
                return real()
            finally:
                end()

        call.__doc__ = real.__doc__
        return dress(call, real.__module__, name)

    names = [name for name in ("fork", "forkpty") if hasattr(os, name)]
    return [(os, name, wrapped(name, getattr(os, name))) for name in names]
