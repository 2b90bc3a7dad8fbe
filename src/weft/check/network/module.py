"""The module `_socket` of a checked program: the real one's numbers, our sockets and names."""

from types import ModuleType
from typing import Any

from weft.check.network import descriptors, names, polling
from weft.check.network.errors import not_simulated
from weft.check.network.making import checked_timeout
from weft.check.network.sockets import Default, Socket, socketpair
from weft.check.network.space import FIRST, NETWORK, is_simulated
from weft.check.outside import FILES
from weft.host.sockets import machine

__all__ = ["make"]


class _Functions:
    """What stands for functions in C, and so does not bind."""

    @staticmethod
    def close(fd: int, /) -> None:
        if not is_simulated(fd):
            machine.close(fd)
        else:
            descriptors.close(fd)

    @staticmethod
    def dup(fd: int, /) -> int:
        return descriptors.dup(fd) if is_simulated(fd) else int(machine.dup(fd))

    @staticmethod
    def getdefaulttimeout() -> float | None:
        return Default.timeout

    @staticmethod
    def setdefaulttimeout(timeout: float | None, /) -> None:
        Default.timeout = checked_timeout(timeout)

    @staticmethod
    def socketpair(*args: Any) -> tuple[Socket, Socket]:
        return socketpair(*args)


def make() -> ModuleType:
    """The module; with it, what takes descriptors is put in place."""
    module: Any = ModuleType("_socket", machine.__doc__)
    kept = {name: value for name, value in vars(machine).items() if name[:2] != "__"}
    vars(module).update(kept)
    for name, function in vars(_Functions).items():
        if isinstance(function, staticmethod):
            setattr(module, name, function)
    for name, function in names.functions.items():
        setattr(module, name, function)
    Socket.__name__ = Socket.__qualname__ = "socket"
    Socket.__module__ = "_socket"
    module.socket = module.SocketType = Socket
    FILES.sockets, FILES.too_high = NETWORK.files, FIRST
    FILES.refuse = lambda: not_simulated(
        "files on the descriptor of a socket (socket.makefile() makes others)"
    )
    polling.install()
    descriptors.install()
    return module  # type: ignore[no-any-return]
