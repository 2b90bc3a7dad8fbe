"""Puts weft's modules where programs find them, and takes them away again.

`_thread` and `_queue` are served by a finder at the head of `sys.meta_path`, since programs and CPython's
tests re-import them. `threading`, `queue` and a few others are CPython's own source, executed as usual;
when the execution is over, the fast versions are put in. What had been bound before weft came is rebound
where weft knows of it; `weft doctor` tells of the rest.
"""

import _thread as real_thread
import importlib
import importlib._bootstrap as bootstrap
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

from weft.stdlib.locks import RLock
from weft.stdlib.thread_module import ThreadPort, make_thread_module

__all__ = ["QUICKENED", "TOO_LATE", "Supply", "make_queue_module"]

#: Modules that must not have been imported before weft is in place.
TOO_LATE = ("threading", "queue", "concurrent.futures._base", "_threading_local")

#: Further modules that hold on to what they found in those, and are forgotten with them.
HOLD_ON = ("concurrent.futures", "concurrent.futures.thread", "concurrent.futures.process")

#: Module of CPython: where the function is that puts fast versions into an executed copy of it. They are
#: loaded with the module, so that a program without threads does not pay for them.
QUICKENED = {
    "threading": ("weft.stdlib.threading_fast", "quicken_threading"),
    "queue": ("weft.stdlib.queues", "quicken_queue"),
    "concurrent.futures._base": ("weft.stdlib.futures_fast", "quicken_futures"),
    "concurrent.futures.thread": ("weft.stdlib.futures_fast", "quicken_pool"),
}

#: Where CPython's start may have bound `_thread.RLock` or `allocate_lock` already: module, name.
_REBIND = (("functools", "RLock"), ("reprlib", "get_ident"))


class _AfterExec:
    """A loader that does as the real one does and then calls a function on the module.

    If that has a method `before`, it is called first, and what it returns is called after the execution.
    """

    def __init__(self, real: Any, after: Callable[[Any], None]) -> None:
        self._real = real
        self._after = after

    def create_module(self, spec: Any) -> ModuleType | None:
        return self._real.create_module(spec)  # type: ignore[no-any-return]

    def exec_module(self, module: ModuleType) -> None:
        before = getattr(self._after, "before", None)
        undo = before() if before is not None else None
        try:
            self._real.exec_module(module)
        finally:
            if undo is not None:
                undo()
        self._after(module)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)


class _Ready:
    """A loader of a module that is there already."""

    def __init__(self, make: Callable[[], ModuleType]) -> None:
        self._make = make

    def create_module(self, spec: Any) -> ModuleType:
        return self._make()

    def exec_module(self, module: ModuleType) -> None:
        pass


class Supply:
    """The modules of one runtime.

    Args:
        port: starts and lists threads.
        sleep: what `time.sleep` is to be.
        extras: pairs of a module's name and a function that adapts the module after its execution; those of
            one module are called in their order.
        more: further attributes to replace: (module, name, value).
    """

    def __init__(
        self,
        port: ThreadPort,
        sleep: Callable[[float], None],
        extras: Iterable[tuple[str, Callable[[Any], None]]],
        more: list[tuple[Any, str, Any]],
    ) -> None:
        self._more = more
        self.thread_module = make_thread_module(real_thread, port)
        self._port = port
        self._sleep = sleep
        self._made = {"_thread": self._again(self.thread_module), "_queue": make_queue_module}
        self._after: dict[str, Callable[[Any], None]] = {
            name: self._quickener(*where) for name, where in QUICKENED.items()
        }
        for name, after in extras:
            self._after[name] = _both(self._after.get(name), after)
        self._undo: list[Callable[[], None]] = []
        self.installed = False

    def _quickener(self, module_name: str, function: str) -> Callable[[Any], None]:
        """A function that loads the fast versions when the module they go into is loaded."""

        def quicken(module: Any) -> None:
            getattr(importlib.import_module(module_name), function)(module, self._port)

        return quicken

    @staticmethod
    def _again(module: ModuleType) -> Callable[[], ModuleType]:
        """A maker that gives a fresh module of the same contents, as re-importing the C one does."""

        def make() -> ModuleType:
            fresh = ModuleType(module.__name__, module.__doc__)
            fresh.__dict__.update({k: v for k, v in vars(module).items() if not k.startswith("__")})
            return fresh

        return make

    # -- the finder ---------------------------------------------------------------------------------

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Serve ours; let the others be found and wrap the loaders of those that are quickened."""
        make = self._made.get(name)
        if make is not None:
            return ModuleSpec(name, _Ready(make), origin="built-in")  # type: ignore[arg-type]
        after = self._after.get(name)
        if after is None:
            return None
        for finder in sys.meta_path:
            if finder is self:
                continue
            spec = finder.find_spec(name, path, target)
            if spec is not None and spec.loader is not None:
                spec.loader = _AfterExec(spec.loader, after)  # type: ignore[assignment]
                return spec
        return None

    # -- in and out -----------------------------------------------------------------------------------

    def install(self) -> None:
        """Put everything in place."""
        self.installed = True
        sys.meta_path.insert(0, self)
        self._undo.append(lambda: sys.meta_path.remove(self))
        module: Any = self.thread_module
        spec = ModuleSpec("_thread", _Ready(lambda: module), origin="built-in")  # type: ignore[arg-type]
        module.__spec__, module.__loader__, module.__package__ = spec, spec.loader, ""
        self._swap_module("_thread", module)
        self._swap_module("_queue", None)  # ours is made when somebody imports it
        self._swap(time, "sleep", self._sleep)
        for module, name, value in self._more:
            self._swap(module, name, value)
        self._swap(bootstrap, "_thread", self.thread_module)
        for name, attribute in _REBIND:
            found = sys.modules.get(name)
            if found is not None and hasattr(found, attribute):
                self._swap(found, attribute, getattr(self.thread_module, attribute))
        self._guard_import_lock()
        for name, after in self._after.items():
            loaded = sys.modules.get(name)
            if loaded is not None and name not in TOO_LATE:
                after(loaded)

    def uninstall(self) -> None:
        """Put back what was there."""
        while self._undo:
            self._undo.pop()()
        for name in (*TOO_LATE, *HOLD_ON):
            sys.modules.pop(name, None)

    def _swap(self, holder: Any, name: str, value: Any) -> None:
        old = getattr(holder, name)
        setattr(holder, name, value)
        self._undo.append(lambda: setattr(holder, name, old))

    def _swap_module(self, name: str, module: ModuleType | None) -> None:
        old = sys.modules.pop(name, None)
        if module is not None:
            sys.modules[name] = module

        def put_back() -> None:
            if old is None:
                sys.modules.pop(name, None)
            else:
                sys.modules[name] = old

        self._undo.append(put_back)

    def _guard_import_lock(self) -> None:
        """The import lock of `_imp` belongs to the kernel thread: give user threads one of theirs."""
        imp: Any = bootstrap._imp  # type: ignore[attr-defined]
        self.import_lock = lock = RLock()
        self._swap(imp, "acquire_lock", lambda: _acquired(lock))
        self._swap(imp, "release_lock", lambda: _released(lock))
        self._swap(imp, "lock_held", lambda: lock._owner is not None)


def _both(first: Callable[[Any], None] | None, second: Callable[[Any], None]) -> Callable[[Any], None]:
    if first is None:
        return second
    earlier = first

    def adapt(module: Any) -> None:
        earlier(module)
        second(module)

    return adapt


def _acquired(lock: RLock) -> None:
    lock.acquire()


def _released(lock: RLock) -> None:
    if not lock._is_owned():
        raise RuntimeError("not holding the import lock")
    lock.release()


def make_queue_module() -> ModuleType:
    """Weft's `_queue`, new."""
    simple = importlib.import_module("weft.stdlib.simple_queue")
    module: Any = ModuleType("_queue", "C implementation of the Python queue module.")
    module.SimpleQueue = simple.SimpleQueue
    module.Empty = simple.Empty
    simple.SimpleQueue.__module__ = "_queue"
    return module  # type: ignore[no-any-return]
