"""A carrier for tests of the core: the test is its scheduler, so nothing runs unless the test says so."""

from collections import deque
from collections.abc import Callable
from typing import Any

from weft.core.parking import wake
from weft.core.thread import ControlBlock
from weft.core.timers import Timers
from weft.core.wait import WaitReason


class FakeCarrier:
    """A carrier (weft.core.ports) on which nothing is ever switched.

    A park calls `meanwhile`, which stands for all that other threads do until the parked one is resumed.
    """

    def __init__(self) -> None:
        self.ready: deque[Any] = deque()
        self.push: Callable[[Any], None] = self.ready.append
        self.timers = Timers()
        self.waiting = False
        self.native_id = 1
        self.poller = None
        self.now = 100.0
        self.wakes = 0
        self.meanwhile: Callable[[], object] = lambda: None

    def pick(self) -> Callable[[], Any]:
        return self.ready.popleft()  # type: ignore[no-any-return]

    def idle(self) -> Callable[[], Any]:
        """Nothing was ready: let the others act, then run whoever they have woken."""
        self.meanwhile()
        return self.ready.popleft()  # type: ignore[no-any-return]

    def wake(self) -> None:
        self.wakes += 1

    def alone(self) -> bool:
        return False

    def breathe(self) -> None:
        pass

    def frame(self, block: ControlBlock, known: object = None) -> None:
        return None

    def ready_now(self) -> Callable[[ControlBlock], bool]:
        return self.holds

    def holds(self, block: ControlBlock) -> bool:
        return block.resume in self.ready

    def sleeps(self, block: ControlBlock) -> bool:
        return False

    def place(self, block: ControlBlock) -> str:
        return "here"

    def stack(self, block: ControlBlock) -> list[str]:
        return ["here"]


class Lot:
    """The least thing that can be waited on: a list of waiters, and a holder that tests set."""

    def __init__(self, holder: ControlBlock | None = None) -> None:
        self.waiters: deque[ControlBlock] = deque()
        self.holder = holder

    def register(self, block: ControlBlock) -> None:
        block.on = self
        self.waiters.append(block)

    def release_one(self) -> ControlBlock:
        """Take the oldest off the list, and so own its one wake."""
        block = self.waiters.popleft()
        wake(block)
        return block

    def _withdraw(self, block: ControlBlock) -> bool:
        try:
            self.waiters.remove(block)
        except ValueError:
            return False
        return True

    def _explain(self, block: ControlBlock) -> tuple[WaitReason, object, ControlBlock | None]:
        return WaitReason.LOCK, self, self.holder


def begun(carrier: FakeCarrier | None = None, name: str | None = None) -> ControlBlock:
    """A block that runs: it has begun, and waits for nothing."""
    block = ControlBlock(carrier or FakeCarrier())
    block.begun = True
    block.label = name
    block.resume = lambda: None
    return block
