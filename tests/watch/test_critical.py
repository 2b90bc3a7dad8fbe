"""The critical path: from the end backwards along who was waited for."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.watch.made import Made, simulated
from tests.watch.test_timeline import two_threads
from weft.watch.critical import Path, Wakes
from weft.watch.record import Stint, Wait
from weft.watch.timeline import gather


def path_of(made: Made) -> Path:
    timeline = gather(*made.read())
    last = timeline.last_to_end()
    assert last is not None
    path = timeline.wakes.path(last, timeline.lives[last].last, min(x.first for x in timeline.lives.values()))
    for record in made.read()[1]:
        if isinstance(record, (Stint, Wait)):
            path.take(record)
    return path


def test_it_goes_over_to_who_woke_and_to_who_started() -> None:
    path = path_of(two_threads())
    assert [(s.thread, s.begin, s.end) for s in path.segments] == [
        (0, 0.0, 0.5),
        (1, 0.5, 3.0),
        (0, 3.0, 4.0),
    ]
    first, held, last = path.segments
    assert (held.ran, held.waited, held.ready) == (1.0, 1.0, 0.5), "it slept with the lock"
    assert (last.ran, last.waited, last.ready) == (0.5, 0.0, 0.5)
    assert (first.place, held.place, last.place) == (1, 2, None)
    assert path.waits == {("SLEEP", None, 2): 1.0}
    assert path.threads() == [(1, 1.0, 0.5, 1.0, 1), (0, 1.0, 0.5, 0.0, 2)]
    assert path.places() == [(2, 2.5, 1), (1, 0.5, 1)]


def test_a_wait_that_nobody_ended_stays_on_its_thread() -> None:
    made = Made()
    main, other = made.thread("MainThread"), made.thread("Other")
    made.add(
        Stint(0, 1, main, 0),
        Stint(1, 2, other, 0),
        Wait(1, 9, main, "JOIN", 1, None, other, None, None, "open"),
        Wait(2, 9, other, "LOCK", 2, None, main, None, None, "open"),
    )
    path = path_of(made)
    assert [s.end - s.begin for s in path.segments] == [9.0]
    assert sum(path.waits.values()) >= 7


def test_a_daemon_that_outlives_the_rest_is_not_its_end() -> None:
    made = Made()
    main, daemon = made.thread("MainThread"), made.thread("Idler", daemon=True)
    made.add(
        Stint(0, 1, daemon, 0),
        Stint(1, 3, main, 0),
        Wait(1, 5, daemon, "QUEUE_GET", 1, None, None, None, None, "open"),
    )
    assert gather(*made.read()).last_to_end() == main


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 8), st.integers(0, 3), st.integers(1, 60), st.integers(0, 10**6))
def test_it_is_one_thread_at_each_moment_from_begin_to_end(
    threads: int, locks: int, steps: int, seed: int
) -> None:
    made = simulated(threads, locks, steps, seed)
    path = path_of(made)
    assert path.segments[0].begin == 0.0
    assert path.segments[-1].end == pytest.approx(made.seconds)
    for one, other in pairwise(path.segments):
        assert one.end == other.begin
        assert one.thread != other.thread
    for segment in path.segments:
        assert segment.ran + segment.waited <= segment.end - segment.begin + 1e-9
    assert {reason for reason, _, _ in path.waits} <= {"SLEEP"}, "locks are handed on: their holder is on it"
    whole = sum(ran + ready + waited for _, ran, ready, waited, _ in path.threads())
    assert whole == pytest.approx(made.seconds)


def test_of_very_many_wakes_the_older_are_forgotten() -> None:
    wakes = Wakes(most=100)
    for n in range(1_000):
        wakes.add(1 + n % 2, n + 1.0, 2 - n % 2, 7)
    path = wakes.path(2, 1_001.0)
    assert path.cut
    assert path.segments[-1].end == 1_001.0
    assert 50 <= len(path.segments) <= 101
    assert path.segments[0].begin == 0.0, "before what is known it stays on one thread"
    whole = Wakes()
    whole.add(1, 1.0, 2, 7)
    assert not whole.path(1, 2.0).cut
