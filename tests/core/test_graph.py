"""The wait-for graph: its cycles, against a search that follows every thread to the end."""

from hypothesis import given
from hypothesis import strategies as st

from tests.core.carrier import FakeCarrier, Lot, begun
from weft.core.graph import cycles, holder_of
from weft.core.thread import ControlBlock


def threads_that_wait(waits: list[int | None]) -> list[ControlBlock]:
    """Thread i waits for what thread waits[i] holds (None: it runs)."""
    carrier = FakeCarrier()
    blocks = [begun(carrier, str(number)) for number in range(len(waits))]
    for block, target in zip(blocks, waits, strict=True):
        if target is not None:
            Lot(blocks[target]).register(block)
    return blocks


def by_brute_force(waits: list[int | None]) -> set[frozenset[int]]:
    """Every thread that comes back to itself, with those it passes on the way."""
    found = set()
    for start in range(len(waits)):
        passed, node = [start], waits[start]
        while node is not None and node != start and len(passed) <= len(waits):
            passed.append(node)
            node = waits[node]
        if node == start:
            found.add(frozenset(passed))
    return found


@given(
    st.integers(0, 9).flatmap(
        lambda n: st.lists(st.one_of(st.none(), st.integers(0, max(n - 1, 0))), min_size=n, max_size=n)
    )
)
def test_each_cycle_is_found_once_and_in_the_order_of_waiting(waits: list[int | None]) -> None:
    blocks = threads_that_wait(waits)
    found = cycles(blocks)
    assert len(found) == len(by_brute_force(waits))
    assert {frozenset(int(block.name) for block in cycle) for cycle in found} == by_brute_force(waits)
    for cycle in found:
        for block, following in zip(cycle, [*cycle[1:], cycle[0]], strict=True):
            assert holder_of(block) is following


def test_a_thread_that_waits_for_itself_is_a_cycle_of_one() -> None:
    blocks = threads_that_wait([0])
    assert cycles(blocks) == [blocks]


def test_who_was_woken_is_in_no_cycle() -> None:
    blocks = threads_that_wait([1, 0])
    blocks[0].on.release_one()
    assert holder_of(blocks[0]) is None
    assert cycles(blocks) == []


def test_a_holder_outside_the_list_is_followed_and_ends_the_walk() -> None:
    blocks = threads_that_wait([1, None])
    assert cycles(blocks[:1]) == []
