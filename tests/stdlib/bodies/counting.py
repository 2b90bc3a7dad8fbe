"""Semaphore, BoundedSemaphore, Event and sleep."""

import threading
import time
from typing import Any

from tests.stdlib.seen import (
    LONG,
    SHORT,
    block_of,
    for_user,
    for_weft,
    in_thread,
    raises,
    running,
    start,
    until,
    until_waits,
)
from weft import WaitReason

SEMAPHORES: tuple[Any, ...] = (threading.Semaphore, threading.BoundedSemaphore)


def case_a_semaphore_counts() -> None:
    for make in SEMAPHORES:
        semaphore = make(2)
        assert semaphore.acquire() is True
        assert semaphore.acquire(False) is True
        assert semaphore.acquire(False) is False
        assert semaphore.acquire(timeout=SHORT) is False
        assert semaphore.acquire(timeout=0) is False
        assert semaphore.acquire(timeout=-1) is False
        semaphore.release()
        semaphore.release()
        with semaphore as entered:
            assert entered is True


def case_at_most_so_many_are_inside() -> None:
    for make in SEMAPHORES:
        semaphore, inside, most = make(3), list[int](), list[int]()

        def work(semaphore: Any = semaphore, inside: list[int] = inside, most: list[int] = most) -> None:
            for _ in range(20):
                with semaphore:
                    inside.append(1)  # atomic, as counting is not
                    most.append(len(inside))
                    time.sleep(0)
                    inside.pop()

        with running(*[work] * 10):
            pass
        assert 1 <= max(most) <= 3
        assert semaphore._value == 3


def case_a_release_of_several_lets_several_go_on() -> None:
    semaphore, got = threading.Semaphore(0), []
    with running(*[lambda: got.append(semaphore.acquire())] * 5) as threads:
        until_waits(*threads)
        semaphore.release(4)
        until(lambda: len(got) == 4)
        semaphore.release()
    assert got == [True] * 5


@for_weft
def case_units_go_to_those_who_wait_in_order_of_arrival() -> None:
    for make in SEMAPHORES:
        semaphore, order, threads = make(1), [], []
        go = threading.Event()
        semaphore.acquire()

        def take(
            number: int, semaphore: Any = semaphore, order: list[int] = order, go: threading.Event = go
        ) -> None:
            semaphore.acquire()
            order.append(number)
            go.wait()
            semaphore.release()

        for number in range(8):
            threads.append(start(take, number))
            wait = until_waits(threads[-1], reason=WaitReason.SEMAPHORE)
            assert wait is not None
            assert (wait.on, wait.holder) == (semaphore, None)
        semaphore.release()
        assert semaphore.acquire(False) is False
        go.set()
        for thread in threads:
            thread.join()
        assert order == list(range(8))


def case_a_bounded_semaphore_refuses_what_was_not_taken() -> None:
    semaphore: Any = threading.BoundedSemaphore(2)
    with raises(ValueError, "Semaphore released too many times"):
        semaphore.release()
    semaphore.acquire()
    with raises(ValueError, "Semaphore released too many times"):
        semaphore.release(2)
    semaphore.release()
    assert semaphore._value == 2


def case_arguments_of_semaphores_are_checked() -> None:
    for make in SEMAPHORES:
        with raises(ValueError, "semaphore initial value must be >= 0"):
            make(-1)
        semaphore = make()
        with raises(ValueError, "n must be one or more"):
            semaphore.release(0)
        for _ in range(2):  # free, then taken
            with raises(ValueError, "can't specify timeout for non-blocking acquire"):
                semaphore.acquire(False, 1)
            semaphore.acquire(False)


def case_an_event_wakes_all_who_wait() -> None:
    event, got = threading.Event(), []
    assert event.wait(0) is False
    assert event.wait(SHORT) is False
    with running(
        *[lambda: got.append(event.wait())] * 3, *[lambda: got.append(event.wait(LONG))] * 3
    ) as threads:
        until_waits(*threads)
        event.set()
    assert got == [True] * 6
    assert event.is_set() is True
    assert event.wait(0) is True
    event.clear()
    assert event.is_set() is False


@for_weft
def case_a_pulse_wakes_all_who_wait() -> None:
    event, got = threading.Event(), []
    with running(*[lambda: got.append(event.wait())] * 3) as threads:
        wait = until_waits(*threads, reason=WaitReason.EVENT)
        assert wait is not None
        assert (wait.on, wait.holder) == (event, None)
        event.set()
        event.clear()
    assert got == [True] * 3


def case_reprs_say_the_state() -> None:
    event = threading.Event()
    assert repr(event) == f"<threading.Event at {id(event):#x}: unset>"
    event.set()
    assert repr(event) == f"<threading.Event at {id(event):#x}: set>"
    semaphore = threading.Semaphore(3)
    assert repr(semaphore) == f"<threading.Semaphore at {id(semaphore):#x}: value=3>"
    bounded = threading.BoundedSemaphore(3)
    bounded.acquire()
    assert repr(bounded) == f"<threading.BoundedSemaphore at {id(bounded):#x}: value=2/3>"


def case_subclasses_are_respected() -> None:
    class Counted(threading.Semaphore):
        calls = 0

        def release(self, n: int = 1) -> None:
            Counted.calls += 1
            super().release(n)

    semaphore = Counted(0)
    with running(semaphore.release):
        assert semaphore.acquire(timeout=LONG)
    assert Counted.calls == 1
    assert type(semaphore).__name__ in repr(semaphore)

    class Flag(threading.Event):
        def __init__(self) -> None:
            super().__init__()
            self.extra = 1

    flag = Flag()
    flag.set()
    assert flag.wait()


def case_a_sleep_takes_its_time_and_others_run_on() -> None:
    ticks: list[int] = []
    with running(lambda: [ticks.append(1) or time.sleep(0.001) for _ in range(5)]):  # type: ignore[func-returns-value]
        begun = time.monotonic()
        time.sleep(0.05)
        assert 0.05 <= time.monotonic() - begun < 1
    assert len(ticks) == 5


def case_arguments_of_sleep_are_checked() -> None:
    with raises(ValueError, "sleep length must be non-negative"):
        time.sleep(-1)
    with raises(TypeError):
        time.sleep("soon")  # type: ignore[arg-type]
    with raises(TypeError):
        time.sleep(None)  # type: ignore[arg-type]
    with raises(OverflowError):
        time.sleep(1e300)
    with raises(ValueError):
        time.sleep(float("nan"))
    time.sleep(0)
    time.sleep(0.0)
    assert in_thread(lambda: time.sleep(0)) is None


@for_weft
def case_a_sleeping_thread_says_so() -> None:
    event = threading.Event()

    def sleep() -> None:
        time.sleep(0.05)
        event.set()

    thread = start(sleep)
    wait = until_waits(thread, reason=WaitReason.SLEEP)
    assert wait is not None
    assert (wait.on, wait.holder) == (None, None)
    assert wait.deadline is not None
    assert wait.place.endswith("in sleep")
    assert block_of(thread).state.value == "blocked"
    thread.join()


DELAYS = [0.05, 0.01, 0.03, 0.02, 0.04]


def woken() -> list[tuple[int, float, float]]:
    """Sleepers as they woke: which, when it went to sleep, and when it woke."""
    order: list[tuple[int, float, float]] = []

    def sleep(number: int) -> None:
        begun = time.monotonic()
        time.sleep(DELAYS[number])
        order.append((number, begun, time.monotonic()))

    threads = [start(sleep, number) for number in range(5)]
    for thread in threads:
        thread.join()
    return order


def case_no_sleeper_wakes_before_its_time() -> None:
    order = woken()
    assert sorted(number for number, _, _ in order) == [0, 1, 2, 3, 4]
    assert all(woke - begun >= DELAYS[number] for number, begun, woke in order)


@for_user  # elsewhere the kernel says which of two that are due runs first
def case_sleepers_wake_in_order_of_their_deadlines() -> None:
    assert [number for number, _, _ in woken()] == [1, 3, 2, 4, 0]
