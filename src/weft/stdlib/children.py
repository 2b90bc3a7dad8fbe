"""Waiting for children: `os.waitpid` and its kin.

No child is reaped that the program did not ask for: each look is the program's own call with "do not wait",
and what a thread parks on, a descriptor of the process, only tells that the child has ended.
"""

import os
import sys
from collections.abc import Callable
from typing import Any

from weft.host.guard import guarded
from weft.host.poller import READ
from weft.host.threads import call_unmasked
from weft.stdlib.descriptors import nap, naps, wait_for
from weft.stdlib.supplied import dress

__all__ = ["adapt_fork_exec", "replacements"]

_waitpid, _wait3, _wait4 = os.waitpid, os.wait3, os.wait4
_waitid: Any = getattr(os, "waitid", None)


def replacements() -> list[tuple[Any, str, Any]]:
    """The functions to put in place: (module, name, value)."""
    functions: dict[str, Any] = {
        "waitpid": waitpid,
        "wait": wait,
        "wait3": wait3,
        "wait4": wait4,
    }
    if _waitid is not None:
        functions["waitid"] = waitid
    found = []
    for name, function in functions.items():
        real = getattr(os, name)
        function.__doc__ = real.__doc__
        dressed = dress(function, real.__module__, name)
        found.append((os, name, dressed))
        if hasattr(sys.modules.get(real.__module__), name):  # C's own module, under which it is pickled
            found.append((sys.modules[real.__module__], name, dressed))
    spawners = [name for name in ("posix_spawn", "posix_spawnp") if hasattr(os, name)]
    found += [(os, name, dress(_unmasked(getattr(os, name)), "posix", name)) for name in spawners]
    return found


def adapt_fork_exec(module: Any) -> None:
    """What `subprocess` starts its children by (`_posixsubprocess`)."""
    module.fork_exec = dress(_unmasked(module.fork_exec), module.__name__, "fork_exec")


def _unmasked(real: Any) -> Any:
    """The function, called with the program's mask of signals: a child inherits it."""

    def start(*args: Any, **kwargs: Any) -> Any:
        return call_unmasked(real, *args, **kwargs)

    start.__doc__ = real.__doc__
    return start


def waitpid(pid: int, options: int, /) -> tuple[int, int]:
    return _until_told(  # type: ignore[no-any-return]
        pid, options, lambda how: _waitpid(pid, how), lambda answer: answer[0] != 0
    )


def wait() -> tuple[int, int]:
    return waitpid(-1, 0)


def wait3(options: int) -> tuple[int, int, Any]:
    return _until_told(  # type: ignore[no-any-return]
        -1, options, _wait3, lambda answer: answer[0] != 0
    )


def wait4(pid: int, options: int) -> tuple[int, int, Any]:
    return _until_told(  # type: ignore[no-any-return]
        pid, options, lambda how: _wait4(pid, how), lambda answer: answer[0] != 0
    )


def waitid(idtype: int, id: int, options: int, /) -> Any:
    pid = id if idtype == os.P_PID else -1
    return _until_told(pid, options, lambda how: _waitid(idtype, id, how), lambda answer: answer is not None)


@guarded
def _until_told(pid: int, options: Any, look: Callable[[Any], Any], told: Callable[[Any], bool]) -> Any:
    """Look for a child without waiting, and park in between until there is something to tell."""
    if not isinstance(options, int) or options & os.WNOHANG:
        return look(options)
    answer = look(options | os.WNOHANG)
    if told(answer):
        return answer
    ended = _descriptor_of(pid)
    try:
        # Only an end is told by the descriptor: not that a child was stopped, nor that a group's has ended.
        tells_all = ended is not None and not options & (os.WUNTRACED | os.WCONTINUED)
        for when in naps():
            if ended is None:
                nap(when)
            else:
                wait_for([(ended, READ)], None if tells_all else when)
            answer = look(options | os.WNOHANG)
            if told(answer):
                return answer
    finally:
        if ended is not None:
            os.close(ended)


def _descriptor_of(pid: int) -> int | None:
    """A descriptor that is readable once a process has ended; None where there is no such thing."""
    if pid <= 0 or not hasattr(os, "pidfd_open"):
        return None
    try:
        return os.pidfd_open(pid)
    except OSError:
        return None
