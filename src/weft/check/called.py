"""`weft.check(function)`: a check from within a program, made in a process of its own.

The calling process has real threads and modules that nobody has rewritten, so the check begins in a fresh
interpreter, which imports the function's module again. What goes there and comes back is JSON.
"""

import importlib.machinery
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterable
from types import FunctionType
from typing import Any

from weft.check import inner
from weft.check.settings import Settings
from weft.config import environment_with_fixed_hashes
from weft.errors import WeftError
from weft.wording import counted

__all__ = ["START", "Checked", "ask", "check", "described", "patterns"]

_HOME = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
#: What `python -c` gets in the process that checks.
START = f"import sys; sys.path.insert(0, {_HOME!r}); from weft.check.served import main; main()"


class Checked:
    """What a check has found; `str` of it is the report for people.

    Attributes:
        ok: whether there is no failure among the findings.
        kind: of the first finding, or None.
        findings: dictionaries with `kind`, `level`, `title`, `threads`, `places` and `lines`.
        executions, seconds: how many were run, in what time.
        complete: whether these were all schedules there are.
        bound: the largest bound of which all schedules were run, or None.
        schedule: the file for `weft replay`, or None.
    """

    def __init__(self, said: dict[str, Any], text: str) -> None:
        self.kind: str | None = said["kind"]
        self.findings: list[dict[str, Any]] = said["findings"]
        self.executions: int = said["executions"]
        self.seconds: float = said["seconds"]
        self.complete: bool = said["complete"]
        self.bound: int | None = said["bound"]
        self.schedule: str | None = said["schedule"]
        self._text = text

    @property
    def ok(self) -> bool:
        """Whether there is no failure among the findings."""
        return not self.failures

    @property
    def failures(self) -> list[dict[str, Any]]:
        """The findings that are failures."""
        return [finding for finding in self.findings if finding["level"] == "failure"]

    def __str__(self) -> str:
        return self._text

    def __repr__(self) -> str:
        what = self.kind or "nothing"
        return f"<weft check: {what} found in {counted(self.executions, 'execution')}>"


def check(
    function: Callable[[], object],
    *,
    only: Iterable[str] = (),
    exclude: Iterable[str] = (),
    stdlib: bool = False,
    **settings: Any,
) -> Checked:
    """Run a function under many schedules and say what can go wrong.

    Args:
        function: it takes no arguments. Its module is imported again in a process of its own, where its name
            is not `__main__`. What is made inside another function is made there too, if what it has captured
            are plain values, modules, and things that can be imported.
        only, exclude: patterns of modules that are rewritten, or are not.
        stdlib: whether the standard library is rewritten too.
        settings: `time` in seconds, `schedules`, `strategy`, `seed`, `bound`, `steps`, `jobs`, `net_faults`,
            `net_pass`, as for the command.

    Raises:
        WeftError: the function cannot be checked, or an option cannot be.
    """
    Settings(**settings)  # refuses what cannot be, here
    request = {
        **described(function),
        "path": sys.path,
        "choice": {"only": patterns(only), "exclude": patterns(exclude), "stdlib": bool(stdlib)},
        "settings": {name: value for name, value in settings.items() if value is not None},
    }
    said = ask(request)
    return Checked(said["report"], said["text"])


def ask(request: dict[str, Any], folder: str | None = None) -> Any:
    """The answer of a fresh process (weft.check.served), in a folder.

    Raises:
        WeftError: what it says that cannot be.
    """
    options = subprocess._args_from_interpreter_flags()  # type: ignore[attr-defined]
    done = subprocess.run(
        [sys.executable, *options, "-c", START],
        input=json.dumps(request),
        capture_output=True,
        text=True,
        cwd=folder,
        env=environment_with_fixed_hashes(),
    )
    try:
        said = json.loads(done.stdout)
    except ValueError:
        raise WeftError(f"the check ended with status {done.returncode}:\n{done.stderr.strip()}") from None
    if "error" in said:
        raise WeftError(said["error"])
    return said


def patterns(given: Iterable[str]) -> list[str]:
    """Patterns of modules, of which there may be one alone."""
    return [given] if isinstance(given, str) else list(given)


def described(function: Any) -> dict[str, Any]:
    """How another process finds the function: `kind`, `what` and `args`, as weft.check.program has them.

    Raises:
        WeftError: it cannot be found from there.
    """
    name = getattr(function, "__qualname__", None)
    module = sys.modules.get(getattr(function, "__module__", None) or "")
    if not callable(function) or name is None or module is None:
        raise WeftError(f"a check takes a function, not {function!r}")
    path = getattr(module, "__file__", None)
    spec = getattr(module, "__spec__", None)
    where = spec.name if spec is not None else module.__name__
    if where == "__main__" or (
        path is not None and (_is_far(where, path) or not _is_importable(where, path))
    ):
        if path is None:
            raise WeftError(f"{name!r} stands in no file: another process cannot import it")
        where = os.path.abspath(path)
    found: Any = module
    for part in name.split("."):
        found = getattr(found, part, None)
    if found is function:
        return {"kind": "function", "what": f"{where}:{name}", "args": []}
    if type(function) is not FunctionType:
        raise WeftError(f"{name!r} cannot be found from another process: a check takes a function")
    return {"kind": "inner", "what": where, "args": [json.dumps(inner.describe(function))]}


def _is_far(name: str, path: str) -> bool:
    """Whether a replay, which begins in this folder, would not find the module by its name."""
    folder = os.path.dirname(os.path.abspath(path))
    return "." not in name and os.path.realpath(folder) != os.path.realpath(os.getcwd())


def _is_importable(name: str, path: str) -> bool:
    """Whether a fresh process that has this one's `sys.path` would find that file under the name."""
    places: Any = None
    parts = name.split(".")
    for count in range(1, len(parts) + 1):
        spec = importlib.machinery.PathFinder.find_spec(".".join(parts[:count]), places)
        if spec is None:
            return False
        places = spec.submodule_search_locations
    return (
        spec is not None
        and spec.origin is not None
        and os.path.realpath(spec.origin) == os.path.realpath(path)
    )
