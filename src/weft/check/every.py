"""All tests of a package, one after another, each under many schedules: `weft check --all`.

The process that checks runs pytest, which collects; each test's search is forked from it, in a process group
of its own, so that Ctrl-C ends one search and keeps what the others have found.
"""

import gc
import os
import tempfile
from collections.abc import Callable
from importlib import metadata
from typing import Any

from weft.check.benign import Benign, patterns_of
from weft.check.lock_orders import Edge, Graph
from weft.check.lock_orders_text import told
from weft.check.served import answer
from weft.check.stacks import NOTING
from weft.check.tests import Test, Tests
from weft.config import plugins_load_themselves
from weft.errors import WeftError
from weft.host.children import fork_child
from weft.host.clock import monotonic
from weft.wording import counted

__all__ = ["Every", "Tested"]

LONG = 1e6  # seconds: a search ends by itself
LEAST = 0.05  # seconds for a test, however little of the total is left
PLUGIN = ("-p", "pytest_weft", "--weft-lock-order=off")
#: Plugins that are often in `addopts` and mean nothing, or harm, where one test is checked.
_HARMFUL = {"xdist": "-n0", "timeout": "--timeout=0", "pytest_cov": "--no-cov"}


class Tested:
    """What became of one test.

    Attributes:
        name: as pytest has it.
        verdict: `fails`, `warns`, `complete`, `exhausted` (complete for what was
            seen), `bounded`, `no failure` (the time was up), `no threads`,
            `skipped`, `error` (it could not be checked), `not run`.
        why: the first finding's title, why it was skipped, or the error.
        report: as `weft check --json` has it, or None; `text` is the same for people.
        seconds: what it took, with the making of its process.
    """

    def __init__(self, name: str, verdict: str, why: str = "") -> None:
        self.name = name
        self.verdict = verdict
        self.why = why
        self.report: dict[str, Any] | None = None
        self.text = ""
        self.seconds = 0.0

    @property
    def executions(self) -> int:
        """How often it was executed."""
        return self.report["executions"] if self.report is not None else 0

    @property
    def plain(self) -> dict[str, Any]:
        """For `--json`."""
        names = ("name", "verdict", "why", "seconds", "report")
        return {name: getattr(self, name) for name in names} | {"seconds": round(self.seconds, 3)}


class Every:
    """A run over all tests.

    Args:
        session: the module weft.check.session.
        words: the command line of pytest: paths, or what else it takes.
        choice: which modules are rewritten.
        settings: of each search, by the names that people know; `time` is for each test.
        total: seconds for all, or None.

    Attributes:
        tests: what became of them, so far.
        collected: how many there are.
        interrupted: whether somebody pressed Ctrl-C.
        rings, alone, silenced: of the lock orders of all tests, see weft.check.lock_orders_text.told.
    """

    def __init__(
        self,
        session: Any,
        words: list[str],
        choice: dict[str, Any],
        settings: dict[str, Any],
        total: float | None = None,
    ) -> None:
        self._session = session
        self._words = words
        self._choice = choice
        self._settings = settings
        self._total = total
        self._begun = monotonic()
        self._say: Callable[[Tested], None] = _silent
        self._next: Callable[[str, int, int], None] = _silent
        self.tests: list[Tested] = []
        self.collected = 0
        self.interrupted = False
        self.graph = Graph()
        self.rings: list[dict[str, Any]] = []
        self.alone: list[dict[str, Any]] = []
        self.silenced = 0
        self.seconds = 0.0

    def run(self, say: Callable[[Tested], None], begin: Callable[[str, int, int], None]) -> None:
        """Check them all.

        Args:
            say: called with each test that is done.
            begin: called with each that begins: its name, its number, how many there are.

        Raises:
            WeftError: there is nothing to check.
        """
        self._say, self._next = say, begin
        NOTING.on = True
        with tempfile.TemporaryDirectory(prefix="weft-") as folder, tempfile.TemporaryFile() as errors:
            os.dup2(errors.fileno(), 2)
            tests = Tests([*PLUGIN, *_neutral(), *self._words], self._choice, self._work)
            try:
                tests.hold(os.path.join(folder, "tests"))
            except WeftError as error:
                errors.seek(0)
                said = errors.read(10_000).decode(errors="replace").strip()
                raise WeftError(f"{error}\n{said}".strip()) from None
        self.rings, self.alone, self.silenced = told(self.graph, Benign(patterns_of(os.getcwd())))
        self.seconds = monotonic() - self._begun

    def _work(self, tests: Tests) -> None:
        os.dup2(1, 2)  # what tests write goes nowhere
        try:
            items = tests.collect()
        except KeyboardInterrupt:
            self.interrupted = True
            return
        for name, why in tests.wrong.items():
            self._add(Tested(name or "collection", "error", why))
        self.collected = len(items)
        gc.collect()
        gc.freeze()  # what all tests share: no search has to look at it again
        if not items and not tests.wrong:
            raise WeftError("pytest has collected no tests: name a folder, a file or a package that has some")
        for number, item in enumerate(items):
            left = self._left(len(items) - number)
            if self.interrupted or left == 0:
                why = "interrupted" if self.interrupted else "the total time was up"
                self._add(Tested(item.nodeid, "not run", why))
                continue
            try:
                self._next(item.nodeid, number + 1, len(items))
                self._add(self._check(item, tests.fixtures, left))
            except KeyboardInterrupt:
                self.interrupted = True
                self._add(Tested(item.nodeid, "not run", "interrupted"))

    def _left(self, tests: int) -> float | None:
        """Seconds for the next test: its share of what is left of the total; None: as the settings say."""
        if self._total is None:
            return None
        left = self._total - (monotonic() - self._begun)
        return max(LEAST, left / tests) if left > 0 else 0.0

    def _add(self, tested: Tested) -> None:
        self.tests.append(tested)
        self._say(tested)

    def _check(self, item: Any, fixtures: dict[int, Any], left: float | None) -> Tested:
        begun = monotonic()
        if not hasattr(item, "_initrequest"):
            return Tested(item.nodeid, "skipped", f"a {type(item).__name__} is no Python function")
        settings = dict(self._settings)
        if left is not None:
            settings["time"] = min(left, settings["time"])
        what = os.path.join(str(item.config.rootpath), item.nodeid)
        arguments = item.config.pluginmanager.getplugin("pytest_weft").arguments
        program = Test(what, arguments(item.config), self._choice)
        program.hold(item, fixtures)
        try:
            said = self._search(program, {"settings": settings})
            edges = program.orders()
        finally:
            program.forget()
        for fields in edges:
            self.graph.add(Edge(**fields))
        tested = _judged(item.nodeid, said)
        if tested.verdict == "complete":
            self.graph.proved.add(item.nodeid)
        tested.seconds = monotonic() - begun
        return tested

    def _search(self, program: Test, request: dict[str, Any]) -> dict[str, Any]:
        def work(send: Any) -> None:
            send({**answer(self._session, program, request), "skipped": program.skipped()})

        child = fork_child(work, group=True)
        try:
            said: dict[str, Any] = child.receive(LONG)
        except EOFError:
            said = {"error": "the process that searched has ended without a word"}
        except BaseException:
            child.end(kill=True)
            raise
        child.end()
        return said


def _neutral() -> list[str]:
    """What keeps such plugins still, as far as they are installed."""
    if not plugins_load_themselves():
        return []
    installed = {entry.name for entry in metadata.entry_points(group="pytest11")}
    return [word for name, word in _HARMFUL.items() if name in installed]


def _silent(*_: Any) -> None:
    """Nobody is told."""


def _judged(name: str, said: dict[str, Any]) -> Tested:
    if said.get("error"):
        return Tested(name, "error", said["error"])
    report = said["report"]
    levels = {finding["level"]: finding for finding in reversed(report["findings"])}
    if "failure" in levels:
        tested = Tested(name, "fails", f"{levels['failure']['kind']}: {levels['failure']['title']}")
    elif said["skipped"]:
        return Tested(name, "skipped", said["skipped"])
    elif "warning" in levels:
        tested = Tested(name, "warns", f"{levels['warning']['kind']}: {levels['warning']['title']}")
    elif report["threads"] == 1:
        tested = Tested(name, "no threads")
    elif report["complete"]:
        tested = Tested(name, "complete")
    elif report["exhausted"]:
        tested = Tested(name, "exhausted", f"not seen: {'; '.join(report['unseen'])}")
    elif report["bound"] is not None:
        tested = Tested(
            name, "bounded", f"all {counted(report['within_bound'], 'schedule')} at bound {report['bound']}"
        )
    else:
        tested = Tested(name, "no failure")
    tested.report = report
    tested.text = said["text"]
    return tested
