"""What each thread does, as plain data: taken in pieces, with those that do the same put together.

It is for very many threads, and for who must not stop the program: nothing here asks for all threads once
for each of them, and between two pieces the caller can let others run. So threads may have gone on between
one piece and the next; what is said of one thread is of one moment, and a cycle is told only if all its
links stood at one.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from types import CodeType, FrameType
from typing import Any

from weft.core.graph import cycles
from weft.core.places import spot_of, spots_of, words_for
from weft.core.ports import Carrier
from weft.core.thread import ControlBlock, State, explained
from weft.core.wait import WaitReason

__all__ = ["ALIKE", "Lister", "object_name"]

LISTED = 5  # descriptors of one wait that are told
ALIKE = 3  # threads that do the same and are told one by one
PIECE = 250  # threads between two looks at whether it is time to breathe: a millisecond or two
CYCLES = 10  # cycles that are told link by link
CALLS = 100  # innermost calls of a stack that are told

Spot = tuple[CodeType, int]


class _Seen:
    """One thread at the moment when it was looked at."""

    __slots__ = ("block", "carrier", "holder", "on", "reason", "since", "spot", "target", "timer")

    def __init__(
        self,
        block: ControlBlock,
        spot: Spot | None,
        reason: WaitReason | None,
        target: object,
        holder: ControlBlock | None,
    ) -> None:
        self.block = block
        self.carrier = block.carrier
        self.on = block.on
        self.since = block.since
        self.timer = block.timer
        self.spot = spot
        self.reason = reason
        self.target = target
        self.holder = holder


class _Group:
    """Threads that do the same: how many, and those that are told one by one."""

    __slots__ = ("calls", "count", "daemon", "kept", "place", "reason", "records", "state", "told")

    def __init__(self, state: State, daemon: bool, place: str | None, calls: list[str], kept: object) -> None:
        self.kept = kept  # what it is known by the identity of
        self.state = state
        self.daemon = daemon
        self.place = place
        self.calls = calls
        self.count = 0
        self.reason: WaitReason | None = None
        self.told: list[_Seen] = []
        self.records: list[object] = []


class Lister:
    """Looks at threads.

    Args:
        now: the monotonic clock, for the ages of waits; None leaves them out.
        stacks: also each thread's calls; those alone are alike then that are in the same ones.
        each: how many of those that do the same are told one by one; None: all.
        ends: says of a descriptor what it is connected to, or nothing.
        frames: the innermost frames of kernel threads, by ident.
        spent: the seconds of processor time of a thread, if they are known.
        breathe: called between two pieces; what it raises goes through.
        write: what becomes of the record of each thread that is told.
    """

    def __init__(
        self,
        now: float | None = None,
        stacks: bool = False,
        each: int | None = ALIKE,
        ends: Callable[[int], str] = lambda _: "",
        frames: Callable[[], Mapping[int, FrameType] | None] = lambda: None,
        spent: Callable[[ControlBlock], float | None] = lambda _: None,
        breathe: Callable[[], object] = lambda: None,
        write: Callable[[dict[str, Any]], object] = lambda record: record,
    ) -> None:
        self._now = now
        self._stacks = stacks
        self._each = each
        self._ends = ends
        self._frames = frames
        self._spent = spent
        self._breathe = breathe
        self._write = write
        self._ready: dict[Carrier, Callable[[ControlBlock], bool]] = {}
        self._groups: dict[tuple[object, ...], _Group] = {}
        self._holding: dict[ControlBlock, tuple[_Seen, _Group]] = {}  # who waits for one that holds something

    def take(self, blocks: Iterable[ControlBlock]) -> dict[str, Any]:
        """What the threads do; docs/reference.md ("What `--json` prints") has the keys."""
        count, known = 0, self._frames()
        for block in blocks:
            count += self._look(block, known)
            if count % PIECE == 0:
                known = None
                self._breathe()
                known = self._frames()
        known = None
        found = self._cycles()
        groups = [
            {
                "state": group.state.value,
                "daemon": group.daemon,
                "kind": group.reason.name if group.reason is not None else None,
                "reason": str(group.reason) if group.reason is not None else None,
                "place": group.place,
                "calls": group.calls,
                "count": group.count,
                "members": [*group.records, *(self._write(self._tell(seen, group)) for seen in group.told)],
            }
            for group in self._groups.values()
        ]
        links = [[self._link(seen) for seen in cycle] for cycle in found[:CYCLES]]
        return {"threads": count, "groups": groups, "cycles": links, "more_cycles": len(found) - len(links)}

    # -- one thread --------------------------------------------------------------------------------------

    def _look(self, block: ControlBlock, known: Mapping[int, FrameType] | None) -> int:
        """Note what a thread does; 0 if it has ended. Of very many this is nearly all of the work."""
        if block.done:
            return 0
        carrier, on = block.carrier, block.on
        is_ready = self._ready.get(carrier)
        if is_ready is None:
            is_ready = self._ready[carrier] = carrier.ready_now()
        reason = target = holder = frame = None
        if is_ready(block):
            state = State.READY
        elif not block.begun:
            state = State.NEW
        elif on is None:
            state = State.RUNNING
        else:
            state = State.BLOCKED
            reason, target, holder = explained(on, block)
        if state is not State.NEW:
            frame = carrier.frame(block, known)
        # Enumerations and code objects are known by identity: their hashes are computed anew each time.
        key: tuple[object, ...] = id(state), id(reason), type(target), block.daemon
        spot = spot_of(frame) if frame is not None else None
        if spot is not None and state is State.BLOCKED and not self._stacks:
            key = *key, id(spot[0]), spot[1]
        else:
            key = *key, *self._more(block, state, frame, spot)
        group = self._groups.get(key)
        if group is None:
            group = self._groups[key] = self._new_group(block, state, frame, spot)
            group.reason = reason
        count = group.count
        group.count = count + 1
        if holder is None and self._each is not None and count > self._each:
            if count == self._each + 1:
                group.told.pop()  # one more than are told of many: it would be told if it were the last
            return 1
        seen = _Seen(block, spot, reason, target, holder)
        if self._each is None:  # nothing of very many is kept that the collector would have to go through
            group.records.append(self._write(self._tell(seen, group)))
        elif count <= self._each:
            group.told.append(seen)
        elif count == self._each + 1:
            group.told.pop()
        if holder is not None:
            self._holding[block] = seen, group
        return 1

    def _more(
        self, block: ControlBlock, state: State, frame: FrameType | None, spot: Spot | None
    ) -> list[object]:
        """What tells a thread from others besides what it waits for and where."""
        deep = self._stacks or state is not State.BLOCKED
        if frame is None:  # it has not begun, or its stack is not to be had
            if state is State.NEW:
                return []
            place = _place_without_frame(block) if state is State.BLOCKED else ""
            calls = block.carrier.stack(block) if deep else []
            return [place.replace(repr(_name(block)), ""), *calls]
        more: list[object] = [_target_name(block)] if spot is None else [id(spot[0]), spot[1]]
        if deep:
            for code, offset in spots_of(frame, CALLS):
                more += (id(code), offset)
        return more

    def _new_group(
        self, block: ControlBlock, state: State, frame: FrameType | None, spot: Spot | None
    ) -> _Group:
        calls: list[str] = []
        spots: list[Spot] = []
        place = None
        if state is not State.NEW:
            place = words_for(spot) if spot is not None else _place_without_frame(block)
            if frame is None:
                calls = block.carrier.stack(block)
            else:
                spots = spots_of(frame, CALLS + 1)
                calls = [words_for(spot) for spot in spots[-CALLS:]]
                if len(spots) > CALLS:
                    calls.insert(0, "...")
        daemon = block.daemon and block.label != "MainThread"
        return _Group(state, daemon, place, calls, (spot, spots))

    @staticmethod
    def _place(seen: _Seen) -> str:
        return words_for(seen.spot) if seen.spot is not None else _place_without_frame(seen.block)

    def _tell(self, seen: _Seen, group: _Group) -> dict[str, Any]:
        block, now = seen.block, self._now
        told: dict[str, Any] = {"name": _name(block), "ident": block.ident, "carrier": seen.carrier.native_id}
        if seen.reason is not None:
            told["object"] = None if seen.reason is WaitReason.SLEEP else object_name(seen.target, self._ends)
            if seen.holder is not None:
                told["holder"] = _name(seen.holder)
                told["holder_is_object"] = seen.holder is seen.target
                told["holder_ended"] = seen.holder.done
            if now is not None and now >= seen.since:
                told["age"] = round(now - seen.since, 6)
            timer = seen.timer
            if now is not None and timer:
                told["left"] = round(max(0.0, timer[0] - now), 6)
            if seen.spot is None:
                told["place"] = _place_without_frame(block)
        elif group.state is State.RUNNING and seen.carrier.sleeps(block):
            told["in_system"] = True
        spent = self._spent(block)
        if spent is not None:
            told["processor_time"] = round(spent, 6)
        return told

    # -- who waits for whom ----------------------------------------------------------------------------

    def _cycles(self) -> list[list[_Seen]]:
        """The cycles whose links have all stood at one moment; their threads are told one by one."""
        holding = self._holding

        def holder(block: ControlBlock) -> ControlBlock | None:
            return holding[block][0].holder if block in holding else None

        rings = [[holding[block][0] for block in ring] for ring in cycles(holding, holder)]
        found = [ring for ring in rings if all(map(_still_waits, ring))]
        for ring in found[:CYCLES]:
            for seen in ring:
                group = holding[seen.block][1]
                if self._each is not None and seen not in group.told:
                    group.told.append(seen)
        return found

    def _link(self, seen: _Seen) -> dict[str, Any]:
        holder: Any = seen.holder
        return {
            "name": _name(seen.block),
            "ident": seen.block.ident,
            "reason": str(seen.reason),
            "object": object_name(seen.target),
            "holder": _name(holder),
            "holder_is_object": holder is seen.target,
            "place": self._place(seen),
        }


def _still_waits(seen: _Seen) -> bool:
    """Whether a thread is in the same wait, for the same holder, as when it was looked at."""
    block = seen.block
    if block.on is not seen.on or block.since != seen.since or block.done:
        return False
    return explained(seen.on, block)[2] is seen.holder


def _name(block: ControlBlock) -> str:
    """The thread's name; what a program has put in place of `Thread.name` is not called, it could wait."""
    given = getattr(block.thread, "__dict__", {}).get("_name")
    return str(given) if type(given) is str else block.name


def _target_name(block: ControlBlock) -> str | None:
    target = getattr(block.thread, "__dict__", {}).get("_target")
    name = getattr(type(target), "__qualname__", None) if target is not None else None
    given = getattr(target, "__qualname__", None) if name in _FUNCTIONS else name
    return str(given) if given is not None else None


_FUNCTIONS = frozenset(
    {"function", "method", "builtin_function_or_method", "type"}
)  # that tell their own name


def _place_without_frame(block: ControlBlock) -> str:
    """Where a thread waits that has no frame of the program on its stack: what it was started with."""
    place = block.carrier.place(block)
    if place == "?":
        target = _target_name(block)
        if target is not None:
            place = f"the start of {_name(block)!r}, whose target is {target}"
    return place


def _descriptor_name(numbers: Sequence[int], ends: Callable[[int], str]) -> str:
    """Some descriptors, with the ends of those that are sockets."""
    words = [f"{fd} ({name})" if (name := ends(fd)) else str(fd) for fd in numbers[:LISTED]]
    more = f" and {len(numbers) - LISTED:,} more" if len(numbers) > LISTED else ""
    return f"descriptor{'s' if len(numbers) > 1 else ''} " + ", ".join(words) + more


def object_name(on: object, ends: Callable[[int], str] = lambda _: "") -> str:
    """A waited-on object in few words."""
    numbers = getattr(on, "numbers", None) if type(on).__module__.startswith("weft.") else None
    if numbers:
        return _descriptor_name(numbers, ends)
    if on is None:
        return ""
    if isinstance(on, str):
        return on
    if isinstance(on, ControlBlock):
        return f"{_name(on)!r}"
    cls = type(on)
    return f"<{cls.__module__}.{cls.__qualname__} at {id(on):#x}>"
