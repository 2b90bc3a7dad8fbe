"""Child processes that are forked to compute something and send it back in pieces."""

import marshal
import os
import select
import signal
import sys
from collections.abc import Callable
from typing import Any

__all__ = ["FAILED", "Child", "ask", "fork_child", "kill_group", "mute"]

FAILED = 70  # exit status of a child whose work raised something
HEAD = 4  # bytes of the length before each piece


class Child:
    """A forked child; `receive` gives what it has sent so far, piece by piece."""

    def __init__(self, pid: int, fd: int) -> None:
        self.pid = pid
        self.status: int | None = None
        self._fd = fd
        self._buffer = b""

    def receive(self, timeout: float) -> Any:
        """The next piece.

        Raises:
            EOFError: the child has ended.
            TimeoutError: nothing has come in `timeout` seconds.
        """
        while True:
            if len(self._buffer) >= HEAD:
                size = int.from_bytes(self._buffer[:HEAD], "little")
                if len(self._buffer) >= HEAD + size:
                    piece = self._buffer[HEAD : HEAD + size]
                    self._buffer = self._buffer[HEAD + size :]
                    return marshal.loads(piece)  # noqa: S302 - from our own fork
            if not select.select([self._fd], [], [], max(0.0, timeout))[0]:
                raise TimeoutError
            got = os.read(self._fd, 1 << 16)
            if not got:
                raise EOFError
            self._buffer += got

    def end(self, kill: bool = False) -> int:
        """Wait for its end and forget it; its wait status. To kill it is to kill its process group, too."""
        if kill:
            try:
                os.killpg(self.pid, signal.SIGKILL)
            except (ProcessLookupError, PermissionError):  # it has no group of its own
                pass
            os.kill(self.pid, signal.SIGKILL)
        os.close(self._fd)
        self.status = os.waitpid(self.pid, 0)[1]
        return self.status


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

        def send(piece: Any) -> None:
            data = marshal.dumps(piece)
            data = len(data).to_bytes(HEAD, "little") + data
            while data:
                data = data[os.write(w, data) :]

        work(send)
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
