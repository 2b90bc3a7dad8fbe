"""Units done by the workers of a Dask cluster.

`distributed` needs real threads, and in this process they are those that are checked. So a process of its
own, the *bridge* (weft.check.bridge), is the client of the cluster; each of the cluster's workers has a
process that prepares the program as this one did and forks a child for each unit (weft.check.away). What goes
over is a unit and what is known; what comes back is what a child of this process would have sent.
"""

import os
import sys
from collections.abc import Callable
from typing import Any

from weft.check.explore import Explorer
from weft.check.plan import Planned
from weft.check.resume import sources_of
from weft.check.workers import Lost
from weft.errors import WeftError
from weft.host.children import Child, spawn_child
from weft.host.children import ready as readable
from weft.host.clock import monotonic
from weft.instrument import points

__all__ = ["maker"]

HOME = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
START = "import sys; sys.path.insert(0, {!r}); from weft.check.bridge import main; main()"
TO_BEGIN = 180.0  # seconds for a cluster to be there
KINDS = ("script", "module", "function")


def maker(address: str) -> Callable[[Explorer, float], "ClusterWorkers"]:
    """What makes the workers of a search, once its program is prepared.

    Args:
        address: of a scheduler; empty: a cluster is started on this machine.
    """
    return lambda explorer, until: ClusterWorkers(explorer, address, until)


class ClusterWorkers:
    """The workers of a cluster, as weft.check.workers has them.

    Raises:
        WeftError: there is no cluster, or it cannot check the program.
    """

    def __init__(self, explorer: Explorer, address: str, until: float) -> None:
        program = explorer.program
        if program.kind not in KINDS:
            raise WeftError(f"--cluster checks scripts, modules and functions, not a {program.kind}")
        self.jobs = explorer.settings.jobs
        self._out: dict[int, Planned] = {}  # by the number of the request
        self._requests = 0
        self._killed_at = float("inf")
        self._begun = monotonic()
        self._until = until
        self._bridge: Child = spawn_child([sys.executable, "-c", START.format(HOME)])
        self._bridge.send({"address": address, "jobs": self.jobs, "spec": _spec(explorer)})
        self._wait_until_ready()

    def _wait_until_ready(self) -> None:
        try:
            said = self._bridge.receive(TO_BEGIN)
        except TimeoutError:
            self.close()
            raise WeftError(f"the cluster is not there after {TO_BEGIN:g} s") from None
        except EOFError:
            self.close()
            raise WeftError("the process that speaks with the cluster has ended at once") from None
        if "error" in said:
            self.close()
            raise WeftError(said["error"])
        self.jobs = said["workers"]
        self._until += monotonic() - self._begun

    def free(self, together: bool) -> bool:
        """Whether another one can be begun; together: while others are done."""
        return len(self._out) < (self.jobs if together else 1)

    def begin(self, unit: Planned, knowledge: Any) -> None:
        """Send it there."""
        self._requests += 1
        self._out[self._requests] = unit
        left = max(0.0, self._until - monotonic())
        self._bridge.send({"do": self._requests, "what": [unit.plain, knowledge.plain, left]})

    def wait(self, seconds: float) -> list[tuple[Planned, Any]]:
        """Units that have been done since, with what came of them or a Lost; waits for the first."""
        done: list[tuple[Planned, Any]] = []
        while self._out and readable([self._bridge], 0.0 if done else seconds):
            try:
                if not self._bridge.read():
                    continue
                while self._bridge.has_piece():
                    done += self._answered(self._bridge.receive(0))
            except EOFError:
                raise WeftError("the connection to the cluster is lost") from None
        if monotonic() > self._killed_at:
            done += [(unit, Lost(0, killed=True)) for unit in self._out.values()]
            self._out.clear()
        return done

    def _answered(self, said: Any) -> list[tuple[Planned, Any]]:
        unit = self._out.pop(said["done"], None)
        if unit is None:
            return []  # it is not wanted any more
        if "error" in said:
            raise WeftError(said["error"])
        lost = said.get("lost")
        return [(unit, Lost(*lost) if lost is not None else said["piece"])]

    def running(self) -> int:
        """Executions of units that are not done: nobody here knows."""
        return 0

    def cut(self, patience: float) -> None:
        """All that is being done has to come to its end; what has not by then is done another time."""
        self._killed_at = min(self._killed_at, monotonic() + patience)

    def drop(self) -> None:
        """Nothing of what is being done is wanted any more."""
        if self._out:
            self._bridge.send({"drop": sorted(self._out)})
            self._out.clear()

    def close(self) -> None:
        """End the bridge, and with it a cluster of its own."""
        self._bridge.hang_up()
        try:
            while True:
                self._bridge.receive(5.0)
        except EOFError:
            self._bridge.end()
        except TimeoutError:
            self._bridge.end(kill=True)


def _spec(explorer: Explorer) -> dict[str, Any]:
    """What a worker needs to prepare the program as it is here."""
    program, settings = explorer.program, explorer.settings
    return {
        "kind": program.kind,
        "what": program.what,
        "args": program.args,
        "choice": program.choice,
        "folder": os.getcwd(),
        "path": sys.path[1:],
        "settings": {
            "steps": settings.limit,
            "bound": settings.bound,
            "strategy": settings.strategy,
            "net_faults": settings.net_faults,
            "net_pass": settings.net_pass,
        },
        "notes": settings.notes,
        "preload": explorer.preloaded,
        "python": sys.version,
        "sources": sources_of(program),
        "sites": len(points.sites),
        "parts": explorer.snapshot_size,
    }
