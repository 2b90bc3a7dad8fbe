"""asyncio: each thread may run a loop of its own, and the others go on meanwhile."""

import asyncio
import os
import threading
import time
import warnings
from collections.abc import AsyncIterator

from tests.stdlib.seen import LONG, in_thread, raises, running


def case_each_thread_has_a_loop_of_its_own() -> None:
    done: list[int] = []

    async def main(number: int) -> int:
        loop = asyncio.get_running_loop()
        for _ in range(5):
            await asyncio.sleep(0.002)
            assert asyncio.get_running_loop() is loop
            assert asyncio.get_event_loop() is loop
            task = asyncio.current_task()
            assert task is not None
            assert task.get_loop() is loop
            future: asyncio.Future[int] = asyncio.Future()
            assert future.get_loop() is loop
            loop.call_soon(future.set_result, number)
            assert await future == number
        return number

    with running(*[lambda number=number: done.append(asyncio.run(main(number))) for number in range(5)]):
        pass
    assert sorted(done) == list(range(5))


def case_other_threads_run_while_a_loop_waits() -> None:
    ran: list[float] = []
    over = threading.Event()

    def tick() -> None:
        while not over.is_set():
            ran.append(time.monotonic())
            time.sleep(0.001)

    with running(tick):
        asyncio.run(asyncio.sleep(0.05))
        over.set()
    assert len(ran) > 5


def case_no_loop_is_seen_where_none_runs() -> None:
    async def main() -> None:
        def ask() -> None:
            with raises(RuntimeError, "no running event loop"):
                asyncio.get_running_loop()

        await asyncio.to_thread(ask)
        in_thread(ask)

    asyncio.run(main())
    with raises(RuntimeError, "no running event loop"):
        asyncio.get_running_loop()


def case_a_loop_inside_a_loop_is_refused() -> None:
    async def main() -> None:
        inner = asyncio.sleep(0)
        try:
            with raises(RuntimeError, "asyncio.run() cannot be called from a running event loop"):
                asyncio.run(inner)
        finally:
            inner.close()

    asyncio.run(main())


def case_async_generators_are_ended_by_the_loop_that_began_them() -> None:
    ended: list[int] = []

    async def count(number: int) -> AsyncIterator[int]:
        try:
            for step in range(100):
                yield step
                await asyncio.sleep(0.001)
        finally:
            await asyncio.sleep(0.001)
            ended.append(number)

    async def main(number: int) -> None:
        async for step in count(number):
            if step == number:
                break
        async with asyncio.timeout(LONG):  # the end of main would cancel what ends the generator
            while number not in ended:
                await asyncio.sleep(0.001)

    with running(*[lambda number=number: asyncio.run(main(number)) for number in range(4)]):
        pass
    assert sorted(ended) == [0, 1, 2, 3]


def case_a_loop_is_called_from_other_threads() -> None:
    async def main() -> list[int]:
        loop = asyncio.get_running_loop()
        queue: asyncio.Queue[int] = asyncio.Queue()
        threads = [
            threading.Thread(target=loop.call_soon_threadsafe, args=(queue.put_nowait, number))
            for number in range(4)
        ]
        for thread in threads:
            thread.start()
        found = sorted([await queue.get() for _ in threads])
        for thread in threads:
            thread.join()
        return found

    assert asyncio.run(main()) == [0, 1, 2, 3]


def case_a_child_of_a_loop_in_a_thread() -> None:
    async def main() -> bytes:
        child = await asyncio.create_subprocess_exec("echo", "said", stdout=asyncio.subprocess.PIPE)
        out, _ = await child.communicate()
        return out

    assert in_thread(lambda: asyncio.run(main())) == b"said\n"


def case_no_loop_runs_in_a_forked_child() -> None:
    async def main() -> int:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # 3.12 warns of kernel threads
            child = os.fork()
        if child == 0:
            try:
                asyncio.get_running_loop()
            except RuntimeError:
                os._exit(0)
            finally:
                os._exit(1)
        return os.waitpid(child, 0)[1]

    assert asyncio.run(main()) == 0
