"""The micro benches for asyncio and what stands in for its loop; the names are those of `on_threads`."""

import asyncio
from asyncio import Condition, Event, Lock, Queue, Semaphore, create_task, sleep
from collections.abc import Callable
from time import perf_counter
from typing import Any

from on_threads import lateness, randoms

from peers import noop

__all__ = ["BENCHES"]

BENCHES: dict[str, Callable[[int], Any]] = {}


def bench(function: Any) -> Any:
    BENCHES[function.__name__] = function
    return function


async def anoop() -> None:
    pass


async def both(*coroutines: Any) -> None:
    tasks = [create_task(one) for one in coroutines]
    for task in tasks:
        await task


@bench
async def spawn_join(n: int) -> int:
    for _ in range(n):
        await create_task(anoop())
    return n


@bench
async def spawn10k_join(n: int) -> int:
    await both(*[anoop() for _ in range(n)])
    return n


@bench
async def spawn10k_blocked(n: int) -> int:
    event = Event()
    tasks = [create_task(event.wait()) for _ in range(n)]
    await sleep(0)
    event.set()
    for task in tasks:
        await task
    return n


async def give_way(m: int) -> None:
    for _ in range(m):
        await sleep(0)


@bench
async def yield2(n: int) -> int:
    await both(give_way(n // 2), give_way(n // 2))
    return n // 2 * 2


@bench
async def yield1000(n: int) -> int:
    m = max(2, n // 1000)
    await both(*[give_way(m) for _ in range(1000)])
    return 1000 * m


async def take_and_let_go(lock: Any, n: int) -> int:
    acquire, release = lock.acquire, lock.release
    for _ in range(n):
        await acquire()
        release()
    return n


@bench
async def lock_free(n: int) -> int:
    return await take_and_let_go(Lock(), n)


@bench
async def lock_with(n: int) -> int:
    lock = Lock()
    for _ in range(n):
        async with lock:
            pass
    return n


@bench
async def sem_free(n: int) -> int:
    return await take_and_let_go(Semaphore(2), n)


async def ping_pong(one: Any, two: Any, n: int) -> int:
    async def first(m: int) -> None:
        for _ in range(m):
            one.release()
            await two.acquire()

    async def second(m: int) -> None:
        for _ in range(m):
            await one.acquire()
            two.release()

    await both(second(n), first(n))
    return 2 * n


@bench
async def lock_handoff(n: int) -> int:
    one, two = Lock(), Lock()
    await one.acquire()
    await two.acquire()
    return await ping_pong(one, two, n)


@bench
async def sem_pp(n: int) -> int:
    return await ping_pong(Semaphore(0), Semaphore(0), n)


@bench
async def lock_contend8(n: int) -> int:
    lock = Lock()

    async def enter(m: int) -> None:
        for _ in range(m):
            async with lock:
                await sleep(0)

    await both(*[enter(n // 8) for _ in range(8)])
    return n // 8 * 8


@bench
async def event_pp(n: int) -> int:
    one, two = Event(), Event()

    async def first(m: int) -> None:
        for _ in range(m):
            one.set()
            await two.wait()
            two.clear()

    async def second(m: int) -> None:
        for _ in range(m):
            await one.wait()
            one.clear()
            two.set()

    await both(second(n), first(n))
    return 2 * n


@bench
async def cond_pp(n: int) -> int:
    condition = Condition()
    turn = 0

    async def play(me: int, m: int) -> None:
        nonlocal turn
        for _ in range(m):
            async with condition:
                while turn != me:
                    await condition.wait()
                turn = 1 - me
                condition.notify()

    await both(play(0, n), play(1, n))
    return 2 * n


@bench
async def queue1_pp(n: int) -> int:
    there: Queue[int] = Queue(1)
    back: Queue[int] = Queue(1)

    async def ask(m: int) -> None:
        for i in range(m):
            await there.put(i)
            await back.get()

    async def answer(m: int) -> None:
        for _ in range(m):
            await back.put(await there.get())

    await both(ask(n), answer(n))
    return 2 * n


async def produce_and_consume(queue: Any, n: int) -> int:
    async def produce(m: int) -> None:
        for i in range(m):
            await queue.put(i)

    async def consume(m: int) -> None:
        for _ in range(m):
            await queue.get()

    await both(consume(n), produce(n))
    return n


@bench
async def queue1_pc(n: int) -> int:
    return await produce_and_consume(Queue(1), n)


@bench
async def queue_pc(n: int) -> int:
    return await produce_and_consume(Queue(), n)


@bench
async def timers100k(n: int) -> int:
    later, random = asyncio.get_running_loop().call_later, randoms(1)
    made = [later(100 + 100 * random(), noop) for _ in range(n)]
    for timer in made:
        timer.cancel()
    return n


@bench
async def pool10k(n: int) -> int:
    """There is no pool of tasks in asyncio: eight workers on a Queue, by hand."""
    queue: Queue[Any] = Queue()
    loop = asyncio.get_running_loop()

    async def work() -> None:
        while True:
            fn, future = await queue.get()
            future.set_result(fn())

    workers = [create_task(work()) for _ in range(8)]
    futures = []
    for _ in range(n):
        future = loop.create_future()
        queue.put_nowait((noop, future))
        futures.append(future)
    for future in futures:
        await future
    for worker in workers:
        worker.cancel()
    return n


@bench
async def sleepers(n: int) -> Any:
    late: list[float] = []
    random = randoms(2)

    async def nap(seconds: float) -> None:
        end = perf_counter() + seconds
        await sleep(seconds)
        late.append((perf_counter() - end) * 1e3)

    await both(*[nap(0.5 + random()) for _ in range(n)])
    return n, lateness(late)
