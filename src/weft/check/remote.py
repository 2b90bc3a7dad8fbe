"""What a worker of a Dask cluster is asked to call: it hands units to processes that it starts beside itself.

Such a process (weft.check.away) serves one program and one caller at a time, and is kept for the next unit.
"""

import marshal
import os
import subprocess
import sys
from typing import Any

from weft.check.away import get, put

__all__ = ["do", "prepare"]

_HOME = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
_START = "import sys; sys.path.insert(0, {!r}); from weft.check.away import main; main()"
_MOST_IDLE = 64
_idle: dict[bytes, list[Any]] = {}  # processes that wait for a unit; pop and append are atomic


def prepare(spec: bytes) -> bytes:
    """Start a process, so that it is there when the first unit comes; its first answer, marshalled.

    Args:
        spec: the program, marshalled (weft.check.cluster).
    """
    process, answer = _started(spec)
    if answer:
        _idle.setdefault(spec, []).append(process)
    return answer or _lost(process)


def do(spec: bytes, what: bytes) -> bytes:
    """Do a unit; the answer, marshalled.

    Args:
        spec: the program, marshalled.
        what: the unit, what is known, the seconds that are left.
    """
    waiting = _idle.setdefault(spec, [])
    try:
        process = waiting.pop()
    except IndexError:
        process, answer = _started(spec)
        if not answer:
            return _lost(process)
    try:
        put(process.stdin, what)
        answer = get(process.stdout)
    except OSError:
        answer = b""
    if not answer:
        return _lost(process)
    if len(waiting) < _MOST_IDLE:
        waiting.append(process)
    else:
        process.stdin.close()
    return answer


def _started(spec: bytes) -> tuple[Any, bytes]:
    """A process that prepares the program, and its first answer; nothing if it has ended."""
    command = [sys.executable, "-c", _START.format(_HOME)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        put(process.stdin, spec)
        return process, get(process.stdout)
    except OSError:
        return process, b""


def _lost(process: Any) -> bytes:
    process.kill()
    process.communicate()
    return marshal.dumps({"lost": [process.returncode, False, True]})
