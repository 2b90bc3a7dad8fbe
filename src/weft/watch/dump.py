"""Reports of all threads: what each one does or waits for, who holds it, where, and the cycles."""

import sys
from collections.abc import Callable, Iterable, Sequence
from typing import IO

from weft.core.graph import cycles
from weft.core.thread import ControlBlock, State

__all__ = ["dump", "render", "render_deadlock"]

LISTED = 5  # descriptors of one wait that are told
ALIKE = 3  # threads that do the same and are told one by one
CYCLES = 10  # cycles that are told link by link


def _no_ends(_: int) -> str:
    return ""


def _descriptor_name(numbers: Sequence[int], ends: Callable[[int], str]) -> str:
    """Some descriptors, with the ends of those that are sockets."""
    words = [f"{fd} ({name})" if (name := ends(fd)) else str(fd) for fd in numbers[:LISTED]]
    more = f" and {len(numbers) - LISTED:,} more" if len(numbers) > LISTED else ""
    return f"descriptor{'s' if len(numbers) > 1 else ''} " + ", ".join(words) + more


def _object_name(on: object, ends: Callable[[int], str] = _no_ends) -> str:
    """A waited-on object in few words."""
    numbers = getattr(on, "numbers", None) if type(on).__module__.startswith("weft.") else None
    if numbers:
        return _descriptor_name(numbers, ends)
    if on is None:
        return ""
    if isinstance(on, str):
        return on
    if isinstance(on, ControlBlock):
        return f"{on.name!r}"
    cls = type(on)
    return f"<{cls.__module__}.{cls.__qualname__} at {id(on):#x}>"


def _line(block: ControlBlock, now: float | None, ends: Callable[[int], str] = _no_ends) -> str:
    wait = block.wait
    daemon = ", daemon" if block.daemon and block.label != "MainThread" else ""
    head = f"{block.name!r} ({block.state.value}{daemon})"
    if wait is None:
        if block.state is State.RUNNING and block.carrier.sleeps(block):
            return f"{head} waits in a call of the system\n      at {block.carrier.place(block)}"
        return head
    words = [head, str(wait.reason)]
    name = _object_name(wait.on, ends)
    if name and wait.reason.name != "SLEEP":
        words.append(name)
    if wait.holder is not None and wait.holder is not wait.on:
        words.append(f"held by {wait.holder.name!r}" + (", which has ended" if wait.holder.done else ""))
    if now is not None and now >= wait.since:
        words.append(f"for {now - wait.since:.2f} s")
    return " ".join(words) + f"\n      at {wait.place}"


def render(
    blocks: Iterable[ControlBlock],
    now: float | None = None,
    stacks: bool = True,
    ends: Callable[[int], str] = _no_ends,
) -> str:
    """Every thread with its state, its wait and its stack, and the cycles among them.

    Args:
        blocks: the threads.
        now: the monotonic clock, for the ages of waits; None leaves them out.
        stacks: also each thread's calls, outermost first.
        ends: says of a descriptor what it is connected to, or nothing.
    """
    listed = list(blocks)
    lines = [f"{len(listed):,} thread{'s' if len(listed) != 1 else ''}"]
    lines += _grouped(listed, now, ends, stacks)
    lines += _cycle_lines(listed)
    return "\n".join(lines)


def _cycle_lines(blocks: Sequence[ControlBlock]) -> list[str]:
    lines: list[str] = []
    found = cycles(blocks)
    for cycle in found[:CYCLES]:
        lines.append("  cycle: " + " -> ".join(repr(b.name) for b in [*cycle, cycle[0]]))
        for block in cycle:
            wait = block.wait
            if wait is not None and wait.holder is not None:
                held = "" if wait.holder is wait.on else f" that {wait.holder.name!r} holds"
                lines.append(
                    f"    {block.name!r} {wait.reason} {_object_name(wait.on)}{held}, at {wait.place}"
                )
    if len(found) > CYCLES:
        lines.append(f"  and {len(found) - CYCLES:,} more cycles")
    return lines


def render_deadlock(blocks: Iterable[ControlBlock], note: str = "") -> str:
    """The report of a program that is stuck: who waits for whom, and nothing that could change it."""
    listed = list(blocks)
    lines = ["weft: deadlock: every thread waits and nothing can wake one" + (f" ({note})" if note else "")]
    lines += _grouped(listed)
    lines += _cycle_lines(listed) or [
        "  no cycle: what they wait for is never released, set, put, taken or sent"
    ]
    return "\n".join(lines)


def _grouped(
    blocks: Sequence[ControlBlock],
    now: float | None = None,
    ends: Callable[[int], str] = _no_ends,
    stacks: bool = False,
) -> list[str]:
    """What each thread does, but for those of which ALIKE have been told: they are counted.

    With stacks, those alone are alike that are in the same calls, which are told once for all of them.
    """
    alike: dict[tuple[object, ...], tuple[list[str], list[ControlBlock]]] = {}
    for block in blocks:
        wait, state = block.wait, block.state
        # A place may be told by the thread's name, which is no difference.
        what = wait and (wait.reason, type(wait.on), wait.place.replace(repr(block.name), ""))
        calls = block.stack() if (stacks or wait is None) and state is not State.NEW else []
        alike.setdefault((state, what, *calls, block.daemon), (calls, []))[1].append(block)
    lines = []
    for calls, group in alike.values():
        told = group if len(group) <= ALIKE + 1 else group[:ALIKE]
        for block in told:
            line = "  " + _line(block, now, ends)
            lines.append(line)
            said = len(calls) == 1 and line.endswith(f"\n      at {calls[0]}")
            if stacks and not said and (block is group[0] or told is group):
                lines += [f"        {place}" for place in calls]
        if len(told) < len(group):
            lines.append(f"  and {len(group) - len(told):,} more like it")
    return lines


def dump(
    blocks: Iterable[ControlBlock],
    now: float | None = None,
    file: IO[str] | None = None,
    ends: Callable[[int], str] = _no_ends,
) -> None:
    """Print `render(...)` to a file (stderr)."""
    print(render(blocks, now, ends=ends), file=file if file is not None else sys.stderr, flush=True)
