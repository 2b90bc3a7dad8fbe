"""`from weft.stdlib import threading, queue, time, futures`: weft's modules beside the real ones.

Nothing is replaced: each module is another copy of CPython's own source, executed with imports that lead
to weft's `_thread` and to the other copies, and then quickened like an installed one.
"""

import builtins
import importlib
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from types import ModuleType
from typing import Any

from weft.stdlib.supply import QUICKENED
from weft.stdlib.thread_module import ThreadPort

__all__ = ["NAMES", "Beside"]

#: What `weft.stdlib` offers: its name there, and the module of CPython that it is a copy of.
NAMES = {
    "threading": "threading",
    "queue": "queue",
    "time": "time",
    "futures": "concurrent.futures.thread",
}


class Beside:
    """Copies of CPython's modules on one model.

    Args:
        port: starts and lists threads.
        thread_module: weft's `_thread`.
        queue_module: makes weft's `_queue`.
        sleep: weft's `time.sleep`.
    """

    def __init__(
        self,
        port: ThreadPort,
        thread_module: ModuleType,
        queue_module: Callable[[], ModuleType],
        sleep: Callable[[float], None],
    ) -> None:
        self._port = port
        self._queue_module = queue_module
        self._sleep = sleep
        self._made: dict[str, Any] = {"_thread": thread_module}

    def get(self, name: str) -> Any:
        """The copy of a module of CPython, made when it is asked for first."""
        made = self._made.get(name)
        if made is not None:
            return made
        if name == "_queue":
            made = self._queue_module()
        elif name == "time":
            made = ModuleType("time", time.__doc__)
            made.__dict__.update({k: v for k, v in vars(time).items() if k != "__name__"})
            made.__dict__["sleep"] = self._sleep
        elif name == "concurrent.futures":
            made = ModuleType("concurrent.futures")
        else:
            return self._execute(name)
        self._made[name] = made
        return made

    def _execute(self, name: str) -> Any:
        spec = _find(name)
        if spec is None or spec.loader is None:
            raise ImportError(f"this interpreter has no module {name!r}", name=name)
        module: Any = ModuleType(name)
        module.__file__ = spec.origin
        module.__spec__ = spec
        module.__dict__["__builtins__"] = {**vars(builtins), "__import__": self._import}
        self._made[name] = module
        exec(spec.loader.get_code(name), module.__dict__)  # noqa: S102
        if name in QUICKENED:
            where, function = QUICKENED[name]
            getattr(importlib.import_module(where), function)(module, self._port)
        if name == "concurrent.futures.thread":
            for public in ("Future", "CancelledError", "TimeoutError", "as_completed", "wait"):
                setattr(module, public, getattr(self.get("concurrent.futures._base"), public))
            for public in ("FIRST_COMPLETED", "FIRST_EXCEPTION", "ALL_COMPLETED", "InvalidStateError"):
                setattr(module, public, getattr(self.get("concurrent.futures._base"), public))
        return module

    def _import(
        self,
        name: str,
        globals: Mapping[str, object] | None = None,
        locals: Mapping[str, object] | None = None,
        fromlist: Sequence[str] | None = (),
        level: int = 0,
    ) -> Any:
        """`__import__` for the copies: ours where there is one of ours."""
        if level == 0:
            if name == "concurrent.futures" and fromlist:
                package = self.get(name)
                for part in fromlist:
                    setattr(package, part, self.get(f"{name}.{part}"))
                return package
            if name in ("_thread", "_queue", "threading", "queue", "time"):
                return self.get(name)
        return builtins.__import__(name, globals, locals, fromlist or (), level)


def _find(name: str) -> Any:
    package, _, _ = name.rpartition(".")
    path = importlib.import_module(package).__path__ if package else None
    for finder in sys.meta_path:
        spec = finder.find_spec(name, path, None)
        if spec is not None:
            return spec
    return None
