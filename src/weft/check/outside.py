"""The outside world of a checked program: files and children, which are the machine's.

They are let through, and a search does not see what threads tell each other by them. So a file that one
thread writes while another touches it, with nothing to order the two, is listed as not seen, and so are
children. Paths at which sockets of the simulated network stand are there for those who ask.
"""

import builtins
import io
import os
import stat
from collections.abc import Callable
from typing import Any

from weft.check.world import MODEL, born, note_passed

__all__ = ["CHILDREN", "FILES", "children", "install"]

CHILDREN = "child processes"
_READS = ("stat", "lstat", "access", "listdir", "scandir", "readlink")
_WRITES = ("unlink", "remove", "rename", "replace", "mkdir", "rmdir", "link", "symlink", "truncate")
_STARTS = ("fork", "forkpty", "posix_spawn", "posix_spawnp", "system")
_CHANGES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND


class File:
    """Stands for what is at one path."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name


class _Files:
    """What threads have touched.

    Attributes:
        tell: told of each time: what it is, and whether it is changed; None: nobody wants to know.
        sockets: the paths of simulated ones.
        too_high: from which number on a descriptor is none of the machine's.
    """

    def __init__(self) -> None:
        self.tell: Callable[[File, bool], object] | None = None
        self.sockets: set[str] = set()
        self.too_high: int | None = None
        self.refuse: Callable[[], OSError] | None = None
        self._known: dict[str, File] = {}
        born(self)

    def _put_back(self) -> None:
        self._known = {}

    def touched(self, path: Any, changes: bool) -> None:
        """A thread is about to touch what is there."""
        tell = self.tell
        if tell is None or not MODEL.active or len(MODEL.tasks) < 2:
            return
        try:
            name = os.path.abspath(os.fsdecode(path))
        except (TypeError, ValueError):  # a descriptor, or no path: the system says what it thinks of it
            return
        if name in self.sockets or name == os.devnull:
            return
        file = self._known.get(name)
        if file is None:
            file = self._known[name] = File(name)
        tell(file, changes)


FILES = _Files()


def _open(file: Any, mode: Any = "r", *args: Any, **kwargs: Any) -> Any:
    """As `open`."""
    if file.__class__ is int:
        if FILES.too_high is not None and file >= FILES.too_high and FILES.refuse is not None:
            raise FILES.refuse()
    elif MODEL.active:
        FILES.touched(file, isinstance(mode, str) and not set("wax+").isdisjoint(mode))
    return _real_open(file, mode, *args, **kwargs)


def _os_open(path: Any, flags: int, *args: Any, **kwargs: Any) -> int:
    """As `os.open`."""
    if MODEL.active:
        FILES.touched(path, bool(flags & _CHANGES))
    return int(_real_os_open(path, flags, *args, **kwargs))


_real_open, _real_os_open = builtins.open, os.open


def _over(real: Any, changes: bool) -> Any:
    """A function of `os` that takes paths."""
    on_socket = _ON_SOCKETS.get(real.__name__)

    def call(*args: Any, **kwargs: Any) -> Any:
        if MODEL.active:
            if FILES.sockets and on_socket is not None and args and _at(args[0]) in FILES.sockets:
                return on_socket(_at(args[0]))
            for path in args[:2]:
                if isinstance(path, (str, bytes, os.PathLike)):
                    FILES.touched(path, changes)
        return real(*args, **kwargs)

    return _supplied(call, real)


def _at(path: Any) -> str:
    try:
        return os.path.abspath(os.fsdecode(path))
    except (TypeError, ValueError):
        return ""


def _remove(path: str) -> None:
    FILES.sockets.discard(path)


def _stat(path: str) -> os.stat_result:
    return os.stat_result((stat.S_IFSOCK | 0o755, hash(path), 0, 1, os.getuid(), os.getgid(), 0, 0, 0, 0))


_ON_SOCKETS: dict[str, Callable[[str], Any]] = {
    "unlink": _remove,
    "remove": _remove,
    "stat": _stat,
    "lstat": _stat,
    "access": lambda _: True,
}


def _starting(real: Any) -> Any:
    """A function that starts a child."""

    def call(*args: Any, **kwargs: Any) -> Any:
        note_passed(CHILDREN)
        return real(*args, **kwargs)

    return _supplied(call, real)


def children(module: Any) -> None:
    """The module `_posixsubprocess` has been loaded."""
    module.fork_exec = _starting(module.fork_exec)


def _supplied(call: Any, real: Any) -> Any:
    """It is called what the real one is called, and does not bind."""
    call.__name__ = call.__qualname__ = real.__name__
    call.__doc__, call.__module__ = real.__doc__, real.__module__
    made = staticmethod(call)
    for name in ("supports_dir_fd", "supports_effective_ids", "supports_fd", "supports_follow_symlinks"):
        known = getattr(os, name)
        if real in known:
            known.add(made)
    return made


def install() -> None:
    """Put them in the place of the functions that programs call."""
    for names, changes in ((_READS, False), (_WRITES, True)):
        for name in names:
            setattr(os, name, _over(getattr(os, name), changes))
    for name in _STARTS:
        if hasattr(os, name):
            setattr(os, name, _starting(getattr(os, name)))
    setattr(os, "open", _supplied(_os_open, _real_os_open))  # noqa: B010 - its type says that it cannot be
    builtins.open = io.open = _supplied(_open, _real_open)
