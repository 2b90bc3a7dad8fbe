"""The program that `soak.py` runs: mixed threaded work whose every item, wake and count is accounted for.

Each *station* is a kind of work with a thread of its own that does rounds of it until the time is over. A
round starts threads, lets them work and checks the accounts to the last item; it returns how many
operations that were. The *pipeline* and the *pool* live for the whole run and are settled at its end. The
main thread prints a line of JSON at each interval: who has done how much, and what is alive.
"""

import contextvars
import gc
import json
import queue
import random
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor, as_completed, wait
from typing import Any

STATIONS: dict[str, Callable[[random.Random], int]] = {}
over = threading.Event()  # no further rounds
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
        except BaseException as error:
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


hooked: Counter[str] = Counter()


def count_hooked(args: Any) -> None:
    if args.exc_type in (Expected, SystemExit):  # a hook of one's own gets both
        hooked[args.exc_type.__name__] += 1
    else:
        faults.append(f"a thread ended with {args.exc_type.__name__}: {args.exc_value}")


@station
def exceptions(rng: random.Random) -> int:
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

    before = hooked.copy()
    threads = [threading.Thread(target=fail, args=(i,)) for i in range(15)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    same("finally clauses that ran", len(cleaned), 15)
    same("what reached the hook", hooked - before, Counter(Expected=5, SystemExit=5))
    return 15


@station
def spinning(rng: random.Random) -> int:
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
    """Counts how many of its kind are alive."""

    alive: Counter[str] = Counter()

    def __init__(self, kind: str) -> None:
        self.kind = kind
        Trace.alive[kind] += 1

    def __del__(self) -> None:
        Trace.alive[self.kind] -= 1


own = threading.local()
variable: contextvars.ContextVar[int] = contextvars.ContextVar("variable", default=-1)


@station
def thread_locals(rng: random.Random) -> int:
    def keep(i: int) -> None:
        same("a fresh local", hasattr(own, "x"), False)
        same("a fresh context", variable.get(), -1)
        own.x, own.trace = i, Trace("local")
        variable.set(i)
        for _ in range(5):
            time.sleep(0)
            same("a thread's own", (own.x, variable.get()), (i, i))

    crew(*[lambda i=i: keep(i) for i in range(10)])  # type: ignore[misc]
    same("values left by ended threads", Trace.alive["local"], 0)
    return 50


# -- locks and signals --------------------------------------------------------------------------------


@station
def locks(rng: random.Random) -> int:
    lock, count = threading.Lock(), 0
    tries = Counter[bool]()

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
            tries[got] += 1
            if got:
                count += 1
                left -= 1
                lock.release()
            else:
                time.sleep(0)

    crew(add, add_in_time, times=4)
    same("count under a lock", (count, tries[True], lock.locked()), (160, 80, False))
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
def conditions(rng: random.Random) -> int:
    """A buffer of three places made by hand, with waits of all three kinds."""
    condition, buffer, taken = threading.Condition(), [], Counter[int]()  # type: ignore[var-annotated]
    left = 60

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
                condition.wait_for(lambda: buffer or not left, PATIENCE)
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
def semaphores(rng: random.Random) -> int:
    semaphore, inside, most, timed_out = threading.BoundedSemaphore(3), 0, 0, 0

    def enter() -> None:
        nonlocal inside, most, timed_out
        for i in range(10):
            while not semaphore.acquire(timeout=HURRY if i % 2 else PATIENCE):
                timed_out += 1
            inside += 1
            most = max(most, inside)
            time.sleep(0)
            inside -= 1
            semaphore.release()

    crew(enter, times=8)
    if not 1 <= most <= 3:
        raise AssertionError(f"{most} threads within a semaphore of 3")
    same("left inside", inside, 0)
    try:
        semaphore.release()
    except ValueError:
        return 80
    raise AssertionError("a bounded semaphore was released too often")


@station
def events(rng: random.Random) -> int:
    gates = [threading.Event() for _ in range(5)]
    woken, timed_out = Counter[int](), Counter[bool]()

    def follow() -> None:
        for i, gate in enumerate(gates):
            while not gate.wait(HURRY if i % 2 else PATIENCE):
                timed_out[True] += 1
            woken[i] += 1

    def lead() -> None:
        for i, gate in enumerate(gates):
            time.sleep(HURRY * 2 if i % 2 else 0)
            gate.set()

    crew(*[follow] * 10, lead)
    same("wakes by events", woken, Counter({i: 10 for i in range(5)}))
    return 50


@station
def barriers(rng: random.Random) -> int:
    barrier, first, phases = threading.Barrier(4), Counter[int](), Counter[int]()

    def meet() -> None:
        for phase in range(8):
            phases[phase] += 1
            if barrier.wait(PATIENCE) == 0:
                first[phase] += 1
            same("all are here", phases[phase], 4)

    crew(meet, times=4)
    same("one first for each phase", first, Counter(range(8)))
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
    taken: Counter[int] = Counter()
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
                item = made.get() if turn % 3 == 0 else made.get(True, HURRY) if turn % 3 == 1 else made.get(False)
            except queue.Empty:
                time.sleep(0)
                continue
            if item != END:
                taken[item] += 1
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
    same("a queue's items", taken, Counter([b + i for b in (0, 100, 200) for i in range(40)]))
    same("left in the queue", made.qsize(), 0)
    return 120


class Ring:
    """Rubbish in a cycle, that puts its number into a queue as it is collected."""

    def __init__(self, number: int, into: "queue.SimpleQueue[int]") -> None:
        self.me, self.number, self.into = self, number, into

    def __del__(self) -> None:
        self.into.put(self.number)


@station
def finalizers(rng: random.Random) -> int:
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
    fired: Counter[int] = Counter()
    made = [threading.Timer(rng.random() * 0.01, fired.update, ([i],)) for i in range(12)]
    never = [threading.Timer(PATIENCE, fired.update, ([100 + i],)) for i in range(12)]
    for timer in made + never:
        timer.start()
    for timer in never:
        timer.cancel()
    for timer in made + never:
        timer.join()
    same("timers that fired", fired, Counter(range(12)))
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


# -- what lives for the whole run ---------------------------------------------------------------------


class Pipeline:
    """Two producers, a Queue(10), three workers, an unbounded queue, one collector, from start to end."""

    def __init__(self) -> None:
        self.raw: queue.Queue[int] = queue.Queue(10)
        self.done: queue.Queue[int] = queue.Queue()
        self.sent = [0, 0]
        self.sum_sent = [0, 0]
        self.got = self.sum_got = 0
        jobs = [lambda: self.produce(0), lambda: self.produce(1), self.collect, *[self.work] * 3]
        self.threads = [threading.Thread(target=job, name="pipeline") for job in jobs]
        for thread in self.threads:
            thread.start()

    def produce(self, which: int) -> None:
        number = which
        while not over.is_set():
            for _ in range(20):
                self.raw.put(number)
                self.sent[which] += 1
                self.sum_sent[which] += number
                number += 2
            time.sleep(0.002)

    def work(self) -> None:
        while (item := self.raw.get()) != END:
            self.done.put(item)

    def collect(self) -> None:
        while (item := self.done.get()) != END:
            self.got += 1
            self.sum_got += item

    def settle(self) -> None:
        producers, collector, workers = self.threads[:2], self.threads[2], self.threads[3:]
        for thread in producers:
            thread.join()
        for _ in workers:
            self.raw.put(END)
        for thread in workers:
            thread.join()
        self.done.put(END)
        collector.join()
        same("through the pipeline", (self.got, self.sum_got), (sum(self.sent), sum(self.sum_sent)))


class Pool:
    """One pool that a thread feeds for the whole run."""

    def __init__(self) -> None:
        self.pool = ThreadPoolExecutor(4)
        self.count = 0
        self.thread = threading.Thread(target=self.feed, name="long pool")
        self.thread.start()

    def feed(self) -> None:
        while not over.is_set():
            futures = [self.pool.submit(risky, i) for i in range(50)]
            try:
                same("the long pool's results", outcomes(futures), EXPECTED)
            except BaseException as error:
                faults.append(f"long pool: {error!r}")
                return
            self.count += 50
            time.sleep(0.002)

    def settle(self) -> None:
        self.thread.join()
        self.pool.shutdown()


# -- the run ------------------------------------------------------------------------------------------


def keep_at_it(name: str, seed: int, progress: Counter[str]) -> None:
    rng = random.Random(f"{seed} {name}")
    try:
        while not over.is_set() and not faults:
            progress[name] += STATIONS[name](rng)
            time.sleep(0.001)
    except BaseException as error:
        faults.append(f"{name}: {type(error).__name__}: {error}")


def alive() -> dict[str, int]:
    """How many of each are there; the runtime's own numbers only where there is one."""
    counts = {"threads": threading.active_count()}
    runtime = sys.modules.get("weft.runtime")
    if runtime is not None:
        model = runtime.runtime().model
        counts["blocks"] = len(model.blocks())
        loop = getattr(model, "loop", None)
        if loop is not None:
            counts["spares"] = len(loop.spares)
            counts["timers"] = len(loop.timers.heap)
        preemption = getattr(model, "preemption", None)
        if preemption is not None:
            counts["preemptions"] = preemption.switches
    return counts


def main(seconds: float, interval: float, seed: int) -> int:
    threading.excepthook = count_hooked
    progress: Counter[str] = Counter()
    end = time.monotonic() + seconds
    pipeline, pool = Pipeline(), Pool()
    keepers = [
        threading.Thread(target=keep_at_it, args=(name, seed, progress), name=name) for name in STATIONS
    ]
    for keeper in keepers:
        keeper.start()

    def report(phase: str) -> None:
        done = {**progress, "pipeline": pipeline.got, "long pool": pool.count}
        print(json.dumps({"phase": phase, "done": done, "alive": alive()}), flush=True)

    while time.monotonic() < end and not faults:
        report("works")
        time.sleep(min(interval, max(0.0, end - time.monotonic())))
    over.set()
    for keeper in keepers:
        keeper.join()
    if not faults:
        try:
            pipeline.settle()
            pool.settle()
            same("threads left", [t.name for t in threading.enumerate()], ["MainThread"])
        except AssertionError as error:
            faults.append(str(error))
    gc.collect()
    report("ended")
    for fault in faults:
        print(json.dumps({"fault": fault}), flush=True)
    return 1 if faults else 0


if __name__ == "__main__":
    code = main(float(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3]))
    if code:
        sys.stdout.flush()
        import os

        os._exit(code)  # threads that wait for ever must not hold up the verdict
