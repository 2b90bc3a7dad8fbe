"""What stands beside a program that runs: who answers `weft ps`, and who tells of waits that do not end.

The parts are in `watch/`; here they meet the runtime in force and the machine.
"""

import atexit
import importlib
import os
import sys
from typing import Any

from weft.config import VERSION, runtime_folders
from weft.core.ports import Carrier
from weft.errors import WeftError
from weft.host import local, threads
from weft.host.clock import monotonic, processor_time, processor_time_of, since_1970, sleep
from weft.host.servant import Servant
from weft.runtime import runtime
from weft.watch.server import FORMAT, Server, as_json
from weft.watch.times import Times

__all__ = ["prepare", "serve", "watch_waits"]

ROOT = 0  # may look into every process anyway


def prepare() -> None:
    """Load what sockets need, before weft supplies its own."""
    local.load()


def serve(program: list[str]) -> None:
    """Answer `weft ps` from here on, until the program ends.

    Where the machine does not let us, the program runs without.

    Args:
        program: its command line.
    """
    made = runtime()
    facts = {
        "format": FORMAT,
        "program": program,
        "model": made.config.model,
        "python": sys.version.partition(" ")[0],
        "weft": VERSION,
        "began": since_1970(),
    }
    for folder in runtime_folders(os.geteuid()):
        try:
            if made.config.model == "process":
                _leave_note(folder, made, facts)
            else:
                _Serving(made, folder, facts).start()
            return
        except WeftError as error:
            _tell(f"`weft ps` will not see this program: {error}")
            return
        except (OSError, RuntimeError):
            pass  # a folder that cannot be written to, a system without room


class _Serving:
    """A server, and the listener that counts for it."""

    def __init__(self, made: Any, folder: str, facts: dict[str, Any]) -> None:
        self._runtime = made
        self._known = facts
        self._times: Times | None = None
        self._door = local.Door(folder)
        self._server = Server(
            self._door,
            frozenset({os.geteuid(), ROOT}),
            self._facts,
            made.model.blocks,
            monotonic,
            sleep,
            self._count,
            self._lister,
        )

    def start(self) -> None:
        self._door.make()
        self._runtime.attached.attach(Servant(self._server.serve, self._server.call_off))

    def _facts(self) -> dict[str, Any]:
        return {
            **self._known,
            "pid": os.getpid(),
            "carriers": [loop.native_id for loop in _loops(self._runtime.model)],
        }

    def _lister(self) -> dict[str, Any]:
        more: dict[str, Any] = {"frames": threads.frames_now}
        sockets = sys.modules.get("weft.host.sockets")
        if sockets is not None:
            more["ends"] = sockets.ends_of
        if self._times is not None:
            more["spent"] = self._times.spent
        return more

    def _count(self, on: bool) -> None:
        attached = self._runtime.attached
        if on and self._times is None:
            self._times = Times(processor_time, _clock_of)
            attached.listen(self._times)
            ready = {loop: loop.ready_now() for loop in _loops(self._runtime.model)}
            for block in self._runtime.model.blocks():
                is_ready = ready.get(block.carrier)
                if is_ready is not None and block.begun and block.on is None and not is_ready(block):
                    self._times.begin(block)
        elif not on and self._times is not None:
            attached.unlisten(self._times)
            self._times = None


def _loops(model: Any) -> list[Any]:
    """The carriers that run many threads."""
    if hasattr(model, "loops"):
        return list(model.loops)
    return [model.loop] if hasattr(model, "loop") else []


def _clock_of(carrier: Carrier) -> float | None:
    return processor_time_of(getattr(carrier, "kernel_ident", 0))


def _leave_note(folder: str, made: Any, facts: dict[str, Any]) -> None:
    """Where each thread is a process nobody serves: what is known stands in files, and is read from there."""
    path = local.leave_note(folder, as_json({**facts, "pid": os.getpid(), "folder": made.folder}))
    owner = os.getpid()
    atexit.register(lambda: local.take_note_away(path) if os.getpid() == owner else None)


def watch_waits(limit: float) -> None:
    """Tell on standard error of each wait for a holder that has lasted longer than `limit` seconds."""
    made = runtime()
    bell = threads.raw_lock()
    bell.acquire()
    stalls = importlib.import_module("weft.watch.stalls").Stalls(
        made.model.blocks, limit, monotonic, bell, _tell
    )
    made.attached.attach(Servant(stalls.serve, stalls.call_off))


def _tell(text: str) -> None:
    try:
        sys.stderr.write(f"weft: {text}\n")
        sys.stderr.flush()
    except (OSError, ValueError, AttributeError):
        pass  # there is no standard error to tell it on
