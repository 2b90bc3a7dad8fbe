"""Tells of threads that have waited for very long for what another one has.

Only of waits that somebody in the program is to end, and that rarely last: for a lock, for the end of a
thread, or for whatever else has one holder. A worker without work waits for long, and so does who waits for a
connection.
"""

from collections.abc import Callable
from typing import Any, Protocol

from weft.core.thread import ControlBlock, State
from weft.core.wait import Wait, WaitReason
from weft.watch.listing import object_name

__all__ = ["Stalls"]

LONGEST_LOOK = 1.0  # seconds between two looks, at most
SHARE = 20  # of the time, looks take one part at most: with very many threads they are rare
LINKS = 20  # of a chain that are told
COUNTED = (WaitReason.LOCK, WaitReason.JOIN)


class _Bell(Protocol):
    def acquire(self, blocking: bool = True, timeout: float = -1) -> bool: ...
    def release(self) -> None: ...


class Stalls:
    """Looks again and again, on a kernel thread of its own, until it is called off.

    Args:
        blocks: the threads.
        limit: seconds of one wait after which it is told, once.
        clock: monotonic seconds.
        bell: a lock that is taken.
        tell: prints a report.
    """

    def __init__(
        self,
        blocks: Callable[[], list[ControlBlock]],
        limit: float,
        clock: Callable[[], float],
        bell: _Bell,
        tell: Callable[[str], object],
    ) -> None:
        self._blocks = blocks
        self._limit = limit
        self._clock = clock
        self._bell = bell
        self._tell = tell
        self._told: dict[ControlBlock, float] = {}  # since when the wait was that has been told

    def call_off(self) -> None:
        """Have `serve` return soon."""
        self._bell.release()

    def serve(self) -> None:
        """Look at all threads from time to time."""
        took = 0.0
        while not self._bell.acquire(timeout=max(min(self._limit / 4, LONGEST_LOOK), took * SHARE)):
            begun = self._clock()
            try:
                self.look()
            except Exception as error:  # noqa: BLE001 - it must not end the program, nor go on in silence
                self._tell(f"the look at waits has failed, and is not made again: {error!r}")
                self._bell.acquire()
                return
            took = self._clock() - begun

    def look(self) -> None:
        """Tell of what has lasted too long and has not been told yet."""
        now = self._clock()
        limit = now - self._limit
        found = []
        for block in self._blocks():
            if block.on is not None and 0 < block.since <= limit and self._told.get(block) != block.since:
                wait = block.wait
                if wait is not None and wait.since <= limit and _counts(wait):
                    found.append((block, wait))
        for block, wait in found:
            self._told[block] = wait.since
        for block in [block for block in self._told if block.done]:
            del self._told[block]
        for block, wait in found:
            self._tell("\n".join(_chain(block, wait, now)))


def _counts(wait: Wait) -> bool:
    return wait.reason in COUNTED or wait.holder is not None


def _chain(block: ControlBlock, wait: Wait, now: float) -> list[str]:
    """A wait, who could end it, what that one waits for, and so on."""
    lines = [f"{block.name!r} {_words(wait, now)}", f"      at {wait.place}"]
    seen = {block}
    holder = wait.holder
    while holder is not None:
        name = repr(holder.name)
        if holder in seen:
            lines.append(f"    {name} is where this began: none of them will ever go on")
            break
        seen.add(holder)
        if holder.done:
            lines.append(f"    {name} has ended, and will not let it go")
            break
        if len(seen) > LINKS:
            lines.append("    ...")
            break
        next_wait = holder.wait
        if next_wait is None:
            state, stack = holder.state, holder.stack()
            lines.append(f"    {name} {'is ready to run' if state is State.READY else 'runs'}")
            lines += [f"      at {stack[-1]}"] if stack else []
            break
        lines += [f"    {name} {_words(next_wait, now)}", f"      at {next_wait.place}"]
        holder = next_wait.holder
    return lines


def _words(wait: Wait, now: float) -> str:
    words: list[Any] = [wait.reason]
    name = object_name(wait.on)
    if name and wait.reason is not WaitReason.SLEEP:
        words.append(name)
    if wait.holder is not None and wait.holder is not wait.on:
        words.append(f"held by {wait.holder.name!r}")
    if now >= wait.since:
        words.append(f"for {now - wait.since:.2f} s")
    return " ".join(map(str, words))
