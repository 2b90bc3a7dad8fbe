"""The micro benches for blocking peers: threads of some kind, with locks, queues and the rest.

A bench takes the peer and a number and returns how many operations it did (and, for `sleepers`, how late
they woke). `BENCHES` has each with its first size, and whether that size is fixed; other sizes are set
so that a measurement takes a given time.
"""

from collections.abc import Callable
from time import perf_counter
from typing import Any

from peers import noop

__all__ = ["BENCHES", "NEEDS", "lateness", "randoms"]

BENCHES: dict[str, tuple[Callable[[Any, int], Any], int, bool]] = {}
NEEDS: dict[str, str] = {}


def bench(size: int, *, fixed: bool = False, needs: str = "spawn") -> Callable[[Any], Any]:
    """Enter a bench under its function's name; `needs` is what a peer must have for it."""

    def enter(function: Any) -> Any:
        BENCHES[function.__name__] = (function, size, fixed)
        NEEDS[function.__name__] = needs
        return function

    return enter


def randoms(seed: int) -> Callable[[], float]:
    """A source of numbers in [0, 1), the same for every peer."""
    from random import Random  # noqa: PLC0415 - late: the peer's set-up comes before most of the standard library

    return Random(seed).random


def lateness(late: list[float]) -> dict[str, float]:
    late.sort()
    return {"p50_ms": late[len(late) // 2], "p99_ms": late[len(late) * 99 // 100], "max_ms": late[-1]}


def together(peer: Any, count: int, fn: Any, *args: Any) -> None:
    handles = [peer.spawn(fn, *args) for _ in range(count)]
    for handle in handles:
        peer.join(handle)


def pair(peer: Any, first: tuple[Any, ...], second: tuple[Any, ...]) -> None:
    handles = peer.spawn(*first), peer.spawn(*second)
    for handle in handles:
        peer.join(handle)


# -- threads: to start, to end, to give way ----------------------------------------------------------


@bench(300)
def spawn_join(peer: Any, n: int) -> int:
    spawn, join = peer.spawn, peer.join
    for _ in range(n):
        join(spawn(noop))
    return n


@bench(10000, fixed=True)
def spawn10k_join(peer: Any, n: int) -> int:
    if getattr(peer, "kernel", False):
        n = 2000
    together(peer, n, noop)
    return n


@bench(10000, fixed=True, needs="Event")
def spawn10k_blocked(peer: Any, n: int) -> int:
    """All alive at once: each waits on one event, then ends."""
    if getattr(peer, "kernel", False):
        n = 1000
    event = peer.Event()
    handles = [peer.spawn(event.wait) for _ in range(n)]
    peer.sleep(0)
    event.set()
    for handle in handles:
        peer.join(handle)
    return n


def give_way(m: int, sleep: Any) -> None:
    for _ in range(m):
        sleep(0)  # as programs write it: a wrapper would be a frame that no program has


@bench(2000)
def yield2(peer: Any, n: int) -> int:
    together(peer, 2, give_way, n // 2, peer.sleep)
    return n // 2 * 2


@bench(20000)
def yield1000(peer: Any, n: int) -> int:
    m = max(2, n // 1000)
    together(peer, 1000, give_way, m, peer.sleep)
    return 1000 * m


# -- locks that nobody else wants --------------------------------------------------------------------


def take_and_let_go(lock: Any, n: int) -> int:
    acquire, release = lock.acquire, lock.release
    for _ in range(n):
        acquire()
        release()
    return n


@bench(20000, needs="Lock")
def lock_free(peer: Any, n: int) -> int:
    return take_and_let_go(peer.Lock(), n)


@bench(20000, needs="Lock")
def lock_with(peer: Any, n: int) -> int:
    lock = peer.Lock()
    for _ in range(n):
        with lock:
            pass
    return n


@bench(20000, needs="RLock")
def rlock_free(peer: Any, n: int) -> int:
    return take_and_let_go(peer.RLock(), n)


@bench(20000, needs="RLock")
def rlock_nest2(peer: Any, n: int) -> int:
    lock = peer.RLock()
    for _ in range(n):
        with lock:
            with lock:
                pass
    return n


@bench(20000, needs="Semaphore")
def sem_free(peer: Any, n: int) -> int:
    return take_and_let_go(peer.Semaphore(2), n)


# -- what a thread has of its own --------------------------------------------------------------------


@bench(20000, needs="Local")
def local_get(peer: Any, n: int) -> int:
    local = peer.Local()
    local.x = 1
    for _ in range(n):
        local.x  # noqa: B018 - the look-up is what is measured
    return n


@bench(20000, needs="Local")
def local_set(peer: Any, n: int) -> int:
    local = peer.Local()
    for i in range(n):
        local.x = i
    return n


@bench(20000, needs="current")
def current_thread(peer: Any, n: int) -> int:
    current = peer.current
    for _ in range(n):
        current()
    return n


# -- hand-offs ---------------------------------------------------------------------------------------


def ping_pong(peer: Any, one: Any, two: Any, n: int) -> int:
    """Two threads, two locks or semaphores: every acquire blocks until the other's release."""

    def first(m: int) -> None:
        for _ in range(m):
            one.release()
            two.acquire()

    def second(m: int) -> None:
        for _ in range(m):
            one.acquire()
            two.release()

    pair(peer, (second, n), (first, n))
    return 2 * n


@bench(2000, needs="Lock")
def lock_handoff(peer: Any, n: int) -> int:
    one, two = peer.Lock(), peer.Lock()
    one.acquire()
    two.acquire()
    return ping_pong(peer, one, two, n)


@bench(2000, needs="Lock")
def lock_contend8(peer: Any, n: int) -> int:
    """Eight threads in one lock, each gives way inside it."""
    lock, sleep = peer.Lock(), peer.sleep

    def enter(m: int) -> None:
        for _ in range(m):
            with lock:
                sleep(0)

    together(peer, 8, enter, n // 8)
    return n // 8 * 8


@bench(2000, needs="Semaphore")
def sem_pp(peer: Any, n: int) -> int:
    return ping_pong(peer, peer.Semaphore(0), peer.Semaphore(0), n)


@bench(2000, needs="Event")
def event_pp(peer: Any, n: int) -> int:
    one, two = peer.Event(), peer.Event()

    def first(m: int) -> None:
        for _ in range(m):
            one.set()
            two.wait()
            two.clear()

    def second(m: int) -> None:
        for _ in range(m):
            one.wait()
            one.clear()
            two.set()

    pair(peer, (second, n), (first, n))
    return 2 * n


@bench(1000, needs="Condition")
def cond_pp(peer: Any, n: int) -> int:
    condition = peer.Condition()
    turn = 0

    def play(me: int, m: int) -> None:
        nonlocal turn
        for _ in range(m):
            with condition:
                while turn != me:
                    condition.wait()
                turn = 1 - me
                condition.notify()

    pair(peer, (play, 0, n), (play, 1, n))
    return 2 * n


@bench(1000, needs="Queue")
def queue1_pp(peer: Any, n: int) -> int:
    """Two Queue(1): a request and its answer; one operation is one hand-over."""
    there, back = peer.Queue(1), peer.Queue(1)

    def ask(m: int) -> None:
        for i in range(m):
            there.put(i)
            back.get()

    def answer(m: int) -> None:
        for _ in range(m):
            back.put(there.get())

    pair(peer, (ask, n), (answer, n))
    return 2 * n


def produce_and_consume(peer: Any, queue: Any, n: int, consumer_first: bool) -> int:
    def produce(m: int) -> None:
        for i in range(m):
            queue.put(i)

    def consume(m: int) -> None:
        for _ in range(m):
            queue.get()

    both = (produce, n), (consume, n)
    pair(peer, *(reversed(both) if consumer_first else both))
    return n


@bench(1000, needs="Queue")
def queue1_pc(peer: Any, n: int) -> int:
    return produce_and_consume(peer, peer.Queue(1), n, False)


@bench(5000, needs="Queue")
def queue_pc(peer: Any, n: int) -> int:
    return produce_and_consume(peer, peer.Queue(), n, True)


# -- timers, pools, sleepers -------------------------------------------------------------------------


@bench(100_000, fixed=True, needs="timer")
def timers100k(peer: Any, n: int) -> int:
    n = getattr(peer, "timers", n)
    timer, cancel, random = peer.timer, peer.cancel, randoms(1)
    made = [timer(100 + 100 * random(), noop) for _ in range(n)]
    for one in made:
        cancel(one)
    return n


@bench(10000, fixed=True, needs="pool")
def pool10k(peer: Any, n: int) -> int:
    pool = peer.pool(8)
    submit, result = pool.submit, peer.result
    futures = [submit(noop) for _ in range(n)]
    for future in futures:
        result(future)
    if hasattr(pool, "shutdown"):
        pool.shutdown()
    return n


@bench(10000, fixed=True, needs="sleep")
def sleepers(peer: Any, n: int) -> Any:
    """Each sleeps 0.5 to 1.5 s; how late they wake, and the CPU time of a sleep."""
    if getattr(peer, "kernel", False):
        n = 1000
    late: list[float] = []
    random = randoms(2)

    def nap(seconds: float) -> None:
        end = perf_counter() + seconds
        peer.sleep(seconds)
        late.append((perf_counter() - end) * 1e3)

    handles = [peer.spawn(nap, 0.5 + random()) for _ in range(n)]
    for handle in handles:
        peer.join(handle)
    return n, lateness(late)
