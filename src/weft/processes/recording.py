"""Notes of what the threads of a program do, each in its own process, for `weft trace`.

Every process appends to one spool (weft.watch.spool), a whole chunk at a time, so nothing waits in memory
that a killed process would take along. Numbers mean the same everywhere: a thread and its carrier have the
number that the system gave its kernel thread, an object that of its cell, a place one that its process
made (who reads finds out which of them are one). The clock is one for all processes of a machine.

A wait is noted by who waits, when it is over or lasts; who ends it is noted by who sent the word.
"""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any, Protocol

from weft.core.places import place_of, whose
from weft.core.tracebacks import brief
from weft.core.wait import WaitReason
from weft.host import processes as machine
from weft.host.clock import nanoseconds

__all__ = ["Notes", "Spool", "notes", "use_notes"]

REST = 1  # the number of what idle workers wait for: even ones are cells, odd ones threads by their process
MINE = 20  # bits of a place's number that a process gives; those above are its own number
_PROGRAM = 0  # of weft.core.places.whose
_MACHINERY = f"{os.sep}multiprocessing{os.sep}"
_FUTURES = os.path.join("concurrent", "futures", "")


class Spool(Protocol):
    """What notes go to: weft.watch.spool.Spool."""

    def facts(self, content: dict[str, Any]) -> None:
        """Append one chunk."""
        ...

    def close(self, seconds: float) -> None:
        """Say the closing words."""
        ...


class Notes:
    """What one process notes; a forked child goes on with its parent's.

    Args:
        spool: where to.
        variable: the program's global variable that an object is bound to; None if there is none.
        name: of the calling thread, as it is now.
    """

    def __init__(
        self, spool: Spool, variable: Callable[[object], str | None], name: Callable[[], str]
    ) -> None:
        self._spool = spool
        self._name = name
        self._variable = variable
        self._began = nanoseconds()
        self._over = False
        self._met: set[int] = set()
        self._places: dict[str, int] = {}
        self._things: dict[int, str] = {}

    now = staticmethod(nanoseconds)

    def _append(self, fact: list[Any], **tables: list[Any]) -> None:
        if self._over:
            return
        try:
            self._spool.facts({**tables, "f": [fact]})
        except OSError as error:  # the disk is full, or the program has closed all that it does not know
            self._over = True
            sys.stderr.write(
                f"weft: the recording of {self._name()} has ended: it cannot be written: {error.strerror}\n"
            )

    def _me(self) -> int:
        """The caller's number; it is introduced if it was not."""
        me = machine.native_id()
        if me not in self._met:
            self.begins(self._name(), False, me == os.getpid() and not self._met)
        return me

    def _place(self, frame: FrameType | None, said: dict[str, list[Any]]) -> int | None:
        words = place_of(frame)
        if _MACHINERY in words:  # what carries a thread: no call of the program's
            return None
        number = self._places.get(words)
        if number is None:
            number = self._places[words] = (os.getpid() << MINE) + len(self._places) + 1
            said["p"] = [[number, words]]
        return number

    # -- threads -----------------------------------------------------------------------------------------

    def begins(self, name: str, daemon: bool, main: bool = False, by: int | None = None) -> None:
        """The caller runs a thread from here on; `by` has started it, if that was not noted there."""
        me, now = machine.native_id(), self.now()
        self._met.add(me)
        named: dict[str, list[Any]] = {"t": [[me, name, daemon, main]], "c": [[me, me]]}
        if main or by is not None:
            self._append(["s", now, me, by, None], **named)
        self._append(["b", now, me, me], **named)

    def starts(self, pid: int, name: str, daemon: bool, since: int, frame: FrameType | None) -> None:
        """The caller has begun to start a thread at a time, which is in a process of its own by now."""
        said: dict[str, list[Any]] = {"t": [[pid, name, daemon, False]]}
        me = self._me()
        place = self._place(frame, said)
        self._append(["s", since, pid, me, place], **said)

    def ends(self, error: BaseException | str | None = None, number: int | None = None) -> None:
        """A thread has ended, the caller's if no number is given, and by what error."""
        number = self._me() if number is None else number
        words = brief(error) if isinstance(error, BaseException) else error
        self._append(["e", self.now(), number, words])

    def close(self) -> None:
        """The program ends."""
        self.ends()
        if not self._over:
            self._spool.close((self.now() - self._began) / 1e9)

    # -- waits -------------------------------------------------------------------------------------------

    def parks(
        self,
        since: int,
        reason: WaitReason,
        key: int | None,
        words: str,
        frame: FrameType | None,
        holder: int | None = None,
    ) -> None:
        """The caller waits since a time: why, on what (a number and words), where, and who could end it."""
        said: dict[str, list[Any]] = {}
        me = self._me()
        place = None if frame is None else self._place(frame, said)
        if key is not None and self._things.get(key) != words:
            self._things[key] = words
            said["o"] = [[key, words]]
        self._append(["k", since, me, reason.name, key, place, holder], **said)

    def goes_on(self, cause: str = "timer") -> None:
        """The caller's wait is over; what ended it, if nobody has noted that."""
        me = self._me()
        self._append(["b", self.now(), me, me, cause])

    def wakes(self, waiter: int, frame: FrameType | None) -> None:
        """The caller is about to end somebody's wait."""
        said: dict[str, list[Any]] = {}
        me = self._me()
        place = self._place(frame, said)
        self._append(["u", self.now(), waiter, me, place], **said)

    @contextmanager
    def joining(self, pid: int, name: str, frame: FrameType | None) -> Iterator[Callable[[], None]]:
        """The caller waits for a thread's end inside the block, which calls what it is given if it comes."""
        self.parks(self.now(), WaitReason.JOIN, 2 * pid + 1, f"thread {name!r}", frame, pid)
        try:
            yield lambda: self._append(["u", self.now(), self._me(), pid, None])
        finally:
            self.goes_on()

    def rests(self, words: str) -> None:
        """The caller waits until it is given something to do."""
        self.parks(self.now(), WaitReason.OTHER, REST, words, None)

    @contextmanager
    def waiting(
        self, reason: WaitReason, key: int | None, words: str, frame: FrameType | None, cause: str
    ) -> Iterator[None]:
        """The caller waits inside the block, and something of the machine ends it."""
        self.parks(self.now(), reason, key, words, frame)
        try:
            yield
        finally:
            self.goes_on(cause)

    def parks_on(self, since: int, frame: FrameType | None, key: int, holder: int | None) -> None:
        """The caller waits for something made of a cell: for what is read off the frames of the call."""
        asked: Any = None
        innermost: Any = None
        reason = WaitReason.OTHER
        while frame is not None and whose(frame.f_code.co_filename) != _PROGRAM:
            me = frame.f_locals.get("self")
            why = getattr(type(me), "_why", None)
            if why is not None:
                asked, innermost = me, innermost or me
                reason = why if isinstance(why, WaitReason) else why.get(frame.f_code.co_name, reason)
            frame = frame.f_back
        words = self._called(asked, key)
        if innermost is not asked and type(innermost)._why is WaitReason.LOCK:
            reason, words = WaitReason.LOCK, f"the lock of {words}"
        self.parks(since, reason, 2 * key, words, frame, holder)

    def _called(self, thing: Any, key: int) -> str:
        kind = "state" if thing is None else type(thing).__name__
        variable = self._variable(thing)
        return f"{kind} {key}" if variable is None else f"{kind} {variable}"


notes: Notes | None = None


def use_notes(made: Notes | None) -> None:
    """From here on this process notes what its threads do, and those that it forks; None: no more."""
    global notes
    notes = made
    if made is None:
        machine.replace_waits(machine.real_sleep, machine.real_wait)
    else:
        machine.replace_waits(_sleep, _wait)


def _sleep(seconds: Any, /) -> None:
    """`time.sleep`, noted."""
    made = notes
    if made is None or not isinstance(seconds, (int, float)) or not seconds > 0:
        machine.real_sleep(seconds)
        return
    with made.waiting(WaitReason.SLEEP, None, "", sys._getframe(1), "timer"):
        machine.real_sleep(seconds)


def _wait(condition: Any, timeout: float | None = None) -> bool:
    """`Condition.wait` of CPython's own, in which the main kernel thread waits for futures, noted."""
    made = notes
    if made is None or not machine.on_main_kernel_thread():
        return machine.real_wait(condition, timeout)
    frame = sys._getframe(1)
    below = frame.f_back
    if _FUTURES not in frame.f_code.co_filename and (
        below is None or _FUTURES not in below.f_code.co_filename
    ):
        return machine.real_wait(condition, timeout)  # of a library's own
    with made.waiting(WaitReason.FUTURE, None, "", frame, "machine"):
        return machine.real_wait(condition, timeout)
