"""Real locks that note who takes them: they are locks, and they tell the order of their taking."""

import copy
import pickle
import queue
import threading
import weakref
from collections.abc import Iterator

import pytest

from weft.host import noted_locks
from weft.host.noted_locks import Nested


@pytest.fixture(autouse=True)
def noted() -> Iterator[None]:
    noted_locks.install()
    noted_locks.turn_over()
    noted_locks.fetch()
    yield
    noted_locks.uninstall()
    noted_locks.fetch()


def functions(frames: noted_locks.Frames) -> list[str]:
    return [code.co_name for code, _ in frames]


def told() -> list[tuple[list[int], int]]:
    return [([each.serial for each in record.held], record.serial) for record in noted_locks.fetch()]


def in_thread(work: object) -> None:
    thread = threading.Thread(target=work)  # type: ignore[arg-type]
    thread.start()
    thread.join()


@pytest.mark.parametrize("name", ["Lock", "RLock"])
def test_it_is_a_lock(name: str) -> None:
    lock = getattr(threading, name)()
    assert isinstance(lock, noted_locks.Lock | noted_locks.RLock)
    assert lock.acquire()
    done = []
    in_thread(lambda: done.append((lock.acquire(False), lock.acquire(timeout=0.001))))
    assert done == [(False, False)]
    lock.release()
    with lock:
        pass
    with pytest.raises(RuntimeError):
        lock.release()
    with pytest.raises(TypeError):
        lock.acquire(timeout=None)
    with pytest.raises(ValueError, match="can't specify a timeout for a non-blocking call"):
        lock.acquire(False, 1)
    for call in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError, match="cannot pickle '_thread"):
            call(lock)
    assert weakref.ref(lock)() is lock
    assert repr(lock).startswith("<unlocked _thread.")
    assert told() == []


def test_types_are_the_interpreters() -> None:
    ours, ours_again = threading.Lock(), threading.RLock()
    noted_locks.uninstall()
    real, real_again = threading.Lock(), threading.RLock()
    assert type(real) is not type(ours)
    noted_locks.install()
    assert isinstance(ours, type(real))
    assert isinstance(ours_again, type(real_again))
    assert isinstance(real, type(ours))
    assert isinstance(real_again, type(ours_again))
    assert not isinstance(ours, type(real_again))
    assert not isinstance(real_again, type(ours))


def test_only_the_owner_releases_a_reentrant_lock() -> None:
    lock, other = threading.RLock(), threading.Lock()
    wrong = []

    def release() -> None:
        try:
            lock.release()
        except RuntimeError as error:
            wrong.append(str(error))

    with lock, lock:
        in_thread(release)
        with other:
            pass
    assert wrong == ["cannot release un-acquired lock"]
    assert told() == [([lock._serial], other._serial)]
    in_thread(lambda: lock.acquire() and lock.release())  # it is free


def test_a_lock_taken_while_others_are_held_is_told_once() -> None:
    a, b, c = threading.Lock(), threading.RLock(), threading.Lock()
    for _ in range(3):
        with a, b, b, c:
            pass
        c.acquire()
        c.release()
    assert told() == [([a._serial], b._serial), ([a._serial, b._serial], c._serial)]


def test_trying_and_timeouts_are_no_order() -> None:
    a, b = threading.Lock(), threading.Lock()
    with a:
        assert b.acquire(False)
        b.release()
        assert b.acquire(timeout=5)
        b.release()
    assert told() == []
    with a:
        assert b.acquire(False)
        with c_of(a, b):
            pass
        b.release()
    assert [len(held) for held, _ in told()] == [2]  # what was tried, and got, is held all the same


def c_of(*_: object) -> threading.Lock:
    return threading.Lock()


def test_a_lock_may_be_released_by_another_thread() -> None:
    a, b = threading.Lock(), threading.Lock()
    a.acquire()
    in_thread(a.release)
    with b:
        pass
    assert told() == []


def nested(a: threading.Lock, b: threading.Lock) -> None:
    with a:
        inner(b)


def inner(b: threading.Lock) -> None:
    with b:
        pass


class Held:
    """Takes its lock in a call that has returned when the next lock is wanted."""

    def __init__(self) -> None:
        self.lock = threading.Lock()

    def __enter__(self) -> None:
        self.lock.acquire()

    def __exit__(self, *_: object) -> None:
        self.lock.release()


def use(held: Held, lock: threading.Lock) -> None:
    with held:
        inner(lock)


@pytest.mark.parametrize("eager", [True, False])
def test_both_stacks_are_told(eager: bool) -> None:
    a, b = threading.Lock(), threading.Lock()
    if not eager:
        a._site.eager = 0
    nested(a, b)
    (record,) = noted_locks.fetch()
    (taken,) = record.held
    assert functions(record.frames)[:3] == ["inner", "nested", "test_both_stacks_are_told"]
    assert functions(taken.frames)[:2] == ["nested", "test_both_stacks_are_told"]
    assert taken.whole
    assert taken.frames[0][1] < record.frames[1][1], "where it was taken, not where its thread is now"


def test_a_stack_that_has_returned_is_known_the_next_time() -> None:
    held, lock = Held(), threading.Lock()
    held.lock._site.eager = 0
    for whole in (False, True):
        noted_locks.turn_over()
        use(held, lock)
        (record,) = noted_locks.fetch()
        (taken,) = record.held
        assert taken.whole is whole
        assert functions(taken.frames)[0] == "__enter__"
    assert functions(taken.frames)[:2] == ["__enter__", "use"]


def test_a_place_is_where_the_program_makes_a_lock() -> None:
    made = [threading.Condition() for _ in range(2)]
    other = threading.Condition()
    with made[0], made[1], other, queue.Queue().mutex:
        pass
    records = noted_locks.fetch()
    sites = [records[0].held[0].site, records[0].site, records[1].site, records[2].site]
    assert sites[0] is sites[1] is not sites[2]
    for site in sites:
        assert functions(site.frames)[-1] in ("<listcomp>", "test_a_place_is_where_the_program_makes_a_lock")
        assert site.frames[-1][0].co_filename == __file__
    assert functions(records[0].frames)[0] == "__enter__"
    assert functions(records[0].held[0].frames)[0] == "test_a_place_is_where_the_program_makes_a_lock"


def test_conditions_give_their_lock_away_while_they_wait() -> None:
    for lock in (threading.Lock(), threading.RLock()):
        condition, other = threading.Condition(lock), threading.Lock()
        ready = []

        def work(condition=condition, ready=ready, other=other) -> None:
            with condition:
                ready.append(1)
                condition.notify()
            with other:
                pass

        with condition:
            thread = threading.Thread(target=work)
            thread.start()
            assert condition.wait_for(lambda ready=ready: ready, 60)
        thread.join()
        assert told() == []
        with condition, other:
            pass
        assert told() == [([lock._serial], other._serial)]


def test_what_events_and_semaphores_keep_inside_is_left_alone() -> None:
    lock = threading.Lock()
    event, semaphore = threading.Event(), threading.Semaphore()
    with lock:
        event.set()
        with semaphore:
            pass
    assert told() == []


def clocks(records: list[Nested]) -> list[tuple[int, dict[int, int]]]:
    return [(record.number, record.clock) for record in records]


def test_clocks_follow_starts_and_joins() -> None:
    a, b = threading.Lock(), threading.Lock()
    nested(a, b)
    in_thread(lambda: nested(a, b))
    thread = threading.Thread(target=nested, args=(a, b))
    thread.start()
    thread.join()
    nested(b, a)
    (main, at_first), (one, of_one), (two, of_two), (again, at_last) = clocks(noted_locks.fetch())
    assert main == again
    assert len({main, one, two}) == 3
    assert of_one[main] >= at_first[main], "the start comes after"
    assert of_two[one] >= of_one[one], "the first thread was joined before the second began"
    assert at_last[two] >= of_two[two]
    assert of_two[main] < at_last[main]


def test_a_chapter_forgets_the_order_of_the_one_before() -> None:
    a, b = threading.Lock(), threading.Lock()
    in_thread(lambda: nested(a, b))
    noted_locks.turn_over()
    nested(a, b)
    first, second = noted_locks.fetch()
    assert first.chapter is not second.chapter
    assert first.number not in second.clock


def test_under_another_threading_it_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    noted_locks.uninstall()
    monkeypatch.setattr(threading, "Lock", dict)
    with pytest.raises(noted_locks.WeftError, match="the interpreter's own threads"):
        noted_locks.install()
