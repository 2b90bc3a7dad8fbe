"""Reports of all threads: what each one does or waits for, who holds it, where, and the cycles."""

import sys
from collections.abc import Callable, Iterable, Mapping
from types import FrameType
from typing import IO, Any

from weft.core.thread import ControlBlock
from weft.watch.listing import Lister
from weft.wording import counted

__all__ = ["cycle_lines", "cycle_marks", "dump", "render", "render_deadlock", "render_listing", "wait_words"]


def _no_ends(_: int) -> str:
    return ""


def render(
    blocks: Iterable[ControlBlock],
    now: float | None = None,
    stacks: bool = True,
    ends: Callable[[int], str] = _no_ends,
    frames: Callable[[], Mapping[int, FrameType] | None] = lambda: None,
) -> str:
    """Every thread with its state, its wait and its stack, and the cycles among them.

    Args:
        blocks: the threads.
        now: the monotonic clock, for the ages of waits; None leaves them out.
        stacks: also each thread's calls, outermost first.
        ends: says of a descriptor what it is connected to, or nothing.
        frames: the innermost frames of kernel threads, by ident.
    """
    return render_listing(Lister(now, stacks, ends=ends, frames=frames).take(blocks), stacks)


def render_listing(listing: Mapping[str, Any], stacks: bool) -> str:
    """The same of a listing (weft.watch.listing), which may have come from another process."""
    count = listing["threads"]
    lines = [counted(count, "thread")]
    lines += _group_lines(listing, stacks)
    lines += cycle_lines(listing)
    return "\n".join(lines)


def render_deadlock(blocks: Iterable[ControlBlock]) -> str:
    """The report of a program that is stuck: who waits for whom, and nothing that could change it."""
    listing = Lister().take(blocks)
    lines = ["weft: deadlock: every thread waits and nothing can wake one"]
    lines += _group_lines(listing, stacks=False)
    lines += cycle_lines(listing) or [
        "  no cycle: what they wait for is never released, set, put, taken or sent"
    ]
    return "\n".join(lines)


def wait_words(group: Mapping[str, Any], member: Mapping[str, Any]) -> str:
    """Why and on what a thread waits, for whom and how long; "" if it does not."""
    if group["reason"] is None:
        return "waits in a call of the system" if member.get("in_system") else ""
    words = [str(group["reason"])]
    if member.get("object"):
        words.append(member["object"])
    if "holder" in member and not member["holder_is_object"]:
        words.append(
            f"held by {member['holder']!r}" + (", which has ended" if member["holder_ended"] else "")
        )
    if "age" in member:
        words.append(f"for {member['age']:.2f} s")
    return " ".join(words)


def _line(group: Mapping[str, Any], member: Mapping[str, Any], marks: Mapping[int, int]) -> str:
    daemon = ", daemon" if group["daemon"] else ""
    spent = member.get("processor_time")
    time = f", {spent:.2f} s of processor time" if spent is not None else ""
    marked = f", in cycle {marks[member['ident']]}" if member["ident"] in marks else ""
    head = f"{member['name']!r} ({group['state']}{daemon}{time}{marked})"
    words = wait_words(group, member)
    return f"{head} {words}\n      at {member.get('place', group['place'])}" if words else head


def _group_lines(listing: Mapping[str, Any], stacks: bool) -> list[str]:
    """What each thread does, but for those that do the same as enough others: they are counted.

    With stacks, those alone are alike that are in the same calls, which are told once for all of them.
    """
    lines = []
    marks = cycle_marks(listing) if len(listing["cycles"]) > 1 else {}
    for group in listing["groups"]:
        members, calls = group["members"], group["calls"]
        all_told = len(members) == group["count"]
        for member in members:
            line = "  " + _line(group, member, marks)
            lines.append(line)
            said = len(calls) == 1 and line.endswith(f"\n      at {calls[0]}")
            if stacks and not said and (member is members[0] or all_told):
                lines += [f"        {place}" for place in calls]
        if not all_told:
            lines.append(f"  and {group['count'] - len(members):,} more like it")
    return lines


def cycle_marks(listing: Mapping[str, Any]) -> dict[int, int]:
    """Of each thread in a cycle of a listing, by ident: in which, counted from 1."""
    return {link["ident"]: number for number, ring in enumerate(listing["cycles"], 1) for link in ring}


def cycle_lines(listing: Mapping[str, Any]) -> list[str]:
    """The cycles of a listing, link by link."""
    lines: list[str] = []
    for number, cycle in enumerate(listing["cycles"], 1):
        names = [link["name"] for link in (*cycle, cycle[0])]
        which = f" {number}" if len(listing["cycles"]) > 1 else ""
        lines.append(f"  cycle{which}: " + " -> ".join(map(repr, names)))
        for link in cycle:
            held = "" if link["holder_is_object"] else f" that {link['holder']!r} holds"
            lines.append(f"    {link['name']!r} {link['reason']} {link['object']}{held}, at {link['place']}")
    if listing["more_cycles"]:
        lines.append(f"  and {listing['more_cycles']:,} more cycles")
    return lines


def dump(
    blocks: Iterable[ControlBlock],
    now: float | None = None,
    file: IO[str] | None = None,
    ends: Callable[[int], str] = _no_ends,
    frames: Callable[[], Mapping[int, FrameType] | None] = lambda: None,
) -> None:
    """Print `render(...)` to a file (stderr)."""
    text = render(blocks, now, ends=ends, frames=frames)
    print(text, file=file if file is not None else sys.stderr, flush=True)
