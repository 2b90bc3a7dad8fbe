"""The pool of kernel threads: begun on demand, up to a limit, ended when idle; no job is left behind."""

from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support import HAS_GIL
from tests.support.waiting import until
from weft.host import threads
from weft.host.clock import monotonic, sleep
from weft.host.platform import kernel_thread_count
from weft.host.pool import Pool


@pytest.fixture(autouse=True)
def threads_are_gone() -> Iterator[None]:
    """Wait for the last moments of ended kernel threads: other tests count them."""
    before = kernel_thread_count()
    yield
    until(lambda: (kernel_thread_count() or 0) <= (before or 0))


def quiet(pool: Pool) -> None:
    until(lambda: pool.in_flight == 0)


def test_a_thread_is_begun_for_each_job_that_none_is_free_for() -> None:
    pool = Pool(3, lambda: None)
    gate = threads.raw_lock()
    gate.acquire()
    seen: list[int] = []

    def job() -> None:
        seen.append(threads.get_ident())
        with gate:
            pass

    assert all(pool.submit(job) for _ in range(5))
    until(lambda: len(seen) == 3)
    assert (pool.alive, pool.in_flight) == (3, 5)
    gate.release()
    quiet(pool)
    assert len(seen) == 5
    assert len(set(seen)) == 3
    pool.pause()
    assert pool.alive == 0


def test_a_free_thread_is_taken_before_another_is_begun() -> None:
    pool = Pool(8, lambda: None)
    for _ in range(20):
        assert pool.submit(lambda: None)
        quiet(pool)
        until(lambda: pool._free == pool.alive)
    assert pool.alive == 1
    pool.pause()


def test_an_idle_thread_ends_after_a_while_and_says_so() -> None:
    ended: list[int] = []
    pool = Pool(4, lambda: ended.append(threads.get_ident()), idle=0.02)
    for _ in range(3):
        assert pool.submit(lambda: sleep(0.005))
    # Before 3.13 a timed get may miss its deadline and sleep on; the next job finds such a thread free.
    end = monotonic() + 5
    while pool.alive and monotonic() < end:
        sleep(0.001)
    until(lambda: HAS_GIL or len(ended) == 3 - pool.alive)  # without the lock it may be about to say so
    assert len(ended) == 3 - pool.alive
    done: list[int] = []
    assert pool.submit(lambda: done.append(1))
    quiet(pool)
    assert done == [1]
    pool.pause()


def test_pausing_ends_what_is_free_and_leaves_what_is_busy() -> None:
    ended: list[int] = []
    pool = Pool(4, lambda: ended.append(1))
    gate = threads.raw_lock()
    gate.acquire()
    for _ in range(4):
        assert pool.submit(lambda: sleep(0.005))
    quiet(pool)
    until(lambda: pool._free == pool.alive)
    before = pool.alive
    assert pool.submit(gate.acquire)
    pool.pause()
    assert (pool.alive, pool.in_flight, len(ended)) == (1, 1, before - 1)
    gate.release()
    quiet(pool)
    assert pool.submit(lambda: None)
    quiet(pool)
    pool.pause()


def test_where_no_thread_can_be_begun_the_job_comes_back(monkeypatch: pytest.MonkeyPatch) -> None:
    pool = Pool(2, lambda: None)
    done: list[int] = []
    begin = threads.start

    def refuse(*_: object) -> int:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threads, "start", refuse)
    assert not pool.submit(lambda: done.append(1))
    assert (pool.alive, pool.in_flight, pool._free, pool._jobs.qsize()) == (0, 0, 0, 0)
    monkeypatch.setattr(threads, "start", begin)
    gate = threads.raw_lock()
    gate.acquire()
    assert pool.submit(lambda: gate.acquire() and None)
    monkeypatch.setattr(threads, "start", refuse)
    assert pool.submit(lambda: done.append(2))  # the one that is there takes it in its turn
    gate.release()
    quiet(pool)
    assert done == [2]
    pool.pause()


@settings(max_examples=25, deadline=None)
@given(
    limit=st.integers(1, 4),
    naps=st.lists(st.sampled_from([0, 0, 0.0005, 0.002]), max_size=30),
    idle=st.sampled_from([0.0005, 5]),
)
def test_every_job_is_done_once_and_the_counts_come_out_even(
    limit: int, naps: list[float], idle: float
) -> None:
    pool = Pool(limit, lambda: None, idle=idle)
    done: list[int] = []
    for number, nap in enumerate(naps):
        assert pool.submit(lambda number=number: done.append(number))  # type: ignore[misc]
        assert pool.alive <= limit
        if nap:
            sleep(nap)
    quiet(pool)
    assert sorted(done) == list(range(len(naps)))
    until(lambda: pool._free == pool.alive)
    pool.pause()
    assert (pool.alive, pool._free, pool._jobs.qsize()) == (0, 0, 0)
