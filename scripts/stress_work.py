"""The work of `stress.py`: one kind for each primitive. `python stress_work.py NAME OPERATIONS` under weft.

Each function does about so many operations, split between threads, and returns how many there were. What must
come out is compared on the spot.
"""

import ctypes
import os
import queue
import socket
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, as_completed
from typing import Any

THREADS = 12
INTERVAL = 1e-6  # seconds between two switches of the interpreter's lock


def together(*jobs: Callable[[], object]) -> None:
    """Run the jobs in a thread each, and raise the first error of one."""
    errors: list[BaseException] = []

    def run(job: Callable[[], object]) -> None:
        try:
            job()
        except BaseException as error:
            errors.append(error)
            raise

    threads = [threading.Thread(target=run, args=(job,)) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]


def same(what: str, got: object, wanted: object) -> None:
    if got != wanted:
        raise AssertionError(f"{what}: {got!r} and not {wanted!r}")


def exclusion(make: Callable[[], Any], operations: int) -> int:
    """Threads add to one number, with and without a timeout; nothing may be lost."""
    lock, total = make(), [0]
    rounds = operations // THREADS

    def add() -> None:
        for number in range(rounds):
            if number % 8 == 0:
                while not lock.acquire(timeout=0.001 if number % 16 else 5):
                    pass
            else:
                lock.acquire()
            before = total[0]
            if number % 64 == 0:
                time.sleep(0)
            total[0] = before + 1
            lock.release()

    together(*[add] * THREADS)
    same("counted under a lock", total[0], rounds * THREADS)
    return rounds * THREADS


def locks(operations: int) -> int:
    return exclusion(threading.Lock, operations)


def rlocks(operations: int) -> int:
    return exclusion(threading.RLock, operations)


def semaphores(operations: int) -> int:
    """Three at most are inside at once."""
    units, inside, most = threading.BoundedSemaphore(3), [0], [0]
    guard, total, rounds = threading.Lock(), [0], operations // THREADS

    def enter() -> None:
        for number in range(rounds):
            if not units.acquire(timeout=None if number % 8 else 10):
                raise AssertionError("no unit came in 10 s")
            with guard:
                inside[0] += 1
                most[0] = max(most[0], inside[0])
                total[0] += 1
            with guard:
                inside[0] -= 1
            units.release()

    together(*[enter] * THREADS)
    same("entered", (total[0], inside[0], most[0] <= 3), (rounds * THREADS, 0, True))
    return rounds * THREADS


def through(make: Callable[[], Any], operations: int) -> int:
    """Producers and consumers: each item arrives once."""
    items, share = make(), operations // (THREADS // 2)
    arrived: list[Counter[int]] = []

    def produce(first: int) -> None:
        for number in range(first, first + share):
            items.put(number)
        items.put(-1)

    def consume() -> None:
        mine: Counter[int] = Counter()
        number = 0
        while (item := items.get()) != -1:
            mine[item] += 1
            number += 1
            if number % 50 == 0:
                try:
                    item = items.get(timeout=0.0005)
                except queue.Empty:
                    continue
                if item == -1:
                    break
                mine[item] += 1
        arrived.append(mine)

    makers = [lambda first=n * share: produce(first) for n in range(THREADS // 2)]
    together(*makers, *[consume] * (THREADS // 2))
    total = sum(arrived, Counter[int]())
    same("items", (len(total), set(total.values())), (share * (THREADS // 2), {1}))
    return share * (THREADS // 2)


class Thrown(Exception):
    """What is set for a thread from outside."""


def thrown(operations: int) -> int:
    """Items through a bounded queue, while threads that compute have exceptions thrown at them."""
    over, met = threading.Event(), [0]

    def compute() -> None:
        try:
            while not over.is_set():
                sum(range(100))
                time.sleep(0)
        except Thrown:
            met[0] += 1

    def suffer() -> None:
        while not over.is_set():
            try:
                compute()
            except Thrown:  # it came as the one before was met
                met[0] += 1

    class Throwing(queue.Queue):  # type: ignore[type-arg]
        """Throws at one of them for every 20 items."""

        def put(self, item: Any, block: bool = True, timeout: float | None = None) -> None:
            if item % 20 == 0:
                ident = sufferers[item // 20 % len(sufferers)].ident
                ctypes.pythonapi.PyThreadState_SetAsyncExc(
                    ctypes.c_ulong(ident or 0), ctypes.py_object(Thrown)
                )
            super().put(item, block, timeout)

    threading.excepthook = lambda args: None if args.exc_type is Thrown else threading.__excepthook__(args)
    sufferers = [threading.Thread(target=suffer) for _ in range(2)]
    for thread in sufferers:
        thread.start()
    try:
        done = through(lambda: Throwing(3), operations // 4)
    finally:
        over.set()
        for thread in sufferers:
            thread.join()
    if operations > 200 and not met[0]:
        raise AssertionError("no exception that was thrown was met")
    return done


def queues(operations: int) -> int:
    return through(queue.Queue, operations)


def bounded(operations: int) -> int:
    return through(lambda: queue.Queue(3), operations)


def simple(operations: int) -> int:
    return through(queue.SimpleQueue, operations)


def profiled(operations: int) -> int:
    """Queues and pools while a function in Python is called before and after each call of a C function."""
    calls = [0]

    def profile(_frame: object, _event: str, _arg: object) -> None:
        calls[0] += 1

    threading.setprofile(profile)
    try:
        share = operations // 24
        done = bounded(share) + queues(share) + simple(share) + futures(share)
    finally:
        threading.setprofile(None)
    if calls[0] < done:
        raise AssertionError(f"{done} operations, but {calls[0]} calls")
    return done


def conditions(operations: int) -> int:
    """A buffer of two behind one condition, with notify, notify_all and waits that run out."""
    changed, held, taken = threading.Condition(), [0], [0]
    share = operations // THREADS

    def give() -> None:
        for number in range(share):
            with changed:
                while held[0] >= 2:
                    changed.wait(None if number % 4 else 0.001)
                held[0] += 1
                if number % 3:
                    changed.notify_all()
                else:
                    changed.notify(THREADS)

    def take() -> None:
        for number in range(share):
            with changed:
                changed.wait_for(lambda: held[0] > 0, None if number % 4 else 20)
                held[0] -= 1
                taken[0] += 1
                changed.notify_all()

    together(*[give] * (THREADS // 2), *[take] * (THREADS // 2))
    same("given and taken", (held[0], taken[0]), (0, share * (THREADS // 2)))
    return 2 * taken[0]


def events(operations: int) -> int:
    """Pairs that take turns by two events: no turn is lost, none is taken twice."""
    turns = operations // THREADS

    def pair() -> None:
        ping, pong, seen = threading.Event(), threading.Event(), [0]

        def answer() -> None:
            for _ in range(turns):
                ping.wait()
                ping.clear()
                seen[0] += 1
                pong.set()

        other = threading.Thread(target=answer)
        other.start()
        for number in range(turns):
            ping.set()
            if not pong.wait(None if number % 4 else 20):
                raise AssertionError("no answer in 20 s")
            pong.clear()
            same("turns", seen[0], number + 1)
        other.join()

    together(*[pair] * (THREADS // 2))
    return turns * THREADS


def barriers(operations: int) -> int:
    """All pass, or nobody."""
    rounds = max(10, operations // (THREADS * 4))
    barrier, passed, guard = threading.Barrier(THREADS), Counter[int](), threading.Lock()

    def pass_on() -> None:
        for number in range(rounds):
            with guard:
                passed[number] += 1
            barrier.wait()
            same("at the barrier", passed[number], THREADS)

    together(*[pass_on] * THREADS)
    return rounds * THREADS


def threads(operations: int) -> int:
    """Threads that start threads, and join them, some by several at once."""
    count, total, guard = max(20, operations // 40), [0], threading.Lock()

    def work() -> None:
        with guard:
            total[0] += 1

    def spawn() -> None:
        for _ in range(count // THREADS):
            made = [threading.Thread(target=work) for _ in range(3)]
            for thread in made:
                thread.start()
            for thread in made:
                thread.join()
                if thread.is_alive():
                    raise AssertionError("a joined thread is alive")

    together(*[spawn] * THREADS)
    same("threads", total[0], count // THREADS * 3 * THREADS)
    return total[0]


def futures(operations: int) -> int:
    """Pools that several threads feed."""
    count = operations // (THREADS * 4)
    with ThreadPoolExecutor(6) as pool:

        def feed() -> None:
            for first in range(0, count, 50):
                some = [pool.submit(pow, number, 2) for number in range(first, first + 50)]
                total = sum(future.result() for future in as_completed(some))
                same("results", total, sum(number * number for number in range(first, first + 50)))

        together(*[feed] * THREADS)
    return -(-count // 50) * 50 * THREADS


def sleeps(operations: int) -> int:
    """Timed waits by the thousand: none ends early, none is forgotten."""
    rounds = max(5, operations // (THREADS * 500))

    def nap() -> None:
        for number in range(rounds):
            begun = time.monotonic()
            time.sleep(0.0001 * (number % 7))
            if time.monotonic() - begun < 0.0001 * (number % 7) * 0.99:
                raise AssertionError("a sleep ended early")

    together(*[nap] * THREADS * 4)
    return rounds * THREADS * 4


def sockets(operations: int) -> int:
    """Echoes over socket pairs and pipes whose ends are used by threads of any carrier."""
    rounds = max(10, operations // (THREADS * 8))

    def talk() -> None:
        one, two = socket.socketpair()
        read, write = os.pipe()

        def echo() -> None:
            while data := two.recv(64):
                two.sendall(data)
                os.write(write, data)

        other = threading.Thread(target=echo)
        other.start()
        for number in range(rounds):
            message = b"%d" % number
            one.sendall(message)
            same("echo", one.recv(64), message)
            same("through the pipe", os.read(read, 64), message)
        one.close()
        other.join()
        two.close()
        os.close(read)
        os.close(write)

    together(*[talk] * (THREADS // 2))
    return rounds * (THREADS // 2) * 3


WORK: dict[str, Callable[[int], int]] = {
    function.__name__: function
    for function in (
        locks,
        rlocks,
        semaphores,
        conditions,
        events,
        barriers,
        queues,
        bounded,
        thrown,
        simple,
        profiled,
        threads,
        futures,
        sleeps,
        sockets,
    )
}


if __name__ == "__main__":
    sys.setswitchinterval(INTERVAL)
    done = WORK[sys.argv[1]](int(sys.argv[2]))
    print(f"{done:,} operations, all accounted for")
