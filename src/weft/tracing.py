"""Records what the threads of a running program do: `weft.trace()`, `weft.listen()`, and for `weft trace`.

The parts are in `watch/`; here they meet the runtime in force.
"""

import importlib
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from weft.config import VERSION
from weft.core.events import Listener
from weft.errors import WeftError
from weft.host import threads
from weft.host.clock import nanoseconds, since_1970
from weft.host.servant import Servant
from weft.runtime import runtime
from weft.watch.naming import variable_of
from weft.watch.recorder import Recorder
from weft.watch.spool import Spool, old_name

__all__ = ["join_recording", "listen", "record_into", "trace"]

NO_PROCESSES = "on the process model each thread is a process of its own, and tells this one nothing"


class _Recording:
    """A recorder that is in force, and the kernel thread that writes for it."""

    def __init__(self, runtime: Any, recorder: Recorder) -> None:
        self._runtime = runtime
        self.recorder = recorder
        self._servant = Servant(recorder.serve, recorder.call_off)

    def start(self) -> None:
        attached = self._runtime.attached
        self.recorder.begin()
        attached.listen(self.recorder)
        self.recorder.begun()
        attached.attach(self._servant)
        attached.recordings.append(self)

    def stop(self) -> None:
        """Listen no more, and write what is left."""
        attached = self._runtime.attached
        if self in attached.recordings:
            attached.recordings.remove(self)
        attached.unlisten(self.recorder)
        attached.detach(self._servant)
        self.recorder.close()

    def abandon(self) -> None:
        """In a forked child: it is the parent's."""
        self._runtime.attached.unlisten(self.recorder)
        self._runtime.attached.forget(self._servant)
        self.recorder.abandon()


def _tell(text: str) -> None:
    sys.stderr.write(f"weft: {text}\n")


def record_into(path: str, ring: int = 0, program: list[str] | None = None) -> Callable[[], None]:
    """Record into a spool (weft.watch.spool) from here on, until the program ends or what this returns is
    called.

    Args:
        path: the spool's file.
        ring: bytes of the newest that are kept; 0: all.
        program: its command line, if `sys.argv` does not say it yet.

    Raises:
        WeftError: no runtime is in force, or on the process model there is a ring or another recording.
        OSError: the file cannot be written.
    """
    made = runtime()
    of_processes = made.config.model == "process"
    if of_processes and ring:
        raise WeftError(
            "--ring keeps the newest of what one process records, and on the process model many do;"
            " leave it out"
        )
    if of_processes and made.recorded:
        raise WeftError("a recording is on already, and on the process model there is one at a time")
    about = {
        "program": program or [sys.argv[0] or "python", *sys.argv[1:]],
        "model": made.config.model,
        "python": sys.version.partition(" ")[0],
        "weft": VERSION,
        "pid": os.getpid(),
        "began": since_1970(),
    }
    if of_processes:
        Spool(path, about, shared=True).abandon()  # each process opens it for itself
        stop: Callable[[], None] = made.record((join_recording, os.path.abspath(path)))
        return stop
    bell = threads.raw_lock()
    bell.acquire()
    recording = _Recording(made, Recorder(made.model, Spool(path, about, ring), nanoseconds, bell, _tell))
    recording.start()
    return recording.stop


def join_recording(path: str) -> tuple[Spool, Callable[[object], str | None]]:
    """What a process of the process model appends to, and what finds an object's global variable.

    Raises:
        OSError: the recording is not there.
    """
    return Spool.joined(path), variable_of


@contextmanager
def trace(path: str = "weft-trace", *, ring: int = 0) -> Iterator[None]:
    """Record what threads do inside a `with` block; when it ends there are a page and a file for Perfetto.

    Args:
        path: `path.html` and `path.json`, or `path` alone if it ends in one of these. The page needs jinja2.
        ring: bytes of the newest of the recording that are kept; 0: all. Not on the process model.

    Raises:
        WeftError: no runtime is in force, or a file cannot be written.
    """
    # Pages and figures are more than recording needs, and most programs do not record.
    export = importlib.import_module("weft.watch.export")
    stem, ending = os.path.splitext(path)
    if ending not in (".html", ".json"):
        stem, ending = path, ""
    json = None if ending == ".html" else f"{stem}.json"
    html = None if ending == ".json" else f"{stem}.html"
    if html is not None:
        export.load_pages()
    spool = f"{stem}.spool"
    try:
        stop = record_into(spool, ring)
    except OSError as error:
        raise WeftError(f"cannot write {spool!r}: {error.strerror}") from None
    try:
        yield
    finally:
        stop()
        try:
            export.write(spool, json, html)
        finally:
            for left in (spool, old_name(spool)):
                if os.path.exists(left):
                    os.remove(left)


@contextmanager
def listen(listener: Listener) -> Iterator[None]:
    """Tell a listener (weft.core.events) what happens to threads inside a `with` block.

    Args:
        listener: called with the kind of event, the thread's control block, and who brought it about or None.
            It is called in the middle of a switch, on the kernel thread that carries the thread: it must not
            block, nor call into the program, nor raise.

    Raises:
        WeftError: no runtime is in force, or its model has no events.
    """
    made = runtime()
    if made.config.model == "process":
        raise WeftError(f"there are no events to listen to: {NO_PROCESSES}")
    made.attached.listen(listener)
    try:
        yield
    finally:
        made.attached.unlisten(listener)
