"""Time and chance of a checked program: the virtual clock, and numbers from a seed."""

import importlib
import os
import sys
from operator import index
from typing import Any

from weft.check.world import MODEL
from weft.host import clock
from weft.host.entropy import Stream
from weft.host.platform import TIMEOUT_MAX
from weft.models.controlled import START_TIME, Task

__all__ = ["begin", "replacements"]

EPOCH = 1_700_000_000.0 - START_TIME  # what `time.time` shows more than `time.monotonic`
STEP = 0.001  # seconds that a look at the clock takes where a thread only looks at it
LOOKS = 8  # looks in a row, with nothing changed between them, after which that is so

_point = MODEL.point
_stream = Stream(0)


def begin(seed: int) -> None:
    """An execution begins: chance starts from the seed."""
    _stream.seed(seed)
    random: Any = sys.modules.get("random")
    if random is not None:
        random._inst.seed(seed)


def _urandom(size: int, /) -> bytes:
    return _stream.octets(size)


def _awake(task: Task) -> bool:
    return task.deadline is None or MODEL.now >= task.deadline


def _sleep(seconds: float, /) -> None:
    if not isinstance(seconds, (int, float)):
        seconds = index(seconds)
    if not 0 <= seconds < TIMEOUT_MAX:
        clock.sleep(seconds)  # refuses what is negative, not a number or too large, in CPython's words
        return
    if not MODEL.active:
        MODEL.now += seconds
        return
    _point("sleep", None, None, None, _awake, MODEL.after(seconds))


def _look() -> float:
    """The virtual time. Who does nothing but look at it sees it pass."""
    if MODEL.active:
        me = MODEL.current
        seen = me.__dict__.get("looks")
        if seen is None or seen[0] != MODEL.changes:
            me.__dict__["looks"] = [MODEL.changes, 1]
        else:
            seen[1] += 1
            if seen[1] > LOOKS:
                MODEL.now += STEP
                _point("clock", None)
                seen[0] = MODEL.changes
    return MODEL.now


class _Time:
    """What the module `time` gets; static, since C's functions do not bind."""

    sleep = staticmethod(_sleep)
    monotonic = perf_counter = staticmethod(_look)

    @staticmethod
    def time() -> float:
        return EPOCH + _look()

    @staticmethod
    def time_ns() -> int:
        return int((EPOCH + _look()) * 1e9)

    @staticmethod
    def monotonic_ns() -> int:
        return int(_look() * 1e9)

    perf_counter_ns = monotonic_ns


def replacements() -> list[tuple[Any, str, Any]]:
    """What to put where: (module, name, value)."""
    module = importlib.import_module("time")
    mine = [
        (module, name, value.__func__)
        for name, value in vars(_Time).items()
        if isinstance(value, staticmethod)
    ]
    return [*mine, (os, "urandom", _urandom)]
