"""Condition and Barrier."""

import threading
import time
import warnings
from typing import Any

from tests.stdlib.seen import LONG, SHORT, for_weft, in_thread, raises, running, start, until_waits
from weft import WaitReason


class Own:
    """A lock of the program's own, which a condition can use."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.acquire = self.lock.acquire
        self.release = self.lock.release
        self.locked = self.lock.locked  # what 3.14's conditions ask for

    def __enter__(self) -> bool:
        return self.acquire()

    def __exit__(self, *args: object) -> None:
        self.release()


LOCKS: tuple[Any, ...] = (threading.RLock, threading.Lock, Own)


def case_a_notify_wakes_one_and_notify_all_the_rest() -> None:
    for make in LOCKS:
        condition, woken = threading.Condition(make()), []

        def wait(condition: threading.Condition = condition, woken: list[bool] = woken) -> None:
            with condition:
                woken.append(condition.wait())

        with running(*[wait] * 5) as threads:
            until_waits(*threads)
            with condition:
                condition.notify()
            while not woken:
                time.sleep(0.001)
            assert woken == [True]
            with condition:
                condition.notify(2)
            while len(woken) < 3:
                time.sleep(0.001)
            with condition:
                condition.notify_all()
        assert woken == [True] * 5


def case_a_wait_lets_the_lock_go_and_takes_it_again() -> None:
    for make in LOCKS:
        condition = threading.Condition(make())
        done = []

        def wait(condition: Any = condition, done: list[bool] = done) -> None:
            with condition:
                condition.wait()
                done.append(condition._is_owned())

        with running(wait) as [thread]:
            until_waits(thread)
            with condition:
                condition.notify()
                assert done == []
        assert done == [True]


def case_a_wait_times_out_holding_the_lock() -> None:
    for make in LOCKS:
        condition: Any = threading.Condition(make())
        with condition:
            begun = time.monotonic()
            assert condition.wait(0.03) is False
            assert 0.03 <= time.monotonic() - begun < 1
            assert condition._is_owned()
            assert condition.wait(0) is False
            assert condition.wait(-1) is False
            assert condition._is_owned()
        assert in_thread(lambda condition=condition: (condition.acquire(False), condition.release())) == (
            True,
            None,
        )


def case_a_recursive_lock_is_let_go_altogether() -> None:
    condition: Any = threading.Condition()

    def wait() -> None:
        with condition, condition, condition:
            assert condition.wait(LONG)
            assert not hasattr(condition._lock, "_recursion_count") or condition._lock._recursion_count() == 3
        assert not condition._is_owned()

    with running(wait) as [thread]:
        until_waits(thread)
        with condition:
            condition.notify()

    with condition, condition:
        assert not condition.wait(SHORT)
        assert condition._is_owned()
    assert not condition._is_owned()


def case_wait_for_returns_what_the_predicate_gave() -> None:
    condition, state = threading.Condition(), [0]

    def count() -> None:
        for _ in range(5):
            with condition:
                state[0] += 1
                condition.notify()
            time.sleep(0)

    with running(count):
        with condition:
            assert condition.wait_for(lambda: state[0] == 5 and "five", LONG) == "five"
    with condition:
        begun = time.monotonic()
        assert condition.wait_for(lambda: 0, 0.03) == 0
        assert time.monotonic() - begun >= 0.03


def case_without_the_lock_there_is_no_waiting() -> None:
    for make in LOCKS:
        condition = threading.Condition(make())
        with raises(RuntimeError, "cannot wait on un-acquired lock"):
            condition.wait()
        with raises(RuntimeError, "cannot notify on un-acquired lock"):
            condition.notify()
        with raises(RuntimeError, "cannot notify on un-acquired lock"):
            condition.notify_all()
    condition = threading.Condition()
    with condition:
        with raises(RuntimeError, "cannot wait on un-acquired lock"):
            in_thread(condition.wait)
        with raises(RuntimeError, "cannot notify on un-acquired lock"):
            in_thread(condition.notify)


def case_a_bad_timeout_leaves_the_condition_as_it_was() -> None:
    for make in (threading.RLock, threading.Lock):
        condition: Any = threading.Condition(make())
        with condition:
            for bad in (1e20, "soon"):
                try:
                    condition.wait(bad)
                except (OverflowError, TypeError):
                    pass
                else:
                    raise AssertionError(f"{bad!r} was taken for a time")
                assert condition._is_owned()
        assert condition.acquire(False)
        condition.release()


def case_the_old_name_warns() -> None:
    condition = threading.Condition()
    with condition, warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        condition.notifyAll()
    assert [str(each.message) for each in caught] == ["notifyAll() is deprecated, use notify_all() instead"]


@for_weft
def case_notify_moves_the_waiter_to_the_queue_of_the_lock() -> None:
    for make in (threading.RLock, threading.Lock):
        lock = make()
        condition = threading.Condition(lock)

        def wait(condition: threading.Condition = condition) -> None:
            with condition:
                condition.wait()

        with running(wait) as [thread]:
            before = until_waits(thread, reason=WaitReason.CONDITION)
            assert before is not None
            assert (before.on, before.holder) == (condition, None)
            with condition:
                condition.notify()
                after = until_waits(thread, reason=WaitReason.LOCK)
                assert after is not None
                assert after.on is lock
                assert after.holder is not None
                assert after.holder.ident == threading.get_ident()


@for_weft
def case_waiters_are_notified_in_order_of_arrival() -> None:
    for make in (threading.RLock, threading.Lock):
        condition, order, threads = threading.Condition(make()), [], []

        def wait(number: int, condition: threading.Condition = condition, order: list[int] = order) -> None:
            with condition:
                condition.wait()
                order.append(number)

        for number in range(8):
            threads.append(start(wait, number))
            until_waits(threads[-1], reason=WaitReason.CONDITION)
        with condition:
            condition.notify(3)
            condition.notify_all()
        for thread in threads:
            thread.join()
        assert order == list(range(8))


@for_weft
def case_once_notified_the_deadline_no_longer_counts() -> None:
    condition, got = threading.Condition(), []

    def wait() -> None:
        with condition:
            got.append(condition.wait(0.03))

    with running(wait) as [thread]:
        until_waits(thread, reason=WaitReason.CONDITION)
        with condition:
            condition.notify()
            time.sleep(0.06)
            wait_record = until_waits(thread, reason=WaitReason.LOCK)
            assert wait_record is not None
            deadline = wait_record.deadline
    assert got == [True]
    assert deadline is None


def case_a_notify_before_the_wait_is_forgotten() -> None:
    condition = threading.Condition()
    with condition:
        condition.notify()
        condition.notify_all()
        assert condition.wait(SHORT) is False


def case_a_notify_goes_past_who_has_given_up() -> None:
    condition, got = threading.Condition(), []

    def give_up() -> None:
        with condition:
            got.append(condition.wait(SHORT))

    def wait() -> None:
        with condition:
            got.append(condition.wait(LONG))

    first = start(give_up)
    with running(wait) as [thread]:
        first.join()
        until_waits(thread)
        with condition:
            condition.notify()
    assert got == [False, True]


def case_a_barrier_lets_all_through_with_an_index_each() -> None:
    barrier, indices, calls = threading.Barrier(5, action=lambda: calls.append(1)), [], list[int]()
    for round_number in range(1, 4):
        indices = []
        with running(*[lambda indices=indices: indices.append(barrier.wait(LONG))] * 5):
            pass
        assert sorted(indices) == [0, 1, 2, 3, 4]
        assert len(calls) == round_number


def case_a_broken_barrier_breaks_for_all() -> None:
    barrier = threading.Barrier(3)
    broken = []

    def wait() -> None:
        try:
            barrier.wait()
        except threading.BrokenBarrierError:
            broken.append(1)

    with running(wait, wait) as threads:
        until_waits(*threads)
        assert (barrier.n_waiting, barrier.parties, barrier.broken) == (2, 3, False)
        barrier.abort()
    assert (broken, barrier.broken) == ([1, 1], True)
    with raises(threading.BrokenBarrierError):
        barrier.wait()
    barrier.reset()
    with raises(threading.BrokenBarrierError):
        barrier.wait(SHORT)


def case_an_action_that_fails_breaks_the_barrier() -> None:
    barrier = threading.Barrier(1, action=lambda: 1 / 0)
    with raises(ZeroDivisionError):
        barrier.wait()
    assert barrier.broken
