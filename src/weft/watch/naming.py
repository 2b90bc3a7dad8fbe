"""Names for what a program has given none: the objects that threads wait on."""

import sys
from _weakref import ref
from collections.abc import Callable

from weft.core.thread import ControlBlock

__all__ = ["Objects", "variable_of"]

KEPT = 1 << 16  # objects that are known again; the one that was met longest ago is forgotten first


class Objects:
    """Numbers objects, and names them: by the program's global variable, or by kind and place.

    An object is known by its identity, while it lives; what cannot be referred to weakly is kept alive for
    that. Of very many the oldest are let go.
    """

    def __init__(self) -> None:
        self._known: dict[int, tuple[int, str, Callable[[], object]]] = {}
        self._last = 0
        self._counts: dict[str, int] = {}

    def number(self, on: object, place: str | None) -> tuple[int, str]:
        """An object's number and name.

        Args:
            on: the object; a string stands for itself.
            place: where it was waited for, for those that are met first.
        """
        key = hash(on) if isinstance(on, str) else id(on)
        found = self._known.pop(key, None)
        if found is None or not _same(found[2](), on):
            self._last += 1
            found = self._last, self._name(on, place), _hold(on)
            if len(self._known) >= KEPT:
                del self._known[next(iter(self._known))]
        self._known[key] = found
        return found[:2]

    def _name(self, on: object, place: str | None) -> str:
        if isinstance(on, str):
            return on
        if isinstance(on, ControlBlock):
            return f"thread {on.name!r}"
        cls = type(on)
        if cls.__module__.startswith("weft.") and getattr(on, "numbers", None):
            return repr(on)
        kind = {"lock": "Lock"}.get(cls.__name__, cls.__name__).lstrip("_")
        variable = variable_of(on)
        if variable is not None:
            return f"{kind} {variable}"
        self._counts[kind] = count = self._counts.get(kind, 0) + 1
        return f"{kind} {count}" if place is None else f"{kind} {count}, {place}"


def _same(known: object, on: object) -> bool:
    return known is on or (isinstance(on, str) and known == on)


def _hold(on: object) -> Callable[[], object]:
    """Gives the object as long as it is there."""
    try:
        return ref(on)
    except TypeError:
        return lambda: on


def variable_of(on: object) -> str | None:
    """The global variable of the program's main module that an object is bound to, if there is one."""
    main = sys.modules.get("__main__")
    variables: dict[str, object] = getattr(main, "__dict__", {})
    for name, value in list(variables.items()):
        if value is on and not name.startswith("__"):
            return name
    return None
