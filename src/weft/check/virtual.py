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
NODE = 0x02_00_00_00_00_01  # what `uuid.uuid1` takes for the address of the machine
LOOKS = 8  # looks in a row, with nothing changed between them, after which that is so

_point = MODEL.point
_stream = Stream(0)
_seeded: list[int] = []  # the seed of `_stream`, if nothing has been drawn from it since


def begin(seed: int) -> None:
    """An execution begins: chance starts from the seed."""
    if _seeded != [seed]:  # seeding takes longer than starting a thread, and few programs draw from it
        _stream.seed(seed)
        _seeded[:] = [seed]
    random: Any = sys.modules.get("random")
    if random is not None:
        if random.Random.seed is not _seed_random:
            global _real_seed
            _real_seed, random.Random.seed = random.Random.seed, _seed_random
        random._inst.seed(seed)
    uuid: Any = sys.modules.get("uuid")
    if uuid is not None:
        uuid._generate_time_safe = None  # C's reads the machine's clock
        uuid._last_timestamp = None
        uuid._node = NODE


_real_seed: Any = None


def _seed_random(self: Any, a: Any = None, version: int = 2) -> None:
    """`random.Random.seed`; what is given no seed gets one from the execution's chance."""
    if a is None:
        _seeded.clear()
    _real_seed(self, _stream.getrandbits(64) if a is None else a, version)


def _urandom(size: int, /) -> bytes:
    _seeded.clear()
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


class _Real:
    """What the module `time` had before."""


_real: Any = _Real()


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

    perf_counter_ns = process_time_ns = thread_time_ns = monotonic_ns
    process_time = thread_time = monotonic

    @staticmethod
    def localtime(seconds: float | None = None, /) -> Any:
        return _real.localtime(_Time.time() if seconds is None else seconds)

    @staticmethod
    def gmtime(seconds: float | None = None, /) -> Any:
        return _real.gmtime(_Time.time() if seconds is None else seconds)

    @staticmethod
    def ctime(seconds: float | None = None, /) -> str:
        return str(_real.ctime(_Time.time() if seconds is None else seconds))

    @staticmethod
    def asctime(when: Any = None, /) -> str:
        return str(_real.asctime(_Time.localtime() if when is None else when))

    @staticmethod
    def strftime(form: str, when: Any = None, /) -> str:
        return str(_real.strftime(form, _Time.localtime() if when is None else when))


def replacements() -> list[tuple[Any, str, Any]]:
    """What to put where: (module, name, value)."""
    module = importlib.import_module("time")
    vars(_real).update({name: getattr(module, name) for name in vars(_Time) if hasattr(module, name)})
    mine = [
        (module, name, value.__func__)
        for name, value in vars(_Time).items()
        if isinstance(value, staticmethod)
    ]
    return [*mine, (os, "urandom", _urandom)]
