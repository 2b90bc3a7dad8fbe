"""Events and barriers of a checked program."""

from typing import Any

from weft.check.world import MODEL, born
from weft.models.controlled import Task

__all__ = ["Event", "make_barrier"]

_point = MODEL.point


def _is_set(task: Task) -> bool:
    return task.target._flag or (task.deadline is not None and MODEL.now >= task.deadline)


class Event:
    """As `threading.Event`."""

    def __init__(self) -> None:
        self._flag = self._first = False
        born(self)

    def _put_back(self) -> None:
        self._flag = self._first

    def __repr__(self) -> str:
        cls = self.__class__
        status = "set" if self._flag else "unset"
        return f"<{cls.__module__}.{cls.__qualname__} at {id(self):#x}: {status}>"

    def _at_fork_reinit(self) -> None:
        pass

    def is_set(self) -> bool:
        """Whether it is set."""
        _point("is_set", self)
        return self._flag

    isSet = is_set  # noqa: N815 - CPython's old name

    def set(self) -> None:
        """Set it; all who wait go on."""
        _point("set", self)
        self._flag = True
        if not MODEL.active:
            self._first = True

    def clear(self) -> None:
        """Unset it."""
        _point("clear", self)
        self._flag = False
        if not MODEL.active:
            self._first = False

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until it is set, for at most `timeout` seconds; whether it is."""
        deadline = None if timeout is None else MODEL.after(max(0.0, timeout))
        _point("wait", self, None, None, _is_set, deadline)
        return self._flag


class _Round:
    """One filling of a barrier."""

    __slots__ = ("broken", "done")

    def __init__(self) -> None:
        self.done = self.broken = False


def _round_over(task: Task) -> bool:
    this = task.key
    return this.done or this.broken or (task.deadline is not None and MODEL.now >= task.deadline)


def make_barrier(broken_error: type[Exception]) -> type:
    """`threading.Barrier`, raising the module's own BrokenBarrierError."""

    class Barrier:
        """As `threading.Barrier`."""

        def __init__(self, parties: int, action: Any = None, timeout: float | None = None) -> None:
            if parties < 1:
                raise ValueError("parties must be >= 1")
            self._parties = parties
            self._action = action
            self._timeout = timeout
            self._put_back()
            born(self)

        def _put_back(self) -> None:
            self._count = 0
            self._round = _Round()
            self._is_broken = False

        def __repr__(self) -> str:
            cls = self.__class__
            name = f"{cls.__module__}.{cls.__qualname__} at {id(self):#x}"
            if self._is_broken:
                return f"<{name}: broken>"
            return f"<{name}: waiters={self._count}/{self._parties}>"

        def wait(self, timeout: float | None = None) -> int:
            """Wait for the other parties; a number from 0 that differs for each of them."""
            _point("barrier", self)
            if self._is_broken:
                raise broken_error
            index = self._count
            self._count += 1
            this = self._round
            if self._count == self._parties:
                return self._release(this, index)
            timeout = self._timeout if timeout is None else timeout
            deadline = None if timeout is None else MODEL.after(max(0.0, timeout))
            _point("wait", self, this, None, _round_over, deadline)
            if this.broken:
                raise broken_error
            if not this.done:
                self._break()
                raise broken_error
            return index

        def _release(self, this: _Round, index: int) -> int:
            try:
                if self._action is not None:
                    self._action()
            except BaseException:
                self._break()
                raise
            this.done = True
            self._count = 0
            self._round = _Round()
            return index

        def _break(self) -> None:
            self._is_broken = True
            self._round.broken = True
            self._count = 0

        def reset(self) -> None:
            """Back to empty; who waits gets BrokenBarrierError."""
            _point("reset", self)
            if self._count:
                self._round.broken = True
            self._count = 0
            self._round = _Round()
            self._is_broken = False

        def abort(self) -> None:
            """Break it; who waits, or will, gets BrokenBarrierError."""
            _point("abort", self)
            self._break()

        @property
        def parties(self) -> int:
            """How many threads it takes."""
            return self._parties

        @property
        def n_waiting(self) -> int:
            """How many wait now."""
            _point("waiting", self)
            return self._count

        @property
        def broken(self) -> bool:
            """Whether it is broken."""
            _point("waiting", self)
            return self._is_broken

    return Barrier
