"""The machine's clocks and its real sleep."""

import time

__all__ = [
    "SLACK",
    "monotonic",
    "nanoseconds",
    "processor_time",
    "processor_time_of",
    "set_slack",
    "since_1970",
    "sleep",
]

monotonic = time.monotonic
nanoseconds = time.monotonic_ns  # the same clock
since_1970 = time.time
sleep = time.sleep
processor_time = time.thread_time  # of the calling kernel thread

SLACK = 1_000  # nanoseconds; the kernel's usual 50,000 is most of what a sleeper is late by


def processor_time_of(ident: int) -> float | None:
    """The same of another kernel thread, which must not have ended; None where the system does not tell."""
    try:
        return time.clock_gettime(time.pthread_getcpuclockid(ident))
    except (AttributeError, OSError):
        return None


def set_slack(nanoseconds: int) -> int | None:
    """Say how late the kernel may end this process's sleeps; what it was, or None where it cannot be said."""
    try:
        with open("/proc/self/timerslack_ns", "r+") as file:
            before = int(file.read())
            file.seek(0)
            file.write(str(nanoseconds))
    except (OSError, ValueError):
        return None
    return before
