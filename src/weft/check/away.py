"""On a worker of a Dask cluster: a process beside it that prepares the program and does units.

`do` is what the worker is asked to call; the process that it starts runs `main`. A process serves one program
and one caller at a time, and is kept for the next unit.
"""

import importlib
import marshal
import os
import subprocess
import sys
from typing import Any, NoReturn

from weft.errors import WeftError

__all__ = ["do", "main"]

_HOME = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
_START = "import sys; sys.path.insert(0, {!r}); from weft.check.away import main; main()"
_HEAD = 4  # bytes of the length before each piece
_MOST_IDLE = 64
_idle: dict[bytes, list[Any]] = {}  # processes that wait for a unit; pop and append are atomic


def do(spec: bytes, what: bytes) -> bytes:
    """Do a unit; the answer, marshalled.

    Args:
        spec: the program, marshalled (weft.check.cluster).
        what: the unit, what is known, the seconds that are left.
    """
    waiting = _idle.setdefault(spec, [])
    try:
        process = waiting.pop()
    except IndexError:
        process = _started(spec)
    try:
        _put(process.stdin, what)
        answer = _get(process.stdout)
    except OSError:
        answer = b""
    if not answer:
        process.kill()
        process.communicate()
        return marshal.dumps({"lost": [process.returncode, False, True]})
    if len(waiting) < _MOST_IDLE:
        waiting.append(process)
    else:
        process.stdin.close()
    return answer


def _started(spec: bytes) -> Any:
    command = [sys.executable, "-c", _START.format(_HOME)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    _put(process.stdin, spec)
    return process


def _put(file: Any, data: bytes) -> None:
    file.write(len(data).to_bytes(_HEAD, "little") + data)
    file.flush()


def _get(file: Any) -> bytes:
    """The next piece; nothing at the end."""
    head = file.read(_HEAD)
    data: bytes = file.read(int.from_bytes(head, "little")) if len(head) == _HEAD else b""
    return data


# -- the process beside the worker ------------------------------------------------------------------


def main() -> NoReturn:
    """Prepare the program of the first piece; do the units of all others."""
    start: Any = importlib.import_module("weft.check.start")  # before anything that leads to `threading`
    session = start.begin()
    requests = os.fdopen(os.dup(0), "rb")
    children: Any = importlib.import_module("weft.host.children")
    spec = marshal.loads(_get(requests))  # noqa: S302 - from the search that uses this cluster
    answers = os.fdopen(children.mute()[0], "wb")
    wrong = ""
    done: Any = None
    try:
        done = _prepared(session, spec)
    except WeftError as error:
        wrong = f"a worker of the cluster cannot check the program: {error}"
    while piece := _get(requests):
        try:
            answer = {"error": wrong} if wrong else done(*marshal.loads(piece))  # noqa: S302
        except WeftError as error:
            answer = {"error": str(error)}
        _put(answers, marshal.dumps(answer))
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
    program = session.named(spec["kind"], spec["what"], spec["args"], spec["choice"])

    def ready() -> Any:
        explorer = explore.Explorer(program, settings)
        explorer.preload(spec["preload"])
        explorer.settle()
        return explorer

    explorer = program.within(ready)
    if resume.sources_of(program) != spec["sources"]:
        raise WeftError("its files are others")
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
