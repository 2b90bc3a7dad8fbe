"""What the imported modules hold, so that one process can run a program many times from the same beginning.

The state is what can be reached from the modules' globals through lists, dictionaries, sets, classes and
plain instances. It is not all there is (a C object keeps its own), so what is found in such a process is run
again in a fresh one before it is told.
"""

import sys
from collections import deque
from collections.abc import Iterable
from types import ModuleType
from typing import Any

from weft.check.world import MODEL

__all__ = ["Snapshot", "modules_with_state"]

MOST = 60_000  # containers that are looked at
#: Modules of the standard library that remember threads, or what programs give them.
_STDLIB = ("concurrent.futures.thread", "concurrent.futures._base", "logging", "weakref", "warnings")
_OURS = ("weft", "greenlet")
_LEAVES = (str, bytes, int, float, bool, type(None), complex, ModuleType)


def modules_with_state() -> list[ModuleType]:
    """The loaded modules whose state an execution may change and the next would see."""
    known = sys.stdlib_module_names
    found = []
    for name, module in list(sys.modules.items()):
        top = name.partition(".")[0]
        if not isinstance(module, ModuleType) or name == "__main__" or top in _OURS:
            continue
        if (top not in known and top not in sys.builtin_module_names) or name in _STDLIB:
            found.append(module)
    return found


class Snapshot:
    """The state as it is now; `changed` says which parts are no longer so, `restore` puts them back."""

    def __init__(self, modules: Iterable[ModuleType]) -> None:
        self._parts: list[tuple[Any, Any]] = []
        seen: set[int] = {id(self), id(self._parts), id(MODEL)}
        names = {module.__name__ for module in modules}
        todo: list[Any] = [vars(module) for module in modules]
        while todo and len(self._parts) < MOST:
            thing = todo.pop()
            if id(thing) in seen:
                continue
            seen.add(id(thing))
            kind = type(thing)
            if kind is dict:
                copy: Any = dict(thing)
                todo += [v for v in copy.values() if type(v) not in _LEAVES]
            elif kind in (list, deque):
                copy = list(thing)
                todo += [v for v in copy if type(v) not in _LEAVES]
            elif kind is set:
                copy = set(thing)
            elif isinstance(thing, type):
                if thing.__module__ not in names or thing.__module__ == "builtins":
                    continue
                copy = dict(vars(thing))
                todo += [v for v in copy.values() if type(v) not in _LEAVES]
            else:
                held = _dict_of(thing, kind)
                if held is not None:
                    todo.append(held)
                continue
            self._parts.append((thing, copy))

    def __len__(self) -> int:
        return len(self._parts)

    def changed(self) -> list[int]:
        """The parts that are not as they were."""
        return [number for number, (thing, copy) in enumerate(self._parts) if not _same(thing, copy)]

    def restore(self, numbers: Iterable[int]) -> None:
        """Put these parts back."""
        for number in numbers:
            thing, copy = self._parts[number]
            if isinstance(thing, type):
                _restore_class(thing, copy)
            elif type(thing) is dict or type(thing) is set:
                thing.clear()
                thing.update(copy)
            else:
                thing.clear()
                thing.extend(copy)


def _dict_of(thing: Any, kind: type) -> Any:
    if kind.__module__.partition(".")[0] in _OURS:
        return None
    try:
        held = object.__getattribute__(thing, "__dict__")
    except Exception:  # noqa: BLE001 - it has none
        return None
    return held if type(held) is dict else None


def _same(thing: Any, copy: Any) -> bool:
    if len(copy) != len(vars(thing) if isinstance(thing, type) else thing):
        return False
    if isinstance(thing, type):
        now = vars(thing)
        return all(now.get(key) is value for key, value in copy.items())
    if type(thing) is dict:
        return all(thing.get(key) is value for key, value in copy.items())
    if type(thing) is set:
        return bool(thing == copy)
    return all(one is other for one, other in zip(thing, copy, strict=True))


def _restore_class(cls: type, copy: dict[str, Any]) -> None:
    now = vars(cls)
    for key in [key for key in now if key not in copy]:
        delattr(cls, key)
    for key, value in copy.items():
        if now.get(key) is not value:
            setattr(cls, key, value)
