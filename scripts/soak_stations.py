"""The stations of the soak: kinds of threaded work that check their own accounts.

A station is a function that does one round: it starts threads, lets them work, compares what came out
with what must have, to the last item, and returns how many operations that were. Whatever is off is an
AssertionError. The accounts of threads that run side by side are lists, since an append is one step.
"""

import contextvars
import gc
import queue
import random
import sys
import threading
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor, as_completed, wait
from functools import partial
from typing import Any, ClassVar

__all__ = ["END", "EXPECTED", "STATIONS", "count_hooked", "faults", "outcomes", "risky", "same"]

STATIONS: dict[str, Callable[[random.Random], int]] = {}
faults: list[str] = []
HURRY = 0.0005  # seconds: a timeout that often runs out
PATIENCE = 60.0  # seconds: a timeout that never should; soak.py has long given up by then


def station(function: Callable[[random.Random], int]) -> Callable[[random.Random], int]:
    STATIONS[function.__name__] = function
    return function


def same(what: str, got: object, expected: object) -> None:
    if got != expected:
        raise AssertionError(f"{what}: {got!r} and not {expected!r}")


def crew(*jobs: Callable[[], object], times: int = 1) -> None:
    """Run each job in `times` threads of their own, and see all of them end well."""
    wrong: list[BaseException] = []

    def guarded(job: Callable[[], object]) -> None:
        try:
            job()
        except BaseException as error:  # noqa: BLE001 - the crew is told of all
            wrong.append(error)

    threads = [threading.Thread(target=guarded, args=(job,)) for job in jobs for _ in range(times)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if wrong:
        raise wrong[0]


# -- threads ------------------------------------------------------------------------------------------


@station
def spawn(rng: random.Random) -> int:
    done: list[int] = []
    threads = [threading.Thread(target=done.append, args=(i,)) for i in range(rng.randrange(1, 60))]
    for thread in threads:
        thread.start()
    for thread in threads:
        while thread.is_alive():
            thread.join(HURRY if rng.random() < 0.5 else None)
    same("threads that ran", sorted(done), list(range(len(threads))))
    return len(threads)


class Expected(Exception):
    """What threads here end with on purpose."""


hooked: list[str] = []


def count_hooked(args: Any) -> None:
    if args.exc_type in (Expected, SystemExit):  # a hook of one's own gets both
        hooked.append(args.exc_type.__name__)
    else:
        text = traceback.format_exception(args.exc_type, args.exc_value, args.exc_traceback)
        faults.append("a thread ended with " + "".join(text))


@station
def exceptions(_rng: random.Random) -> int:
    cleaned: list[int] = []

    def fail(i: int) -> None:
        try:
            time.sleep(0)
            if i % 3 == 0:
                raise Expected("round")
            if i % 3 == 1:
                sys.exit(i)
        finally:
            cleaned.append(i)

    hooked.clear()
    threads = [threading.Thread(target=fail, args=(i,)) for i in range(15)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    same("finally clauses that ran", len(cleaned), 15)
    same("what reached the hook", Counter(hooked), Counter(Expected=5, SystemExit=5))
    return 15


@station
def spinning(_rng: random.Random) -> int:
    """Threads that never give way end only if another gets its turn all the same."""
    told = [False]
    spins = [0, 0]

    def spin(i: int) -> None:
        while not told[0]:
            spins[i] += 1

    def tell() -> None:
        told[0] = True

    spinners = [threading.Thread(target=spin, args=(i,)) for i in range(2)]
    for thread in spinners:
        thread.start()
    time.sleep(0)
    teller = threading.Thread(target=tell)
    teller.start()
    for thread in [*spinners, teller]:
        thread.join()
    same("told", told, [True])
    time.sleep(0.1)  # or the spinners would take the processor from all other stations
    return 3


@station
def sleepers(rng: random.Random) -> int:
    early: list[float] = []

    def nap() -> None:
        for _ in range(5):
            seconds = rng.random() * 0.004
            until = time.monotonic() + seconds
            time.sleep(seconds)
            if time.monotonic() < until:
                early.append(until - time.monotonic())

    crew(nap, times=8)
    same("sleeps that ended early", early, [])
    return 40


class Trace:
    """Knows which of its kind are alive."""

    alive: ClassVar[set[int]] = set()

    def __init__(self) -> None:
        Trace.alive.add(id(self))

    def __del__(self) -> None:
        Trace.alive.discard(id(self))


own = threading.local()
variable: contextvars.ContextVar[int] = contextvars.ContextVar("variable", default=-1)


@station
def thread_locals(_rng: random.Random) -> int:
    def keep(i: int) -> None:
        same("a fresh local", hasattr(own, "x"), False)
        same("a fresh context", variable.get(), -1)
        own.x, own.trace = i, Trace()
        variable.set(i)
        for _ in range(5):
            time.sleep(0)
            same("a thread's own", (own.x, variable.get()), (i, i))

    crew(*[partial(keep, i) for i in range(10)])
    same("values left by ended threads", len(Trace.alive), 0)
    return 50


# -- locks and signals --------------------------------------------------------------------------------


@station
def locks(_rng: random.Random) -> int:
    lock, count = threading.Lock(), 0
    tries: list[bool] = []

    def add() -> None:
        nonlocal count
        for i in range(20):
            with lock:
                seen = count
                if i % 4 == 0:
                    time.sleep(0)
                count = seen + 1

    def add_in_time() -> None:
        nonlocal count
        left = 20
        while left:
            got = lock.acquire(timeout=HURRY) if left % 2 else lock.acquire(blocking=False)
            tries.append(got)
            if got:
                count += 1
                left -= 1
                lock.release()
            else:
                time.sleep(0)

    crew(add, add_in_time, times=4)
    same("count under a lock", (count, tries.count(True), lock.locked()), (160, 80, False))
    return 160


@station
def rlocks(rng: random.Random) -> int:
    lock, count = threading.RLock(), 0

    def add(depth: int) -> None:
        nonlocal count
        with lock:
            seen = count
            if depth:
                add(depth - 1)
                seen = count
            elif rng.random() < 0.2:
                time.sleep(0)
            count = seen + 1

    def work() -> None:
        for _ in range(10):
            add(3)

    crew(work, times=5)
    same("count under an RLock", count, 200)
    try:
        lock.release()
    except RuntimeError:
        return 200
    raise AssertionError("an RLock that nobody holds was released")


@station
def conditions(_rng: random.Random) -> int:
    """A buffer of three places made by hand, with waits of all three kinds."""
    condition, buffer, taken = threading.Condition(), [], Counter[int]()  # type: ignore[var-annotated]
    left = 60

    def something() -> bool:
        return bool(buffer) or not left

    def put(base: int) -> None:
        for i in range(20):
            with condition:
                while len(buffer) >= 3:
                    condition.wait(HURRY if i % 3 == 0 else None)
                buffer.append(base + i)
                condition.notify_all() if i % 5 == 0 else condition.notify(2)

    def take() -> None:
        nonlocal left
        while True:
            with condition:
                condition.wait_for(something, PATIENCE)
                if not left:
                    condition.notify_all()
                    return
                if buffer:
                    taken[buffer.pop(0)] += 1
                    left -= 1
                    condition.notify_all()

    crew(lambda: put(0), lambda: put(100), lambda: put(200), take, take, take)
    expected = Counter([base + i for base in (0, 100, 200) for i in range(20)])
    same("items through a condition", (taken, buffer), (expected, []))
    return 60


@station
def semaphores(_rng: random.Random) -> int:
    semaphore = threading.BoundedSemaphore(3)
    inside: list[int] = []
    most = 0

    def enter() -> None:
        nonlocal most
        for i in range(10):
            while not semaphore.acquire(timeout=HURRY if i % 2 else PATIENCE):
                pass
            inside.append(i)
            most = max(most, len(inside))
            time.sleep(0)
            inside.pop()
            semaphore.release()

    crew(enter, times=8)
    if not 1 <= most <= 3:
        raise AssertionError(f"{most} threads within a semaphore of 3")
    same("left inside", inside, [])
    try:
        semaphore.release()
    except ValueError:
        return 80
    raise AssertionError("a bounded semaphore was released too often")


@station
def events(_rng: random.Random) -> int:
    gates = [threading.Event() for _ in range(5)]
    woken: list[int] = []

    def follow() -> None:
        for i, gate in enumerate(gates):
            while not gate.wait(HURRY if i % 2 else PATIENCE):
                pass
            woken.append(i)

    def lead() -> None:
        for i, gate in enumerate(gates):
            time.sleep(HURRY * 2 if i % 2 else 0)
            gate.set()

    crew(*[follow] * 10, lead)
    same("wakes by events", Counter(woken), Counter(dict.fromkeys(range(5), 10)))
    return 50


@station
def barriers(_rng: random.Random) -> int:
    barrier = threading.Barrier(4)
    came: list[int] = []
    first: list[int] = []

    def meet() -> None:
        for phase in range(8):
            came.append(phase)
            if barrier.wait(PATIENCE) == 0:
                first.append(phase)
            same("all are here", came.count(phase), 4)

    crew(meet, times=4)
    same("one first for each phase", Counter(first), Counter(range(8)))
    return 32


# -- queues -------------------------------------------------------------------------------------------

QUEUES: list[Callable[[], Any]] = [
    queue.Queue,
    lambda: queue.Queue(1),
    lambda: queue.Queue(3),
    queue.LifoQueue,
    lambda: queue.LifoQueue(2),
    queue.PriorityQueue,
    lambda: queue.PriorityQueue(2),
    queue.SimpleQueue,
]
END = 10**9


@station
def queues(rng: random.Random) -> int:
    """Every kind of queue, with producers and consumers that wait, look in, and give up in time."""
    made = rng.choice(QUEUES)()
    taken: list[int] = []
    joins = hasattr(made, "join")

    def put(base: int) -> None:
        for i in range(40):
            while True:
                try:
                    if i % 3 == 0:
                        made.put(base + i)
                    elif i % 3 == 1:
                        made.put(base + i, True, HURRY)
                    else:
                        made.put(base + i, False)
                    break
                except queue.Full:
                    time.sleep(0)

    def take() -> None:
        turn = 0
        while True:
            turn += 1
            try:
                item = (
                    made.get()
                    if turn % 3 == 0
                    else made.get(True, HURRY)
                    if turn % 3 == 1
                    else made.get(False)
                )
            except queue.Empty:
                time.sleep(0)
                continue
            if item != END:
                taken.append(item)
            if joins:
                made.task_done()
            if item == END:
                return

    consumers = [threading.Thread(target=take) for _ in range(3)]
    for thread in consumers:
        thread.start()
    crew(lambda: put(0), lambda: put(100), lambda: put(200))
    if joins:
        made.join()
    for _ in consumers:
        made.put(END)
    for thread in consumers:
        thread.join()
    same("a queue's items", Counter(taken), Counter([b + i for b in (0, 100, 200) for i in range(40)]))
    same("left in the queue", made.qsize(), 0)
    return 120


class Ring:
    """Rubbish in a cycle, that puts its number into a queue as it is collected."""

    def __init__(self, number: int, into: "queue.SimpleQueue[int]") -> None:
        self.me, self.number, self.into = self, number, into

    def __del__(self) -> None:
        self.into.put(self.number)


@station
def finalizers(_rng: random.Random) -> int:
    collected: queue.SimpleQueue[int] = queue.SimpleQueue()
    got: Counter[int] = Counter()

    def litter(base: int) -> None:
        for i in range(30):
            Ring(base + i, collected)
            if i % 10 == 0:
                time.sleep(0)

    def gather() -> None:
        while sum(got.values()) < 60:
            try:
                got[collected.get(timeout=0.02)] += 1
            except queue.Empty:
                gc.collect(1)

    crew(gather, lambda: litter(0), lambda: litter(100))
    same("what finalizers put", got, Counter([b + i for b in (0, 100) for i in range(30)]))
    return 60


# -- timers and pools ---------------------------------------------------------------------------------


@station
def timers(rng: random.Random) -> int:
    fired: list[int] = []
    made = [threading.Timer(rng.random() * 0.01, fired.append, (i,)) for i in range(12)]
    never = [threading.Timer(PATIENCE, fired.append, (100 + i,)) for i in range(12)]
    for timer in made + never:
        timer.start()
    for timer in never:
        timer.cancel()
    for timer in made + never:
        timer.join()
    same("timers that fired", Counter(fired), Counter(range(12)))
    return 24


@station
def calls_later(rng: random.Random) -> int:
    later = getattr(sys.modules.get("weft"), "call_later", None)
    if later is None:
        return 1
    came: queue.SimpleQueue[int] = queue.SimpleQueue()
    never = [later(PATIENCE, came.put, -1) for _ in range(30)]
    for i in range(10):
        later(rng.random() * 0.005, came.put, i)
    same("calls that came", sorted(came.get(timeout=PATIENCE) for _ in range(10)), list(range(10)))
    for call in never:
        call.cancel()
    same("calls that came late", came.qsize(), 0)
    return 40


def risky(i: int) -> int:
    if i % 10 == 9:
        raise Expected(str(i))
    if i % 4 == 0:
        time.sleep(0)
    return i * i


def outcomes(futures: Iterable[Any]) -> tuple[int, int]:
    good = bad = 0
    for future in futures:
        try:
            good += future.result(PATIENCE)
        except Expected:
            bad += 1
    return good, bad


EXPECTED = sum(i * i for i in range(50) if i % 10 != 9), 5


@station
def pools(rng: random.Random) -> int:
    with ThreadPoolExecutor(rng.randrange(1, 6)) as pool:
        futures = [pool.submit(risky, i) for i in range(50)]
        how = rng.randrange(3)
        if how == 0:
            same("results", outcomes(futures), EXPECTED)
        elif how == 1:
            same("results as completed", outcomes(as_completed(futures, PATIENCE)), EXPECTED)
        else:
            same("not done", len(wait(futures, PATIENCE).not_done), 0)
            same("results after wait", outcomes(futures), EXPECTED)
        same("map", list(pool.map(abs, range(-10, 0))), list(range(10, 0, -1)))
    pool = ThreadPoolExecutor(1)
    gate = threading.Event()
    waiting = [pool.submit(gate.wait, PATIENCE)] + [pool.submit(risky, 1) for _ in range(5)]
    cancelled = sum(future.cancel() for future in waiting[3:])
    gate.set()
    pool.shutdown()
    same("cancelled", (cancelled, [f.cancelled() for f in waiting].count(True)), (3, 3))
    return 66
