"""The import hook: which modules are rewritten, and how they are loaded.

By default all but the standard library and what checks are made with. The finder goes first and asks those
behind it, so a module is found where it would have been; only what source files give is changed. Where pytest
rewrites a module's assertions, it does so first.
"""

import ast
import fnmatch
import importlib.machinery
import os
import sys
import sysconfig
import types
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from weft.errors import WeftError
from weft.instrument.rewriting import compile_module

__all__ = ["compile_source", "install", "installed", "uninstall"]

# Never: they run the program, or run inside the calls that tell of it.
NEVER: tuple[str, ...] = (
    "weft",
    "greenlet",
    "threading",
    "queue",
    "_threading_local",
    "concurrent",
    "importlib",
    "sys",
    "builtins",
)
NEVER += (
    "_weakrefset",
    "weakref",
    "functools",
    "types",
    "encodings",
    "codecs",
    "os",
    "posixpath",
    "abc",
    "io",
)
# Unless they are named: what tests are run with.
TOOLS: tuple[str, ...] = (
    "pytest",
    "_pytest",
    "pluggy",
    "iniconfig",
    "hypothesis",
    "coverage",
    "xdist",
    "execnet",
    "setuptools",
    "pip",
)
PYTEST = "_pytest.assertion.rewrite"


def install(only: Iterable[str] = (), exclude: Iterable[str] = (), stdlib: bool = False) -> None:
    """Rewrite modules that are imported from now on.

    Args:
        only: patterns of names; a module is rewritten if one fits it or a package it is in. None: all.
        exclude: patterns of names that are not.
        stdlib: whether the standard library is rewritten too, as far as `only` says.

    Raises:
        WeftError: it is installed, or a pattern is no text.
    """
    if installed() is not None:
        raise WeftError("the import hook is installed already; uninstall() takes it away")
    sys.meta_path.insert(0, Finder(Choice(only, exclude, stdlib)))


def uninstall() -> None:
    """Leave modules alone that are imported from now on; those that were rewritten stay as they are."""
    sys.meta_path[:] = [finder for finder in sys.meta_path if type(finder) is not Finder]


def installed() -> "Finder | None":
    """The finder that is in force, if any."""
    return next((finder for finder in sys.meta_path if type(finder) is Finder), None)


def compile_source(source: str | bytes, filename: str) -> types.CodeType:
    """The code of a main script, its own level rewritten too.

    Raises:
        SyntaxError: as the compiler does.
    """
    data = source if isinstance(source, bytes) else source.encode("utf-8", errors="surrogatepass")
    parse = None if isinstance(source, bytes) else lambda _, name: ast.parse(source, name)
    return compile_module(data, filename, main=True, parse=parse, settings=type(source).__name__)


class Choice:
    """Which modules are rewritten."""

    def __init__(self, only: Iterable[str], exclude: Iterable[str], stdlib: bool) -> None:
        self.only = _patterns("only", only)
        self.exclude = _patterns("exclude", exclude)
        self.stdlib = stdlib
        paths = sysconfig.get_paths()
        self.library = tuple(os.path.join(paths[name], "") for name in ("stdlib", "platstdlib"))
        self.packages = tuple(os.path.join(paths[name], "") for name in ("purelib", "platlib"))

    def takes(self, name: str, origin: str) -> bool:
        """Whether a module that was found in a file is rewritten."""
        if _fits(name, NEVER) or _fits(name, self.exclude):
            return False
        if self.only:
            if not _fits(name, self.only):
                return False
        elif _fits(name, TOOLS):
            return False
        return self.stdlib or not self._is_standard(name, origin)

    def _is_standard(self, name: str, origin: str) -> bool:
        if origin.startswith(self.packages) or f"{os.sep}site-packages{os.sep}" in origin:
            return False
        return origin.startswith(self.library) or name.partition(".")[0] in sys.stdlib_module_names


def _patterns(what: str, given: Iterable[str]) -> tuple[str, ...]:
    found = (given,) if isinstance(given, str) else tuple(given)
    for pattern in found:
        if not isinstance(pattern, str) or not pattern.strip():
            raise WeftError(f"{what} takes patterns of module names such as 'package.*', not {pattern!r}")
    return tuple(pattern.strip() for pattern in found)


def _fits(name: str, patterns: Sequence[str]) -> bool:
    """Whether a pattern fits a module, or a package that it is in."""
    while name:
        if any(name == pattern or fnmatch.fnmatchcase(name, pattern) for pattern in patterns):
            return True
        name = name.rpartition(".")[0]
    return False


class Finder:
    """Asks the finders behind it, and has another loader for what is rewritten."""

    def __init__(self, choice: Choice) -> None:
        self.choice = choice

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: types.ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """The spec that another finder has, if the module is not for us, or its loader replaced by ours."""
        behind = sys.meta_path[sys.meta_path.index(self) + 1 :] if self in sys.meta_path else []
        for finder in behind:
            find = getattr(finder, "find_spec", None)
            spec = find(name, path, target) if find is not None else None
            if spec is not None:
                return self.adapted(name, spec)
        return None

    def adapted(
        self, name: str, spec: importlib.machinery.ModuleSpec
    ) -> importlib.machinery.ModuleSpec | None:
        """The spec with our loader, if it is for us."""
        origin, loader = spec.origin, spec.loader
        asserts = _is_pytest(loader)
        if not spec.has_location or origin is None or not origin.endswith(".py"):
            return spec
        if not asserts and type(loader) is not importlib.machinery.SourceFileLoader:
            return spec  # it does something of its own
        if self.choice.takes(name, origin):
            spec.loader = Loader(name, origin, loader if asserts else None)
        return spec


class Loader(importlib.machinery.SourceFileLoader):
    """Loads a module from its source, rewritten."""

    def __init__(self, name: str, path: str, before: Any) -> None:
        super().__init__(name, path)
        self.before = before  # pytest's loader, whose rewriting of assertions comes first

    def get_code(self, fullname: str) -> types.CodeType:
        """The rewritten code."""
        path = self.get_filename(fullname)
        source = self.get_data(path)
        if self.before is None:
            return compile_module(source, path)
        self.before._rewritten_names[fullname] = Path(path)
        return compile_module(source, path, parse=self._asserting, settings=_version_of_pytest())

    def _asserting(self, source: bytes, filename: str) -> ast.Module:
        tree = ast.parse(source, filename=filename)
        sys.modules[PYTEST].rewrite_asserts(tree, source, filename, self.before.config)
        return tree


def _is_pytest(loader: object) -> bool:
    return type(loader).__module__ == PYTEST


def _version_of_pytest() -> str:
    return f"pytest {getattr(sys.modules.get('pytest'), '__version__', '')}"
