"""Starts one program, waits for its end and says what it cost: a script, run by an interpreter of its own.

The kernel counts the memory of whoever starts a program as the program's own, as long as it is not loaded:
started by a process of 60 MB, `python -c pass` "needs" 60 MB. So what starts the programs that are measured
is this file, in an interpreter as small as one can be. It imports only what is built in.

Its arguments: the seconds until the program is ended ("inf": never), "ask" if SIGQUIT makes the program say
where it is, the files for standard input, output and error, then the program's own. It prints a line: SPAWN
and the reason if there was nothing to start, else the figures in the order of FIGURES. Its standard input is
a pipe from whoever wants to know; when that closes, it ends the program and itself.
"""

import _signal  # type: ignore[import-not-found]  # signal leads to enum
import os
import select
import sys
import time

__all__ = ["FIGURES", "SPAWN", "main"]

FIGURES = ("wall", "user", "system", "memory", "voluntary", "involuntary", "status", "hung")
SPAWN = "cannot start it:"
TO_ANSWER = 1.0  # seconds for the answer to SIGQUIT
TO_FOLLOW = 0.5  # seconds for what the program started to end after it (multiprocessing's tracker does)
ENDS = (_signal.SIGINT, _signal.SIGTERM, _signal.SIGHUP)  # Ctrl-C, `timeout`, a terminal that is closed
GLANCE = 0.002  # seconds between two looks where the system has no descriptor for a process


def main() -> None:
    """Do what the arguments say."""
    limit, ask, into, out, err, *command = sys.argv[1:]
    # What ends a group of processes comes to us, too: who started us closes the pipe then.
    heeded = [each for each in ENDS if _signal.signal(each, _signal.SIG_IGN) != _signal.SIG_IGN]
    write = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
    begun = time.monotonic()
    try:
        pid = os.posix_spawn(
            command[0],
            command,
            os.environ,
            file_actions=[
                (os.POSIX_SPAWN_OPEN, 0, into, os.O_RDONLY, 0),
                (os.POSIX_SPAWN_OPEN, 1, out, write, 0o600),
                (os.POSIX_SPAWN_OPEN, 2, err, write, 0o600),
            ],
            setpgroup=0,  # so that what it starts can be ended with it
            setsigdef=[_signal.SIGPIPE, _signal.SIGXFSZ, *heeded],
        )
    except OSError as why:
        _say(SPAWN, why.strerror)
        return
    end = _End(pid)
    hung = not end.wait(begun + float(limit))
    if hung and ask == "ask" and end.wanted:
        os.kill(pid, _signal.SIGQUIT)
        end.wait(time.monotonic() + TO_ANSWER)
    if hung:
        _end_group(pid)
    _, raw, used = os.wait4(pid, 0)
    wall = time.monotonic() - begun
    until = time.monotonic() + TO_FOLLOW
    while end.wanted and not hung and _group_lives(pid) and time.monotonic() < until:
        time.sleep(GLANCE)
    _end_group(pid)
    status = os.waitstatus_to_exitcode(raw)
    figures = (wall, used.ru_utime, used.ru_stime, used.ru_maxrss, used.ru_nvcsw, used.ru_nivcsw)
    _say(*figures, status, int(hung))


def _say(*words: object) -> None:
    try:
        os.write(1, " ".join(map(str, words)).encode())
    except OSError:
        pass  # nobody wants to know any more


class _End:
    """The end of a child, or of the wish to know of it."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self.wanted = True
        self._poll = select.poll()
        self._poll.register(0, 0)  # hang-ups are told unasked
        try:
            self._fd: int | None = os.pidfd_open(pid)
            self._poll.register(self._fd, select.POLLIN)
        except (AttributeError, OSError):
            self._fd = None

    def wait(self, deadline: float) -> bool:
        """Wait for the child's end (it is not reaped) or the deadline; whether it has ended."""
        while True:
            left = deadline - time.monotonic()
            if self._fd is None:
                if os.waitid(os.P_PID, self._pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None:
                    return True
                left = min(left, GLANCE)
            if left <= 0 and time.monotonic() >= deadline:
                return False
            found = self._poll.poll(None if left == float("inf") else max(0.0, left) * 1000)
            ready = [fd for fd, _ in found]
            if self._fd in ready:
                return True
            if 0 in ready:
                self.wanted = False
                return False


def _group_lives(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except OSError:
        return False
    return True


def _end_group(group: int) -> None:
    try:
        os.killpg(group, _signal.SIGKILL)
    except OSError:
        pass  # nobody is left


if __name__ == "__main__":
    main()
