"""What the system tells of processes and their kernel threads, by Linux's /proc; elsewhere nothing."""

import os

__all__ = ["command_of", "owner_of", "processor_time", "state_of"]

UTIME, STIME = 11, 12  # fields of `stat` behind the name: clock ticks of the user and of the system


def _stat(pid: int, thread: int | None) -> list[str]:
    """The fields of a process or kernel thread from its state on; none if they are not to be had."""
    task = f"/task/{thread}" if thread is not None else ""
    try:
        with open(f"/proc/{pid}{task}/stat", encoding="utf-8", errors="replace") as file:
            return file.read().rpartition(") ")[2].split()
    except OSError:
        return []


def state_of(pid: int) -> str:
    """The letter of a process's state, as `ps` prints it; "" if it is not known."""
    return (_stat(pid, None) or [""])[0]


def processor_time(pid: int, thread: int | None = None) -> float | None:
    """Seconds that a process, or one kernel thread of it, has had on processors; None if not known."""
    fields = _stat(pid, thread)
    if len(fields) <= STIME:
        return None
    return (int(fields[UTIME]) + int(fields[STIME])) / os.sysconf("SC_CLK_TCK")


def command_of(pid: int) -> str:
    """A process's command line; "" if it is not known."""
    try:
        with open(f"/proc/{pid}/cmdline", encoding="utf-8", errors="replace") as file:
            return " ".join(file.read().split("\0")).strip()
    except OSError:
        return ""


def owner_of(pid: int) -> int | None:
    """The number of the user whose process it is; None if that is not known."""
    try:
        return os.stat(f"/proc/{pid}").st_uid
    except OSError:
        return None
