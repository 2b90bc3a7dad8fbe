"""The lock orders of a whole run of pytest: a plugin of pytest's, there when they are asked for.

Tests that are not checked run as ever, on real threads, with locks that note who takes them
(`host.noted_locks`); from tests that are checked, in another process, come the edges of their executions.
With xdist each worker hands its graph to the controller.
"""

import importlib
from collections.abc import Generator
from typing import Any

import pytest

from weft.check.benign import Benign, patterns_of
from weft.check.lock_orders import Edge, Graph
from weft.check.lock_orders_text import closing, told
from weft.check.stacks import made_at, places_of
from weft.host import noted_locks

__all__ = ["LockOrders"]

OUTSIDE = "(outside tests)"
KEY = "weft_lock_order"  # in what an xdist worker hands over


class LockOrders:
    """Collects; tells at the end.

    Args:
        strict: whether a ring makes the run fail.
        folder: pytest's root, whose pyproject.toml may declare orders harmless.

    Raises:
        WeftError: the locks of this process cannot be watched, or the declarations cannot be read.
    """

    def __init__(self, strict: bool, folder: str) -> None:
        self.graph = Graph()
        self._strict = strict
        self._benign = Benign(patterns_of(folder))
        self._worker = ""
        self._told: tuple[list[dict[str, Any]], list[dict[str, Any]], int] = ([], [], 0)
        self._names: dict[Any, str] = {}
        noted_locks.stop_at(*_outermost())
        noted_locks.install()

    # -- hooks of pytest --------------------------------------------------------------------------------

    def pytest_configure(self, config: pytest.Config) -> None:
        """Which process of a distributed run this is."""
        self._worker = getattr(config, "workerinput", {}).get("workerid", "")
        if not self._worker and getattr(config.option, "dist", "no") != "no":
            noted_locks.uninstall()  # tests run in the workers

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, Any, Any]:
        """A test."""
        self._close(OUTSIDE)
        try:
            return (yield)
        finally:
            self._close(item.nodeid)

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Judge, or hand over."""
        self._close(OUTSIDE)
        noted_locks.uninstall()
        output = getattr(session.config, "workeroutput", None)
        if output is not None:
            output[KEY] = self.graph.plain
            return
        self._told = told(self.graph, self._benign)
        if self._strict and self._told[0] and session.exitstatus in (0, pytest.ExitCode.NO_TESTS_COLLECTED):
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """A worker of xdist's has ended."""
        plain = getattr(node, "workeroutput", {}).get(KEY)
        if plain is not None:
            self.graph.take(plain)

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """Tell."""
        rings, alone, silenced = self._told
        verbose = terminalreporter.config.get_verbosity() > 0
        shown = [*rings, *alone] if verbose else rings
        write = terminalreporter.write_line
        terminalreporter.write_sep("=", "lock order (weft)")
        for number, ring in enumerate(shown, 1):
            level = "error" if self._strict and ring in rings else "warning" if ring in rings else "note"
            write(f"{number}. {level}: {ring['title']}", red=level == "error", yellow=level == "warning")
            for line in ring["lines"]:
                write(f"   {line}")
        for line in closing(self.graph, len(rings), 0 if verbose else len(alone), silenced):
            write(line)
        if rings and self._strict:
            write("the run fails: --weft-lock-order=error", red=True)

    # -- what comes in ----------------------------------------------------------------------------------

    def take(self, test: str, edges: list[dict[str, Any]], proved: bool) -> None:
        """What the check of a test has shown; `proved` is whether every schedule was run."""
        for fields in edges:
            self.graph.add(Edge(**{**fields, "test": test}))
        if proved:
            self.graph.proved.add(test)

    def _close(self, test: str) -> None:
        """What has been noted so far was in that test."""
        records = noted_locks.fetch()
        noted_locks.turn_over()
        for record in records:
            for edge in self._edges(record, test):
                self.graph.add(edge)

    def _edges(self, record: noted_locks.Nested, test: str) -> list[Edge]:
        wanted = self._name(record.site)
        held = [(f"{self._worker}.{each.serial}", self._name(each.site)) for each in record.held]
        new = [
            (each, name)
            for each, name in zip(record.held, held, strict=True)
            if self.graph.wants(name[1], wanted, len(held), test)
        ]
        wanted_at = places_of(record.frames) if new else []
        return [
            Edge(
                had=had,
                wanted=wanted,
                had_id=had_id,
                wanted_id=f"{self._worker}.{record.serial}",
                held=held,
                test=test,
                thread=f"{self._worker}.{record.number}",
                name=record.name,
                main=record.main,
                clock={f"{self._worker}.{number}": count for number, count in record.clock.items()},
                had_at=places_of(each.frames),
                wanted_at=wanted_at,
                whole=each.whole,
            )
            for each, (had_id, had) in new
        ]

    def _name(self, site: noted_locks.Site) -> str:
        name = self._names.get(site)
        if name is None:
            name = self._names[site] = made_at(site.kind, site.frames)
        return name


def _outermost() -> list[Any]:
    """The code of pytest that calls tests and fixtures."""
    found: list[Any] = []
    for module, name in (
        ("_pytest.python", "pytest_pyfunc_call"),
        ("_pytest.fixtures", "call_fixture_func"),
        ("_pytest.fixtures", "_teardown_yield_fixture"),
    ):
        function = getattr(importlib.import_module(module), name, None)
        code = getattr(function, "__code__", None)
        if code is not None:
            found.append(code)
    return found
