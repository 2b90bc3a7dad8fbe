"""Lock and RLock."""

import _thread
import threading
import time
from typing import Any

from tests.stdlib.seen import (
    LONG,
    ON_WEFT,
    SHORT,
    block_of,
    for_weft,
    in_thread,
    raises,
    running,
    start,
    until,
    until_waits,
    waits,
)
from weft import WaitReason

KINDS: tuple[Any, ...] = (threading.Lock, threading.RLock)


def case_a_free_lock_is_taken_and_let_go() -> None:
    for make in KINDS:
        lock = make()
        assert lock.acquire() is True
        assert lock.release() is None
        with lock as entered:
            assert entered is True
        assert lock.acquire(False) is True
        lock.release()
        assert lock.acquire(True, 1) is True
        lock.release()
        assert lock.acquire(timeout=1) is True
        lock.release()


def case_a_held_lock_is_refused_to_others() -> None:
    for make in KINDS:
        lock = make()
        with lock:
            assert in_thread(lambda lock=lock: lock.acquire(False)) is False
            assert in_thread(lambda lock=lock: lock.acquire(blocking=False)) is False
            assert in_thread(lambda lock=lock: lock.acquire(timeout=0)) is False
        assert in_thread(lambda lock=lock: (lock.acquire(False), lock.release())) == (True, None)


def case_a_timeout_runs_out_not_before_its_time() -> None:
    for make in KINDS:
        lock = make()
        with lock:

            def try_it(lock: Any = lock) -> float:
                begun = time.monotonic()
                assert lock.acquire(timeout=0.03) is False
                return time.monotonic() - begun

            assert 0.03 <= in_thread(try_it) < 1


def case_a_lock_comes_in_time() -> None:
    for make in KINDS:
        lock = make()
        lock.acquire()
        with running(lambda lock=lock: (lock.acquire(timeout=LONG), lock.release())) as [thread]:
            until_waits(thread)
            lock.release()


def case_exclusion_holds_under_contention() -> None:
    for make in KINDS:
        lock = make()
        inside, most, count = 0, 0, 0

        def work(lock: Any = lock) -> None:
            nonlocal inside, most, count
            for _ in range(50):
                with lock:
                    inside += 1
                    most = max(most, inside)
                    time.sleep(0)
                    count += 1
                    inside -= 1

        with running(*[work] * 8):
            pass
        assert (most, count) == (1, 400)


@for_weft
def case_a_release_hands_over_in_order_of_arrival() -> None:
    for make in KINDS:
        lock, order = make(), []

        def take(lock: Any, number: int, order: list[int]) -> None:
            with lock:
                order.append(number)

        lock.acquire()
        threads = []
        for number in range(10):
            threads.append(start(take, lock, number, order))
            until_waits(threads[-1], reason=WaitReason.LOCK)
        lock.release()
        assert lock.acquire() is True  # behind all of them
        assert order == list(range(10))
        lock.release()
        for thread in threads:
            thread.join()


@for_weft
def case_a_released_lock_belongs_to_its_heir_at_once() -> None:
    for make in KINDS:
        lock = make()
        lock.acquire()
        go = threading.Event()
        with running(lambda lock=lock, go=go: (lock.acquire(), go.wait(), lock.release())) as [thread]:
            until_waits(thread, reason=WaitReason.LOCK)
            lock.release()
            assert lock.acquire(False) is False  # no barging
            until_waits(thread, reason=WaitReason.EVENT)
            go.set()


@for_weft
def case_the_wait_names_the_lock_its_holder_and_the_line() -> None:
    for make in KINDS:
        lock = make()
        lock.acquire()
        with running(lambda lock=lock: (lock.acquire(), lock.release())) as [thread]:
            wait = until_waits(thread)
            assert wait is not None
            assert (wait.reason, wait.on, wait.deadline) == (WaitReason.LOCK, lock, None)
            assert wait.holder is not None
            assert wait.holder.ident == threading.get_ident()
            assert wait.place.startswith(f"{__file__}:")
            assert wait.place.endswith("in <lambda>")
            lock.release()


@for_weft
def case_the_wait_has_its_deadline() -> None:
    for make in KINDS:
        lock = make()
        lock.acquire()
        before = time.monotonic()
        with running(lambda lock=lock: (lock.acquire(timeout=LONG), lock.release())) as [thread]:
            wait = until_waits(thread)
            assert wait is not None
            assert wait.deadline is not None
            assert before + LONG <= wait.deadline <= time.monotonic() + LONG
            lock.release()


@for_weft
def case_who_timed_out_is_passed_over() -> None:
    for make in KINDS:
        lock, order = make(), []
        lock.acquire()

        def give_up(lock: Any = lock, order: list[str] = order) -> None:
            assert not lock.acquire(timeout=SHORT)
            order.append("gave up")

        def wait_on(lock: Any = lock, order: list[str] = order) -> None:
            lock.acquire()
            order.append("got it")
            lock.release()

        first = start(give_up)
        second = start(wait_on)
        first.join()
        until_waits(second)
        lock.release()
        second.join()
        assert order == ["gave up", "got it"]
        assert lock.acquire(False)
        lock.release()


def case_any_thread_may_release_a_lock() -> None:
    lock = threading.Lock()
    lock.acquire()
    in_thread(lock.release)
    assert not lock.locked()


def case_a_lock_is_not_reentrant() -> None:
    lock = threading.Lock()
    with lock:
        assert lock.acquire(False) is False
        assert lock.acquire(timeout=SHORT) is False


def case_an_rlock_is_reentrant_and_counts() -> None:
    lock: Any = threading.RLock()
    for depth in range(1, 4):
        assert lock.acquire()
        assert lock._is_owned()
        assert lock._recursion_count() == depth if hasattr(lock, "_recursion_count") else True
    lock.release()
    lock.release()
    assert in_thread(lambda: lock.acquire(False)) is False
    lock.release()
    assert not lock._is_owned()
    assert in_thread(lambda: (lock.acquire(False), lock.release())) == (True, None)


def case_an_rlock_handed_over_counts_from_one() -> None:
    lock: Any = threading.RLock()
    lock.acquire()
    lock.acquire()

    def take() -> None:
        lock.acquire()
        lock.acquire()
        lock.release()
        assert lock._is_owned()
        lock.release()
        assert not lock._is_owned()

    with running(take) as [thread]:
        until_waits(thread)
        lock.release()
        lock.release()


def case_an_rlock_is_saved_and_restored_with_its_count() -> None:
    lock: Any = threading.RLock()
    for _ in range(3):
        lock.acquire()
    state = lock._release_save()
    assert in_thread(lambda: (lock.acquire(False), lock.release())) == (True, None)
    lock._acquire_restore(state)
    for _ in range(3):
        lock.release()
    with raises(RuntimeError, "cannot release un-acquired lock"):
        lock.release()


def case_only_the_owner_may_release_an_rlock() -> None:
    lock = threading.RLock()
    with lock:
        with raises(RuntimeError, "cannot release un-acquired lock"):
            in_thread(lock.release)


def case_a_failed_body_lets_the_lock_go() -> None:
    for make in KINDS:
        lock = make()
        with raises(ZeroDivisionError):
            with lock:
                _ = 1 / 0
        assert lock.acquire(False)
        lock.release()


def case_locked_says_so() -> None:
    lock = threading.Lock()
    assert lock.locked() is False
    with lock:
        assert lock.locked() is True
        assert repr(lock).startswith("<locked _thread.lock object at 0x")
    assert repr(lock).startswith("<unlocked _thread.lock object at 0x")


def case_the_old_names_are_there() -> None:
    lock = _thread.allocate_lock()
    assert isinstance(lock, _thread.LockType)
    assert lock.acquire_lock() is True
    assert lock.locked_lock() is True
    lock.release_lock()
    assert not lock.locked()


def case_a_lock_can_be_weakly_referenced() -> None:
    import weakref

    for make in KINDS:
        lock = make()
        reference = weakref.ref(lock)
        with lock:
            pass
        del lock
        assert reference() is None


def case_a_lock_is_made_afresh_for_a_forked_child() -> None:
    for make in KINDS:
        lock = make()
        lock.acquire()
        lock._at_fork_reinit()
        assert lock.acquire(False)
        lock.release()


@for_weft
def case_states_are_read_off_the_facts() -> None:
    lock = threading.Lock()
    lock.acquire()
    thread = start(lambda: (lock.acquire(), lock.release()))
    until(lambda: waits(thread))
    assert block_of(thread).state.value == "blocked"
    lock.release()
    block = block_of(thread) if thread.is_alive() else None
    if block is not None:  # a kernel thread says so once the kernel has run it
        until(lambda: block.state.value in ("ready", "running", "done"))
        until(lambda: block.wait is None)
    thread.join()
    assert ON_WEFT


def case_a_thread_that_ended_with_a_lock_still_holds_it() -> None:
    lock = threading.Lock()
    in_thread(lock.acquire)
    assert lock.locked()
    assert lock.acquire(timeout=SHORT) is False
    lock.release()
    assert lock.acquire(False)


@for_weft
def case_a_holder_that_has_ended_keeps_its_name() -> None:
    lock = threading.Lock()
    thread = threading.Thread(target=lock.acquire, name="gone")
    thread.start()
    thread.join()
    with running(lambda: (lock.acquire(), lock.release())) as [waiter]:
        wait = until_waits(waiter)
        assert wait is not None
        assert wait.holder is not None
        name = wait.holder.name
        lock.release()
    assert name == "gone"
