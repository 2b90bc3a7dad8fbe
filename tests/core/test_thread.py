"""Control blocks: states are read off the facts, and every step they take is in the table."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.core.carrier import FakeCarrier, Lot, begun
from weft.core.parking import TIMEOUT, interrupt, wake
from weft.core.thread import TRANSITIONS, ControlBlock, State
from weft.core.wait import WaitReason


def test_a_new_block_has_no_wait_and_is_new() -> None:
    block = ControlBlock(FakeCarrier(), lambda: None)
    assert (block.state, block.wait, block.daemon, block.locals_count) == (State.NEW, None, True, 0)


def test_a_block_in_the_queue_is_ready_whatever_it_waited_for() -> None:
    carrier = FakeCarrier()
    block = begun(carrier)
    lot = Lot()
    lot.register(block)
    assert block.state is State.BLOCKED
    lot.release_one()
    assert (block.state, block.wait) == (State.READY, None)


def test_a_wait_has_all_its_fields() -> None:
    carrier = FakeCarrier()
    holder, block = begun(carrier, "holder"), begun(carrier, "waiter")
    lot = Lot(holder)
    lot.register(block)
    block.since = 7.0
    block.timer = carrier.timers.arm(9.0, block)
    wait = block.wait
    assert wait is not None
    assert (wait.reason, wait.on, wait.holder, wait.place) == (WaitReason.LOCK, lot, holder, "here")
    assert (wait.since, wait.deadline) == (7.0, 9.0)


def test_a_wait_on_something_that_explains_nothing_is_a_plain_wait() -> None:
    block = begun()
    block.on = thing = object()
    wait = block.wait
    assert wait is not None
    assert (wait.reason, wait.on, wait.holder, wait.deadline) == (WaitReason.OTHER, thing, None, None)


def test_a_thread_that_is_joined_is_the_holder_of_the_wait() -> None:
    target, joiner = begun(name="target"), begun(name="joiner")
    joiner.on = target
    wait = joiner.wait
    assert wait is not None
    assert (wait.reason, wait.on, wait.holder) == (WaitReason.JOIN, target, target)
    assert not target._withdraw(joiner)


def test_names_come_from_the_thread_then_the_label_then_the_ident() -> None:
    class Named:
        name = "from the program"

    block = begun()
    assert block.name == f"thread-{block.ident:#x}"
    block.label = "label"
    assert block.name == "label"
    block.thread = Named()
    assert repr(block) == "<thread 'from the program'>"


def test_idents_of_live_blocks_differ() -> None:
    blocks = [begun() for _ in range(100)]
    assert len({block.ident for block in blocks}) == 100


def test_the_table_covers_every_state_and_leads_nowhere_from_done() -> None:
    assert set(TRANSITIONS) == set(State)
    assert TRANSITIONS[State.DONE] == frozenset()
    reached = {State.NEW}
    while more := {after for state in reached for after in TRANSITIONS[state]} - reached:
        reached |= more
    assert reached == set(State)


def step_launch(block: ControlBlock) -> None:
    if not block.begun and not block.carrier.holds(block):
        block.carrier.push(block.resume)


def step_dispatch(block: ControlBlock) -> None:
    carrier = block.carrier
    if carrier.holds(block):
        carrier.pick()
        block.begun = True
        block.on = None


def step_preempt(block: ControlBlock) -> None:
    if block.state is State.RUNNING:
        block.carrier.push(block.resume)


def step_park(block: ControlBlock) -> None:
    if block.state is State.RUNNING:
        Lot().register(block)


def step_wake(block: ControlBlock) -> None:
    if block.state is State.BLOCKED:
        block.on.release_one()


def step_time_out(block: ControlBlock) -> None:
    interrupt(block, TIMEOUT)


def step_end(block: ControlBlock) -> None:
    if block.state is State.RUNNING:
        block.done = True


STEPS: tuple[Callable[[ControlBlock], None], ...] = (
    step_launch,
    step_dispatch,
    step_preempt,
    step_park,
    step_wake,
    step_time_out,
    step_end,
)


@given(st.lists(st.sampled_from(STEPS), max_size=30))
def test_every_step_of_a_life_is_in_the_table(steps: list[Callable[[ControlBlock], None]]) -> None:
    block = ControlBlock(FakeCarrier())
    block.resume = lambda: None
    before = block.state
    for step in steps:
        step(block)
        after = block.state
        assert after is before or after in TRANSITIONS[before], (before, step, after)
        before = after


def test_a_join_is_withdrawn_once() -> None:
    carrier = FakeCarrier()
    target, joiner = begun(carrier), begun(carrier)
    target.joiners = carrier.ready.__class__([joiner])
    joiner.on = target
    assert interrupt(joiner, TIMEOUT)
    assert not interrupt(joiner, TIMEOUT)
    assert list(carrier.ready) == [joiner.resume]


@pytest.mark.parametrize("waiting", [True, False])
def test_only_a_carrier_that_sleeps_is_roused(waiting: bool) -> None:
    carrier = FakeCarrier()
    carrier.waiting = waiting
    wake(begun(carrier))
    assert carrier.wakes == waiting
