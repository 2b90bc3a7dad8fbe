"""`socket.makefile` for user threads: several may use one file object.

C's buffers keep a lock whose owner is the kernel thread. Where a thread is parked inside, in the middle of
a read or a write of the socket, a second user thread is refused ("reentrant call") where a kernel thread
would wait. So it waits here, for what the first one waits for, and tries again; nothing is paid before that
but a frame. Whoever is inside already, as a signal's handler that interrupts a write, gets CPython's error.
"""

import io
import sys
from collections.abc import Callable
from typing import Any

from weft.host.clock import monotonic
from weft.host.poller import READ, WRITE
from weft.stdlib.descriptors import nap, wait_for
from weft.stdlib.files import GUARDED, buffer_type
from weft.stdlib.locks import RLock
from weft.stdlib.sleep import sleep

__all__ = ["supply_locked_makefile", "supply_makefile"]

SIZED = ("read", "read1", "readline", "peek")
BUFFERED = ("readinto", "readinto1", "write")
BARE = ("flush", "close", "detach", "tell")
WRITERS = ("write", "flush", "truncate")
ENDERS = ("close", "detach", "seek", "tell")
REFUSED = "reentrant call inside"  # the beginning of what C says
PAUSE = 0.001  # seconds between tries while the thread inside waits for something else than the socket


def _in_turns(method: Any) -> Any:
    """The method, with the signature that C's has: to take any arguments would cost four times as much."""
    name = method.__name__
    events = READ | WRITE if name in ENDERS else WRITE if name in WRITERS else READ

    def later(self: Any, *args: Any) -> Any:
        tries = 0
        while True:
            _await_turn(self._socket_file, events, tries)
            tries += 1
            try:
                return method(self, *args)
            except RuntimeError as error:
                if not _is_refused(self, error):
                    raise

    # The second try is made outside `except`: what it raises has nothing to do with the refusal.

    def with_size(self: Any, size: int | None = 0 if name == "peek" else -1, /) -> Any:
        try:
            return method(self, size)
        except RuntimeError as error:
            if not _is_refused(self, error):
                raise
        return later(self, size)

    def with_buffer(self: Any, buffer: Any, /) -> Any:
        try:
            return method(self, buffer)
        except RuntimeError as error:
            if not _is_refused(self, error):
                raise
        return later(self, buffer)

    def with_nothing(self: Any) -> Any:
        try:
            return method(self)
        except RuntimeError as error:
            if not _is_refused(self, error):
                raise
        return later(self)

    def with_any(self: Any, *args: Any) -> Any:
        try:
            return method(self, *args)
        except RuntimeError as error:
            if not _is_refused(self, error):
                raise
        return later(self, *args)

    call: Any = with_any
    for names, form in ((SIZED, with_size), (BUFFERED, with_buffer), (BARE, with_nothing)):
        if name in names:
            call = form
    call.__name__, call.__qualname__, call.__doc__ = name, method.__qualname__, method.__doc__
    return call


def _locked(method: Any) -> Any:
    """The same where several carriers share the file: C's lock would put a whole carrier to sleep."""
    name = method.__name__
    first, last = (0, 2) if name in ENDERS else (1, 2) if name in WRITERS else (0, 1)

    def call(self: Any, *args: Any) -> Any:
        locks = getattr(self, "_turns", ())[first:last]
        for lock in locks:
            lock.acquire()
        try:
            return method(self, *args)
        finally:
            for lock in locks:
                lock.release()

    call.__name__, call.__qualname__, call.__doc__ = name, method.__qualname__, method.__doc__
    return call


def _is_refused(file: Any, error: RuntimeError) -> bool:
    """Whether C refused the caller because another thread is inside, and not the caller itself."""
    if not str(error).startswith(REFUSED):
        return False
    raw = file._socket_file
    frame = sys._getframe(1)
    while frame is not None:
        if frame.f_code.co_name in ("readinto", "write") and frame.f_locals.get("self") is raw:
            return False
        frame = frame.f_back  # type: ignore[assignment]
    return True


def _await_turn(raw: Any, events: int, tries: int) -> None:
    """Wait until the thread inside may have left: it was woken, or what it waits for has come."""
    sock = getattr(raw, "_sock", None)
    channel = getattr(sock, "_channel", None)
    if channel is not None:
        wanted = READ if events & READ and channel.reader is not None else 0
        wanted |= WRITE if events & WRITE and channel.writer is not None else 0
        if wanted:
            try:
                wait_for([(channel.fd, wanted)], None)
            except OSError:
                pass  # it has been closed, which the thread inside is told too
            return
    if tries < 2:
        sleep(0)
    else:
        nap(monotonic() + PAUSE)


def _turns(base: Any, guard: Callable[[Any], Any]) -> Any:
    methods = {name: guard(getattr(base, name)) for name in GUARDED if hasattr(base, name)}
    return buffer_type(base, methods)


def supply_makefile(module: Any) -> None:
    """Have the sockets of an executed copy of `socket` make such files, for one carrier."""
    _supply(module, _in_turns)


def supply_locked_makefile(module: Any) -> None:
    """The same for threads of several carriers."""
    _supply(module, _locked)


def _supply(module: Any, guard: Callable[[Any], Any]) -> None:
    reader, writer, pair = (
        _turns(base, guard) for base in (io.BufferedReader, io.BufferedWriter, io.BufferedRWPair)
    )
    real = module.socket.makefile

    def makefile(
        self: Any,
        mode: str = "r",
        buffering: int | None = None,
        *,
        encoding: str | None = None,
        errors: str | None = None,
        newline: str | None = None,
    ) -> Any:
        if buffering == 0 or not set(mode) <= {"r", "w", "b"}:
            return real(self, mode, buffering, encoding=encoding, errors=errors, newline=newline)
        raw = real(self, mode if "b" in mode else mode + "b", 0)
        size = io.DEFAULT_BUFFER_SIZE if buffering is None or buffering < 0 else buffering
        made: Any
        if "w" not in mode:
            made = reader(raw, size)
        elif "r" in mode:
            made = pair(raw, raw, size)
        else:
            made = writer(raw, size)
        made._socket_file = raw
        made._turns = (RLock(), RLock())
        if "b" in mode:
            return made
        text: Any = io.TextIOWrapper(made, io.text_encoding(encoding), errors, newline)
        text.mode = mode
        return text

    makefile.__module__, makefile.__qualname__, makefile.__doc__ = "socket", real.__qualname__, real.__doc__
    module.socket.makefile = makefile
