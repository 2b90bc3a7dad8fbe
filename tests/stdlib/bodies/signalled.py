"""Signals that come while the main thread waits: they are handled, and the wait goes on as if nothing was."""

import inspect
import os
import queue
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import weft
from tests.stdlib.seen import LONG, ON_WEFT, block_of, raises, running, start, until
from weft import State

USR1 = signal.SIGUSR1


class Stop(Exception):
    pass


@contextmanager
def handled(function: Callable[[], object] | None = None) -> Iterator[list[str]]:
    """SIGUSR1 notes the thread that handles it, and calls the function."""
    seen: list[str] = []

    def handler(number: int, frame: object) -> None:
        seen.append(threading.current_thread().name)
        if function is not None:
            function()

    old = signal.signal(USR1, handler)
    try:
        yield seen
    finally:
        signal.signal(USR1, old)


def until_main_waits() -> None:
    if ON_WEFT:
        until(lambda: weft.threads()[0].state is State.BLOCKED and not main_starts())
    else:
        time.sleep(0.02)


def main_starts() -> bool:
    """Whether the main thread is still about to start one: it waits there too, until that one runs."""
    frame = sys._current_frames().get(weft.threads()[0].ident)
    start_code = inspect.unwrap(threading.Thread.start).__code__
    while frame is not None and frame.f_code is not start_code:
        frame = frame.f_back
    return frame is not None


def send() -> None:
    os.kill(os.getpid(), USR1)


def while_main_waits(then: Callable[[], object], seen: list[str]) -> threading.Thread:
    """A thread that signals the main one once it waits, waits for the handler, and then does something."""

    def run() -> None:
        until_main_waits()
        send()
        until(lambda: seen)
        until_main_waits()
        then()

    return start(run)


def case_the_wait_goes_on_after_the_handler() -> None:
    lock, event, semaphore = threading.Lock(), threading.Event(), threading.Semaphore(0)
    rlock, condition = threading.RLock(), threading.Condition()
    items: Any = queue.Queue()
    simple: Any = queue.SimpleQueue()
    full: Any = queue.Queue(1)
    full.put(1)
    unfinished: Any = queue.Queue()
    unfinished.put(1)
    go = threading.Event()
    target = start(go.wait)
    lock.acquire()
    held, let_go = threading.Event(), threading.Event()

    def hold() -> None:
        with rlock:
            held.set()
            let_go.wait()

    holder = start(hold)
    held.wait()

    def notify() -> None:
        with condition:
            condition.notify()

    def wait() -> bool:
        with condition:
            return condition.wait()

    waits: list[tuple[Callable[[], Any], Callable[[], Any], Any]] = [
        (lock.acquire, lock.release, True),
        (lambda: lock.acquire(timeout=LONG), lock.release, True),
        (rlock.acquire, let_go.set, True),
        (event.wait, event.set, True),
        (lambda: threading.Event().wait(0.05), lambda: None, False),
        (semaphore.acquire, semaphore.release, True),
        (lambda: semaphore.acquire(timeout=LONG), semaphore.release, True),
        (wait, notify, True),
        (items.get, lambda: items.put(1), 1),
        (lambda: items.get(timeout=LONG), lambda: items.put(2), 2),
        (simple.get, lambda: simple.put(3), 3),
        (lambda: simple.get(timeout=LONG), lambda: simple.put(4), 4),
        (lambda: full.put(5), full.get, None),
        (unfinished.join, unfinished.task_done, None),
        (target.join, go.set, None),
    ]
    for number, (begin, end, result) in enumerate(waits):
        with handled() as seen:
            thread = while_main_waits(end, seen)
            assert begin() == result, number
            thread.join()
        assert seen == ["MainThread"], number
    rlock.release()
    holder.join()


def case_a_sleep_is_as_long_as_it_was() -> None:
    with handled() as seen:

        def run() -> None:
            until_main_waits()
            send()

        thread = start(run)
        begun = time.monotonic()
        time.sleep(0.1)
        assert 0.1 <= time.monotonic() - begun < 2
        thread.join()
    assert seen == ["MainThread"]


def case_what_the_handler_raises_ends_the_wait() -> None:
    def stop() -> None:
        raise Stop

    lock, condition = threading.Lock(), threading.Condition()
    lock.acquire()
    items: Any = queue.Queue()
    full: Any = queue.Queue(1)
    full.put(1)
    idle = threading.Event()
    target = start(idle.wait)

    def wait() -> None:
        with condition:
            try:
                condition.wait()
            finally:
                assert condition._is_owned()  # type: ignore[attr-defined]

    waits: list[Callable[[], Any]] = [
        lock.acquire,
        threading.Event().wait,
        threading.Semaphore(0).acquire,
        wait,
        items.get,
        queue.SimpleQueue[int]().get,
        lambda: full.put(2),
        full.join,
        target.join,
        lambda: time.sleep(LONG),
        lambda: threading.Event().wait(LONG),
    ]
    for begin in waits:
        with handled(stop):

            def run() -> None:
                until_main_waits()
                send()

            thread = start(run)
            with raises(Stop):
                begin()
            thread.join()
    assert lock.locked()
    lock.release()
    assert condition.acquire(False)
    condition.release()
    assert (items.qsize(), full.qsize()) == (0, 1)
    items.put(1)
    assert items.get() == 1  # not handed to the wait that was given up
    idle.set()
    target.join()


def case_a_notify_that_comes_with_a_signal_is_not_lost() -> None:
    for make in (threading.RLock, threading.Lock):
        condition = threading.Condition(make())

        def run(condition: threading.Condition = condition) -> None:
            until_main_waits()
            if not ON_WEFT:
                until(lambda: condition._waiters)  # type: ignore[attr-defined]
            send()
            with condition:
                condition.notify()

        with handled() as seen:
            thread = start(run)
            with condition:
                got = condition.wait(2)
            thread.join()
        assert (got, seen) == (True, ["MainThread"])


def case_a_pulse_that_comes_with_a_signal_is_not_lost() -> None:
    event = threading.Event()

    def run() -> None:
        until_main_waits()
        send()
        event.set()
        event.clear()

    with handled() as seen:
        thread = start(run)
        assert event.wait(2) is True
        thread.join()
    assert seen == ["MainThread"]


def case_who_waited_first_is_served_first_also_after_a_signal() -> None:
    if not ON_WEFT:
        return
    lock, order = threading.Lock(), list[str]()
    lock.acquire()

    def other() -> None:
        with lock:
            order.append("other")

    def run() -> None:
        until_main_waits()
        second = start(other)
        until(lambda: block_of(second).state is State.BLOCKED)
        send()
        until(lambda: seen)
        until_main_waits()
        lock.release()
        second.join()

    with handled() as seen:
        thread = start(run)
        with lock:
            order.append("main")
        thread.join()
    assert order == ["main", "other"]


def case_a_handler_may_use_what_main_waits_for() -> None:
    items: Any = queue.SimpleQueue()
    with handled(lambda: items.put("from the handler")), running(lambda: (until_main_waits(), send())):
        assert items.get() == "from the handler"
    event = threading.Event()
    with handled(event.set), running(lambda: (until_main_waits(), send())):
        assert event.wait(LONG)


def case_a_handler_may_wait_itself() -> None:
    inner, items = threading.Event(), queue.Queue[str]()
    with handled(lambda: inner.wait(LONG)) as seen:

        def run() -> None:
            until_main_waits()
            send()
            until(lambda: seen)
            until_main_waits()
            items.put("item")
            inner.set()

        thread = start(run)
        assert items.get() == "item"
        thread.join()


def case_signals_while_others_run_reach_the_main_thread() -> None:
    with handled() as seen:
        for _ in range(20):
            before = len(seen)
            with running(send):
                pass
            until(lambda before=before: len(seen) > before)
    assert set(seen) == {"MainThread"}


def case_handlers_are_asked_for_and_put_back() -> None:
    def handler(number: int, frame: object) -> None:
        pass

    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    assert signal.signal(USR1, handler) is signal.SIG_DFL
    assert signal.getsignal(USR1) is handler
    assert signal.signal(USR1, signal.SIG_IGN) is handler
    assert signal.getsignal(USR1) is signal.SIG_IGN
    assert signal.signal(USR1, signal.SIG_DFL) is signal.SIG_IGN
    with raises(ValueError):
        with running(lambda: None):
            signal.signal(10_000, handler)
    errors: list[BaseException] = []

    def elsewhere() -> None:
        try:
            signal.signal(USR1, handler)
        except ValueError as error:
            errors.append(error)

    with running(elsewhere):
        pass
    assert [str(error) for error in errors] == ["signal only works in main thread of the main interpreter"]


def case_no_signal_seems_to_be_handled_that_is_not() -> None:
    handled_numbers = [
        int(number)
        for number in signal.valid_signals()
        if callable(signal.getsignal(number)) and not isinstance(signal.getsignal(number), signal.Handlers)
    ]
    assert handled_numbers == [signal.SIGINT]


def case_pthread_kill_reaches_main() -> None:
    ident = threading.main_thread().ident
    assert ident is not None
    with handled() as seen, running(lambda: (until_main_waits(), signal.pthread_kill(ident, USR1))):
        until(lambda: seen)
    assert seen == ["MainThread"]
