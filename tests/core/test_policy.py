"""Policies: they lose nothing, make up nothing, and pick in the order that they promise."""

from collections import Counter
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.core.carrier import begun
from weft.core.policy import FairShare, Fifo, Policy, Priority, make_policy
from weft.core.thread import ControlBlock
from weft.errors import WeftError

POLICIES: tuple[Callable[[], Policy], ...] = (Fifo, Priority, FairShare)


def with_priority(priority: int) -> ControlBlock:
    block = begun()
    block.priority = priority
    return block


@pytest.mark.parametrize("make", POLICIES)
@given(moves=st.lists(st.one_of(st.integers(-5, 5), st.none()), max_size=60))
def test_nothing_is_lost_and_nothing_made_up(make: Callable[[], Policy], moves: list[int | None]) -> None:
    policy = make()
    inside: list[ControlBlock] = []
    for move in moves:  # a number adds a block of that priority, None picks
        if move is not None:
            inside.append(with_priority(move))
            policy.add(inside[-1])
        elif inside:
            inside.remove(policy.pick())
        else:
            with pytest.raises(IndexError):
                policy.pick()
        assert len(policy) == len(inside)


@given(st.lists(st.integers(-5, 5), max_size=50))
def test_fifo_picks_in_order_of_readiness(priorities: list[int]) -> None:
    blocks = [with_priority(p) for p in priorities]
    policy = Fifo()
    for block in blocks:
        policy.add(block)
    assert [policy.pick() for _ in blocks] == blocks


@given(st.lists(st.integers(-5, 5), max_size=50))
def test_priority_picks_the_smallest_and_the_oldest_among_equals(priorities: list[int]) -> None:
    blocks = [with_priority(p) for p in priorities]
    policy = Priority()
    for block in blocks:
        policy.add(block)
    assert [policy.pick() for _ in blocks] == sorted(blocks, key=lambda block: block.priority)


def shares(policy: Policy, blocks: list[ControlBlock], turns: int) -> list[int]:
    """How often each block runs when all are always ready."""
    for block in blocks:
        policy.add(block)
    counts: Counter[int] = Counter()
    for _ in range(turns):
        block = policy.pick()
        counts[block.ident] += 1
        policy.add(block)
    return [counts[block.ident] for block in blocks]


@given(st.lists(st.integers(-4, 4), min_size=2, max_size=6))
def test_fair_share_gives_each_its_proportion(priorities: list[int]) -> None:
    turns = 2000
    got = shares(FairShare(), [with_priority(p) for p in priorities], turns)
    weights = [FairShare.STEP**-p for p in priorities]
    wanted = [turns * weight / sum(weights) for weight in weights]
    assert all(abs(g - w) <= 2 + 0.02 * w for g, w in zip(got, wanted, strict=True)), (got, wanted)


def test_fair_share_takes_equals_in_turn() -> None:
    assert shares(FairShare(), [with_priority(0) for _ in range(4)], 400) == [100] * 4


def test_who_slept_does_not_save_up_turns() -> None:
    policy = FairShare()
    worker, sleeper = with_priority(0), with_priority(0)
    policy.add(sleeper)
    policy.pick()
    for _ in range(1000):
        policy.add(worker)
        policy.pick()
    policy.add(worker)
    policy.add(sleeper)
    picked = []
    for _ in range(20):
        picked.append(policy.pick())
        policy.add(picked[-1])
    assert 9 <= picked.count(sleeper) <= 11


def test_who_comes_late_does_not_owe_turns_either() -> None:
    policy = FairShare()
    worker = with_priority(0)
    for _ in range(1000):
        policy.add(worker)
        policy.pick()
    late = with_priority(0)
    policy.add(worker)
    policy.add(late)
    assert {policy.pick(), policy.pick()} == {worker, late}


@pytest.mark.parametrize("kind", [Fifo, Priority, FairShare])
def test_a_class_of_a_module_is_made_by_its_name(kind: type) -> None:
    assert type(make_policy(f"weft.core.policy:{kind.__name__}")) is kind


@pytest.mark.parametrize(("name", "kind"), [("priority", Priority), ("fair", FairShare)])
def test_our_own_have_names(name: str, kind: type) -> None:
    assert type(make_policy(name)) is kind
    assert make_policy("fifo") is None  # what loops do without one


class Half:
    def add(self, block: ControlBlock) -> None: ...


def test_what_is_no_policy_is_told_what_it_lacks() -> None:
    name = f"{Half.__module__}:Half"
    with pytest.raises(
        WeftError, match=rf"^{name} is no policy: it lacks pick, __len__ \(see weft.core.policy\)$"
    ):
        make_policy(name)
