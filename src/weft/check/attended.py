"""A search that somebody waits for, as a command's is: it shows how it gets on, ends on Ctrl-C with what was
found, is kept when its time is up, and goes on another time.
"""

import importlib
from typing import Any

from weft.check.explore import Explorer
from weft.check.program import Program
from weft.check.report import Report
from weft.check.settings import Settings
from weft.errors import WeftError
from weft.host.children import Interrupts

__all__ = ["Attended"]


class Attended:
    """How a search is looked after.

    Args:
        folder: where searches are kept.
        errors: the descriptor on which it shows how it gets on; None: it does not.
        resume: whether it goes on where one like it has ended.
        given: names of the settings that were asked for.
        cluster: the address of a Dask scheduler, empty for a cluster on this machine; None: no cluster.
    """

    def __init__(
        self,
        folder: str,
        errors: int | None,
        *,
        resume: bool = False,
        given: set[str] | None = None,
        cluster: str | None = None,
    ) -> None:
        self._folder = folder
        self._errors = errors
        self._resume = resume
        self._given = given or set()
        self._cluster = cluster
        self._interrupts = Interrupts()
        # What only some searches have need of is loaded by those: most are over in a tenth of a second.
        self._kept: Any = importlib.import_module("weft.check.resume") if resume else None

    def settle(self, program: Program, settings: Settings) -> None:
        """Take settings from the search that is gone on with.

        Raises:
            WeftError: there is none, or they are not the ones that were asked for.
        """
        if self._resume:
            self._kept.settings_of(self._kept.path_of(self._folder, program), settings, self._given)

    def explore(self, explorer: Explorer) -> Report:
        """Have it search; keep what is left of the search, or forget what was kept."""
        explorer.interrupts = self._interrupts
        self._interrupts.before_leaving = explorer.leave
        if self._cluster is not None:
            cluster = importlib.import_module("weft.check.cluster")
            explorer.make_workers = cluster.maker(self._cluster)
        if self._resume:
            explorer.before_search = self._go_on
        progress = None
        if self._errors is not None:
            progress = importlib.import_module("weft.check.progress").Progress(self._errors)
            explorer.watch = progress
        try:
            report = explorer.explore()
        finally:
            if progress is not None:
                progress.done()
        if explorer.has_rest or self._resume:
            self._keep(explorer)
        return report

    def _go_on(self, explorer: Explorer) -> None:
        self._kept.go_on(explorer, self._kept.path_of(self._folder, explorer.program))

    def _keep(self, explorer: Explorer) -> None:
        kept = importlib.import_module("weft.check.resume")
        path = kept.path_of(self._folder, explorer.program)
        if not explorer.has_rest:
            kept.discard(path)
            return
        try:
            kept.save(explorer, path)
            explorer.report.rest = path
        except WeftError as error:
            explorer.report.problems.append(str(error))
