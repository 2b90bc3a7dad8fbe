"""A child that has the terminal: it is run as if it had been started itself, and its status comes back."""

import os
import signal
import subprocess
from types import FrameType

from weft.errors import WeftError

__all__ = ["run_in_foreground"]

FORWARDED = (signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2)
TYPED = (signal.SIGINT, signal.SIGQUIT)  # the terminal sends these to the child as well


def run_in_foreground(command: list[str], environment: dict[str, str]) -> int:
    """Run a command with this process's standard streams; its status, 128 + N if signal N ended it.

    Signals that this process gets meanwhile are the child's: it decides what they mean. What is typed at a
    terminal comes to both, so it is handed on only where there is no terminal.

    Raises:
        WeftError: the command cannot be started.
    """
    child: subprocess.Popen[bytes] | None = None
    early: list[int] = []

    def arrive(number: int, _: FrameType | None) -> None:
        if number in TYPED and _at_terminal():
            return
        if child is None:
            early.append(number)
        else:
            child.send_signal(number)

    before = {}
    for number in (*FORWARDED, *TYPED):
        if signal.getsignal(number) != signal.SIG_IGN:  # ignored by us means ignored by the child
            before[number] = signal.signal(number, arrive)
    try:
        try:
            child = subprocess.Popen(command, env=environment)
        except OSError as why:
            raise WeftError(f"{command[0]!r} cannot be started: {why.strerror}") from None
        for each in early:
            child.send_signal(each)
        status = child.wait()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    return status if status >= 0 else 128 - status


def _at_terminal() -> bool:
    """Whether this process is in the foreground of a terminal, so that the child is too."""
    try:
        terminal = os.open("/dev/tty", os.O_RDONLY | os.O_NOCTTY)
    except OSError:
        return False
    try:
        return os.tcgetpgrp(terminal) == os.getpgrp()
    except OSError:
        return False
    finally:
        os.close(terminal)
