"""Child processes that are forked to compute something and send it back in pieces."""

import marshal
import os
import select
import signal
import sys
from collections.abc import Callable, Iterable
from typing import Any

from weft.host.procfs import processor_time

__all__ = [
    "FAILED",
    "Child",
    "Interrupts",
    "ask",
    "fork_child",
    "kill_group",
    "mute",
    "ready",
    "spawn_child",
]

FAILED = 70  # exit status of a child whose work raised something
HEAD = 4  # bytes of the length before each piece


class Child:
    """A forked child; `receive` gives what it has sent so far, piece by piece."""

    def __init__(self, pid: int, fd: int, to: int = -1) -> None:
        self.pid = pid
        self.status: int | None = None
        self._fd = fd
        self._to = to
        self._buffer = bytearray()

    def receive(self, timeout: float) -> Any:
        """The next piece.

        Raises:
            EOFError: the child has ended.
            TimeoutError: nothing has come in `timeout` seconds.
        """
        while True:
            if self.has_piece():
                return self._next()
            if not select.select([self._fd], [], [], max(0.0, timeout))[0]:
                raise TimeoutError
            self.read()

    def read(self) -> bool:
        """Take in what has come; whether a whole piece has. Waits if nothing has come.

        Raises:
            EOFError: the child has ended.
        """
        got = os.read(self._fd, 1 << 18)
        if not got:
            raise EOFError
        self._buffer += got
        return self.has_piece()

    def send(self, piece: Any) -> None:
        """Send it something, where it listens."""
        _write(self._to, piece)

    def hang_up(self) -> None:
        """Send nothing more."""
        if self._to >= 0:
            os.close(self._to)
            self._to = -1

    def fileno(self) -> int:
        """The descriptor on which pieces arrive."""
        return self._fd

    def processor_time(self) -> float | None:
        """Seconds that it has had on processors; None where the system does not tell."""
        return processor_time(self.pid)

    def has_piece(self) -> bool:
        """Whether a whole piece has been taken in."""
        buffer = self._buffer
        return len(buffer) >= HEAD and len(buffer) >= HEAD + int.from_bytes(buffer[:HEAD], "little")

    def _next(self) -> Any:
        size = int.from_bytes(self._buffer[:HEAD], "little")
        piece = bytes(self._buffer[HEAD : HEAD + size])
        del self._buffer[: HEAD + size]
        return marshal.loads(piece)  # noqa: S302 - from our own fork

    def end(self, kill: bool = False) -> int:
        """Wait for its end and forget it; its wait status. To kill it is to kill its process group, too."""
        if kill:
            try:
                os.killpg(self.pid, signal.SIGKILL)
            except (ProcessLookupError, PermissionError):  # it has no group of its own
                pass
            os.kill(self.pid, signal.SIGKILL)
        self.hang_up()
        os.close(self._fd)
        self.status = os.waitpid(self.pid, 0)[1]
        return self.status


def ready(children: Iterable[Child], timeout: float) -> list[Child]:
    """Those of which something can be read, or that have ended; waits for the first of them."""
    found: list[Child] = select.select(list(children), [], [], max(0.0, timeout))[0]
    return found


class Interrupts:
    """SIGINT and SIGTERM of this process: the first is noted, the second ends it at once.

    Attributes:
        number: of the signal that has come; 0: none has.
    """

    def __init__(self) -> None:
        self.number = 0
        self.before_leaving: Callable[[], None] | None = None  # called when a second one has come
        self._owner = os.getpid()
        self._handlers = {
            number: signal.signal(number, self._arrive) for number in (signal.SIGINT, signal.SIGTERM)
        }

    def _arrive(self, number: int, _: Any) -> None:
        if os.getpid() != self._owner:
            return
        if self.number:
            if self.before_leaving is not None:
                self.before_leaving()
            os._exit(128 + number)
        self.number = number

    def leave(self) -> None:
        """In a forked child: signals mean what they meant before, and those of a terminal do not come."""
        os.setpgid(0, 0)
        for number, handler in self._handlers.items():
            signal.signal(number, handler)


def fork_child(work: Callable[[Callable[[Any], None]], object], group: bool = False) -> Child:
    """Fork; the child calls `work(send)` and ends. What it sends has to be of plain types.

    With `group` it has a process group of its own: Ctrl-C reaches its parent alone.
    """
    r, w = os.pipe()
    pid = os.fork()
    if pid:
        os.close(w)
        return Child(pid, r)
    status = FAILED
    try:
        os.close(r)
        if group:
            os.setpgid(0, 0)
        work(lambda piece: _write(w, piece))
        status = 0
    except BaseException:  # noqa: BLE001 - the last word of a process that ends here
        sys.__excepthook__(*sys.exc_info())
    finally:
        os._exit(status)


def kill_group(pid: int) -> None:
    """Kill a process that leads a group of its own, with what it has forked."""
    try:
        os.killpg(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass


def ask(command: list[str], environment: dict[str, str], data: bytes) -> tuple[int, bytes]:
    """Run a command that reads all of its input before it answers; its status and its answer.

    `subprocess` would bring `threading` with it. What the command says on standard error is dropped. The
    status is FAILED if it cannot be run or is killed.
    """
    to_read, to_write = os.pipe()
    answers, answer = os.pipe()
    nowhere = os.open(os.devnull, os.O_WRONLY)
    plan = [(os.POSIX_SPAWN_DUP2, fd, number) for number, fd in enumerate((to_read, answer, nowhere))]
    try:
        pid = os.posix_spawn(command[0], command, environment, file_actions=plan)
    except OSError:
        for fd in (to_read, to_write, answers, answer, nowhere):
            os.close(fd)
        return FAILED, b""
    for fd in (to_read, answer, nowhere):
        os.close(fd)
    try:
        with open(to_write, "wb") as file:
            file.write(data)
    except BrokenPipeError:  # it has ended: its status says why
        pass
    with open(answers, "rb") as file:
        said = file.read()
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    return status if status >= 0 else FAILED, said


def spawn_child(command: list[str]) -> Child:
    """Start another program, with pieces on its standard input and on its standard output."""
    to_read, to = os.pipe()
    fd, to_write = os.pipe()
    pid = os.fork()
    if not pid:
        try:
            os.setpgid(0, 0)
            os.dup2(to_read, 0)
            os.dup2(to_write, 1)
            os.execv(command[0], command)  # noqa: S606
        finally:
            os._exit(FAILED)
    os.close(to_read)
    os.close(to_write)
    return Child(pid, fd, to)


def _write(fd: int, piece: Any) -> None:
    data = marshal.dumps(piece)
    data = len(data).to_bytes(HEAD, "little") + data
    while data:
        data = data[os.write(fd, data) :]


def mute(also_errors: bool = True) -> tuple[int, int]:
    """Let what is written to standard output and error go nowhere; copies of the real descriptors."""
    sys.stdout.flush()
    sys.stderr.flush()
    kept = os.dup(1), os.dup(2)
    nowhere = os.open(os.devnull, os.O_RDWR)
    os.dup2(nowhere, 0)
    os.dup2(nowhere, 1)
    if also_errors:
        os.dup2(nowhere, 2)
    os.close(nowhere)
    return kept
