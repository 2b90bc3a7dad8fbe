"""The machine's sockets beside the simulated ones, for modules that talk with other processes; and what of
sockets cannot be simulated.
"""

import importlib.util
import sys
from types import ModuleType
from typing import Any, NoReturn

from weft.check.network.errors import not_simulated
from weft.host.sockets import machine

__all__ = ["refuse_tls", "socket_module"]

_made: list[ModuleType] = []


def socket_module() -> ModuleType:
    """A second copy of CPython's `socket`, over the real `_socket`; made once."""
    if not _made:
        seen = sys.modules["socket"]
        spec = importlib.util.spec_from_file_location("socket", seen.__file__)
        assert spec is not None
        assert spec.loader is not None
        copy = importlib.util.module_from_spec(spec)
        ours = sys.modules["_socket"]
        sys.modules["_socket"], sys.modules["socket"] = machine, copy
        try:
            spec.loader.exec_module(copy)
        finally:
            sys.modules["_socket"], sys.modules["socket"] = ours, seen
        _made.append(copy)
    return _made[0]


def refuse_tls(*_: Any, **__: Any) -> NoReturn:
    """Stands for what makes a TLS connection of a socket."""
    raise not_simulated("TLS connections")
