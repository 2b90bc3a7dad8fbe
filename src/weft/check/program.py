"""The program that is checked: found, read, made ready to be run again and again from its first line."""

import ast
import builtins
import importlib
import os
import sys
from types import CodeType, ModuleType
from typing import Any

from weft.errors import WeftError
from weft.instrument import hook

__all__ = ["Program"]


class Program:
    """A script. Each `run` executes it whole, in a fresh `__main__`; what it imports has been imported
    before.

    Args:
        path: the script.
        args: what follows it on its command line.
    """

    def __init__(self, path: str, args: list[str]) -> None:
        self.path = os.path.abspath(path)
        self.args = args
        self._code: CodeType | None = None
        try:
            with open(path, "rb") as file:
                self._source = file.read()
        except OSError as error:
            raise WeftError(f"can't open file {path!r}: {error.strerror}") from None

    def prepare(self) -> None:
        """Compile it, and import what it imports.

        Raises:
            WeftError: it cannot be compiled.
        """
        sys.path[0] = os.path.dirname(os.path.realpath(self.path))
        sys.argv[:] = [self.path, *self.args]
        hook.install()
        try:
            tree = ast.parse(self._source, self.path)
            self._code = hook.compile_source(self._source, self.path)
        except (SyntaxError, ValueError) as error:
            raise WeftError(f"{self.path}: {error}") from None
        self.preload(_imports(tree))

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

    def run(self) -> None:
        """Execute the script."""
        assert self._code is not None
        main = ModuleType("__main__")
        main.__dict__.update(__builtins__=builtins, __file__=self.path, __annotations__={}, __cached__=None)
        sys.modules["__main__"] = main
        exec(self._code, main.__dict__)  # noqa: S102 - this is what running a program means


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
