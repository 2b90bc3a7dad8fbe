"""What a trace consists of: stints, waits, starts and ends of threads, in the order of their ends.

A *stint* is one stretch of one thread on one carrier. A *wait* is from a park to its wake. Between a wake and
the stint that follows the thread is ready. Threads, carriers, places and objects are numbers; `Names` says
what they stand for. Times are seconds since recording began.
"""

from typing import NamedTuple, TypeAlias

__all__ = ["Carrier", "End", "Names", "Preemption", "Record", "Start", "Stint", "Thread", "Wait"]


class Thread(NamedTuple):
    """A thread of the program."""

    number: int
    name: str
    daemon: bool
    main: bool


class Carrier(NamedTuple):
    """A kernel thread that carries threads; on the kernel model each thread has one of its own."""

    number: int
    native_id: int


class Start(NamedTuple):
    """A thread was started: by whom, and at which call."""

    time: float
    thread: int
    by: int | None  # a thread; None: it was there before, or nobody knows
    place: int | None


class Stint(NamedTuple):
    """A thread ran on a carrier."""

    begin: float
    end: float
    thread: int
    carrier: int


class Preemption(NamedTuple):
    """A stint ended because its slice was up; `time` is the end of the stint."""

    time: float
    thread: int
    place: int | None


class Wait(NamedTuple):
    """A thread was parked."""

    begin: float
    end: float
    thread: int
    reason: str  # a name of weft.core.wait.WaitReason: LOCK, SLEEP, ...
    object: int | None  # what it waited on
    place: int | None  # the waiting call
    holder: int | None  # the thread that could end the wait, as it stood when somebody looked
    by: int | None  # the thread that woke it; None if it was no thread
    by_place: int | None  # the call that woke it
    cause: (
        str  # "thread", "timer" (its deadline), "machine" (a descriptor, a kernel thread), "signal", "open"
    )


class End(NamedTuple):
    """A thread ended; `error` is the exception that left it, in one line, or None."""

    time: float
    thread: int
    error: str | None


Record: TypeAlias = Start | Stint | Preemption | Wait | End


class Names:
    """What the numbers in records stand for; complete once all records were read.

    Attributes:
        about: facts about the run: `program` (its command line), `model`, `python`, `weft`, `pid`,
            `began` (seconds since 1970), `seconds` (how long it was recorded), `cut` (the recording ended
            without its closing words: the program was killed), `lost` (records that the ring has dropped).
        threads, carriers: by number.
        places: by number, "file:line in function".
        objects: by number, in words for people ("Lock at app.py:12").
    """

    def __init__(self) -> None:
        self.about: dict[str, object] = {}
        self.threads: dict[int, Thread] = {}
        self.carriers: dict[int, Carrier] = {}
        self.places: dict[int, str] = {}
        self.objects: dict[int, str] = {}
