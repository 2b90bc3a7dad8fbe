"""Processes that do units: children forked from this one, each for one unit, so many at a time.

Each begins from the same state, in which nothing has been run: what comes of a unit does not depend on what
came before it in some process.
"""

import traceback
from collections.abc import Callable
from typing import Any, Protocol

from weft.check.plan import Planned
from weft.errors import WeftError
from weft.host.children import Child, Interrupts, fork_child, ready
from weft.host.clock import monotonic
from weft.host.shared import SharedNumbers

__all__ = ["STUCK", "ForkedWorkers", "Lost", "Workers", "ask_child"]

STUCK = 10.0  # seconds without an execution, after which a process is taken to be stuck
# On a machine with other work the clock on the wall says little: who computes is stuck after so many seconds
# of a processor, and who gets less than a part of one has fallen asleep in a call.
AWAKE = 0.05
LONGEST = 6 * STUCK  # seconds on the wall, whatever it gets
LOOK = 8  # executions between two looks at the clock
INFINITE = float("inf")
KILLED = frozenset({1, 2, 3, 9, 14, 15, 24})  # signals by which others end a process


class Lost:
    """A unit of which nothing came back.

    Attributes:
        status: the wait status of its process.
        stuck: it was ended since it came to no scheduling point for long.
        killed: somebody else has ended it.
    """

    def __init__(self, status: int, stuck: bool = False, killed: bool = False) -> None:
        self.status = status
        self.stuck = stuck
        self.killed = killed


class Workers(Protocol):
    """Who does units.

    Attributes:
        jobs: how many at a time.
    """

    jobs: int

    def free(self, together: bool) -> bool:
        """Whether another one can be begun; together: while others are done."""

    def begin(self, unit: Planned, knowledge: Any) -> None:
        """Have it done."""

    def wait(self, seconds: float) -> list[tuple[Planned, Any]]:
        """Units that have been done since, with what came of them or a Lost; waits for the first."""

    def running(self) -> int:
        """Executions of units that are not done."""

    def cut(self, patience: float) -> None:
        """Have all that are being done come to their end, in so many seconds."""

    def drop(self) -> None:
        """Have nothing done any more."""

    def close(self) -> None:
        """The end."""


class _Progress:
    """When a child was last seen to get on, and what it has had of a processor by then."""

    def __init__(self, child: Child) -> None:
        self._child = child
        self.note()

    def note(self) -> None:
        """It has got on."""
        self._since = monotonic()
        self._spent = self._child.processor_time()

    def is_stuck(self) -> bool:
        """Whether it has not for so long that it will not."""
        passed = monotonic() - self._since
        if passed <= STUCK:
            return False
        spent = self._child.processor_time()
        if passed > LONGEST or spent is None or self._spent is None:
            return True
        return not AWAKE * passed < spent - self._spent < STUCK * 0.8


class _Busy:
    """A child with its unit, and how it gets on."""

    __slots__ = ("child", "progress", "seen", "slot", "unit")

    def __init__(self, child: Child, unit: Planned, slot: int) -> None:
        self.child = child
        self.unit = unit
        self.slot = slot
        self.seen = 0
        self.progress = _Progress(child)


class ForkedWorkers:
    """Children of this process.

    Args:
        jobs: how many at a time.
        do: does a unit: called in the child with the unit, what is known, and a beat (weft.check.units).
        until: when they have to be at their end, as `monotonic` says it.
    """

    def __init__(
        self, jobs: int, do: Callable[..., Any], until: float, interrupts: Interrupts | None
    ) -> None:
        self.jobs = jobs
        self._do = do
        self._until = until
        self._interrupts = interrupts
        self._busy: list[_Busy] = []
        self._numbers = SharedNumbers(jobs + 1)  # 1 in the first: all have to stop; executions of each
        self._killed_at = INFINITE

    def free(self, together: bool) -> bool:
        """Whether another one can be begun; together: while others are done."""
        return len(self._busy) < (self.jobs if together else 1)

    def begin(self, unit: Planned, knowledge: Any) -> None:
        """Fork a child that does it."""
        slot = min(set(range(1, self.jobs + 1)) - {busy.slot for busy in self._busy})
        numbers = self._numbers
        numbers[slot] = 0

        def beat() -> bool:
            numbers[slot] = count = numbers[slot] + 1
            if numbers[0]:
                return True
            return count % LOOK == 1 and monotonic() >= self._until

        def work(send: Any) -> None:
            send(self._do(unit, knowledge, beat))

        self._busy.append(_Busy(fork_child(_guarded(work, self._interrupts)), unit, slot))

    def wait(self, seconds: float) -> list[tuple[Planned, Any]]:
        """Units that have been done since, with what came of them or a Lost; waits for the first."""
        done = []
        if not self._busy:
            return []
        children = ready([busy.child for busy in self._busy], seconds)
        now = monotonic()
        for busy in list(self._busy):
            outcome = _heard(busy.child) if busy.child in children else None
            if outcome is None and self._is_stuck(busy, now):
                outcome = Lost(busy.child.end(kill=True), stuck=not self._numbers[0])
            if outcome is not None:
                self._busy.remove(busy)
                done.append((busy.unit, outcome))
        return done

    def _is_stuck(self, busy: _Busy, now: float) -> bool:
        count = self._numbers[busy.slot]
        if count != busy.seen:
            busy.seen = count
            busy.progress.note()
        return now > self._killed_at or busy.progress.is_stuck()

    def running(self) -> int:
        """Executions of units that are not done."""
        return sum(self._numbers[busy.slot] for busy in self._busy)

    def cut(self, patience: float) -> None:
        """Have all that are being done come to their end, in so many seconds."""
        self._numbers[0] = 1
        self._killed_at = min(self._killed_at, monotonic() + patience)

    def drop(self) -> None:
        """End all children."""
        for busy in self._busy:
            busy.child.end(kill=True)
        self._busy = []

    close = drop


def _heard(child: Child) -> Any:
    """What a child has sent, or a Lost if it has ended without a word; None: not yet."""
    try:
        if not child.read():
            return None
        piece = child.receive(0)
    except EOFError:
        status = child.end()
        return Lost(status, killed=(status & 0x7F) in KILLED)
    child.end()
    _raise_failed(piece)
    return piece


def _guarded(work: Callable[[Any], object], interrupts: Interrupts | None) -> Callable[[Any], None]:
    """What the child does: also what is wrong with the checker itself is sent."""

    def guarded(send: Any) -> None:
        if interrupts is not None:
            interrupts.leave()
        try:
            work(send)
        except BaseException:
            send({"failed": traceback.format_exc()})
            raise

    return guarded


def _raise_failed(piece: Any) -> None:
    if type(piece) is dict and "failed" in piece:
        raise WeftError(f"the checker itself failed, please report it:\n{piece['failed']}")


def ask_child(work: Callable[[Any], object], interrupts: Interrupts | None) -> tuple[list[Any], int, bool]:
    """What a child sends until it ends; its wait status; whether it said nothing for long and was killed."""
    child = fork_child(_guarded(work, interrupts))
    pieces: list[Any] = []
    stuck = False
    progress = _Progress(child)
    while not stuck:
        try:
            pieces.append(child.receive(STUCK))
            progress.note()
        except TimeoutError:
            stuck = progress.is_stuck()
        except EOFError:
            break
    status = child.end(kill=stuck)
    if pieces:
        _raise_failed(pieces[-1])
    return pieces, status, stuck
