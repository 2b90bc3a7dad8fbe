"""The pytest plugin of weft: tests that are run under many schedules.

    @pytest.mark.weft(time=5)          one test
    pytest --weft                      all of them

It stands beside the package, so that a run of pytest that checks nothing imports nothing of weft. A test that
is checked does not run in this process: a second one has weft in place from its beginning, runs pytest too,
and is asked for one test after another (weft.check.served).
"""

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


def pytest_configure(config: pytest.Config) -> None:
    """The marker."""
    config.addinivalue_line("markers", MARKER)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> None:
    """Have a test that is to be checked do that in place of its set-up and its call."""
    marker = item.get_closest_marker("weft")
    if marker is None and not item.config.option.weft:
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
                "args": _args(config),
                "choice": choice,
                "folder": folder,
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


def _args(config: pytest.Config) -> list[str]:
    """The command line of pytest in the process that checks: what it needs to find the same tests."""
    args = ["-p", __name__, f"--rootdir={config.rootpath}", f"--import-mode={config.option.importmode}"]
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
