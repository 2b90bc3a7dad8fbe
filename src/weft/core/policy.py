"""Who runs next: policies.

A policy sees control blocks and nothing else. One of your own is three methods:

    class Lifo:
        def __init__(self):
            self.ready = []
        def add(self, block):
            self.ready.append(block)
        def pick(self):
            return self.ready.pop()        # IndexError when empty
        def __len__(self):
            return len(self.ready)

and `weft run --policy module:Lifo program.py` runs a program under it. A policy may keep what it likes in
`block.policy_data` and reads `block.priority`. It is called with the carrier's thread in the middle of a
switch: it must not block, and it should not call into the program.
"""

import importlib
import itertools
from collections import deque
from heapq import heappop, heappush
from typing import Protocol

from weft.core.thread import ControlBlock
from weft.errors import WeftError

__all__ = ["FairShare", "Fifo", "Policy", "Priority", "make_policy"]


class Policy(Protocol):
    """Chooses among the ready threads of one carrier."""

    def add(self, block: ControlBlock) -> None:
        """A thread has become ready."""

    def pick(self) -> ControlBlock:
        """Take out and return the thread that runs next; raises IndexError when none is ready."""

    def __len__(self) -> int:
        """How many are ready."""


class Fifo:
    """First ready, first run. The user model runs it straight off a deque, with no policy call."""

    def __init__(self) -> None:
        self._ready: deque[ControlBlock] = deque()

    def add(self, block: ControlBlock) -> None:
        """A thread has become ready."""
        self._ready.append(block)

    def pick(self) -> ControlBlock:
        """Take out and return the thread that runs next; raises IndexError when none is ready."""
        return self._ready.popleft()

    def __len__(self) -> int:
        return len(self._ready)


class Priority:
    """The smallest `block.priority` first, in order of readiness among equals. Strict: it may starve."""

    def __init__(self) -> None:
        self._heap: list[tuple[int, int, ControlBlock]] = []
        self._number = itertools.count().__next__

    def add(self, block: ControlBlock) -> None:
        """A thread has become ready."""
        heappush(self._heap, (block.priority, self._number(), block))

    def pick(self) -> ControlBlock:
        """Take out and return the thread that runs next; raises IndexError when none is ready."""
        return heappop(self._heap)[2]

    def __len__(self) -> int:
        return len(self._heap)


class FairShare:
    """Whoever has run least goes first: stride scheduling (Waldspurger and Weihl, 1995).

    Each dispatch adds a stride to the thread's pass; the smallest pass runs. A thread of priority p
    gets a stride 1.25 ** p times the usual one, so each step of priority is a quarter more or less of
    the processor. A thread that slept does not save up: its pass is raised to the current one.
    """

    STRIDE = 1.0
    STEP = 1.25

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, ControlBlock]] = []
        self._number = itertools.count().__next__
        self._pass = 0.0

    def add(self, block: ControlBlock) -> None:
        """A thread has become ready."""
        mine = max(block.policy_data or 0.0, self._pass)
        block.policy_data = mine + self.STRIDE * self.STEP**block.priority
        heappush(self._heap, (mine, self._number(), block))

    def pick(self) -> ControlBlock:
        """Take out and return the thread that runs next; raises IndexError when none is ready."""
        self._pass, _, block = heappop(self._heap)
        return block

    def __len__(self) -> int:
        return len(self._heap)


def make_policy(name: str) -> Policy | None:
    """The policy of that name, or the class that "module:Class" names; None for FIFO.

    Raises:
        WeftError: there is no such module or class, or it is no policy.
    """
    if name == "fifo":
        return None
    if name == "priority":
        return Priority()
    if name == "fair":
        return FairShare()
    module_name, _, class_name = name.partition(":")
    try:
        made: Policy = getattr(importlib.import_module(module_name), class_name)()
    except (ImportError, AttributeError, TypeError) as error:
        raise WeftError(f"the policy {name!r} cannot be made: {error}") from error
    missing = [m for m in ("add", "pick", "__len__") if not callable(getattr(made, m, None))]
    if missing:
        raise WeftError(f"{name} is no policy: it lacks {', '.join(missing)} (see weft.core.policy)")
    return made
