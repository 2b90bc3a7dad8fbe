"""The pytest plugin of weft: tests that are run under many schedules.

    @pytest.mark.weft(time=5)          one test
    pytest --weft                      all of them

It stands beside the package, so that a run of pytest that checks nothing imports nothing of weft. A test that
is checked does not run in this process: a second one has weft in place from its beginning, runs pytest too,
and is asked for one test after another (weft.check.served).

    pytest --weft-lock-order           the orders in which all tests take their locks (weft.check.suite)
"""

import argparse
import importlib
import json
import os
import subprocess
import sys
import tempfile
from typing import Any

import pytest

__all__ = ["CheckError", "CheckFailed"]

INSIDE = "weft-inside"  # the plugin of the process that checks
MARKER = (
    "weft(time=..., schedules=..., strategy=..., seed=..., bound=..., steps=..., net_faults=..., strict=...):"
    " run the test under many schedules, and fail if one of them does"
)
_LIBRARY = os.path.dirname(os.path.abspath(__file__))
_START = f"import sys; sys.path.insert(0, {_LIBRARY!r}); from weft.check.served import main; main()"
_SERVER = pytest.StashKey["_Server"]()
_ORDERS = pytest.StashKey[Any]()  # of what collects lock orders, or None
_MODES = {"warn": "warn", "true": "warn", "1": "warn", "yes": "warn", "on": "warn", "error": "error"}
_MODES |= {"off": "off", "false": "off", "0": "off", "no": "off"}
#: Options of other plugins that are often in `addopts` and mean nothing, or harm, where one test is checked.
_QUIET = {"xdist": "-n0", "timeout": "--timeout=0", "_cov": "--no-cov", "pytest_cov": "--no-cov"}


class CheckFailed(AssertionError):
    """A schedule was found under which the test fails; the text is the report."""


class CheckError(Exception):
    """The test could not be checked."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """The options."""
    group = parser.getgroup("weft", "many schedules (weft)")
    group.addoption("--weft", action="store_true", help="run every test under many schedules")
    group.addoption("--weft-time", type=float, metavar="T", help="seconds for each test (10)")
    group.addoption("--weft-schedules", type=int, metavar="N", help="executions of each test at most")
    group.addoption(
        "--weft-only", action="append", default=[], metavar="P", help="modules that are rewritten"
    )
    group.addoption("--weft-exclude", action="append", default=[], metavar="P", help="modules that are not")
    group.addoption("--weft-stdlib", action="store_true", help="the standard library is rewritten too")
    what = "tell of locks that all tests together take in orders that can end in a deadlock"
    for word in ("", "=warn", "=error", "=off"):  # each by itself: so a path may follow the first
        group.addoption(
            f"--weft-lock-order{word}",
            dest="weft_lock_order",
            action="store_const",
            const=word[1:] or "warn",
            help={"": what, "=error": "the same, and the run fails"}.get(word, argparse.SUPPRESS),
        )
    parser.addini("weft_lock_order", f"{what}: true, error, false", default="off")


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    """Watch locks before the first of them is made by the project."""
    _collect_orders(early_config, early_config.known_args_namespace)


def _collect_orders(config: pytest.Config, option: argparse.Namespace) -> None:
    """Begin to collect lock orders, where that is asked for."""
    if _ORDERS in config.stash or config.pluginmanager.hasplugin(INSIDE):
        return
    mode = getattr(option, "weft_lock_order", None)
    if mode is None:
        word = str(config.getini("weft_lock_order"))
        mode = _MODES.get(word.lower())
        if mode is None:
            raise pytest.UsageError(f"weft_lock_order takes true, error or false, not {word!r}")
    config.stash[_ORDERS] = None
    if mode != "off":
        suite = importlib.import_module("weft.check.suite")
        errors = importlib.import_module("weft.errors")
        try:
            orders = suite.LockOrders(mode == "error", str(config.rootpath))
        except errors.WeftError as error:
            raise pytest.UsageError(f"--weft-lock-order: {error}") from None
        config.stash[_ORDERS] = orders
        config.pluginmanager.register(orders, "weft-lock-order")


def pytest_configure(config: pytest.Config) -> None:
    """The marker; and lock orders, where the plugin was loaded too late to begin with them earlier."""
    config.addinivalue_line("markers", MARKER)
    _collect_orders(config, config.option)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> None:
    """Have a test that is to be checked do that in place of its set-up and its call."""
    marker = item.get_closest_marker("weft")
    if marker is None and (not item.config.option.weft or _steers(item)):
        return
    if not isinstance(item, pytest.Function) or item.config.pluginmanager.hasplugin(INSIDE):
        return
    wanted = _wanted(item, marker)
    checked: Any = item
    checked.setup = checked.teardown = _nothing
    checked.runtest = lambda: _check(item, wanted)
    shown = item.repr_failure
    checked.repr_failure = lambda excinfo, *rest: (
        str(excinfo.value) if isinstance(excinfo.value, (CheckFailed, CheckError)) else shown(excinfo, *rest)
    )


def pytest_unconfigure(config: pytest.Config) -> None:
    """No more tests."""
    server = config.stash.get(_SERVER, None)
    if server is not None:
        server.end()


def _steers(item: pytest.Item) -> bool:
    """Whether the test checks a program by itself, with `weft.steer`."""
    code = getattr(getattr(item, "obj", None), "__code__", None)
    return code is not None and "steer" in code.co_names


def _nothing() -> None:
    """The fixtures are set up where the test is run."""


def _wanted(item: pytest.Item, marker: pytest.Mark | None) -> dict[str, Any]:
    option = item.config.option
    wanted = {"time": option.weft_time, "schedules": option.weft_schedules}
    if marker is not None:
        wanted |= marker.kwargs
        if marker.args:
            wanted["marker"] = marker.args
    return {name: value for name, value in wanted.items() if value is not None}


def _check(item: pytest.Item, wanted: dict[str, Any]) -> None:
    config = item.config
    server = config.stash.get(_SERVER, None)
    if server is None or server.over:
        server = config.stash[_SERVER] = _Server(config)
    if "marker" in wanted:
        raise CheckError(f"the marker weft takes names with values, not {wanted['marker']!r}")
    strict = wanted.pop("strict", False)
    what = os.path.join(config.rootpath, item.nodeid)
    said = server.ask({"what": what, "settings": wanted, "strict": bool(strict)})
    if said.get("error"):
        raise CheckError(said["error"])
    item.user_properties.append(("weft_executions", said["report"]["executions"]))
    orders = config.stash.get(_ORDERS, None)
    if orders is not None:
        orders.take(item.nodeid, said["orders"], said["report"]["complete"])
    if said["status"]:
        raise CheckFailed(said["text"])
    if said["skipped"]:
        pytest.skip(said["skipped"])


class _Server:
    """The process that checks tests, one after another."""

    def __init__(self, config: pytest.Config) -> None:
        self.over = False
        self._folder = tempfile.TemporaryDirectory(prefix="weft-")
        self._errors = open(os.path.join(self._folder.name, "errors"), "w+b")  # noqa: SIM115 - until `end`
        options = subprocess._args_from_interpreter_flags()  # type: ignore[attr-defined]
        self._process = subprocess.Popen(
            [sys.executable, *options, "-c", _START],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            start_new_session=True,
        )
        option = config.option
        choice = {"only": option.weft_only, "exclude": option.weft_exclude, "stdlib": option.weft_stdlib}
        folder = os.path.join(self._folder.name, "tests")
        self.ask(
            {
                "kind": "tests",
                "path": [path for path in sys.path if path],
                "args": arguments(config),
                "choice": choice,
                "folder": folder,
                "orders": config.stash.get(_ORDERS, None) is not None,
            }
        )

    def ask(self, request: dict[str, Any]) -> Any:
        """The answer."""
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None
        assert stdout is not None
        try:
            stdin.write(json.dumps(request).encode() + b"\n")
            stdin.flush()
            answer = json.loads(stdout.readline())
        except (OSError, ValueError):
            self._errors.seek(0)
            told = self._errors.read().decode(errors="replace").strip()
            self.end()
            raise CheckError(f"the process that checks has ended\n{told}") from None
        except BaseException:  # Ctrl-C, a timeout: what it works on is wanted no more
            self.end()
            raise
        if answer.get("error") and "what" not in request:
            self.end()
            raise CheckError(answer["error"])
        return answer

    def end(self) -> None:
        """End it."""
        if self.over:
            return
        self.over = True
        self._process.kill()
        self._process.communicate()
        self._errors.close()
        self._folder.cleanup()


def arguments(config: pytest.Config) -> list[str]:
    """The command line of pytest in the process that checks: what it needs to find the same tests."""
    args = ["-p", __name__, f"--rootdir={config.rootpath}", f"--import-mode={config.option.importmode}"]
    args.append("--weft-lock-order=off")
    if config.inipath is not None:
        args += ["-c", str(config.inipath)]
    if config.option.noconftest:
        args.append("--noconftest")
    if config.option.confcutdir is not None:
        args.append(f"--confcutdir={config.option.confcutdir}")
    for plugin in config.option.plugins:
        args += ["-p", plugin]
    for setting in config.option.override_ini or ():
        args += ["-o", setting]
    for name, neutral in _QUIET.items():
        if config.pluginmanager.hasplugin(name):
            args.append(neutral)
    return args
