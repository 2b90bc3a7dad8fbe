"""Queue, LifoQueue, PriorityQueue and SimpleQueue."""

import gc
import queue
import threading
import time
import weakref
from collections.abc import Callable
from typing import Any

from tests.stdlib.seen import LONG, SHORT, for_weft, in_thread, raises, running, start, until, until_waits
from weft import WaitReason

BOUNDED: tuple[Any, ...] = (queue.Queue, queue.LifoQueue, queue.PriorityQueue)
ALL: tuple[Any, ...] = (*BOUNDED, queue.SimpleQueue)


def case_items_come_in_the_order_of_the_class() -> None:
    for make, order in (
        (queue.Queue, [3, 1, 2]),
        (queue.LifoQueue, [2, 1, 3]),
        (queue.PriorityQueue, [1, 2, 3]),
    ):
        items: Any = make()
        for item in (3, 1, 2):
            items.put(item)
        assert items.qsize() == 3
        assert [items.get() for _ in range(3)] == order
        assert items.empty()
    simple: Any = queue.SimpleQueue()
    for item in (3, 1, 2):
        simple.put(item)
    assert [simple.get_nowait() for _ in range(3)] == [3, 1, 2]


def case_an_empty_queue_says_so() -> None:
    for make in ALL:
        items = make()
        for ask in (
            items.get_nowait,
            lambda items=items: items.get(False),
            lambda items=items: items.get(timeout=SHORT),
        ):
            with raises(queue.Empty, ""):
                ask()
        with raises(queue.Empty, ""):
            items.get(True, 0)
        with raises(ValueError, "'timeout' must be a non-negative number"):
            items.get(timeout=-1)
        assert items.empty()
        assert items.qsize() == 0


def case_a_full_queue_says_so() -> None:
    for make in BOUNDED:
        items = make(1)
        items.put(1)
        assert items.full()
        for ask in (
            lambda items=items: items.put_nowait(2),
            lambda items=items: items.put(2, False),
            lambda items=items: items.put(2, timeout=SHORT),
            lambda items=items: items.put(2, True, 0),
        ):
            with raises(queue.Full, ""):
                ask()
        with raises(ValueError, "'timeout' must be a non-negative number"):
            items.put(2, timeout=-1)
        assert items.get() == 1
        assert not items.full()


def case_a_timeout_runs_out_not_before_its_time() -> None:
    for make in ALL:
        items = make()
        begun = time.monotonic()
        with raises(queue.Empty):
            items.get(timeout=0.03)
        assert 0.03 <= time.monotonic() - begun < 1
    for make in BOUNDED:
        items = make(1)
        items.put(1)
        begun = time.monotonic()
        with raises(queue.Full):
            items.put(2, timeout=0.03)
        assert 0.03 <= time.monotonic() - begun < 1


def case_a_getter_waits_for_its_item() -> None:
    for make in ALL:
        for timeout in (None, LONG):
            items, got = make(), []
            with running(lambda items=items, got=got, t=timeout: got.append(items.get(timeout=t))) as [
                thread
            ]:
                until_waits(thread)
                items.put("item")
            assert got == ["item"]


def case_a_putter_waits_for_room() -> None:
    for make in BOUNDED:
        for timeout in (None, LONG):
            items = make(1)
            items.put(1)
            with running(lambda items=items, t=timeout: items.put(2, timeout=t)) as [thread]:
                until_waits(thread)
                assert items.get() == 1
                assert items.get(timeout=LONG) == 2


def case_nothing_is_lost_between_many() -> None:
    for make in ALL:
        items = make(4) if make in BOUNDED else make()
        got: list[int] = []

        def put(base: int, items: Any = items) -> None:
            for number in range(100):
                items.put(base + number)

        def get(items: Any = items, got: list[int] = got) -> None:
            got.extend(items.get() for _ in range(100))

        with running(*[lambda base=1000 * n: put(base) for n in range(4)], *[get] * 4):  # type: ignore[misc]
            pass
        assert sorted(got) == sorted(1000 * n + number for n in range(4) for number in range(100))
        assert items.empty()


def case_join_waits_for_every_task() -> None:
    for make in BOUNDED:
        items, seen = make(), []
        items.join()

        def work(items: Any = items, seen: list[int] = seen) -> None:
            for _ in range(3):
                seen.append(items.get())
                time.sleep(0)
                items.task_done()

        for number in range(3):
            items.put(number)
        with running(work):
            items.join()
            assert sorted(seen) == [0, 1, 2]
        with raises(ValueError, "task_done() called too many times"):
            items.task_done()


@for_weft
def case_waits_say_what_they_wait_for() -> None:
    for make, reason in (
        (queue.Queue, WaitReason.QUEUE_GET),
        (queue.LifoQueue, WaitReason.QUEUE_GET),
        (queue.SimpleQueue, WaitReason.QUEUE_GET),
    ):
        items: Any = make()
        with running(items.get) as [thread]:
            wait = until_waits(thread, reason=reason)
            assert wait is not None
            assert (wait.on, wait.holder, wait.deadline) == (items, None, None)
            items.put(1)
    items = queue.Queue(1)
    items.put(1)
    with running(lambda: items.put(2), items.join) as [putter, joiner]:
        wait = until_waits(putter, reason=WaitReason.QUEUE_PUT)
        assert wait is not None
        assert wait.on is items
        wait = until_waits(joiner, reason=WaitReason.QUEUE_JOIN)
        assert wait is not None
        assert wait.on is items
        for _ in range(2):
            items.get()
            items.task_done()


@for_weft
def case_getters_and_putters_are_served_in_order_of_arrival() -> None:
    for make in (queue.Queue, queue.LifoQueue, queue.SimpleQueue):
        items: Any = make()
        got: list[tuple[int, int]] = []
        threads = []
        for number in range(6):
            threads.append(start(lambda n=number, items=items, got=got: got.append((n, items.get()))))
            until_waits(threads[-1])
        for number in range(6):
            items.put(number)
        for thread in threads:
            thread.join()
        assert sorted(got) == [(n, n) for n in range(6)]
    full: Any = queue.Queue(1)
    full.put(-1)
    threads = []
    for number in range(6):
        threads.append(start(full.put, number))
        until_waits(threads[-1])
    assert [full.get() for _ in range(7)] == [-1, 0, 1, 2, 3, 4, 5]
    for thread in threads:
        thread.join()


TOUCHES: dict[str, Callable[[Any], object]] = {
    "mutex": lambda items: items.mutex,
    "not_empty": lambda items: items.not_empty,
    "queue": lambda items: items.queue,
    "maxsize": lambda items: setattr(items, "maxsize", items.maxsize),
}


def case_a_queue_that_is_looked_into_keeps_its_items() -> None:
    for make in BOUNDED:
        for touch in TOUCHES.values():
            items = make()
            for number in (2, 1, 3):
                items.put(number)
            touch(items)
            assert items.qsize() == 3
            assert sorted(items.queue) == [1, 2, 3]
            assert sorted(items.get() for _ in range(3)) == [1, 2, 3]
            for _ in range(3):
                items.task_done()
            items.join()


def case_a_queue_that_is_looked_into_keeps_its_order() -> None:
    for make, order in (
        (queue.Queue, [3, 1, 2]),
        (queue.LifoQueue, [2, 1, 3]),
        (queue.PriorityQueue, [1, 2, 3]),
    ):
        items: Any = make(3)
        for item in (3, 1, 2):
            items.put(item)
        with items.mutex:
            assert len(items.queue) == 3
        assert items.full()
        with raises(queue.Full):
            items.put_nowait(4)
        assert [items.get() for _ in range(3)] == order


def case_who_waits_while_a_queue_is_looked_into_goes_on() -> None:
    for make in BOUNDED:
        for touch in TOUCHES.values():
            for timeout in (None, LONG):
                items, got = make(1), list[Any]()
                with running(lambda items=items, got=got, t=timeout: got.append(items.get(timeout=t))) as [
                    thread
                ]:
                    until_waits(thread)
                    touch(items)
                    until_waits(thread)
                    items.put("item")
                assert got == ["item"]
                items.task_done()
                items.put("first")
                putting: Any = lambda items=items, t=timeout: items.put("second", timeout=t)  # noqa: E731
                with running(putting, items.join) as threads:
                    until_waits(*threads)
                    touch(items)
                    until_waits(*threads)
                    for _ in range(2):
                        items.get(timeout=LONG)
                        items.task_done()
                assert items.unfinished_tasks == 0


def case_a_wait_keeps_its_deadline_when_the_queue_is_looked_into() -> None:
    items: Any = queue.Queue(1)

    def get() -> float:
        begun = time.monotonic()
        with raises(queue.Empty):
            items.get(timeout=0.05)
        return time.monotonic() - begun

    took: list[float] = []
    with running(lambda: took.append(get())) as [thread]:
        until_waits(thread)
        assert len(items.queue) == 0
    assert 0.05 <= took[0] < 1


def case_own_kinds_of_queues_work() -> None:
    class Sorted(queue.Queue[int]):
        def _init(self, maxsize: int) -> None:
            self.things: list[int] = []

        def _qsize(self) -> int:
            return len(self.things)

        def _put(self, item: int) -> None:
            self.things.append(item)
            self.things.sort()

        def _get(self) -> int:
            return self.things.pop(0)

    items = Sorted(3)
    for number in (3, 1, 2):
        items.put(number)
    with raises(queue.Full):
        items.put_nowait(0)
    with running(lambda: items.put(4)) as [thread]:
        until_waits(thread)
        assert items.get() == 1
    assert [items.get() for _ in range(3)] == [2, 3, 4]

    class Noted(queue.Queue[int]):
        def __init__(self) -> None:
            super().__init__()
            self.puts = 0

        def put(self, item: int, block: bool = True, timeout: float | None = None) -> None:
            self.puts += 1
            super().put(item, block, timeout)

    noted = Noted()
    noted.put_nowait(1)
    assert (noted.puts, noted.get_nowait()) == (1, 1)


def case_shutdown_ends_the_waits() -> None:
    if not hasattr(queue.Queue, "shutdown"):
        return
    shut: type[BaseException] = queue.ShutDown  # type: ignore[attr-defined,unused-ignore]
    for make in BOUNDED:
        items = make()
        ended = []

        def get(items: Any = items, ended: list[int] = ended) -> None:
            with raises(shut):
                items.get()
            ended.append(1)

        with running(get, get) as threads:
            until_waits(*threads)
            items.shutdown()
        assert ended == [1, 1]
        with raises(shut):
            items.put(1)
        items = make(1)
        items.put(1)
        with running(lambda items=items: in_thread_raises(shut, lambda: items.put(2)), items.join) as threads:
            until_waits(*threads)
            items.shutdown(immediate=True)
        with raises(shut):
            items.get()


def in_thread_raises(kind: type[BaseException], call: Callable[[], object]) -> None:
    with raises(kind):
        call()


def case_an_item_is_let_go_once_it_is_taken() -> None:
    class Thing:
        pass

    for make in ALL:
        for timeout in (None, LONG):
            items, taken = make(), threading.Event()

            def work(items: Any = items, taken: threading.Event = taken, t: float | None = timeout) -> None:
                while True:
                    item = items.get(timeout=t)
                    if item == (1, None):
                        return
                    del item
                    taken.set()

            with running(work) as [thread]:
                until_waits(thread)
                thing = Thing()
                gone = weakref.ref(thing)
                items.put((0, thing))
                del thing
                taken.wait()
                until_waits(thread)
                gc.collect()
                left = gone()
                items.put((1, None))
            assert left is None, make


def case_an_item_is_let_go_by_who_put_it() -> None:
    class Thing:
        pass

    for make in BOUNDED:
        items, go = make(1), threading.Event()
        items.put((0, 0))
        gone: list[Any] = []

        def put(items: Any = items, gone: list[Any] = gone, go: threading.Event = go) -> None:
            thing = Thing()
            gone.append(weakref.ref(thing))
            items.put((1, thing))
            del thing
            go.wait()

        with running(put) as [thread]:
            until_waits(thread)
            items.get()
            until(lambda items=items: items.qsize() == 1)
            items.get()
            until_waits(thread, reason=WaitReason.EVENT)
            left = gone[0]()
            go.set()
        assert left is None, make


def case_a_simple_queue_takes_a_put_from_a_finalizer() -> None:
    items: Any = queue.SimpleQueue()

    class Putting:
        def __init__(self) -> None:
            self.me = self  # so that it takes a collection, which may come anywhere

        def __del__(self) -> None:
            items.put(1)

    def make() -> None:
        for number in range(300):
            Putting()
            if number % 10 == 0:
                time.sleep(0)
        gc.collect()

    old = gc.get_threshold()
    gc.set_threshold(5)
    try:
        with running(make):
            for _ in range(300):
                assert items.get(timeout=LONG) == 1
    finally:
        gc.set_threshold(*old)
    assert items.empty()


def case_a_reader_of_many_kinds_is_generic() -> None:
    assert str(queue.SimpleQueue[int]) == "_queue.SimpleQueue[int]"
    assert str(queue.Queue[int]) == "queue.Queue[int]"
    assert queue.Queue.__module__ == "queue"
    assert queue.SimpleQueue.__module__ == "_queue"
    assert in_thread(lambda: queue.Queue().qsize()) == 0
