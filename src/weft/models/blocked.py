"""The carrier has sat in one C call for long while others wait: says so, from the watchdog's kernel thread.

Nothing here may import, take a lock of the program's or wait for anything: the program stands still, perhaps
with just that lock, and `fork` waits for the watchdog's end. So source files are read as bytes, and the
report goes straight to descriptor 2, if there is room.
"""

import sys
from collections.abc import Callable
from types import CodeType, FrameType
from typing import Any

from weft.core.places import HOME
from weft.host import signals, threads
from weft.host.clock import monotonic
from weft.host.poller import poll_once, tell
from weft.models.loop import Loop

__all__ = ["BlockedReports", "callee_of", "function_of", "source_of"]

LOCKED = "no other thread of any kind can run meanwhile: only another process would help"
LONGEST_TEXT = 80  # characters of a call's source that a report shows


class BlockedReports:
    """What the watchdog knows of how long the carrier has not attended to it.

    Args:
        loop: the carrier.
        limit: seconds after which it is told; 0: never.
        in_force: whether the carrier would attend if it could.
    """

    def __init__(self, loop: Loop, limit: float, in_force: Callable[[], bool]) -> None:
        self._loop = loop
        self._limit = limit
        self._in_force = in_force
        self._told: set[tuple[CodeType, int]] = set()
        self._since: float | None = None
        self._at: tuple[int, int] | None = None
        self._looked = self._asked = False

    def move(self, loop: Loop) -> None:
        """It is another carrier from now on."""
        self._loop = loop
        self.attended()

    def attended(self) -> None:
        """The carrier runs Python code, or sleeps, or keeps nobody waiting."""
        self._since = self._at = None
        self._looked = self._asked = False

    def met(self, frame: FrameType | None) -> None:
        """The tripwire's handler runs on the carrier, on top of a frame.

        Some C functions look for signals as they go (regular expressions do): then the handler finds the
        frame at the same call again and again.
        """
        at = None if frame is None or signals.at_boundary(frame) else (id(frame), frame.f_lasti)
        if at is None or at != self._at:
            self.attended()
            self._at = at
        else:
            self._asked = True  # a handler runs with the interpreter's lock: so does the call

    def tripped(self, late: float) -> None:
        """The watchdog is about to trip the carrier.

        Args:
            late: seconds by which it came later than it meant to: all that time it was refused the
                interpreter's lock.
        """
        if not self._limit or self._looked:
            return
        now = monotonic()
        since = self._since
        if since is None:
            self._since = since = now
        if now - since >= self._limit:
            self._report(now - since, self._asked, False)
        elif late >= self._limit:
            self._report(late, True, True)

    def _report(self, seconds: float, locked: bool, over: bool) -> None:
        loop = self._loop
        self._looked = not over
        frame = threads.current_frames().get(loop.kernel_ident)
        inner = frame
        while inner is not None and inner.f_code.co_filename.startswith(HOME):
            inner = inner.f_back
        if frame is None or inner is None or signals.at_boundary(frame):
            return  # it is at Python code: whatever held it up was no C call
        place = (inner.f_code, inner.f_lasti)
        waiting = self._waiting()
        if place in self._told or not waiting or not self._in_force():
            return
        self._told.add(place)
        name = self._running()
        del frame
        tell(report(name, inner, seconds, waiting, locked, over))

    def _running(self) -> str:
        """The name of the thread that has the carrier."""
        loop = self._loop
        ready = set(loop.ready_blocks())
        for block in tuple(loop.alive):
            if block.begun and not block.done and block.on is None and block not in ready:
                return block.name
        return "?"

    def _waiting(self) -> str:
        """Who waits behind it, in words; empty if nobody does."""
        loop = self._loop
        now = monotonic()
        count = len(loop.ready)
        count += sum(1 for entry in tuple(loop.timers.heap) if entry[0] <= now and entry[2] is not None)
        awaited = [(fd, channel.mask) for fd, channel in tuple(loop.poller.channels.items()) if channel.mask]
        count += len(poll_once(awaited, 0)) if awaited else 0
        return f"{count} thread{'s wait' if count > 1 else ' waits'} behind it" if count else ""


def report(name: str, frame: FrameType, seconds: float, waiting: str, locked: bool, over: bool) -> str:
    """The text: who, in which call, where, since when, who waits, and what to do."""
    text = source_of(frame)
    code = frame.f_code
    callee = callee_of(frame, text)
    what = callee.replace(":", ".") or function_of(text) or text or "?"
    shown = text if len(text) <= LONGEST_TEXT else text[: LONGEST_TEXT - 3] + "..."
    place = f"{code.co_filename}:{frame.f_lineno} in {code.co_qualname}" + (f": {shown}" if shown else "")
    was = "was" if over else "has been"
    lock = ", with the interpreter's lock" if locked else ""
    advice = LOCKED if locked else _advice(frame, text, callee)
    return (
        f"weft: thread {name!r} {was} in a call of {what} ({place}) for {seconds:.1f} s{lock};"
        f" {waiting}\n      {advice}\n"
    )


def _advice(frame: FrameType, text: str, callee: str) -> str:
    """How to have the call made elsewhere."""
    function = function_of(text)
    direct = f"weft.offload({function}, ...)" if function else "weft.offload(function, ...)"
    entry = callee if ":" in callee else _own_entry(frame)
    if not entry:
        return f"to let them run, write {direct}"
    return f"to let them run, set WEFT_OFFLOAD={entry} (or --offload {entry}), or write {direct}"


def _own_entry(frame: FrameType) -> str:
    """The function that makes the call, as an entry of WEFT_OFFLOAD, if it can be named from outside."""
    module = frame.f_globals.get("__name__")
    path = frame.f_code.co_qualname
    if not isinstance(module, str) or module == "__main__" or "<" in path:
        return ""
    return f"{module}:{path}"


def source_of(frame: FrameType) -> str:
    """The source text of what a frame executes just now, on one line; "" if it is not to be had."""
    code = frame.f_code
    positions = list(code.co_positions())
    index = frame.f_lasti // 2
    first, last, start, end = positions[index] if 0 <= index < len(positions) else (None, None, None, None)
    if first is None:
        first = frame.f_lineno
    try:
        with open(code.co_filename, "rb") as file:
            lines = file.read().splitlines()[first - 1 : last or first]
    except (OSError, ValueError):
        return ""
    if lines and start is not None and end is not None:
        lines[-1] = lines[-1][:end]
        lines[0] = lines[0][start:]
    return " ".join(b" ".join(lines).decode("utf-8", "replace").split())


def function_of(text: str) -> str:
    """What a call's source text calls: all before the bracket that its last character closes."""
    opened: list[int] = []
    start = 0
    quote = before = ""
    for index, char in enumerate(text):
        if quote:
            quote = "" if char == quote and before != "\\" else quote
        elif char in "'\"":
            quote = char
        elif char == "(":
            opened.append(index)
        elif char == ")" and opened:
            start = opened.pop()
        before = char
    return text[:start].strip() if text.endswith(")") and not opened and not quote else ""


def callee_of(frame: FrameType, text: str) -> str:
    """What is called, as "module:name" if it can be found and replaced there, else "".

    Only modules are looked into, and only their dictionaries: no code of the program's runs.
    """
    path = function_of(text).split(".")
    if not all(part.isidentifier() for part in path):
        return ""
    code = frame.f_code
    if path[0] in (*code.co_varnames, *code.co_cellvars, *code.co_freevars):
        return ""
    found: Any = frame.f_globals.get(path[0])
    holder = None
    for part in path[1:]:
        if type(found) is not type(sys):
            return ""
        holder, found = found, vars(found).get(part)
    if not callable(found) or isinstance(found, type):
        return ""
    for module in (holder, sys.modules.get(getattr(found, "__module__", None) or "")):
        if type(module) is type(sys) and module.__name__ not in ("__main__", "builtins"):
            name = path[-1] if module is holder else getattr(found, "__name__", "")
            if vars(module).get(name) is found:
                return f"{module.__name__}:{name}"
    return ""
