"""Figures of recordings: by hand, and of made-up ones."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.watch.made import Made, simulated
from weft.watch.record import End, Preemption, Start, Stint, Wait
from weft.watch.timeline import Counts, gather


def two_threads() -> Made:
    """Main starts Ada, who holds a lock for a second; main waits for it, and then for nothing."""
    made = Made(seconds=4.0)
    main, ada = made.thread("MainThread"), made.thread("Ada")
    lock, at, there = (
        made.object("Lock box"),
        made.place("/app.py:3 in main"),
        made.place("/app.py:9 in hold"),
    )
    made.add(
        Start(0.5, ada, main, at),
        Stint(0.0, 1.0, main, 0),
        Stint(1.0, 1.5, ada, 0),
        Stint(1.5, 2.0, main, 0),
        Wait(1.5, 2.5, ada, "SLEEP", None, there, None, None, None, "timer"),
        Wait(2.0, 3.0, main, "LOCK", lock, at, ada, ada, there, "thread"),
        Stint(2.5, 3.25, ada, 0),
        End(3.25, ada, "ValueError: no"),
        Stint(3.25, 3.5, main, 0),
        Preemption(3.5, main, at),
        Stint(3.75, 4.0, main, 0),
    )
    return made


def test_a_thread_runs_is_ready_and_is_parked() -> None:
    made = two_threads()
    lives = gather(*made.read()).lives
    main, ada = lives[0], lives[1]
    assert (main.ran, main.ready, main.parked) == (2.0, 1.0, {"LOCK": 1.0})
    assert (main.first, main.last, main.stints, main.waits, main.preempted) == (0.0, 4.0, 4, 1, 1)
    assert (ada.first, ada.last) == (0.5, 3.25), "it was there from its start"
    assert (ada.ran, ada.ready, ada.parked) == (1.25, 0.5, {"SLEEP": 1.0})
    assert (ada.by, made.names.places[ada.place or 0]) == (0, "/app.py:3 in main")
    assert (ada.ended, ada.error, main.ended) == (True, "ValueError: no", False)


def test_what_is_contended_says_who_waited_where_and_who_held() -> None:
    timeline = gather(*two_threads().read())
    ((number, found),) = timeline.contended()
    assert timeline.object(number) == "Lock box"
    assert (found.waits, found.total, found.longest, found.worst) == (1, 1.0, 1.0, (0, 2.0))
    assert [timeline.place(place) for place in found.places] == ["/app.py:3 in main"]
    assert [timeline.name(holder) for holder in found.holders] == ["Ada"]
    assert [timeline.place(place) for place in found.wakers] == ["/app.py:9 in hold"]


def test_waits_of_all_kinds_are_counted_by_place() -> None:
    waits = gather(*two_threads().read()).waits
    assert waits == {("SLEEP", 2): (1, 1.0, 1.0), ("LOCK", 1): (1, 1.0, 1.0)}


def test_sleeping_and_descriptors_are_no_contention() -> None:
    made = Made()
    main = made.thread("MainThread")
    socket = made.object("descriptor 3")
    made.add(Stint(0, 1, main, 0), Wait(1, 9, main, "DESCRIPTOR", socket, None, None, None, None, "machine"))
    assert gather(*made.read()).contended() == []


def test_the_longest_in_all_comes_first_and_open_waits_are_counted() -> None:
    made = Made()
    threads = [made.thread(f"T{n}") for n in range(3)]
    short, long = made.object("Lock a"), made.object("Queue b")
    for thread in threads:
        made.add(
            Stint(0, 1, thread, thread), Wait(1, 1.5, thread, "LOCK", short, 1, None, None, None, "thread")
        )
    made.add(Wait(1.5, 9, 0, "QUEUE_GET", long, 1, None, None, None, "open"))
    timeline = gather(*made.read())
    assert [(timeline.object(n), found.waits, found.still) for n, found in timeline.contended()] == [
        ("Queue b", 1, 1),
        ("Lock a", 3, 0),
    ]
    assert timeline.lives[0].open
    assert not timeline.lives[1].open


def test_switches_are_between_threads_of_one_carrier() -> None:
    timeline = gather(*two_threads().read())
    assert timeline.switches == 4
    assert timeline.drawn_carriers == [0]
    made = Made(model="kernel")
    for n in range(2):
        made.add(Stint(0, 1, made.thread(f"T{n}"), n), Stint(2, 3, n, n))
    alone = gather(*made.read())
    assert (alone.switches, alone.drawn_carriers) == (0, [])


def test_names_that_nobody_told_are_numbers() -> None:
    made = Made()
    made.add(Stint(0, 1, 7, 0))
    timeline = gather(*made.read())
    assert (timeline.name(7), timeline.object(3), timeline.place(9)) == ("thread 7", "object 3", "")


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 8), st.integers(0, 3), st.integers(1, 60), st.integers(0, 10**6))
def test_what_a_thread_did_adds_up_to_its_life(threads: int, locks: int, steps: int, seed: int) -> None:
    made = simulated(threads, locks, steps, seed)
    timeline = gather(*made.read())
    for life in timeline.lives.values():
        assert life.ran + life.ready + life.waited == pytest.approx(life.last - life.first, abs=1e-9)
        assert life.ended
    assert sum(life.ran for life in timeline.lives.values()) <= timeline.end + 1e-9, "there is one carrier"
    assert timeline.records == len(made.records)


def test_records_that_overlap_are_counted_once() -> None:
    made = Made()
    main = made.thread("MainThread")
    made.add(
        Stint(0, 2, main, 0),
        Wait(1.5, 3, main, "LOCK", 1, None, None, None, None, "thread"),
        Stint(2.5, 4, main, 0),
    )
    life = gather(*made.read()).lives[main]
    assert (life.ran, life.waited, life.ready) == (3.0, 1.0, 0.0)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 2), st.floats(0, 10), st.floats(0, 10)), max_size=30),
    st.integers(1, 50),
)
def test_counts_over_time_are_exact_averages(spans: list[tuple[int, float, float]], pieces: int) -> None:
    counts = Counts(10.0, pieces)
    for kind, a, b in spans:
        counts.add(kind, min(a, b), max(a, b))
    for kind in range(3):
        averages = counts.averages(kind)
        assert len(averages) == pieces
        for piece, value in enumerate(averages):
            low, high = piece * 10 / pieces, (piece + 1) * 10 / pieces
            overlap = sum(
                max(0.0, min(high, max(a, b)) - max(low, min(a, b))) for each, a, b in spans if each == kind
            )
            assert value == pytest.approx(overlap * pieces / 10, abs=1e-6)
