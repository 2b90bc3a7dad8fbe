"""Timers: what is due fires once, in order, and what was disarmed never does."""

from heapq import heappop
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from tests.core.carrier import FakeCarrier, Lot, begun
from weft.core.parking import TIMEOUT, WITHDRAWN
from weft.core.timers import SWEEP_MIN, Timers


class AgainstAList(RuleBasedStateMachine):
    """The heap beside a plain list that is searched from end to end."""

    def __init__(self) -> None:
        super().__init__()
        self.timers = Timers()
        self.armed: dict[int, tuple[float, list[Any]]] = {}
        self.now = 0.0
        self.fired: list[int] = []
        self.count = 0

    @rule(delay=st.floats(0, 10))
    def arm(self, delay: float) -> None:
        number = self.count
        self.count += 1
        when = self.now + delay
        self.armed[number] = (when, self.timers.arm(when, lambda: self.fired.append(number)))

    @rule(pick=st.integers(0))
    def disarm(self, pick: int) -> None:
        if self.armed:
            _, entry = self.armed.pop(sorted(self.armed)[pick % len(self.armed)])
            self.timers.disarm(entry)
            self.timers.disarm(entry)  # a second time changes nothing

    @rule(step=st.floats(0, 5))
    def fire(self, step: float) -> None:
        self.now += step
        due = sorted((when, number) for number, (when, _) in self.armed.items() if when <= self.now)
        self.fired.clear()
        assert self.timers.fire(self.now) == len(due)
        assert self.fired == [number for _, number in due]
        for _, number in due:
            self.timers.disarm(self.armed.pop(number)[1])  # one that has fired is nobody's business

    @invariant()
    def agrees(self) -> None:
        assert len(self.timers) == len(self.armed)
        assert self.timers.next() == min((when for when, _ in self.armed.values()), default=None)


TestAgainstAList = AgainstAList.TestCase


@given(
    st.lists(st.tuples(st.floats(0, 10), st.sampled_from(["call", "cancelled", "wait"]))), st.floats(0, 10)
)
def test_calls_that_are_due_are_handed_over_and_nothing_else(
    armed: list[tuple[float, str]], now: float
) -> None:
    mine, other = Timers(lambda: False), Timers()
    fired: list[int] = []
    due = []
    for number, (when, kind) in enumerate(armed):
        if kind == "wait":
            mine.arm(when, lambda number=number: fired.append(number))  # type: ignore[misc]
            continue
        call = mine.call(when, lambda function, args: function(*args), fired.append, (number,))
        if kind == "cancelled":
            call.cancel()
        elif when <= now:
            due.append((when, number))
    before = len(mine)
    assert mine.hand_over(now, other) == len(due) == len(other)
    assert len(mine) == before - len(due)
    assert mine.hand_over(now, other) == 0
    other.fire(now)
    assert fired == [number for _, number in sorted(due)]
    mine.fire(10)
    assert sorted(fired) == [number for number, (_, kind) in enumerate(armed) if kind != "cancelled"]
    assert len(mine.heap) == mine.dead == 0


def test_disarmed_entries_are_swept_so_that_rare_timeouts_cost_no_memory() -> None:
    timers = Timers()
    keep = timers.arm(5.0, lambda: None)
    for _ in range(20 * SWEEP_MIN):
        timers.disarm(timers.arm(10.0, lambda: None))
    assert len(timers.heap) <= 2 * SWEEP_MIN + 2
    assert (len(timers), timers.next()) == (1, 5.0)
    timers.disarm(keep)
    assert timers.next() is None


def test_equal_deadlines_fire_in_the_order_of_arming() -> None:
    timers, fired = Timers(), list[int]()
    for number in range(50):
        timers.arm(1.0, lambda number=number: fired.append(number))
    timers.fire(1.0)
    assert fired == list(range(50))


def test_a_deadline_ends_the_wait_of_a_block() -> None:
    carrier = FakeCarrier()
    block = begun(carrier)
    lot = Lot()
    lot.register(block)
    carrier.timers.arm(1.0, block)
    assert carrier.timers.fire(0.999) == 0
    assert carrier.timers.fire(1.0) == 1
    assert (block.alarm, list(carrier.ready)) == (TIMEOUT | WITHDRAWN, [block.resume])


def test_a_deadline_that_comes_with_the_wake_changes_nothing() -> None:
    carrier = FakeCarrier()
    block = begun(carrier)
    lot = Lot()
    lot.register(block)
    carrier.timers.arm(1.0, block)
    lot.release_one()
    carrier.timers.fire(1.0)
    assert (block.alarm, list(carrier.ready)) == (0, [block.resume])


def test_a_function_that_arms_again_while_timers_fire_is_called_in_time() -> None:
    timers, calls = Timers(), list[float]()

    def again() -> None:
        calls.append(len(calls))
        if len(calls) < 3:
            timers.arm(1.0, again)

    timers.arm(1.0, again)
    assert (timers.fire(1.0), len(timers)) == (3, 0)


def test_the_hint_may_be_dead_and_is_never_late() -> None:
    timers = Timers()
    assert timers.next_hint() is None
    dead = timers.arm(1.0, lambda: None)
    timers.arm(2.0, lambda: None)
    timers.disarm(dead)
    assert (timers.next_hint(), timers.next()) == (1.0, 2.0)


class Interrupting(list[Any]):
    """An entry at which something else gets its turn, as a tick or a finalizer may in any loop."""

    def __getitem__(self, index: Any) -> Any:
        then, self.then = getattr(self, "then", None), None
        if then is not None:
            then()
        return super().__getitem__(index)


@pytest.mark.parametrize("what", ["fires", "arms"])
def test_a_sweep_that_is_interrupted_loses_no_deadline(what: str) -> None:
    timers, fired = Timers(), list[int]()
    for number in range(8):
        timers.arm(float(number), lambda number=number: fired.append(number))
    entry = Interrupting(timers.heap[4])
    timers.heap[4] = entry
    entry.then = {  # type: ignore[attr-defined]
        "fires": lambda: timers.fire(2.5),
        "arms": lambda: timers.arm(0.5, lambda: fired.append(99)),
    }[what]
    timers._sweep()
    timers.fire(100.0)
    assert sorted(fired) == [*range(8)] + ([99] if what == "arms" else [])
    assert len(timers) == 0


@given(st.lists(st.tuples(st.floats(0, 100), st.booleans()), max_size=60))
def test_a_sweep_keeps_order_and_count(entries: list[tuple[float, bool]]) -> None:
    timers, fired = Timers(), list[float]()
    for when, dies in entries:
        entry = timers.arm(when, lambda when=when: fired.append(when))
        if dies:
            timers.disarm(entry)
    timers._sweep()
    assert timers.dead == 0
    timers.fire(100.0)
    assert fired == sorted(when for when, dies in entries if not dies)


def test_a_call_comes_once_with_its_arguments_unless_it_is_cancelled() -> None:
    timers, called = Timers(), list[Any]()

    def start(function: Any, args: Any) -> None:
        called.append((function, args))

    calls = [timers.call(float(number), start, print, (number,)) for number in range(4)]
    calls[1].cancel()
    calls[1].cancel()
    assert len(timers) == 3
    assert timers.fire(2.0) == 2
    calls[0].cancel()  # it has come: nothing to undo
    assert called == [(print, (0,)), (print, (2,))]
    assert (len(timers), timers.next()) == (1, 3.0)
    assert all(print not in call for call in calls[:3])  # what has come or is cancelled holds nothing


def test_cancelled_calls_are_swept_and_the_others_keep_their_order() -> None:
    timers, called = Timers(), list[Any]()
    calls = [timers.call(float(-n), lambda _, args: called.append(args), None, n) for n in range(2000)]
    for call in calls[:1900]:
        call.cancel()
    assert len(timers) == 100
    assert len(timers.heap) < 600
    timers.fire(0.0)
    assert called == list(range(1999, 1899, -1))


def tick_before_the_first_pop(timers: Timers, monkeypatch: pytest.MonkeyPatch) -> None:
    """Once, all that is due at 2.0 is fired between the look at the heap and the pop."""
    ticks = [2.0]

    def late(heap: list[Any]) -> Any:
        if ticks:
            timers.fire(ticks.pop())
        return heappop(heap)

    monkeypatch.setattr("weft.core.timers.heappop", late)


@pytest.mark.parametrize("left", [[], [5.0]])
def test_a_tick_between_the_look_and_the_pop_loses_nothing_and_fires_nothing_early(
    left: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    timers = Timers()
    fired: list[float] = []
    for when in (1.0, *left):
        timers.arm(when, lambda when=when: fired.append(when))
    tick_before_the_first_pop(timers, monkeypatch)
    assert timers.fire(2.0) == 0
    assert fired == [1.0]
    assert timers.next() == (left[0] if left else None)
    assert timers.fire(6.0) == len(left)


def test_a_tick_that_fires_all_while_somebody_asks_for_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    timers = Timers()
    timers.disarm(timers.arm(1.0, lambda: None))
    tick_before_the_first_pop(timers, monkeypatch)
    assert timers.next() is None
