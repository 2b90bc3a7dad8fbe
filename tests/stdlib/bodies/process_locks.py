"""Locks that processes share, also among threads of one process: what `multiprocessing` stands on."""

import multiprocessing
import os
import pickle
import signal
import threading
import time
import warnings
from multiprocessing import queues
from typing import Any

from tests.stdlib.seen import (
    LONG,
    ON_USER,
    SHORT,
    in_thread,
    raises,
    running,
    start,
    until,
    until_waits,
)
from weft import WaitReason

fork: Any = multiprocessing.get_context("fork")
spawn: Any = multiprocessing.get_context("spawn")


#: Whether the wait is one of weft's, and so has a record; else the kernel thread waits in C.
PARKS = hasattr(fork.Lock()._semlock, "_explain")


def until_they_wait(*threads: threading.Thread, reason: WaitReason = WaitReason.LOCK) -> None:
    if PARKS:
        until_waits(*threads, reason=reason)
    else:
        time.sleep(0.02)


def add(lock: Any, counter: Any, times: int) -> None:
    """Count up, one step at a time, in a way that loses steps without the lock."""
    for _ in range(times):
        with lock:
            value = counter.value
            if value % 50 == 0:
                time.sleep(0.0001)
            counter.value = value + 1


def hold(lock: Any, taken: Any, let_go: Any) -> None:
    with lock:
        taken.send(os.getpid())
        let_go.recv()


def double(number: int) -> int:
    return 2 * number


def case_two_threads_exclude_each_other() -> None:
    lock, counter = fork.Lock(), fork.Value("i", 0, lock=False)
    with running(*[lambda: add(lock, counter, 100)] * 4):
        pass
    assert counter.value == 400


def case_a_thread_that_waits_stops_nobody() -> None:
    lock, got = fork.Lock(), threading.Event()

    def take() -> None:
        with lock:
            got.set()

    with lock, running(take) as [thread]:
        until_they_wait(thread)
        assert in_thread(lambda: 1) == 1
        assert not got.is_set()
        lock.release()
        assert got.wait(LONG)
        thread.join(LONG)
        assert lock.acquire()  # for the `with`


def case_threads_of_one_process_get_it_in_turn() -> None:
    lock, order = fork.Lock(), list[int]()

    def take(number: int) -> None:
        for _ in range(3):
            with lock:
                order.append(number)

    lock.acquire()
    threads = []
    for number in range(4):
        threads.append(start(take, number))
        until_they_wait(threads[-1])
    lock.release()
    for thread in threads:
        thread.join(LONG)
    assert sorted(order) == [0] * 3 + [1] * 3 + [2] * 3 + [3] * 3
    if ON_USER:  # elsewhere one that has let go may come back to the line late
        assert order == [0, 1, 2, 3] * 3


def case_a_recursive_lock_belongs_to_a_thread() -> None:
    lock = fork.RLock()
    assert lock.acquire()
    assert lock.acquire(timeout=0)
    assert (lock._semlock._count(), lock._semlock._is_mine(), lock._semlock._is_zero()) == (2, True, True)
    assert in_thread(lambda: lock.acquire(False)) is False
    assert in_thread(lambda: lock.acquire(timeout=SHORT)) is False
    assert in_thread(lock._semlock._is_mine) is False
    with raises(AssertionError, "attempt to release recursive lock not owned by thread"):
        in_thread(lock.release)
    lock.release()
    assert in_thread(lambda: lock.acquire(False)) is False
    lock.release()
    assert (lock._semlock._count(), lock._semlock._get_value()) == (0, 1)
    with raises(AssertionError, "attempt to release recursive lock not owned by thread"):
        lock.release()
    counter = fork.Value("i", 0, lock=False)

    def twice() -> None:
        with lock:
            add(lock, counter, 50)

    with running(*[twice] * 3):
        pass
    assert counter.value == 150


def case_a_semaphore_counts() -> None:
    semaphore = fork.BoundedSemaphore(2)
    assert semaphore.acquire()
    assert in_thread(semaphore.acquire)
    assert semaphore.get_value() == 0
    assert not semaphore.acquire(False)
    assert not semaphore.acquire(True, SHORT)
    assert not semaphore.acquire(True, -1)
    assert semaphore._semlock._count() == 2
    with running(semaphore.acquire) as [thread]:
        until_they_wait(thread, reason=WaitReason.SEMAPHORE)
        semaphore.release()
    semaphore.release()
    semaphore.release()
    with raises(ValueError, "semaphore or lock released too many times"):
        semaphore.release()
    assert (semaphore._semlock._count(), semaphore.get_value()) == (0, 2)


def case_a_timeout_runs_out_and_bad_ones_are_refused() -> None:
    lock = fork.Lock()
    lock.acquire()
    begun = time.monotonic()
    assert lock.acquire(timeout=0.03) is False
    assert 0.03 <= time.monotonic() - begun < 1
    with raises(TypeError, "must be real number, not str"):
        lock.acquire(True, "soon")
    with raises(TypeError):
        lock.acquire(True, 1, 2)
    lock.release()
    with raises(ValueError, "unrecognized kind"):
        type(lock._semlock)(7, 1, 1, "/weft-test", True)
    semlock = lock._semlock
    assert (semlock.kind, semlock.maxvalue, semlock.name) == (1, 1, None)
    assert isinstance(semlock.handle, int)
    with raises(AttributeError):
        semlock.kind = 0
    with raises(TypeError, "cannot pickle '_multiprocessing.SemLock' object"):
        pickle.dumps(semlock)


def case_a_lock_that_another_process_holds_is_waited_for() -> None:
    lock = fork.Lock()
    (taken, take), (go, let_go) = fork.Pipe(False), fork.Pipe(False)
    process = fork.Process(target=hold, args=(lock, take, go))
    process.start()
    assert taken.recv() == process.pid
    got = threading.Event()

    def wait() -> None:
        with lock:
            got.set()

    with running(wait, wait) as threads:
        until_they_wait(*threads)
        assert lock.acquire(timeout=SHORT) is False
        assert in_thread(lambda: 1) == 1
        assert not got.is_set()
        let_go.send(None)
        assert got.wait(LONG)
    process.join(LONG)
    assert process.exitcode == 0


def case_threads_and_processes_exclude_each_other() -> None:
    for context in (fork, spawn):
        lock, counter = context.Lock(), context.Value("i", 0, lock=False)
        processes = [context.Process(target=add, args=(lock, counter, 200)) for _ in range(2)]
        for process in processes:
            process.start()
        with running(*[lambda lock=lock, counter=counter: add(lock, counter, 200)] * 2):
            pass
        for process in processes:
            process.join(LONG)
            assert process.exitcode == 0
        assert counter.value == 800


def case_a_forked_child_does_not_wait_behind_the_parents_threads() -> None:
    lock = fork.RLock()
    lock.acquire()
    process = fork.Process(target=take_again, args=(lock,))
    with running(lambda: lock.acquire() and lock.release()) as [thread]:
        until_they_wait(thread)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # the fork of a process with threads
            process.start()
        lock.release()
    process.join(LONG)
    assert process.exitcode == 0


def take_again(lock: Any) -> None:
    assert lock._semlock._count() == 0
    assert not lock._semlock._is_mine()
    for _ in range(2):
        assert lock.acquire(timeout=LONG)
        assert lock.acquire(False)
        lock.release()
        lock.release()


def case_a_signal_is_handled_while_main_waits() -> None:
    lock, handled = fork.Lock(), list[str]()
    lock.acquire()

    def handler(*_: object) -> None:
        handled.append(threading.current_thread().name)
        lock.release()

    before = signal.signal(signal.SIGUSR1, handler)
    try:
        with running(lambda: (time.sleep(SHORT), os.kill(os.getpid(), signal.SIGUSR1))):
            assert lock.acquire(timeout=LONG)
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert handled == ["MainThread"]
    lock.release()


def case_what_stands_on_locks_works_between_threads() -> None:
    condition, event, barrier = fork.Condition(), fork.Event(), fork.Barrier(3)
    ready: list[int] = []

    def wait() -> None:
        with condition:
            ready.append(1)
            assert condition.wait(LONG)
        assert event.wait(LONG)
        barrier.wait(LONG)

    with running(wait, wait):
        until(lambda: len(ready) == 2)
        with condition:
            condition.notify_all()
        assert not event.is_set()
        event.set()
        barrier.wait(LONG)


def case_threads_share_queues() -> None:
    queue, simple = fork.Queue(2), fork.SimpleQueue()
    got: list[int] = []

    def pass_on() -> None:
        while (item := queue.get(timeout=LONG)) is not None:
            simple.put(item)

    with running(*[pass_on] * 3), running(lambda: got.extend(simple.get() for _ in range(60))):
        with running(*[lambda base=base: [queue.put(base + n) for n in range(20)] for base in (0, 20, 40)]):
            pass
        for _ in range(3):
            queue.put(None)
    assert sorted(got) == list(range(60))
    with raises(queues.Empty):
        queue.get(timeout=SHORT)
    queue.close()
    queue.join_thread()


def case_a_pool_serves_threads_and_ends() -> None:
    with fork.Pool(2) as pool:
        got: list[list[int]] = []
        with running(*[lambda: got.append(pool.map(double, range(20), 1))] * 3):
            pass
        assert got == [[2 * n for n in range(20)]] * 3
        assert sum(pool.imap_unordered(double, range(100))) == 9900
    pool.join()


def case_a_spawned_pool_ends_too() -> None:
    with spawn.Pool(2) as pool:
        assert pool.map(double, range(5)) == [0, 2, 4, 6, 8]
    pool.join()
