"""The search for an order, held against all orders."""

from collections.abc import Callable, Iterator
from itertools import permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from weft.check.linear.history import Span, comes_before, linearization

Call = tuple[str, int]  # a register's: "write" or "read", and the value


@st.composite
def histories(draw: st.DrawFn) -> tuple[list[Span], list[Call]]:
    """Calls of some threads on a register; a thread's calls do not overlap, its last may never return."""
    times = iter(draw(st.permutations(range(24))))
    spans: list[Span] = []
    for counts in range(draw(st.integers(1, 3))):
        count = draw(st.integers(1, 2)) if counts < 2 else 1
        moments = sorted(next(times) for _ in range(2 * count))
        pairs = list(zip(moments[::2], moments[1::2], strict=True))
        spans += pairs[:-1]
        spans.append((pairs[-1][0], None) if draw(st.booleans()) else pairs[-1])
    calls = st.tuples(st.sampled_from(["write", "read"]), st.integers(0, 2))
    return spans, draw(st.lists(calls, min_size=len(spans), max_size=len(spans)))


def register(calls: list[Call]) -> Callable[[int, int], int | None]:
    def step(held: int, index: int) -> int | None:
        what, value = calls[index]
        return value if what == "write" or held == value else None

    return step


def explained(order: tuple[int, ...], spans: list[Span], calls: list[Call], last: int | None) -> bool:
    """Whether an order is one of time, and gives what the calls gave."""
    for at, call in enumerate(order):
        if any(comes_before(spans[later], spans[call]) for later in order[at:]):
            return False
    if any(spans[call][1] is not None and call not in order for call in range(len(spans))):
        return False
    left_out = [call for call in range(len(spans)) if call not in order]
    if any(comes_before(spans[out], spans[call]) for out in left_out for call in order):
        return False
    step = register(calls)
    held: int | None = 0
    for call in order:
        held = step(held, call)
        if held is None:
            return False
    return last is None or held == last


def all_orders(count: int) -> Iterator[tuple[int, ...]]:
    for size in range(count + 1):
        yield from permutations(range(count), size)


@settings(max_examples=60)
@given(histories(), st.none() | st.integers(0, 2))
def test_an_order_is_found_if_there_is_one(history: tuple[list[Span], list[Call]], last: int | None) -> None:
    spans, calls = history
    accepts = (lambda held: held == last) if last is not None else (lambda _: True)
    found = linearization(spans, 0, register(calls), accepts)
    if found is not None:
        assert explained(tuple(found), spans, calls, last)
    else:
        assert not any(explained(order, spans, calls, last) for order in all_orders(len(spans)))


def test_known_histories() -> None:
    """Herlihy and Wing's queue: an item that comes out has gone in, and they come out in order."""

    def queue(calls: list[tuple[str, str]]) -> Callable[..., tuple[str, ...] | None]:
        def step(held: tuple[str, ...], index: int) -> tuple[str, ...] | None:
            what, item = calls[index]
            if what == "put":
                return (*held, item)
            return held[1:] if held[:1] == (item,) else None

        return step

    calls = [("put", "x"), ("put", "y"), ("get", "y"), ("get", "x")]
    overlapping: list[Span] = [(0, 3), (1, 2), (4, 5), (6, 7)]
    assert linearization(overlapping, (), queue(calls)) == [1, 0, 2, 3]
    in_turn: list[Span] = [(0, 1), (2, 3), (4, 5), (6, 7)]
    assert linearization(in_turn, (), queue(calls)) is None
    never: list[Span] = [(0, None), (2, 3), (4, 5), (6, None)]
    assert linearization(never, (), queue(calls)) == [1, 2]
    assert linearization([], (), queue([])) == []


def test_what_was_seen_is_not_gone_into_again() -> None:
    """Ten calls at once that change nothing, and one that cannot be: one look at each set of them."""
    looks = 0

    def step(state: int, call: int) -> int | None:
        nonlocal looks
        looks += 1
        return None if call == 10 else state

    spans: list[Span] = [(number, 100 + number) for number in range(11)]
    assert linearization(spans, 0, step) is None
    assert looks <= 11 * 2**10


@pytest.mark.parametrize(
    ("first", "second", "before"),
    [((0, 1), (2, 3), True), ((2, 3), (0, 1), False), ((0, 2), (1, 3), False), ((0, None), (1, 2), False)],
)
def test_what_comes_before_what(first: Span, second: Span, before: bool) -> None:
    assert comes_before(first, second) is before
