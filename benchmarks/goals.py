"""The goals as data, and how a figure is held against them.

A goal on a ratio says: weft's CPU time for each operation is at most `limit` times the other peer's, at the
median, on Python 3.13. A figure that is short by more than a fifth has its reason in docs/internals/costs.md.
"""

from dataclasses import dataclass

__all__ = [
    "ECHO",
    "FIGURES",
    "HTTP",
    "HYBRID",
    "HYBRID_STUCK",
    "POOLS",
    "RATES",
    "RATIOS",
    "RECORDED",
    "RECORDED_REQUEST",
    "SLOWEST",
    "START_100",
    "WHAT",
    "Figure",
    "Ratio",
    "judge",
    "judge_least",
]

SHORT = 1.2  # times its limit: from here on a shortfall wants a profile


@dataclass(frozen=True)
class Ratio:
    """The most that weft may cost, as a multiple of what a peer does."""

    bench: str
    against: str
    limit: float


@dataclass(frozen=True)
class Figure:
    """The most that a figure of weft's may be; `key` is where a report has it."""

    key: str
    what: str
    limit: float
    unit: str
    scale: float = 1.0


WHAT = {
    "spawn_join": "Thread start and join, one at a time",
    "spawn10k_join": "... 10,000 started, then joined",
    "spawn10k_blocked": "... 10,000 alive at once",
    "yield2": "yield, 2 threads",
    "yield1000": "yield, 1,000 threads",
    "lock_free": "Lock acquire and release, free",
    "lock_with": "`with Lock`, free",
    "rlock_free": "RLock acquire and release, free",
    "rlock_nest2": "RLock, `with` nested twice",
    "sem_free": "Semaphore acquire and release, free",
    "local_get": "threading.local, read",
    "local_set": "threading.local, write",
    "current_thread": "current_thread()",
    "lock_handoff": "Lock hand-off",
    "lock_contend8": "8 threads in one lock, each yields",
    "sem_pp": "Semaphore hand-off",
    "event_pp": "Event set and wait",
    "cond_pp": "Condition notify and wait",
    "queue1_pp": "Queue(1) ping-pong",
    "queue1_pc": "Queue(1) producer, consumer",
    "queue_pc": "Queue() producer, consumer",
    "timers100k": "timer make and cancel, 100,000",
    "pool10k": "pool of 8: submit and result, 10,000",
    "sleepers": "10,000 sleepers: CPU for each",
}

RATIOS = (
    Ratio("yield2", "raw", 2.0),
    Ratio("yield2", "gevent", 0.27),
    Ratio("yield1000", "gevent", 0.14),
    Ratio("lock_handoff", "gevent", 0.26),
    Ratio("lock_handoff", "threading", 0.1),
    Ratio("sem_pp", "gevent", 0.26),
    Ratio("sem_pp", "threading", 0.1),
    Ratio("event_pp", "gevent", 0.26),
    Ratio("event_pp", "threading", 0.1),
    Ratio("cond_pp", "gevent-patched", 0.14),
    Ratio("queue1_pp", "gevent", 0.25),
    Ratio("queue_pc", "gevent", 1.1),
    Ratio("lock_free", "threading", 1.5),
    Ratio("rlock_free", "threading", 2.0),
    Ratio("spawn_join", "gevent-patched", 0.1),
    Ratio("spawn10k_join", "gevent-patched", 0.1),
    Ratio("local_get", "threading", 2.0),
    Ratio("local_set", "threading", 2.0),
    Ratio("current_thread", "threading", 2.0),
    Ratio("pool10k", "threading", 0.05),
    Ratio("timers100k", "gevent", 0.4),
)

FIGURES = (
    Figure("late_p50", "10,000 sleepers late by, median", 0.1, "ms"),
    Figure("late_p99", "10,000 sleepers late by, p99", 2.0, "ms"),
    Figure("rss_100000", "a parked thread of 100,000", 7.8, "KB", 1e3),
    Figure("total_100000", "100,000 parked threads in all", 0.8, "GB", 1e9),
    Figure("total_1000000", "1,000,000 parked threads in all", 8.0, "GB", 1e9),
    Figure("serial_grown", "1,000,000 threads one after another: growth", 1.0, "MB", 1e6),
    Figure("start_added", "`weft run` of an empty script adds", 60.0, "ms"),
    Figure("preempted", "a preempted pair of CPU-bound threads, times the two in a row", 1.05, "x"),
)

# The server's CPU time for a request, by the number of connections: at most so many times another server's.
ECHO: dict[int, dict[str, float]] = {
    100: {"epoll": 1.3, "uvloop-protocol": 1.2, "gevent": 0.55},
    1000: {"epoll": 1.3, "uvloop-protocol": 1.2, "gevent": 0.55},
    10_000: {"uvloop-protocol": 1.0, "gevent": 0.55},
}
HTTP = {"http-gevent-patched": 0.9}
SLOWEST = 2.0  # times the median: where the slowest hundredth of an echo server's answers begins

POOLS = {"many": 0.05}  # times CPython's pool on kernel threads
START_100 = 100.0  # µs to start and join 100 threads

# The hybrid model: at most so many times what it is held against; and while one carrier sits in C, at least.
HYBRID = {
    "a switch within a carrier, µs": 1.3,
    "a wake across carriers, µs": 2.0,
    "Lock, ns": 2.0,
    "RLock, ns": 2.0,
    "Semaphore, ns": 2.0,
    "Event.wait, ns": 2.0,
    "Queue put, get, ns": 2.0,
    "Thread start, join, ns": 2.0,
}
HYBRID_STUCK = 0.9

RECORDED = 1.5  # times a switch that is not recorded
RECORDED_REQUEST = 1.1  # times a request of the echo server

RATES = {
    "counter": 100,
    "locks": 100,
    "cachetools": 30,
    "pykka": 30,
}  # times what frontrun runs in a second


def judge(value: float | None, limit: float) -> str:
    """Met, or short and by how much; figures are held against limits to two digits."""
    if value is None:
        return "n/a"
    if value <= limit * 1.005:
        return "met"
    return f"**short, {value / limit:.2f}**" if value > limit * SHORT else f"short, {value / limit:.2f}"


def judge_least(value: float | None, least: float) -> str:
    """The same for what is to be at least so much; short by 1.2 is five sixths of it."""
    return judge(None if value is None else 1 / value if value else float("inf"), 1 / least)
