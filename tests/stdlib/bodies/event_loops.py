"""asyncio in several threads at once: each has its own running loop, or none."""

import asyncio
import sys
import threading
from collections.abc import AsyncIterator
from concurrent.futures import Future
from typing import Any

from tests.stdlib.seen import LONG, in_thread, raises, running, start, until


def no_loop() -> bool:
    """Whether the calling thread has no running loop, as all ways to ask say."""
    if asyncio.events._get_running_loop() is not None:
        return False
    with raises(RuntimeError, "no running event loop"):
        asyncio.get_running_loop()
    assert sys.get_asyncgen_hooks() == (None, None)
    return True


async def meet(barrier: threading.Barrier) -> None:
    """Wait for the other threads without stopping the loop."""
    await asyncio.to_thread(barrier.wait, LONG)


def case_two_loops_run_in_two_threads_at_once() -> None:
    barrier = threading.Barrier(2)
    loops: list[Any] = []

    async def main() -> None:
        mine = asyncio.get_running_loop()
        loops.append(mine)
        task = asyncio.current_task()
        await meet(barrier)
        for _ in range(20):
            await asyncio.sleep(0.0005)
            assert asyncio.get_running_loop() is mine
            assert asyncio.current_task() is task
            assert asyncio.current_task(mine) is task
        await meet(barrier)
        assert len(asyncio.all_tasks()) == 1

    with running(lambda: asyncio.run(main()), lambda: asyncio.run(main())):
        pass
    assert len(set(loops)) == 2
    assert no_loop()


def case_a_thread_beside_a_loop_has_none() -> None:
    begun, asked, ended = threading.Event(), threading.Event(), threading.Event()

    async def main() -> None:
        begun.set()
        await asyncio.to_thread(asked.wait, LONG)
        ended.set()

    with running(lambda: asyncio.run(main())):
        assert begun.wait(LONG)
        assert no_loop()
        assert in_thread(no_loop)
        never = asyncio.sleep(0)
        with raises(RuntimeError, "no running event loop"):
            asyncio.create_task(never)  # noqa: RUF006 - there is none
        never.close()
        asked.set()
        assert ended.wait(LONG)
        assert no_loop()


def case_loops_stay_apart_when_threads_are_preempted() -> None:
    stop: list[int] = []
    counts = [0, 0, 0]

    async def spin(number: int, mine: Any) -> None:
        while not stop:
            assert asyncio.get_running_loop() is mine
            counts[number] += 1
            if counts[number] % 1000 == 0:
                await asyncio.sleep(0)

    async def main(number: int) -> None:
        mine = asyncio.get_running_loop()
        tasks = [asyncio.create_task(spin(number, mine)) for _ in range(2)]
        await asyncio.gather(*tasks)

    def without() -> None:
        while not stop:
            assert asyncio.events._get_running_loop() is None
            counts[2] += 1

    threads = [start(lambda n=n: asyncio.run(main(n))) for n in range(2)] + [start(without)]
    try:
        until(lambda: min(counts) > 3000, LONG)
    finally:
        stop.append(1)
    for thread in threads:
        thread.join(LONG)
    assert no_loop()


def case_two_loops_call_one_another() -> None:
    loops: dict[str, asyncio.AbstractEventLoop] = {}
    ready = threading.Barrier(2)
    got: list[Any] = []

    async def say(name: str) -> str:
        assert asyncio.get_running_loop() is loops[name]
        await asyncio.sleep(0)
        return f"{name} says"

    async def main(name: str, other: str) -> None:
        loops[name] = asyncio.get_running_loop()
        await meet(ready)
        for _ in range(10):
            future: Future[str] = asyncio.run_coroutine_threadsafe(say(other), loops[other])
            got.append(await asyncio.wrap_future(future))
        called: asyncio.Future[bool] = loops[name].create_future()
        loops[other].call_soon_threadsafe(
            lambda: loops[name].call_soon_threadsafe(
                called.set_result, asyncio.events._get_running_loop() is loops[other]
            )
        )
        assert await called
        await meet(ready)

    with running(lambda: asyncio.run(main("a", "b")), lambda: asyncio.run(main("b", "a"))):
        pass
    assert sorted(got) == ["a says"] * 10 + ["b says"] * 10


def case_a_thread_of_a_loop_can_run_one_itself() -> None:
    async def inner(value: int) -> int:
        await asyncio.sleep(0)
        return await asyncio.to_thread(lambda: value * 2)

    async def outer() -> list[int]:
        assert not no_loop()
        return await asyncio.gather(*(asyncio.to_thread(asyncio.run, inner(n)) for n in range(4)))

    assert asyncio.run(outer()) == [0, 2, 4, 6]
    assert no_loop()


def case_async_generators_end_in_their_own_loop() -> None:
    barrier = threading.Barrier(2)
    ended: list[tuple[Any, Any]] = []

    async def generator() -> AsyncIterator[int]:
        begun_in = asyncio.get_running_loop()
        try:
            while True:
                yield 1
                await asyncio.sleep(0)
        finally:
            ended.append((begun_in, asyncio.get_running_loop()))

    async def main() -> None:
        await meet(barrier)
        numbers = generator()
        async for _ in numbers:
            await asyncio.sleep(0.001)
            break
        await meet(barrier)  # the loop's end closes what was left open

    with running(lambda: asyncio.run(main()), lambda: asyncio.run(main())):
        pass
    assert len(ended) == 2
    assert all(begun is end for begun, end in ended)
    assert ended[0][0] is not ended[1][0]


def case_debug_mode_is_the_loops_own() -> None:
    begun, asked = threading.Event(), threading.Event()

    async def main() -> int:
        begun.set()
        await asyncio.to_thread(asked.wait, LONG)
        return sys.get_coroutine_origin_tracking_depth()

    got: list[int] = []
    with running(lambda: got.append(asyncio.run(main(), debug=True))):
        assert begun.wait(LONG)
        assert sys.get_coroutine_origin_tracking_depth() == 0
        asked.set()
    assert got[0] > 0


def case_a_thread_that_ends_leaves_no_loop_behind() -> None:
    loop = asyncio.new_event_loop()

    def leave() -> None:
        asyncio.events._set_running_loop(loop)
        sys.set_asyncgen_hooks(firstiter=print)

    try:
        for _ in range(3):
            start(leave).join(LONG)
            assert no_loop()
            assert in_thread(no_loop)
    finally:
        loop.close()


def case_the_python_half_of_asyncio_knows_threads_too() -> None:
    loop = asyncio.new_event_loop()
    try:
        asyncio.events._py__set_running_loop(loop)  # type: ignore[attr-defined]
        assert asyncio.events._py__get_running_loop() is loop  # type: ignore[attr-defined]
        assert in_thread(asyncio.events._py__get_running_loop) is None  # type: ignore[attr-defined]
        asyncio.events._py__set_running_loop(None)  # type: ignore[attr-defined]
    finally:
        loop.close()
