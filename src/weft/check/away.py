"""The process beside a worker of a Dask cluster that prepares the program and does units of its search.

It is started by the worker (weft.check.remote) and imports nothing that leads to `threading` before the model
is in place. Each unit is a forked child, as where the search itself runs.
"""

import importlib
import marshal
import os
import sys
from typing import Any, NoReturn

from weft.errors import WeftError

__all__ = ["get", "main", "put"]

_HEAD = 4  # bytes of the length before each piece


def put(file: Any, data: bytes) -> None:
    """Send a piece."""
    file.write(len(data).to_bytes(_HEAD, "little") + data)
    file.flush()


def get(file: Any) -> bytes:
    """The next piece; nothing at the end."""
    head = file.read(_HEAD)
    data: bytes = file.read(int.from_bytes(head, "little")) if len(head) == _HEAD else b""
    return data


def main() -> NoReturn:
    """Prepare the program of the first piece; do the units of all others."""
    start: Any = importlib.import_module("weft.check.start")  # before anything that leads to `threading`
    session = start.begin()
    requests = os.fdopen(os.dup(0), "rb")
    children: Any = importlib.import_module("weft.host.children")
    spec = marshal.loads(get(requests))  # noqa: S302 - from the search that uses this cluster
    answers = os.fdopen(children.mute()[0], "wb")
    wrong = ""
    done: Any = None
    try:
        done = _prepared(session, spec)
    except WeftError as error:
        wrong = f"a worker of the cluster cannot check the program: {error}"
    put(answers, marshal.dumps({"error": wrong} if wrong else {}))
    while piece := get(requests):
        try:
            answer = {"error": wrong} if wrong else done(*marshal.loads(piece))  # noqa: S302
        except WeftError as error:
            answer = {"error": str(error)}
        put(answers, marshal.dumps(answer))
    os._exit(0)


def _prepared(session: Any, spec: dict[str, Any]) -> Any:
    """The program made ready; what does a unit.

    Raises:
        WeftError: it is not the same program here, or there is none.
    """
    if spec["python"] != sys.version:
        raise WeftError(f"it has another Python: {sys.version}")
    explore: Any = importlib.import_module("weft.check.explore")
    resume: Any = importlib.import_module("weft.check.resume")
    units: Any = importlib.import_module("weft.check.units")
    workers: Any = importlib.import_module("weft.check.workers")
    points: Any = importlib.import_module("weft.instrument.points")
    clock: Any = importlib.import_module("weft.host.clock")
    settings: Any = importlib.import_module("weft.check.settings").Settings(**spec["settings"])
    settings.notes = spec["notes"]
    try:
        os.chdir(spec["folder"])
    except OSError as error:
        raise WeftError(f"there is no folder {spec['folder']!r} ({error.strerror})") from None
    sys.path[1:] = spec["path"]
    session.network(settings.network)
    program = session.named(spec["kind"], spec["what"], spec["args"], spec["choice"])

    def ready() -> Any:
        explorer = explore.Explorer(program, settings)
        explorer.preload(spec["preload"])
        explorer.settle()
        return explorer

    explorer = program.within(ready)
    changed = resume.differing(spec["sources"], resume.sources_of(program))
    if changed:
        raise WeftError(f"it is not the same there{changed}")
    if (len(points.sites), explorer.snapshot_size) != (spec["sites"], spec["parts"]):
        raise WeftError("what it imports is not the same")

    def do_one(unit: Any, known: Any, seconds: float) -> dict[str, Any]:
        forked = workers.ForkedWorkers(1, explorer.do, clock.monotonic() + seconds, None)
        forked.begin(units.Unit.of(unit), units.Knowledge.of(known))
        while True:
            for _, outcome in forked.wait(1.0):
                if isinstance(outcome, workers.Lost):
                    return {"lost": [outcome.status, outcome.stuck, outcome.killed]}
                return {"piece": outcome}

    return do_one
