"""How a function of weft stands in for one of CPython's C functions.

C functions do not bind: kept as a class attribute they stay what they are, and programs and CPython's own
modules lean on that (`selectors.SelectSelector._select` is `select.select`). A plain Python function
would take the instance for its first argument. They are pickled by name, too, and show their module's.
"""

from importlib import import_module
from types import MethodType
from typing import Any

__all__ = ["Home", "Supplied", "bind", "dress"]


class Supplied(staticmethod):  # type: ignore[type-arg]
    """A function that does not bind, shown as another module's own."""

    def __reduce__(self) -> str:
        return self.__qualname__

    def __repr__(self) -> str:
        return f"<built-in function {self.__name__}>"


def dress(function: Any, module: str, name: str) -> Any:
    """Give a function the name under which programs know it, and keep it from binding."""
    function.__module__ = module
    function.__name__ = function.__qualname__ = name
    return Supplied(function)


class Home:
    """The module that a bound function is a method of; pickled as that module's import."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __reduce__(self) -> Any:
        return import_module, (self._name,)

    def __repr__(self) -> str:
        return f"<module {self._name!r} (built-in)>"


def bind(function: Any, module: str, name: str) -> Any:
    """As `dress`, for a function that switches often; it gets its module as a first argument.

    A method that is bound already does not bind again, and a call of it is no call in C: there is less
    of a stack to move at each switch.
    """
    function.__module__ = module
    function.__name__ = function.__qualname__ = name
    return MethodType(function, Home(module))
