"""The modules that a program sees in place of `threading` and its kin, and the import that hands them out.

Only the program's own modules get them: libraries have threads of their own, as `logging` and
`multiprocessing` do, which stay what they are.
"""

import builtins
import importlib
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from types import ModuleType
from typing import Any

from weft.host import processes as machine
from weft.processes import locks, pools, queues, threads
from weft.processes.programs import program_module
from weft.processes.thread_locals import local

__all__ = ["Imports", "late_modules", "make_modules"]


def _module(name: str, real: Any, given: dict[str, Any]) -> ModuleType:
    """A module with the public names of the real one, some of them ours; others are looked up there."""
    made: Any = ModuleType(name, real.__doc__)
    public = getattr(real, "__all__", None) or [each for each in vars(real) if not each.startswith("_")]
    made.__dict__.update({each: getattr(real, each) for each in public if each not in given})
    made.__dict__.update(given)
    made.__file__ = getattr(real, "__file__", None)
    made.__spec__, made.__package__ = real.__spec__, real.__package__
    made.__getattr__ = lambda each: getattr(real, each)
    if hasattr(real, "__all__"):
        made.__all__ = list(real.__all__)
    if hasattr(real, "__path__"):
        made.__path__ = real.__path__
    return made  # type: ignore[no-any-return]


def make_modules() -> dict[str, ModuleType]:
    """The program's modules, by name."""
    real: Any = machine.threading
    threading = {
        name: getattr(locks, name)
        for name in ("Lock", "RLock", "Condition", "Semaphore", "BoundedSemaphore", "Event", "Barrier")
    }
    threading |= {name: getattr(threads, name) for name in ("Thread", "Timer")} | {"local": local}
    threading |= {name: getattr(threads, name) for name in ("current_thread", "main_thread", "active_count")}
    threading |= {name: getattr(threads, name) for name in ("get_ident", "get_native_id")}
    threading |= {"enumerate": threads.enumerate_threads, "excepthook": real.__excepthook__}
    threading |= {"currentThread": threads.current_thread, "activeCount": threads.active_count}
    made = {"threading": _module("threading", real, threading)}
    names = ("Queue", "LifoQueue", "PriorityQueue", "SimpleQueue")
    made["queue"] = _module("queue", machine.queue, {name: getattr(queues, name) for name in names})
    pool = {"ThreadPoolExecutor": pools.ThreadPoolExecutor}
    broken = {"BrokenThreadPool": machine.pools.BrokenProcessPool}
    made["concurrent.futures.thread"] = _module(
        "concurrent.futures.thread", machine.thread_pools, pool | broken
    )
    made["concurrent.futures"] = _module(
        "concurrent.futures", machine.futures, pool | {"thread": made["concurrent.futures.thread"]}
    )
    made["concurrent"] = _module("concurrent", machine.concurrent, {"futures": made["concurrent.futures"]})
    made["_thread"] = _module("_thread", sys.modules["_thread"], _low_level())
    return made


def _low_level() -> dict[str, Any]:
    def start_new_thread(function: Any, args: tuple[Any, ...], kwargs: Any = None) -> int:
        thread = threads.Thread(target=function, args=args, kwargs=kwargs, daemon=True)
        thread.start()
        return thread.ident or 0

    def interrupt_main(signum: int = signal.SIGINT) -> None:
        os.kill(threads.settings.main_pid, signum)

    return {
        "start_new_thread": start_new_thread,
        "start_new": start_new_thread,
        "allocate_lock": locks.Lock,
        "allocate": locks.Lock,
        "LockType": locks.Lock,
        "RLock": locks.RLock,
        "interrupt_main": interrupt_main,
        "get_ident": threads.get_ident,
        "get_native_id": threads.get_native_id,
        "_local": local,
    }


class Imports:
    """The import that gives the program's modules ours, in force from `install` to `uninstall`."""

    def __init__(self) -> None:
        self.modules = make_modules()
        self._import = builtins.__import__
        self._import_module = importlib.import_module

    def install(self) -> None:
        """From here on."""
        builtins.__import__ = self._find
        importlib.import_module = self._find_module

    def uninstall(self) -> None:
        """As it was."""
        builtins.__import__ = self._import
        importlib.import_module = self._import_module

    def _find(
        self,
        name: str,
        globals: Mapping[str, object] | None = None,
        locals: Mapping[str, object] | None = None,
        fromlist: Sequence[str] | None = (),
        level: int = 0,
    ) -> Any:
        found = self._import(name, globals, locals, fromlist or (), level)
        first = name.partition(".")[0]
        if (
            level == 0
            and first in self.modules
            and program_module(
                sys._getframe(1).f_globals
                if globals is None
                else globals  # None: the program calls it itself
            )
        ):
            if not fromlist:
                return self.modules[first]
            return self.modules.get(name, found)
        return found

    def _find_module(self, name: str, package: str | None = None) -> Any:
        found = self._import_module(name, package)
        if name in self.modules and program_module(sys._getframe(1).f_globals):
            return self.modules[name]
        return found


def late_modules() -> list[str]:
    """Modules of the program that have the real ones already: "module.name"."""
    real = [machine.threading, machine.queue, machine.futures, machine.concurrent, machine.thread_pools]
    names = {each.__name__ for each in real} | {"_thread", "_queue", "_threading_local"}
    found = []
    for module in list(sys.modules.values()):
        if program_module(getattr(module, "__dict__", None)):
            for name, value in list(vars(module).items()):
                if any(value is each for each in real) or (
                    isinstance(value, type) and value.__module__ in names
                ):
                    found.append(f"{module.__name__}.{name}")
    return sorted(set(found))
