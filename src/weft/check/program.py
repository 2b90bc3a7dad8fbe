"""The program that is checked: found, read, made ready to be run again and again from its first line."""

import ast
import builtins
import importlib
import importlib.util
import json
import os
import re
import sys
import traceback
from collections.abc import Callable
from types import CodeType, ModuleType
from typing import Any

from weft.check import inner
from weft.core.places import HOME
from weft.errors import InternalError, WeftError
from weft.instrument import hook

__all__ = ["Function", "Module", "Program", "Script", "named", "parse"]

_FUNCTION = re.compile(r"(?P<where>[^:]+):(?P<name>[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*)")


class Program:
    """Something to check: each `run` executes it whole, after `prepare`.

    Args:
        what: its name, as `kind` has it.
        args: what follows it on its command line.
        choice: which modules are rewritten; arguments of `weft.instrument.hook.install`.
    """

    kind = ""

    def __init__(self, what: str, args: list[str], choice: dict[str, Any] | None = None) -> None:
        self.what = what
        self.args = args
        self.choice = choice or {}

    @property
    def short(self) -> str:
        """A name for files about it."""
        return (
            re.sub(r"[^\w.-]+", "-", os.path.basename(self.what).replace(".py", "")).strip("-") or "program"
        )

    @property
    def folder(self) -> str:
        """Where its project is."""
        path = self.what.partition(":")[0]
        return os.path.dirname(path) if os.path.isabs(path) else os.getcwd()

    def prepare(self) -> None:
        """Find it, compile it, and import what it imports.

        Raises:
            WeftError: it cannot be checked.
        """
        raise NotImplementedError

    def run(self) -> None:
        """Execute it."""
        raise NotImplementedError

    def analysed(self, analysis: Any) -> None:
        """An execution is over in which an Analysis (weft.check.analysis) listened."""

    def judge(self, executor: Any, outcome: Any) -> None:
        """An execution is over: what of its findings counts, and what else is wrong with it.

        Args:
            executor, outcome: of weft.check.execution; the outcome is to be changed.
        """

    def within(self, work: Callable[[], Any]) -> Any:
        """Do what executes it, where it can be executed; `prepare` comes first."""
        self.prepare()
        return work()

    def preload(self, names: list[str]) -> None:
        """Import modules now, so that no execution has to; what cannot be imported the program will meet
        itself.
        """
        for name in names:
            if name not in sys.modules:
                try:
                    importlib.import_module(name)
                except BaseException:  # noqa: BLE001, S112 - not now: where the program does it, and sees it
                    continue

    def _begin(self, folder: str) -> None:
        sys.path[0] = folder
        sys.argv[:] = [self.what, *self.args]
        if hook.installed() is None:
            hook.install(**self.choice)


class _Main(Program):
    """What runs as `__main__`, a fresh one each time."""

    def __init__(self, what: str, args: list[str], choice: dict[str, Any] | None = None) -> None:
        super().__init__(what, args, choice)
        self._code: CodeType | None = None
        self._names: dict[str, Any] = {}

    def _compile(self, source: bytes, path: str) -> None:
        try:
            tree = ast.parse(source, path)
            self._code = hook.compile_source(source, path)
        except (SyntaxError, ValueError) as error:
            raise WeftError(f"{path}: {error}") from None
        self._names = {"__file__": path, "__annotations__": {}, "__builtins__": builtins, "__cached__": None}
        self.preload(_imports(tree))

    def run(self) -> None:
        """Execute it."""
        assert self._code is not None
        main = ModuleType("__main__")
        main.__dict__.update(self._names, __annotations__={})
        sys.modules["__main__"] = main
        exec(self._code, main.__dict__)  # noqa: S102 - this is what running a program means


class Script(_Main):
    """A file, as `python FILE` runs it."""

    kind = "script"

    def __init__(self, what: str, args: list[str], choice: dict[str, Any] | None = None) -> None:
        super().__init__(os.path.abspath(what), args, choice)
        self._source = _read(what)

    def prepare(self) -> None:
        """Compile it, and import what it imports."""
        self._begin(os.path.dirname(os.path.realpath(self.what)))
        self._compile(self._source, self.what)


class Module(_Main):
    """A module or a package with a `__main__`, as `python -m NAME` runs it."""

    kind = "module"

    def prepare(self) -> None:
        """Find it, compile it, and import what it imports."""
        self._begin(os.getcwd())
        try:
            spec = importlib.util.find_spec(self.what)
            if spec is not None and spec.submodule_search_locations is not None:
                spec = importlib.util.find_spec(f"{self.what}.__main__")
        except BaseException as error:  # noqa: BLE001 - the packages around it are the program's own
            raise _not_imported(self.what, error) from None
        if spec is None:
            raise WeftError(f"there is no module {self.what!r} to run, or its package has no __main__")
        if not spec.has_location or spec.origin is None or not spec.origin.endswith(".py"):
            raise WeftError(f"{self.what!r} has no source file that could be checked")
        sys.argv[0] = spec.origin
        self._compile(_read(spec.origin), spec.origin)
        self._names.update(__spec__=spec, __package__=spec.parent, __loader__=spec.loader)


class Function(Program):
    """`package.module:function`, or `file.py:function`: imported once, called each time, with no arguments.

    The module's own level is run before any execution, so it must not start threads.
    """

    kind = "function"
    given = 0  # arguments that a call gives

    def __init__(self, what: str, args: list[str], choice: dict[str, Any] | None = None) -> None:
        match = _FUNCTION.fullmatch(what)
        if match is None:
            raise WeftError(f"{what!r} names no function: package.module:function or file.py:function does")
        self._where, self._name = match["where"], match["name"]
        if self._where.endswith(".py"):
            self._where = os.path.abspath(self._where)
        super().__init__(f"{self._where}:{self._name}", args, choice)
        self._function: Any = None

    @property
    def short(self) -> str:
        """The function's own name."""
        return self._name

    def _load(self) -> ModuleType:
        is_file = self._where.endswith(".py")
        self._begin(os.path.dirname(os.path.realpath(self._where)) if is_file else os.getcwd())
        return _load_file(self._where) if is_file else _import(self._where)

    def prepare(self) -> None:
        """Import its module, and take the function."""
        found: Any = self._load()
        for name in self._name.split("."):
            try:
                found = getattr(found, name)
            except AttributeError:
                raise WeftError(f"{self._where!r} has no {self._name!r}") from None
        if not callable(found):
            raise WeftError(f"{self.what!r} is no function: it is {type(found).__name__!r}")
        self._refuse_more(repr(self.what), found)
        self._function = found

    def _refuse_more(self, name: str, function: Any) -> None:
        needed = _needed(function)
        if len(needed) > self.given:
            raise WeftError(
                f"{name} needs arguments ({', '.join(needed)}); what is checked gets {self.given or 'none'}"
            )

    def run(self) -> None:
        """Call it."""
        self.call()

    def call(self, *args: Any) -> Any:
        """What the function returns."""
        return self._function(*args)


class Inner(Function):
    """A function that is made inside another one: `args` is its description as JSON (weft.check.inner).

    It is made anew for each execution, with what it has captured.
    """

    kind = "inner"

    def __init__(self, what: str, args: list[str], choice: dict[str, Any] | None = None) -> None:
        super().__init__(f"{what}:inner", args, choice)
        self.what = what
        try:
            self._make: Callable[[], Callable[..., object]]
            (self._text,) = map(json.loads, args)
            self._name = re.sub(r"[^\w.]+", "", self._text["name"].replace(".<locals>", ""))
        except (ValueError, TypeError, KeyError, AttributeError):
            raise WeftError("the description of a function is damaged") from None

    def prepare(self) -> None:
        """Import its module, and find its code."""
        module = self._load()
        sys.argv[1:] = []
        spec = module.__spec__
        code = spec.loader.get_code(spec.name) if spec is not None else None  # type: ignore[union-attr]
        if code is None:
            raise WeftError(f"{self.what!r} has no source that could be read")
        self._make = lambda: inner.make(self._text, module, code)
        self._refuse_more(repr(self._name), self._make())

    def call(self, *args: Any) -> Any:
        """Make it; what it returns."""
        return self._make()(*args)


_KINDS: dict[str, type[Program]] = {cls.kind: cls for cls in (Script, Module, Function, Inner)}


def named(kind: str, what: str, args: list[str], choice: dict[str, Any] | None = None) -> Program:
    """The program of a kind.

    Raises:
        WeftError: there is no such kind, or no such program.
    """
    if kind == "test":
        tests = importlib.import_module("weft.check.tests")  # pytest, which only tests want
        made: Program = tests.Test(what, args, choice)
        return made
    if kind == "calls":
        calls = importlib.import_module("weft.check.linear.calls")
        described: Program = calls.Calls(what, args, choice)
        return described
    cls = _KINDS.get(kind)
    if cls is None:
        raise WeftError(f"there are no programs of kind {kind!r}")
    return cls(what, args, choice)


def parse(words: list[str], choice: dict[str, Any] | None = None) -> Program:
    """The program that a command line names: `-m module args`, `module:function args` or `script args`.

    Raises:
        WeftError: there is none.
    """
    if words[:1] == ["-m"]:
        if len(words) < 2:
            raise WeftError("-m needs the name of a module")
        return Module(words[1], words[2:], choice)
    if not words:
        raise WeftError("no program was named")
    if not os.path.exists(words[0]) and _FUNCTION.fullmatch(words[0]):
        return Function(words[0], words[1:], choice)
    return Script(words[0], words[1:], choice)


def _read(path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError as error:
        raise WeftError(f"can't open file {path!r}: {error.strerror}") from None


def _import(name: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except BaseException as error:  # noqa: BLE001 - whatever the program's own code raises
        raise _not_imported(name, error) from None


def _load_file(path: str) -> ModuleType:
    """The module of a file, under a name that nobody takes for `__main__`."""
    _read(path)
    name = os.path.basename(path)[: -len(".py")]
    found = importlib.util.find_spec(name) if name.isidentifier() else None
    if found is not None and found.origin and os.path.realpath(found.origin) == os.path.realpath(path):
        return _import(name)
    spec = importlib.util.spec_from_file_location(f"{name}_file", path)
    assert spec is not None
    finder = hook.installed()
    assert finder is not None
    spec = finder.adapted(spec.name, spec) or spec
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    try:
        assert spec.loader is not None
        spec.loader.exec_module(module)
    except BaseException as error:  # noqa: BLE001 - whatever the program's own code raises
        raise _not_imported(path, error) from None
    return module


def _not_imported(name: str, error: BaseException) -> WeftError:
    """An error that says why, and where in the program."""
    text = "".join(traceback.format_exception_only(error)).strip()
    if isinstance(error, InternalError):  # the model runs nothing yet
        text = "it starts threads while it is imported, or waits for some"
    frames = [
        frame for frame in traceback.extract_tb(error.__traceback__) if not _is_machinery(frame.filename)
    ]
    where = f", at {frames[-1].filename}:{frames[-1].lineno}" if frames else ""
    return WeftError(f"{name!r} cannot be imported{where}: {text}")


def _is_machinery(path: str) -> bool:
    return path.startswith(("<frozen importlib", importlib.__file__, HOME))


def _needed(function: Any) -> list[str]:
    """The parameters that a call must give."""
    inspect = importlib.import_module("inspect")  # it is big, and scripts have no use for it
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):  # of C
        return []
    return [
        parameter.name
        for parameter in parameters
        if parameter.default is parameter.empty
        and parameter.kind not in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)
    ]


def _imports(tree: ast.Module) -> list[str]:
    """The modules that the script names in import statements, in their order."""
    found: list[str] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.append(node.module)
            found += [
                f"{node.module}.{alias.name}"
                for alias in node.names
                if alias.name != "*" and _is_module(node.module, alias.name)
            ]
    return found


def _is_module(package: str, name: str) -> bool:
    """Whether `from package import name` may import a module: not worth a try for what is no package."""
    loaded: Any = sys.modules.get(package)
    return loaded is None or (hasattr(loaded, "__path__") and not hasattr(loaded, name))
