"""Real locks that note in which order their threads take them, put in place of `threading.Lock` and `RLock`.

They stand for an interpreter's own locks in a process whose threads are real: each has one inside, does what
it does, and keeps for its thread the list of what it holds. Only who takes a lock while it holds another pays
for more: once for each order, a record of both places and stacks. What `threading` keeps inside an Event or a
Semaphore stays as it is: nothing else is taken while it is held.

Nothing here may take a lock, or raise: a finalizer or a signal's handler can run on top of it.
"""

import _thread
import itertools
import sys
import threading
from types import CodeType, FrameType
from typing import Any

from weft.errors import WeftError
from weft.host.platform import MAKES_LOCKS

__all__ = [
    "Frames",
    "Lock",
    "Nested",
    "RLock",
    "Site",
    "Taken",
    "fetch",
    "install",
    "stop_at",
    "turn_over",
    "uninstall",
]

Frames = list[tuple[CodeType, int]]
"""A stack, the innermost frame first: each one's code, and its instruction."""

EAGER = 32  # acquisitions of the locks of a site whose whole stacks are kept while they are held
EAGER_AGAIN = 2_000  # the same, once a stack was wanted and could not be told from what still ran
MOST_KNOWN = 20_000  # orders of one thread in one chapter
MOST_RECORDS = 50_000  # that nobody has fetched
MOST_HELD = 32  # locks by one thread: who holds more takes them for something else
DEEPEST = 100  # frames of a stack

_REAL_LOCK: Any = type(_thread.allocate_lock())
_REAL_RLOCK: Any = _thread.RLock
_getframe = sys._getframe
_numbers = itertools.count(1)
_serials = itertools.count(1)


class Site:
    """Where locks are made: what they have in common, whichever test makes them."""

    __slots__ = ("eager", "frames", "kind")

    def __init__(self, kind: str, frames: Frames) -> None:
        self.kind = kind
        self.frames = frames  # the program's own line, and before it those of the library that it calls
        self.eager = EAGER


class Taken:
    """A lock that is held when another is wanted: which, and the stack by which it was taken.

    `whole` is False where frames that have returned since are missing, between the first frame and the rest.
    """

    __slots__ = ("frames", "serial", "site", "whole")

    def __init__(self, lock: "Lock | RLock", frames: Frames, whole: bool) -> None:
        self.serial = lock._serial
        self.site = lock._site
        self.frames = frames
        self.whole = whole


class Nested:
    """A thread wants a lock while it holds others; made before it waits."""

    __slots__ = ("chapter", "clock", "frames", "held", "main", "name", "number", "serial", "site")

    def __init__(self, mine: "_Held", lock: "Lock | RLock", frames: Frames, held: list[Taken]) -> None:
        self.chapter = mine.chapter
        self.number = mine.number
        self.name = mine.name
        self.main = mine.main
        self.clock = dict(mine.clock)
        self.serial = lock._serial
        self.site = lock._site
        self.frames = frames
        self.held = held


class _Held(list[Any]):
    """What a thread holds, oldest first, as (lock, list, code, instruction, id of the frame, stack or None).

    `clock` is a vector clock of starts and joins, of this chapter: thread number to count.
    """

    __slots__ = ("chapter", "clock", "known", "main", "name", "number")

    def __init__(self, thread: Any, ident: int) -> None:
        super().__init__()
        self.number = next(_numbers)
        self.name = str(thread.name) if thread is not None else f"thread {ident}"
        self.main = thread is not None and thread is _threading.main_thread()
        self.chapter = _state.chapter
        self.known: set[tuple[int, ...]] = set()
        self.clock: dict[int, int] = {}
        given = thread.__dict__.get(_GIVEN) if thread is not None else None
        if given is not None and given[0] is self.chapter:
            self.clock.update(given[1])
        self.clock[self.number] = 1


class _State:
    """Of this process: one chapter (a test) follows another; an order of threads holds within one."""

    def __init__(self) -> None:
        self.chapter: Any = object()
        self.installed: dict[str, Any] | None = None
        self.records: list[Nested] = []


_GIVEN = "_weft_clock"  # in a Thread's dictionary: what its starter had done
_MINE = "_weft_held"  # what it holds itself, for who joins it
_state = _State()
_local = _thread._local()
_threading: Any = threading
_sites: dict[tuple[Any, ...], Site] = {}
_kept: list[CodeType] = []  # `_sites` has their ids
_stops: set[int] = set()  # ids of code on which stacks end
_aside: tuple[Any, ...] = ()  # code whose locks are left as they are
_enter_of_condition: Any = None


def _begin() -> _Held:
    """The calling thread's list."""
    ident = _thread.get_ident()
    thread = _threading._active.get(ident)
    held: _Held = _Held(thread, ident)
    _local.held = held
    if thread is not None:
        thread.__dict__[_MINE] = held
    return held


def _mine() -> _Held:
    """The same, in the present chapter."""
    held: _Held | None = getattr(_local, "held", None)
    if held is None:
        held = _begin()
    if held.chapter is not _state.chapter:
        held.chapter = _state.chapter
        held.known.clear()
        held.clock = {held.number: 1}
    return held


# -- stacks ---------------------------------------------------------------------------------------------


def _stack(frame: FrameType | None) -> Frames:
    frames: Frames = []
    while frame is not None and len(frames) < DEEPEST:
        code = frame.f_code
        if id(code) in _stops:
            break
        frames.append((code, frame.f_lasti))
        frame = frame.f_back
    return frames


def _taken(entry: Any, frame: FrameType | None) -> Taken:
    """How a lock was taken that is held now, told from what still runs of the stack by which it was."""
    lock, _, code, instruction, number, stack = entry
    if stack is not None:
        return Taken(lock, stack, True)
    if id(frame) == number and frame is not None and frame.f_lasti == instruction:
        frame = None  # perhaps another call of the same function, where the first one's frame was
    while frame is not None:
        if id(frame) == number and frame.f_code is code:
            return Taken(lock, [(code, instruction), *_stack(frame.f_back)], True)
        if id(frame.f_code) in _stops:
            break
        frame = frame.f_back
    lock._site.eager = EAGER_AGAIN
    return Taken(lock, [(code, instruction)], False)


def _nested(lock: "Lock | RLock", frame: FrameType, held: _Held) -> None:
    """A thread that holds locks is about to wait for one more."""
    if held.chapter is not _state.chapter:
        _mine()
    known: tuple[int, ...]
    if len(held) == 1:
        other = held[0][0]
        if other is lock:
            return  # taken again, or in vain
        known = (lock._serial, other._serial)
    else:
        del held[:-MOST_HELD]
        if any(entry[0] is lock for entry in held):
            return
        known = (lock._serial, *(entry[0]._serial for entry in held))
    if known in held.known or len(held.known) >= MOST_KNOWN or len(_state.records) >= MOST_RECORDS:
        return
    held.known.add(known)
    taken = [_taken(entry, frame) for entry in list(held)]
    _state.records.append(Nested(held, lock, _stack(frame), taken))


def _site(kind: str, frame: FrameType | None) -> Site:
    """The one of the line that makes a lock, through the library's own lines."""
    assert frame is not None
    direct = (kind, id(frame.f_code), frame.f_lasti)
    site = _sites.get(direct)
    if site is not None and len(site.frames) == 1:
        return site
    chain: Frames = []
    while frame is not None:
        chain.append((frame.f_code, frame.f_lasti))
        if not frame.f_code.co_filename.startswith(MAKES_LOCKS):
            break
        frame = frame.f_back
    key = (kind, *(number for code, at in chain for number in (id(code), at)))
    site = _sites.get(key)
    if site is None:
        _kept.extend(code for code, _ in chain)
        site = _sites[key] = Site(kind, chain)
    return site


# -- the locks ------------------------------------------------------------------------------------------


class _Kind(type):
    """A class that takes the interpreter's own locks for its instances too."""

    real: Any

    def __instancecheck__(cls, thing: Any) -> bool:
        return isinstance(thing, cls.real) or type.__instancecheck__(cls, thing)

    def __subclasscheck__(cls, other: Any) -> bool:
        return other is cls.real or type.__subclasscheck__(cls, other)


class Lock(metaclass=_Kind):
    """As `_thread.lock`."""

    __slots__ = ("__weakref__", "_drop", "_hold", "_lock", "_serial", "_site", "_take")
    real = _REAL_LOCK

    def __new__(cls) -> Any:
        if _getframe(1).f_code in _aside:
            return _thread.allocate_lock()
        return object.__new__(cls)

    def __init__(self) -> None:
        self._lock = lock = _thread.allocate_lock()
        self._take = lock.acquire
        self._drop = lock.release
        self._hold: Any = None
        self._serial = next(_serials)
        self._site = _site("Lock", _getframe(1))

    def acquire(self, blocking: bool = True, timeout: float = -1) -> bool:
        """Take the lock; whether it was taken."""
        try:
            held = _local.held
        except AttributeError:
            held = _begin()
        frame = _getframe(1)
        if blocking and timeout == -1:
            if held:
                _nested(self, frame, held)
            self._take()
        elif not self._take(blocking, timeout):
            return False
        self._hold = hold = _hold(self, held, frame)
        held.append(hold)
        return True

    def __enter__(self) -> bool:
        try:
            held = _local.held
        except AttributeError:
            held = _begin()
        frame = _getframe(1)
        if held:
            _nested(self, frame, held)
        self._take()
        code = frame.f_code
        if self._site.eager or code is _enter_of_condition:
            hold = _hold(self, held, frame)
        else:
            hold = (self, held, code, frame.f_lasti, id(frame), None)
        self._hold = hold
        held.append(hold)
        return True

    def release(self) -> None:
        """Let the lock go."""
        hold = self._hold
        if hold is not None:
            self._hold = None
            try:
                hold[1].remove(hold)
            except ValueError:
                pass
        self._drop()

    def __exit__(self, *_: object) -> None:
        hold = self._hold
        if hold is not None:
            self._hold = None
            try:
                hold[1].remove(hold)
            except ValueError:
                pass
        self._drop()

    def locked(self) -> bool:
        """Whether somebody holds it."""
        return self._lock.locked()

    acquire_lock = acquire
    release_lock = release
    locked_lock = locked

    def _at_fork_reinit(self) -> None:
        self._hold = None
        self._lock._at_fork_reinit()  # type: ignore[attr-defined]

    @property  # type: ignore[misc]
    def __class__(self) -> Any:
        """For `isinstance`: what it stands for."""
        return _REAL_LOCK

    def __reduce_ex__(self, protocol: Any) -> Any:
        raise TypeError(f"cannot pickle '{_REAL_LOCK.__module__}.{_REAL_LOCK.__name__}' object")

    def __repr__(self) -> str:
        return repr(self._lock)


class RLock(metaclass=_Kind):
    """As `_thread.RLock`: its owner may take it again."""

    __slots__ = ("__weakref__", "_count", "_drop", "_hold", "_lock", "_serial", "_site", "_take")
    real = _REAL_RLOCK

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._lock: Any = _thread.RLock(*args, **kwargs)
        self._take = self._lock.acquire
        self._drop = self._lock.release
        self._count = 0  # written by its owner alone
        self._hold: Any = None
        self._serial = next(_serials)
        self._site = _site("RLock", _getframe(1))

    def acquire(self, blocking: bool = True, timeout: float = -1) -> bool:
        """Take the lock once more; whether it was taken."""
        if blocking and timeout == -1:
            try:
                held = _local.held
            except AttributeError:
                held = _begin()
            if held:
                _nested(self, _getframe(1), held)
            self._take()
        elif not self._take(blocking, timeout):
            return False
        self._count = count = self._count + 1
        if count == 1:
            self._note(_getframe(1))
        return True

    def __enter__(self) -> bool:
        try:
            held = _local.held
        except AttributeError:
            held = _begin()
        frame = _getframe(1)
        if held:
            _nested(self, frame, held)
        self._take()
        self._count = count = self._count + 1
        if count == 1:
            code = frame.f_code
            if self._site.eager or code is _enter_of_condition:
                hold = _hold(self, held, frame)
            else:
                hold = (self, held, code, frame.f_lasti, id(frame), None)
            self._hold = hold
            held.append(hold)
        return True

    def _note(self, frame: FrameType) -> None:
        """The calling thread holds it now."""
        try:
            held = _local.held
        except AttributeError:
            held = _begin()
        self._hold = hold = _hold(self, held, frame)
        held.append(hold)

    def release(self) -> None:
        """Let the lock go once."""
        count, hold = self._count, self._hold
        if count > 1:
            self._count = count - 1
        elif count:
            self._forget()
        try:
            self._drop()
        except RuntimeError:  # it is not the caller's
            self._count, self._hold = count, hold
            raise

    def __exit__(self, *_: object) -> None:
        self.release()

    def _forget(self) -> None:
        hold = self._hold
        self._count = 0
        self._hold = None
        if hold is not None:
            try:
                hold[1].remove(hold)
            except ValueError:
                pass

    def _release_save(self) -> Any:
        count = self._count
        self._forget()
        return count, self._lock._release_save()

    def _acquire_restore(self, state: Any) -> None:
        frame = _getframe(1)
        held = getattr(_local, "held", None)
        if held:
            _nested(self, frame, held)
        self._lock._acquire_restore(state[1])
        self._count = state[0]
        self._note(frame)

    def _is_owned(self) -> bool:
        return bool(self._lock._is_owned())

    def _recursion_count(self) -> int:
        return int(self._lock._recursion_count())

    def _at_fork_reinit(self) -> None:
        self._count = 0
        self._hold = None
        self._lock._at_fork_reinit()

    def __getattr__(self, name: str) -> Any:
        if name == "locked":  # there since 3.14
            return self._lock.locked
        raise AttributeError(f"{_REAL_RLOCK.__name__!r} object has no attribute {name!r}")

    @property  # type: ignore[misc]
    def __class__(self) -> Any:
        """For `isinstance`: what it stands for."""
        return _REAL_RLOCK

    def __reduce_ex__(self, protocol: Any) -> Any:
        raise TypeError(f"cannot pickle '{_REAL_RLOCK.__module__}.{_REAL_RLOCK.__name__}' object")

    def __repr__(self) -> str:
        return repr(self._lock)


def _hold(lock: Lock | RLock, held: _Held, frame: FrameType) -> tuple[Any, ...]:
    """What is kept of a lock while it is held."""
    if frame.f_code is _enter_of_condition and frame.f_back is not None:
        frame = frame.f_back
    site = lock._site
    stack = None
    if site.eager:
        site.eager -= 1
        stack = _stack(frame)
    return (lock, held, frame.f_code, frame.f_lasti, id(frame), stack)


# -- in force -------------------------------------------------------------------------------------------


def install() -> None:
    """Have each lock that is made from here on note who takes it.

    Raises:
        WeftError: `threading` is not the interpreter's own.
    """
    global _aside, _enter_of_condition
    if _state.installed is not None:
        return
    if threading.Lock not in (_thread.allocate_lock, _REAL_LOCK):
        raise WeftError(
            "the orders of locks are noted on the interpreter's own threads: `threading.Lock` is"
            f" {threading.Lock!r}"
        )
    _aside = (threading.Event.__init__.__code__, threading.Semaphore.__init__.__code__)
    _enter_of_condition = threading.Condition.__enter__.__code__
    thread = threading.Thread
    real_start, real_join = thread.start, thread.join

    def start(self: Any) -> None:
        mine = _mine()
        self.__dict__[_GIVEN] = (mine.chapter, dict(mine.clock))
        mine.clock[mine.number] += 1
        real_start(self)

    def join(self: Any, timeout: float | None = None) -> None:
        real_join(self, timeout)
        theirs = self.__dict__.get(_MINE)
        if theirs is not None and not self.is_alive():
            mine = _mine()
            if theirs.chapter is mine.chapter:
                for number, count in theirs.clock.items():
                    mine.clock[number] = max(count, mine.clock.get(number, 0))
            mine.clock[mine.number] += 1

    for ours, real in ((start, real_start), (join, real_join)):
        ours.__doc__, ours.__qualname__, ours.__module__ = real.__doc__, real.__qualname__, real.__module__
    _state.installed = {
        "Lock": threading.Lock,
        "RLock": threading.RLock,
        "start": real_start,
        "join": real_join,
    }
    patched: Any = threading
    patched.Lock, patched.RLock = Lock, RLock
    patched.Thread.start, patched.Thread.join = start, join


def uninstall() -> None:
    """Have new locks be the interpreter's own again; those that were made stay as they are."""
    before = _state.installed
    if before is None:
        return
    _state.installed = None
    _threading.Lock, _threading.RLock = before["Lock"], before["RLock"]
    _threading.Thread.start, _threading.Thread.join = before["start"], before["join"]


def stop_at(*codes: CodeType) -> None:
    """Have stacks end where that code runs: what is outside it is not the program's."""
    _kept.extend(codes)
    _stops.update(map(id, codes))


def turn_over() -> None:
    """A new chapter: what threads do from here on has no order with what they did.

    What the calling thread still holds it will hardly let go in the order of its taking: it is forgotten.
    """
    _state.chapter = object()
    _mine().clear()


def fetch() -> list[Nested]:
    """What has been recorded since the last time."""
    records, _state.records = _state.records, []
    return records
