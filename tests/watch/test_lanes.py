"""Slices of a picture: exact while there are few, drawn together once there are too many."""

import random
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from weft.watch.lanes import Blend, Lanes
from weft.watch.record import Wait


def wait(begin: float, end: float) -> Wait:
    return Wait(begin, end, 1, "LOCK", 1, 1, None, None, None, "thread")


def test_few_are_kept_as_they_are() -> None:
    lanes = Lanes(most=10)
    for n in range(10):
        lanes.add("a", n, n + 0.5, 0)
    lanes.settle()
    assert (lanes.grain, lanes.blended, len(lanes.lanes["a"])) == (0.0, 0, 10)


def test_long_ones_stay_exact_beside_short_ones() -> None:
    lanes = Lanes(most=60)
    for n in range(400):
        lanes.add("a", n * 1e-5, n * 1e-5 + 5e-6, 0)
    lanes.add("a", 1.0, 2.0, 0)
    lanes.add("a", 2.0, 3.0, (long := wait(2.0, 3.0)))
    lanes.settle()
    assert lanes.lanes["a"][-2:] == [(1.0, 2.0, 0), (2.0, 3.0, long)]
    assert 0 < lanes.grain < 0.01


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 5), st.integers(0, 600), st.integers(20, 100), st.integers(0, 10**6))
def test_nothing_is_lost_and_nothing_overlaps(lanes: int, slices: int, most: int, seed: int) -> None:
    chance = random.Random(seed)
    made = Lanes(most)
    now = dict.fromkeys(range(lanes), 0.0)
    ran = parked = 0.0
    for _ in range(slices):
        lane = chance.randrange(lanes)
        begin = now[lane] + chance.choice([0.0, 1e-6, 1e-3])
        end = now[lane] = begin + chance.expovariate(1 / chance.choice([1e-6, 1e-3]))
        if chance.random() < 0.5:
            ran += end - begin
            made.add(lane, begin, end, 0)
        else:
            parked += end - begin
            made.add(lane, begin, end, wait(begin, end))
    made.settle()
    items = [item for each in made.lanes.values() for item in each]
    assert len(items) <= max(most, 2 * lanes)
    blends = [what for _, _, what in items if isinstance(what, Blend)]
    assert len(items) - len(blends) + sum(blend.slices for blend in blends) == slices
    exact_ran = sum(end - begin for begin, end, what in items if isinstance(what, int))
    exact_parked = sum(end - begin for begin, end, what in items if isinstance(what, Wait))
    assert exact_ran + sum(blend.ran for blend in blends) == pytest.approx(ran, abs=1e-9)
    assert exact_parked + sum(blend.parked for blend in blends) == pytest.approx(parked, abs=1e-9)
    for each in made.lanes.values():
        assert all(a[1] <= b[0] for a, b in pairwise(each))
        assert all(end - begin <= made.grain for begin, end, what in each if isinstance(what, Blend))
