"""Sockets of the local machine, in a folder that nobody but its owner can read.

A *door* is the socket that a program listens at, a *guest* who has come to it. Both are for a kernel thread
of weft's own: it must not wait for a guest, so everything but `Door.wait` answers at once.

The program that weft serves may close any descriptor, ours too, and have another file under its number. So a
descriptor is known by what it stands for before it is touched, and `Door.wait` comes back from time to time.
"""

import os
import select
import stat
import sys
from collections.abc import Iterable
from typing import Any

from weft.errors import WeftError
from weft.host.platform import IS_DARWIN, high, identify

__all__ = [
    "NOTE",
    "SUFFIX",
    "Caller",
    "Door",
    "Guest",
    "checked_folder",
    "clear",
    "is_alive",
    "leave_note",
    "load",
    "take_note_away",
]

_poll = select.poll  # the name in `select` will be weft's own
IN, OUT = select.POLLIN, select.POLLOUT
LOOK = 5.0  # seconds after which a door sees whether its descriptor is still there
BACKLOG = 16  # guests that may stand before the door
PIECE = 65_536  # bytes of one read or write
SUFFIX = ".sock"  # of the name of a door
UNHEARD = ".new"  # of a socket on which nobody listens yet
NOTE = ".note"  # of what a program leaves that has no door


def _machine() -> Any:
    """The interpreter's socket module; not left where the program would find it, and find it unchanged."""
    had = "_socket" in sys.modules
    import _socket  # noqa: PLC0415 - a process that is not served has no need of it

    if not had:
        del sys.modules["_socket"]
    return _socket


_sockets: Any = None


def load() -> None:
    """Load what sockets need; before the program does, and before weft supplies its own."""
    global _sockets
    if _sockets is None:
        _sockets = _machine()


def checked_folder(path: str, owner: int, make: bool = False) -> int:
    """Open a folder that belongs to somebody alone; returns a descriptor.

    Args:
        path: the folder; it may not be a link to one.
        owner: whose it must be.
        make: whether to make it if it is not there.

    Raises:
        FileNotFoundError: it is not there.
        OSError: it cannot be made or opened.
        WeftError: it is not a folder of that owner, or others may look into it.
    """
    if make:
        try:
            os.mkdir(path, 0o700)
        except FileExistsError:
            pass
    try:
        fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError:
        raise
    except OSError as error:
        if os.path.islink(path) or not os.path.isdir(path):
            raise WeftError(f"{path} is not a folder: take it away") from None
        raise error from None
    about = os.fstat(fd)
    if about.st_uid != owner or about.st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        os.close(fd)
        if about.st_uid != owner:
            raise WeftError(f"{path} belongs to another user")
        raise WeftError(f"others may look into {path}: chmod 700 it, or take it away")
    return fd


def _address(folder: str, fd: int, name: str) -> str:
    """A socket's address: by the open folder where that can be said, so that no other can take its place.

    A path of that kind is also short, and addresses may have about 100 bytes.
    """
    if os.path.exists(f"/proc/self/fd/{fd}"):
        return f"/proc/self/fd/{fd}/{name}"
    return os.path.join(folder, name)


class Guest:
    """Who has come to the door.

    Attributes:
        owner: the user's number; None where the system does not tell.
    """

    def __init__(self, machine: Any) -> None:
        self._machine = machine
        self.fd: int = machine.fileno()
        self._is = identify(self.fd)
        self.owner = _owner_of(machine)

    def read(self) -> bytes | None:
        """What has come; empty at the end, None if nothing has.

        Raises:
            OSError: the connection is gone.
        """
        try:
            return bytes(self._machine.recv(PIECE))
        except BlockingIOError:
            return None

    def write(self, data: memoryview) -> int:
        """Send what can be sent at once; how many bytes that were.

        Raises:
            OSError: the connection is gone.
        """
        try:
            return int(self._machine.send(data[:PIECE], _sockets.MSG_NOSIGNAL))
        except BlockingIOError:
            return 0

    def close(self) -> None:
        """Let the guest go."""
        _close(self._machine, self._is)


class Door:
    """Where a program listens.

    Args:
        folder: a folder that is its owner's alone; it is made if it is not there.
    """

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self._machine: Any = None
        self._is: tuple[int, int] | None = None
        self._path = ""
        self._file: tuple[int, int] | None = None

    @property
    def open(self) -> bool:
        """Whether it is there, as far as this process has seen to it."""
        return self._machine is not None

    def make(self) -> None:
        """Listen under this process's number.

        Raises:
            OSError: the system does not let us.
            WeftError: the folder is not ours alone.
        """
        load()
        name, beside = f"{os.getpid()}{SUFFIX}", f"{os.getpid()}{UNHEARD}"
        fd = checked_folder(self.folder, os.geteuid(), make=True)
        try:
            clear(fd)
            try:
                os.unlink(beside, dir_fd=fd)
            except FileNotFoundError:
                pass
            made = _sockets.socket(_sockets.AF_UNIX, _sockets.SOCK_STREAM)
            try:
                made = _moved(made)
                made.setblocking(False)
                made.bind(_address(self.folder, fd, beside))
                os.chmod(beside, 0o600, dir_fd=fd)
                made.listen(BACKLOG)
                os.rename(beside, name, src_dir_fd=fd, dst_dir_fd=fd)  # whoever finds it is heard
            except BaseException:
                made.close()
                raise
            about = os.stat(name, dir_fd=fd, follow_symlinks=False)
        finally:
            os.close(fd)
        self._path = os.path.join(self.folder, name)
        self._file = about.st_dev, about.st_ino
        self._machine, self._is = made, identify(made.fileno())

    def knock(self) -> None:
        """Have `wait` return, from another kernel thread."""
        machine, path = self._machine, self._path
        if machine is None:
            return
        try:
            if identify(machine.fileno()) == self._is:
                machine.shutdown(_sockets.SHUT_RDWR)
        except OSError:
            pass
        try:
            hand = _sockets.socket(_sockets.AF_UNIX, _sockets.SOCK_STREAM)
        except OSError:
            return
        try:
            hand.setblocking(False)
            hand.connect(path)
        except OSError:
            pass  # the socket that was shut down has woken it
        finally:
            hand.close()

    def wait(self, guests: Iterable[tuple[Guest, bool]], seconds: float | None) -> set[int] | None:
        """Wait until somebody comes, or a guest has something to read, or can take more.

        Args:
            guests: each with whether it is to be written to; else it is read from.
            seconds: how long at most; None: until something is.

        Returns:
            The descriptors of guests of which there is news, with -1 for the door; None if the door is gone.
        """
        machine = self._machine
        if machine is None or identify(machine.fileno()) != self._is:
            return None
        poll = _poll()
        poll.register(machine.fileno(), IN)
        for guest, writes in guests:
            poll.register(guest.fd, OUT if writes else IN)
        limit = LOOK if seconds is None else max(0.0, min(seconds, LOOK))
        found = {fd for fd, _ in poll.poll(limit * 1000)}
        if machine.fileno() in found:
            found.add(-1)
        return found

    def accept(self) -> Guest | None:
        """Let one in who stands before the door; None if nobody does.

        Raises:
            OSError: there is no descriptor left, or the door is gone.
        """
        machine = self._machine
        if machine is None or identify(machine.fileno()) != self._is:
            raise OSError("the door is gone")
        try:
            fd, _ = machine._accept()
        except (BlockingIOError, ConnectionAbortedError):
            return None
        made = _sockets.socket(fileno=fd)
        made.setblocking(False)
        return Guest(made)

    def leave(self) -> None:
        """Listen no more, and take the socket's file away if it is still this one."""
        machine, self._machine = self._machine, None
        if machine is None:
            return
        try:
            about = os.lstat(self._path)
            if (about.st_dev, about.st_ino) == self._file:
                os.unlink(self._path)
        except OSError:
            pass
        _close(machine, self._is)


class Caller:
    """The other side: one connection to a door.

    Args:
        folder: where the program listens.
        owner: whose folder it must be.
        name: of the socket.
        seconds: how long a connection may take.

    Raises:
        FileNotFoundError: there is no such door.
        ConnectionRefusedError: nobody listens there any more.
        OSError: it cannot be reached.
        WeftError: the folder is not that owner's alone.
    """

    def __init__(self, folder: str, owner: int, name: str, seconds: float) -> None:
        load()
        fd = checked_folder(folder, owner)
        try:
            self._machine = _sockets.socket(_sockets.AF_UNIX, _sockets.SOCK_STREAM)
            try:
                self._machine.settimeout(seconds)
                self._machine.connect(_address(folder, fd, name))
            except BaseException:
                self._machine.close()
                raise
        finally:
            os.close(fd)
        self._rest = b""

    def ask(self, line: str, seconds: float, between: float) -> bytes:
        """Send a line and get the line that answers it.

        Args:
            line: the question.
            seconds: how long it may take until the answer begins.
            between: how long one piece of it may take after another.

        Raises:
            TimeoutError: it took longer.
            OSError: the connection is gone.
        """
        self._machine.settimeout(seconds)
        try:
            self._machine.sendall(line.encode("ascii") + b"\n")
        except BrokenPipeError:
            pass  # we have been refused, and it may say why
        pieces = [self._rest]
        while b"\n" not in pieces[-1]:
            data = self._machine.recv(PIECE * 4)
            if not data:
                raise ConnectionResetError("the program has closed the connection")
            pieces.append(data)
            self._machine.settimeout(between)
        answer, _, self._rest = b"".join(pieces).partition(b"\n")
        return answer

    def close(self) -> None:
        """Hang up."""
        self._machine.close()


def leave_note(folder: str, text: str) -> str:
    """Leave a note under this process's number, whole or not at all; returns its path.

    Raises:
        OSError: it cannot be written.
        WeftError: the folder is not ours alone.
    """
    load()
    name = f"{os.getpid()}{NOTE}"
    folder_fd = checked_folder(folder, os.geteuid(), make=True)
    try:
        clear(folder_fd)
        beside = f".{name}"
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
        fd = os.open(beside, flags, 0o600, dir_fd=folder_fd)
        with open(fd, "w", encoding="ascii") as file:
            file.write(text)
        os.rename(beside, name, src_dir_fd=folder_fd, dst_dir_fd=folder_fd)
    finally:
        os.close(folder_fd)
    return os.path.join(folder, name)


def take_note_away(path: str) -> None:
    """The program ends."""
    try:
        os.unlink(path)
    except OSError:
        pass


def clear(folder: int) -> None:
    """Take away what processes left behind that are gone."""
    for name in os.listdir(folder):
        number, dot, _ = name.rpartition(".")
        if not dot or not number.isdecimal() or is_alive(int(number)):
            continue
        if name.endswith(SUFFIX) and _is_heard(folder, name):
            continue
        try:
            os.unlink(name, dir_fd=folder)
        except OSError:
            pass


def _is_heard(folder: int, name: str) -> bool:
    """Whether somebody listens there after all: a process may have a number that is not known here."""
    try:
        hand = _sockets.socket(_sockets.AF_UNIX, _sockets.SOCK_STREAM)
    except OSError:
        return True
    try:
        hand.setblocking(False)
        hand.connect(f"/proc/self/fd/{folder}/{name}")
    except ConnectionRefusedError:
        return False
    except OSError:
        return os.path.exists("/proc/self/fd")  # elsewhere there is no such path
    finally:
        hand.close()
    return True


def is_alive(pid: int) -> bool:
    """Whether there is such a process."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):
        pass
    return True


def _moved(made: Any) -> Any:
    """The same socket under a number that programs do not come to by themselves."""
    fd = high(made.detach())
    return _sockets.socket(fileno=fd)


def _close(machine: Any, was: tuple[int, int] | None) -> None:
    if identify(machine.fileno()) == was:
        machine.close()
    else:
        machine.detach()  # the number is another file's by now


def _owner_of(machine: Any) -> int | None:
    """Which user is at the other end of a connection; None where the system does not tell."""
    try:
        if hasattr(_sockets, "SO_PEERCRED"):
            data = machine.getsockopt(_sockets.SOL_SOCKET, _sockets.SO_PEERCRED, 12)  # pid, uid, gid
            return int.from_bytes(data[4:8], sys.byteorder)
        if IS_DARWIN:
            data = machine.getsockopt(0, 1, 76)  # SOL_LOCAL, LOCAL_PEERCRED: a struct xucred
            return int.from_bytes(data[4:8], sys.byteorder)
    except OSError:
        return -1  # nobody
    return None
