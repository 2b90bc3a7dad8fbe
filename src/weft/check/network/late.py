"""Puts the simulated network in place when the program first imports what leads to it, and not before."""

import importlib
import importlib.util
import sys
from collections.abc import Callable, Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

from weft.check.outside import children
from weft.check.world import NET, passed

__all__ = ["Late", "install"]

_NAME = "_socket"
#: Modules that share sockets with other processes, and so have the machine's.
_WITH_CHILDREN = ("connection", "forkserver", "reduction", "resource_sharer")


def install() -> None:
    """Wait for the program to ask."""
    after = {f"multiprocessing.{name}": _give_machines for name in _WITH_CHILDREN}
    sys.meta_path.insert(0, Late({**after, "_posixsubprocess": children, "ssl": _refuse_tls}))


def _give_machines(module: Any) -> None:
    """Its `socket` becomes another copy of the module, over the machine's sockets."""
    if "socket" in vars(module) and NET.mode != "pass":
        module.socket = importlib.import_module("weft.check.network.machine").socket_module()


def _refuse_tls(module: Any) -> None:
    if NET.mode != "pass":
        module.SSLSocket._create = importlib.import_module("weft.check.network.machine").refuse_tls


class Late:
    """A finder that knows one name, and does something after some others have been loaded."""

    def __init__(self, after: dict[str, Callable[[Any], object]]) -> None:
        self._after = after
        self._busy = False

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: Any = None
    ) -> ModuleSpec | None:
        """As finders do."""
        if name == _NAME and not self._busy:
            if NET.mode == "pass":
                passed.add("the machine's sockets")
                return None
            return ModuleSpec(name, self, origin="built-in")  # type: ignore[arg-type]
        if name not in self._after or self._busy:
            return None
        self._busy = True
        try:
            found = importlib.util.find_spec(name)
        finally:
            self._busy = False
        if found is not None and found.loader is not None:
            found.loader = _Then(found.loader, self._after[name])  # type: ignore[assignment]
        return found

    def create_module(self, _: Any) -> ModuleType:
        """The module `_socket`, made of the real one."""
        self._busy = True
        try:
            made: ModuleType = importlib.import_module("weft.check.network.module").make()
        finally:
            self._busy = False
            sys.modules.pop(_NAME, None)
        return made

    def exec_module(self, _: ModuleType) -> None:
        """It is made already."""


class _Then:
    """A loader that does something once it has loaded."""

    def __init__(self, loader: Any, then: Callable[[Any], object]) -> None:
        self._loader = loader
        self._then = then

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loader, name)

    def create_module(self, spec: Any) -> Any:
        """As the loader does."""
        return self._loader.create_module(spec)

    def exec_module(self, module: Any) -> None:
        """As the loader does, and then."""
        self._loader.exec_module(module)
        self._then(module)
