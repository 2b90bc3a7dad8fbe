"""Tests of pytest's as programs to check: pytest runs in the process that checks, a test is an execution.

In each execution the test gets all its fixtures anew, whatever their scope, and they are torn down in it:
what they start belongs to what is checked, and nothing is handed from one execution to the next. Test modules
are imported once, before, by pytest, which rewrites their assertions; then their accesses are rewritten.
"""

import fcntl
import importlib
import json
import os
import sys
import tempfile
from collections.abc import Callable
from types import TracebackType
from typing import Any

import pytest

from weft.check.program import Program
from weft.check.stacks import NOTING
from weft.core.places import HOME
from weft.errors import WeftError
from weft.instrument import hook

__all__ = ["INSIDE", "Test", "Tests"]

INSIDE = "weft-inside"  # the name of our plugin there: the one of the same pytest's outside then does nothing
#: What has no place in an execution: it would take exceptions of threads for warnings, or use real time.
_AWAY = ("threadexception", "unraisableexception", "cacheprovider")
MOST_ORDERS = 2_000  # of one test
_SET = ("faulthandler_timeout=0", "tmp_path_retention_policy=failed")
_TMP_PATH: Any = importlib.import_module("_pytest.tmpdir").tmppath_result_key


class Tests:
    """A session of pytest in this process, in which single tests are looked up.

    Args:
        args: its command line, without tests.
        choice: which modules are rewritten.
        work: called with this object once the session has begun; its end is the session's.
    """

    def __init__(self, args: list[str], choice: dict[str, Any], work: Callable[["Tests"], Any]) -> None:
        self._args = args
        self._choice = choice
        self._work = work
        self._session: Any = None
        self._wrong: list[str] = []
        self.wrong: dict[str, str] = {}  # what could not be collected, and why
        self.result: Any = None
        self._error: BaseException | None = None
        self.fixtures: dict[int, Any] = {}  # the definitions that have been set up

    def hold(self, folder: str) -> Any:
        """Run the session, with a folder for the temporary files of tests; what `work` returns.

        Raises:
            WeftError: pytest cannot be started.
        """
        always = ["-s", *(f"-pno:{name}" for name in _AWAY), *(f"-o{setting}" for setting in _SET)]
        status = pytest.main([*always, f"--basetemp={folder}", *self._args], [self])
        if self._error is not None:
            raise self._error
        if self._session is None:
            raise WeftError(f"pytest cannot be started for the check: it ends with status {int(status)}")
        return self.result

    def find(self, what: str) -> Any:
        """The test of that name, collected.

        Raises:
            WeftError: there is none, or its module cannot be imported.
        """
        self._wrong.clear()
        try:
            items = self._session.perform_collect([what])
        except pytest.UsageError as error:
            why = self._wrong[-1] if self._wrong else str(error)
            raise WeftError(f"{what!r} cannot be collected: {why}") from None
        name = what.partition("::")[2]
        for item in items:
            if item.nodeid.partition("::")[2] == name and hasattr(item, "_initrequest"):
                return item
        why = self._wrong[-1] if self._wrong else "there is no such test"
        raise WeftError(f"{what!r} cannot be collected: {why}")

    def collect(self) -> list[Any]:
        """All tests of its command line; what cannot be collected is in `wrong`.

        Raises:
            WeftError: there is no such file or test.
        """
        try:
            return list(self._session.perform_collect())
        except pytest.UsageError as error:
            raise WeftError(str(error)) from None

    # -- hooks of pytest

    @pytest.hookimpl(tryfirst=True)
    def pytest_load_initial_conftests(self, early_config: pytest.Config) -> None:
        """Put our import hook before pytest's, which is there by now."""
        early_config.pluginmanager.register(object(), INSIDE)
        hook.install(**self._choice)

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection(self, session: pytest.Session) -> bool:
        """Nothing is collected until it is asked for."""
        self._session = session
        return True

    def pytest_fixture_setup(self, fixturedef: Any) -> None:
        """Remember it."""
        self.fixtures[id(fixturedef)] = fixturedef

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Remember what was wrong."""
        if report.failed:
            self._wrong.append(str(report.longrepr))
            self.wrong[report.nodeid] = str(report.longrepr)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Do what the session is for."""
        try:
            self.result = self._work(self)
        except BaseException as error:  # noqa: BLE001 - pytest would tell of it in its own way
            self._error = error
        return True


class Test(Program):
    """One test: the absolute path of its file and its name, as pytest has it; `args` are pytest's own."""

    __test__ = False
    kind = "test"

    def __init__(self, what: str, args: list[str], choice: dict[str, Any] | None = None) -> None:
        super().__init__(what, args, choice)
        self.item: Any = None
        self._fixtures: dict[int, Any] = {}
        self._hooks: list[Any] = []
        self._note = -1
        self._orders = -1
        self._known: set[str] | None = None  # the orders that executions have written there

    @property
    def short(self) -> str:
        """The test's name."""
        words = "".join(c if c.isalnum() or c in "_-" else "-" for c in self.what.partition("::")[2])
        return words.strip("-")[:80] or "test"

    def within(self, work: Callable[[], Any]) -> Any:
        """Do it in a session of pytest, unless there is one."""
        if self.item is not None:
            return work()

        def in_session(tests: Tests) -> Any:
            self.take(tests)
            return work()

        with tempfile.TemporaryDirectory(prefix="weft-") as folder:
            return Tests(self.args, self.choice, in_session).hold(os.path.join(folder, "tests"))

    def take(self, tests: Tests) -> None:
        """Look it up.

        Raises:
            WeftError: it is not there, or cannot be imported.
        """
        self.hold(tests.find(self.what), tests.fixtures)

    def hold(self, item: Any, fixtures: dict[int, Any]) -> None:
        """Be this one, which pytest has collected."""
        self.item = item
        self._fixtures = fixtures
        plugins = self.item.config.pluginmanager
        away = set(getattr(self.item.ihook, "remove_mods", ()))  # conftests of other folders
        if "caplog" not in self.item.fixturenames:  # it takes logging's lock, and each is a point
            away.add(plugins.getplugin("logging-plugin"))
        self._hooks = [
            plugins.subset_hook_caller(f"pytest_runtest_{name}", away)
            for name in ("setup", "call", "teardown")
        ]
        self._note = os.memfd_create("skipped")
        if NOTING.on:
            self._orders = os.memfd_create("orders")
            fcntl.fcntl(self._orders, fcntl.F_SETFL, os.O_APPEND)  # several processes may write

    def analysed(self, analysis: Any) -> None:
        """Write down the orders in which this execution took locks, as far as they are new."""
        edges = analysis.locks.edges() if NOTING.on else []
        if not edges:
            return
        if self._known is None:
            self._known = {_key(fields) for fields in self.orders()}
        for edge in edges:
            fields = edge.plain(self.item.nodeid)
            key = _key(fields)
            if key not in self._known and len(self._known) < MOST_ORDERS:
                self._known.add(key)
                os.write(self._orders, json.dumps(fields).encode() + b"\n")

    def orders(self) -> list[dict[str, Any]]:
        """The orders in which executions, in other processes, took locks: edges of weft.check.lock_orders."""
        if self._orders < 0:
            return []
        size = os.fstat(self._orders).st_size
        return [json.loads(line) for line in os.pread(self._orders, size, 0).splitlines()]

    def forget(self) -> None:
        """No more of it."""
        for fd in (self._note, self._orders):
            if fd >= 0:
                os.close(fd)
        self._note = self._orders = -1

    def skipped(self) -> str:
        """Why executions, in other processes, skipped the test; empty if none did."""
        return os.pread(self._note, 4096, 0).decode(errors="replace")

    def run(self) -> None:
        """Set its fixtures up, call it, tear them down."""
        item = self.item
        self._forget()
        set_up, call, tear_down = self._hooks
        try:
            set_up(item=item)
            call(item=item)
            _raise_kept(item)
        except (pytest.skip.Exception, pytest.xfail.Exception) as outcome:
            os.pwrite(self._note, str(outcome).encode()[:4096] or b"skipped", 0)
        except pytest.FixtureLookupError as error:
            raise LookupError(error.msg or f"fixture {error.argname!r} not found") from None
        except BaseException as error:  # noqa: BLE001 - it goes on, with less of a traceback
            raise error.with_traceback(_trimmed(error.__traceback__, str(item.path))) from None
        tear_down(item=item, nextitem=None)

    def _forget(self) -> None:
        """Whatever an execution that was broken off has left in pytest's hands."""
        item = self.item
        item.session._setupstate.stack.clear()
        for definition in self._fixtures.values():
            definition.cached_result = None
            definition._finalizers.clear()
        item._initrequest()
        item._report_sections.clear()
        item.stash[_TMP_PATH] = {}  # what its reports would have left there
        item.__dict__.pop("_excinfo", None)


def _key(fields: dict[str, Any]) -> str:
    """What makes two orders of one test the same."""
    held = sorted(each[0] for each in fields["held"])
    return f"{fields['had_id']} {fields['wanted_id']} {fields['thread']} {held}"


def _raise_kept(item: Any) -> None:
    """What a test of unittest has raised, which pytest keeps until it makes the report."""
    kept = item.__dict__.get("_excinfo")
    if kept:
        raise kept[0].value


def _trimmed(traceback: TracebackType | None, path: str) -> TracebackType | None:
    """The traceback without pytest's frames above the test's own, or a fixture's."""
    machinery = tuple(
        os.path.dirname(str(sys.modules[name].__file__)) + os.sep for name in ("_pytest", "pluggy")
    )
    frames = []
    while traceback is not None:
        frames.append(traceback)
        traceback = traceback.tb_next
    names = [frame.tb_frame.f_code.co_filename for frame in frames]
    if path in names:
        return frames[names.index(path)]
    for frame, name in zip(frames, names, strict=True):
        if not name.startswith((*machinery, HOME)):
            return frame
    return frames[0] if frames else None
