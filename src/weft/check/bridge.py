"""The client of a Dask cluster for a search (weft.check.cluster): a process with threads that are real.

Requests come on standard input, answers go to standard output, each as its length and marshalled. It ends,
and with it a cluster that it has started, when its input does.
"""

import importlib
import logging
import marshal
import os
import sys
from functools import partial
from typing import Any, NoReturn

from weft.check import remote
from weft.check.away import get, put

__all__ = ["main"]

_TO_ANSWER = 10.0  # seconds for a scheduler
MISSING = "--cluster needs Dask's `distributed`, which is not installed: pip install 'weft[cluster]'"


class _Bridge:
    """Between a search and a cluster."""

    def __init__(self) -> None:
        self._requests = os.fdopen(os.dup(0), "rb")
        self._answers = os.fdopen(os.dup(1), "wb")
        nowhere = os.open(os.devnull, os.O_RDWR)  # what libraries print must not come between the answers
        os.dup2(nowhere, 1)
        os.dup2(nowhere, 2)
        self._lock = importlib.import_module("threading").Lock()  # answers come on threads of the client
        self._futures: dict[int, Any] = {}
        self._client: Any = None
        self._cluster: Any = None
        self._spec: Any = None

    def run(self) -> None:
        """Serve one search."""
        first = self._get()
        if first is None:
            return
        try:
            workers = self._connect(first["address"], first["jobs"])
        except ImportError as error:
            self._put({"error": f"{MISSING} ({error})"})
            return
        except Exception as error:  # noqa: BLE001 - whatever the library runs into is told
            where = f"at {first['address']!r}" if first["address"] else "on this machine"
            self._put({"error": f"there is no cluster {where}: {type(error).__name__}: {error}"})
            return
        try:
            spec = marshal.dumps(first["spec"])
            wrong = self._prepare(spec)
            self._spec = self._client.scatter(spec, broadcast=True, hash=False)
            self._put({"error": wrong} if wrong else {"workers": workers})
            while (request := self._get()) is not None:
                self._serve(request)
        finally:
            self._client.close(timeout=2)
            if self._cluster is not None:
                self._cluster.close(timeout=5)

    def _connect(self, address: str, jobs: int) -> int:
        """Reach the cluster; how many units it can do at a time."""
        distributed = importlib.import_module("distributed")
        if not address:
            self._cluster = distributed.LocalCluster(
                n_workers=jobs,
                threads_per_worker=1,
                processes=True,
                host="127.0.0.1",
                dashboard_address=None,
                worker_dashboard_address=None,
                silence_logs=logging.CRITICAL,
            )
        where = self._cluster if self._cluster is not None else address
        self._client = distributed.Client(where, timeout=_TO_ANSWER, set_as_default=False)
        self._client.wait_for_workers(1, timeout=_TO_ANSWER)
        return sum(self._client.nthreads().values())

    def _prepare(self, spec: bytes) -> str:
        """Have every worker prepare the program; what is wrong."""
        try:
            answers = self._client.run(remote.prepare, spec, on_error="raise")
        except Exception as error:  # noqa: BLE001 - whatever goes wrong there is told
            return _explained(error)
        for address, answer in answers.items():
            said = marshal.loads(answer)  # noqa: S302 - from a worker of the user's cluster
            if "lost" in said:
                return f"the worker at {address} cannot start a process for the program"
            if "error" in said:
                return str(said["error"])
        return ""

    def _serve(self, request: Any) -> None:
        for number in request.get("drop", ()):
            future = self._futures.pop(number, None)
            if future is not None:
                future.cancel()
        if "do" in request:
            number = request["do"]
            what = marshal.dumps(request["what"])
            future = self._client.submit(
                remote.do, self._spec, what, pure=False, key=f"weft-{number}-{id(self)}"
            )
            self._futures[number] = future
            future.add_done_callback(partial(self._done, number))

    def _done(self, number: int, future: Any) -> None:
        """A unit is over, on a thread of the client."""
        if self._futures.pop(number, None) is None:
            return
        try:
            answer = marshal.loads(future.result())  # noqa: S302 - from a worker of the user's cluster
        except Exception as error:  # noqa: BLE001 - it is told
            killed = type(error).__name__ == "KilledWorker" or "Cancelled" in type(error).__name__
            answer = {"lost": [0, False, True]} if killed else {"error": _explained(error)}
        self._put({"done": number, **answer})

    def _get(self) -> Any:
        data = get(self._requests)
        return marshal.loads(data) if data else None  # noqa: S302 - from the process that has started this one

    def _put(self, answer: Any) -> None:
        with self._lock:
            put(self._answers, marshal.dumps(answer))


def _explained(error: BaseException) -> str:
    text = f"{type(error).__name__}: {error}"
    if isinstance(error, ImportError) or "weft" in str(error):
        text += ". The workers of a cluster need the same weft, and the program at the same place"
    return f"the cluster could not do its part: {text}"


def main() -> NoReturn:
    """Serve until the input ends."""
    bridge = _Bridge()
    try:
        bridge.run()
    finally:
        sys.stdout = sys.stderr = None
        os._exit(0)
