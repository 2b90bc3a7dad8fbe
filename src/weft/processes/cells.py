"""A piece of state that all processes of a program share, and how one waits for it.

A *cell* is a slot of one file in memory. `change` locks the slot's first byte, reads, calls a function,
writes. The system lets go of locks of a process that dies, so nobody waits for a dead one here.

One waits by putting an entry into a list in a cell, and sleeping on one's *baton*: a socket that is told by
a datagram. Who takes an entry off the list tells its baton, within the same change. So who gives up looks
first whether it is still listed: if not, the word is on its way.
"""

import _thread
import fcntl
import marshal
import os
import shutil
import sys
import tempfile
from collections.abc import Callable
from typing import Any

from weft.errors import WeftError
from weft.host.processes import bound_socket, is_alive, monotonic, send_quietly
from weft.processes import recording
from weft.processes.programs import is_programs

__all__ = ["SLOT", "Arena", "Cell", "Entry", "Waiter", "arena", "tell", "use_arena"]

SLOT = 4096  # bytes; what does not fit goes to a file of its own
SPILLED = marshal.dumps(None)
PREFIX = "weft-processes-"
MARK = b"B"
Entry = tuple[str, int]  # a baton's name, and which wait of it


class Arena:
    """The folder and the file in which the processes of one program share their state.

    Args:
        folder: that of an arena that is there already; None: make one.
        stable: whether state made while a module is imported is known by its place in the source, so that a
            process that imports the module afresh meets the same.
    """

    def __init__(self, folder: str | None = None, stable: bool = False) -> None:
        self.mine = folder is None
        self.folder = folder or self._make()
        self.stable = stable
        self.maker = os.getpid()
        self.fd = os.open(os.path.join(self.folder, "cells"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        self.started = 0  # how many processes this one has started
        self.made_at: dict[tuple[str, int], int] = {}
        if self.mine:
            os.pwrite(self.fd, marshal.dumps([2, [], {}]), 0)  # next free slot, free ones, slots by place
            os.pwrite(self.fd, marshal.dumps({}), SLOT)

    @staticmethod
    def _make() -> str:
        base = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None  # noqa: S108 - mkdtemp makes it ours
        where = base or tempfile.gettempdir()
        for name in os.listdir(where):  # those of programs that were killed
            pid = name.removeprefix(PREFIX).partition("-")[0]
            if name.startswith(PREFIX) and pid.isdigit() and not is_alive(int(pid)):
                shutil.rmtree(os.path.join(where, name), ignore_errors=True)
        return tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-", dir=base)

    def close(self) -> None:
        """Take the folder away, if this process made it."""
        os.close(self.fd)
        if self.mine and self.maker == os.getpid():
            shutil.rmtree(self.folder, ignore_errors=True)

    def place(self) -> Any:
        """Where in a module that is being imported the caller makes something, and for the how-manieth time.

        None if no module is being imported: such a thing is like no other.
        """
        if not self.stable:
            return None
        line = None
        frame: Any = sys._getframe(1)
        while frame is not None:
            code = frame.f_code
            if is_programs(code.co_filename):
                line = line or (code.co_filename, frame.f_lineno)
                if code.co_name == "<module>":
                    count = self.made_at[line] = self.made_at.get(line, 0) + 1
                    return (*line, count)
            frame = frame.f_back
        return None


_arena: Arena | None = None


def arena() -> Arena:
    """The arena of this program."""
    if _arena is None:
        raise WeftError("the process model is not in force: use `weft run --model process`")
    return _arena


def use_arena(made: Arena | None) -> None:
    """Name this program's arena."""
    global _arena
    _arena = made


_inside = _thread.RLock()  # one kernel thread of a process at a time; a signal's handler may come in between
_inside_pid = os.getpid()


class Cell:
    """One shared piece of state: what `marshal` can write, lists and numbers mostly.

    Args:
        first: what it is at first.
        slot: that of a cell that is there already.
    """

    __slots__ = ("_private", "new", "slot")

    def __init__(self, first: Any = None, slot: int | None = None) -> None:
        self._private = -1
        self.new = False  # whether it was made here, and not met
        if slot is not None:
            self.slot = slot
            return
        where = arena()
        place = where.place()
        self.slot, self.new = _FREE.change(_take_slot, place)
        if self.new:
            os.pwrite(where.fd, marshal.dumps(first), self.slot * SLOT)
        if place is None:
            self._private = where.started

    def change(self, function: Callable[..., Any], *args: Any) -> Any:
        """Call `function(state, *args)` while nobody else does; what it did to the state is kept."""
        global _inside, _inside_pid
        if _inside_pid != os.getpid():  # another kernel thread may have been inside when we were forked
            _inside, _inside_pid = _thread.RLock(), os.getpid()
        fd, offset = arena().fd, self.slot * SLOT
        with _inside:
            fcntl.lockf(fd, fcntl.LOCK_EX, 1, offset)
            try:
                state = self._read(fd, offset)
                result = function(state, *args)
                data = marshal.dumps(state)
                if len(data) > SLOT:
                    with open(self._spill(), "wb") as file:
                        file.write(data)
                    data = SPILLED
                os.pwrite(fd, data, offset)
                return result
            finally:
                fcntl.lockf(fd, fcntl.LOCK_UN, 1, offset)

    def look(self, function: Callable[..., Any], *args: Any) -> Any:
        """Call a function that changes nothing."""
        return self.change(function, *args)

    def _read(self, fd: int, offset: int) -> Any:
        state = marshal.loads(os.pread(fd, SLOT, offset))  # noqa: S302 - it is our own
        if state is None:
            with open(self._spill(), "rb") as file:
                state = marshal.load(file)  # noqa: S302
        return state

    def _spill(self) -> str:
        return os.path.join(arena().folder, f"spill{self.slot}")

    def __reduce__(self) -> Any:
        self._private = -1
        return Cell, (None, self.slot)

    def __del__(self) -> None:
        """Give the slot back, if nobody else can have come to know it."""
        where = _arena
        if where is not None and self._private == where.started and where.maker == os.getpid():
            try:
                _FREE.change(_give_slot, self.slot)
            except OSError:
                pass


def _take_slot(state: list[Any], place: Any) -> tuple[int, bool]:
    _, free, known = state
    if place is not None and place in known:
        return known[place], False
    if free:
        slot = free.pop()
    else:
        slot = state[0]
        state[0] += 1
    if place is not None:
        known[place] = slot
    return slot, True


def _give_slot(state: list[Any], slot: int) -> None:
    state[1].append(slot)


_FREE = Cell(slot=0)


class _Baton(_thread._local):
    """What one kernel thread of one process is woken by."""

    pid = 0

    def get(self) -> "_Baton":
        if self.pid != os.getpid():
            self.pid = os.getpid()
            self.name = f"{self.pid}.{_thread.get_native_id()}"
            path = os.path.join(arena().folder, self.name)
            if os.path.exists(path):  # of a process that had this number before
                os.unlink(path)
            self.socket = bound_socket(path)
            self.count = 0
        return self


_baton = _Baton()


class Waiter:
    """One wait of the caller: made, put into a list as `entry`, then waited for."""

    __slots__ = ("_mine", "_since", "entry")

    def __init__(self) -> None:
        self._since = 0 if recording.notes is None else recording.notes.now()
        self._mine = mine = _baton.get()
        mine.count += 1
        self.entry: Entry = (mine.name, mine.count)

    def wait(self, cell: Cell, timeout: float | None, undo: Callable[[], object]) -> bool:
        """Sleep until told; False: the time is over, and the entry is off the cell's list (its last item).

        If an exception ends the wait after the word has been sent, `undo` passes on what was given.
        """
        made = recording.notes
        if made is None:
            return self._wait(cell, timeout, undo)
        holder = cell.look(_first)
        number = kernel_thread_of(holder) if isinstance(holder, str) and holder != self.entry[0] else None
        made.parks_on(self._since, sys._getframe(1), cell.slot, number)
        cause = "signal"
        try:
            found = self._wait(cell, timeout, undo)
            cause = "timer"
            return found
        finally:
            made.goes_on(cause)

    def _wait(self, cell: Cell, timeout: float | None, undo: Callable[[], object]) -> bool:
        deadline = None if timeout is None else monotonic() + timeout
        try:
            if self._sleep(deadline):
                return True
        except BaseException:
            if not cell.change(_withdraw, self.entry):
                self._sleep(None)
                undo()
            raise
        if cell.change(_withdraw, self.entry):
            return False
        return self._sleep(None)

    def _sleep(self, deadline: float | None) -> bool:
        end = self._mine.socket
        while True:
            if deadline is None:
                end.settimeout(None)
            else:
                left = deadline - monotonic()
                if left <= 0:
                    return False
                end.settimeout(left)
            try:
                if int(end.recv(32)) == self.entry[1]:
                    return True
            except TimeoutError:
                return False


def _withdraw(state: Any, entry: Entry) -> bool:
    try:
        state[-1].remove(entry)
    except ValueError:
        return False
    return True


def _first(state: Any) -> Any:
    return state[0]


def kernel_thread_of(baton: str) -> int | None:
    """The system's number for the kernel thread that a baton belongs to; None if it is nobody's."""
    return int(baton.rpartition(".")[2]) if baton else None


def tell(entry: Entry) -> bool:
    """Tell a waiter that was taken off a list; False: its process has ended."""
    if recording.notes is not None:
        recording.notes.wakes(kernel_thread_of(entry[0]) or 0, sys._getframe(1))
    return send_quietly(os.path.join(arena().folder, entry[0]), b"%d" % entry[1])
