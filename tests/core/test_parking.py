"""The contract of parking, on a carrier whose scheduler is the test."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.core.carrier import FakeCarrier, Lot, begun
from weft.core import parking
from weft.core.parking import RETRY, SIGNAL, THROWN, TIMEOUT, WITHDRAWN, interrupt, park, settle


def test_a_park_ends_with_its_wake() -> None:
    carrier = FakeCarrier()
    me, lot = begun(carrier), Lot()
    lot.register(me)
    carrier.meanwhile = lot.release_one
    assert park(me) == 0
    assert (me.on, me.timer, me.alarm, list(carrier.ready)) == (None, None, 0, [])


def test_a_release_between_register_and_park_is_not_lost() -> None:
    carrier = FakeCarrier()
    me, lot = begun(carrier), Lot()
    lot.register(me)
    lot.release_one()  # a finalizer, another carrier: after the first look, before the park
    carrier.meanwhile = lambda: pytest.fail("it slept although its wake was there")
    assert park(me) == 0


def test_who_can_no_longer_be_withdrawn_has_a_wake_on_its_way() -> None:
    carrier = FakeCarrier()
    me, lot = begun(carrier), Lot()
    lot.register(me)
    lot.release_one()
    assert not lot._withdraw(me)
    assert carrier.holds(me)


def test_a_deadline_is_armed_for_the_park_and_disarmed_after_it() -> None:
    carrier = FakeCarrier()
    me, lot = begun(carrier), Lot()
    lot.register(me)
    seen = []

    def others() -> None:
        seen.append((carrier.timers.next(), len(carrier.timers)))
        lot.release_one()

    carrier.meanwhile = others
    assert park(me, 5.0) == 0
    assert (seen, len(carrier.timers), me.timer) == ([(5.0, 1)], 0, None)


def test_a_deadline_that_comes_ends_the_park_and_withdraws() -> None:
    carrier = FakeCarrier()
    me, lot = begun(carrier), Lot()
    lot.register(me)
    carrier.meanwhile = lambda: carrier.timers.fire(5.0)
    assert park(me, 5.0) == TIMEOUT | WITHDRAWN
    assert (list(lot.waiters), me.alarm, me.value) == ([], 0, lot)


Act = Callable[[FakeCarrier, Lot], object]
ACTS: dict[str, Act] = {
    "release": lambda carrier, lot: lot.release_one() if lot.waiters else None,
    "deadline": lambda carrier, lot: carrier.timers.fire(5.0),
    "signal": lambda carrier, lot: [interrupt(block, SIGNAL) for block in list(lot.waiters)],
    "throw": lambda carrier, lot: [interrupt(block, THROWN) for block in list(lot.waiters)],
}


@given(st.lists(st.sampled_from(sorted(ACTS)), min_size=1, max_size=6))
def test_whatever_comes_together_makes_one_wake(order: list[str]) -> None:
    carrier = FakeCarrier()
    me, lot = begun(carrier), Lot()
    lot.register(me)
    wakes = []

    def others() -> None:
        for name in order:
            ACTS[name](carrier, lot)
        wakes.append(len(carrier.ready))

    carrier.meanwhile = others
    alarm = park(me, 5.0)
    assert wakes == [1]
    first = {"release": 0, "deadline": TIMEOUT, "signal": SIGNAL, "throw": THROWN}[order[0]]
    assert alarm == (first | WITHDRAWN if first else 0)
    assert (list(lot.waiters), len(carrier.timers)) == ([], 0)


def test_who_does_not_wait_cannot_be_interrupted() -> None:
    me = begun()
    assert not interrupt(me, SIGNAL)
    assert me.alarm == 0


def test_bits_that_came_before_the_wake_come_with_it() -> None:
    carrier = FakeCarrier()
    me, lot = begun(carrier), Lot()
    lot.register(me)

    def others() -> None:
        lot.release_one()
        me.alarm |= SIGNAL  # it could not be withdrawn any more

    carrier.meanwhile = others
    assert park(me) == SIGNAL


def test_the_bits_are_distinct() -> None:
    bits = [TIMEOUT, SIGNAL, THROWN, WITHDRAWN, RETRY]
    assert sum(bits) == sum(1 << n for n in range(5))


def test_settling_raises_what_was_thrown_once() -> None:
    me = begun()
    me.error = error = ValueError("thrown")
    with pytest.raises(ValueError, match="thrown") as caught:
        settle(me, THROWN)
    assert caught.value is error
    assert me.error is None
    settle(me, THROWN)  # taken back meanwhile: nothing to raise


def test_a_signal_that_comes_with_a_thrown_exception_stays_to_be_handled(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    handled = []
    monkeypatch.setattr(parking.settler, "handle_signals", lambda: handled.append(1))
    me = begun()
    me.error = ValueError("thrown")
    with pytest.raises(ValueError, match="thrown"):
        settle(me, THROWN | SIGNAL)
    assert (me.alarm, handled) == (SIGNAL, [])
    settle(me, SIGNAL)
    assert handled == [1]


@pytest.mark.parametrize("alarm", [0, TIMEOUT | WITHDRAWN, RETRY])
def test_settling_the_rest_does_nothing(alarm: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parking.settler, "handle_signals", lambda: pytest.fail("no signal came"))
    settle(begun(), alarm)
