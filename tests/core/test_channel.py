"""Channels: marks that are never lost, and waiters that are woken once."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from weft.core.channel import READS, WRITES, Channel

IN, OUT, ERR, HUP, RDHUP = 0x1, 0x4, 0x8, 0x10, 0x2000
BITS = st.sets(st.sampled_from([IN, OUT, ERR, HUP, RDHUP]), min_size=1).map(sum)


class Block:
    """Stands for a thread."""


def parked(channel: Channel, reads: bool) -> Any:
    block: Any = Block()
    channel.readable = channel.writable = False
    if reads:
        channel.reader = block
    else:
        channel.writer = block
    return block


@given(BITS)
def test_an_edge_marks_what_it_tells_of_and_nothing_else(events: int) -> None:
    channel = Channel(3)
    channel.readable = channel.writable = False
    channel.deliver(events, lambda block: None)
    assert channel.readable == bool(events & READS)
    assert channel.writable == bool(events & WRITES)


@given(BITS, st.booleans())
def test_a_waiter_is_woken_by_its_own_direction_and_once(events: int, reads: bool) -> None:
    channel = Channel(3)
    block = parked(channel, reads)
    woken: list[Any] = []
    channel.deliver(events, woken.append)
    channel.deliver(events, woken.append)
    assert woken == ([block] if events & (READS if reads else WRITES) else [])
    assert channel.awaited == (not woken)


@given(BITS)
def test_what_is_no_plain_readiness_makes_it_careful(events: int) -> None:
    channel = Channel(3, careful=False)
    channel.deliver(events, lambda block: None)
    assert channel.careful == bool(events & (ERR | HUP | RDHUP))


@given(BITS, st.sampled_from([IN, OUT, IN | OUT]))
def test_further_waiters_are_told_of_their_bits_and_of_every_error(events: int, mask: int) -> None:
    channel = Channel(3)
    told: list[int] = []
    ready = lambda: told.append(1)  # noqa: E731
    channel.wait_more(mask, ready)
    channel.deliver(events, lambda block: None)
    assert bool(told) == bool(events & (mask | ERR | HUP))
    channel.forget(ready)
    assert channel.more is None
    assert not channel.awaited


@given(st.booleans(), st.booleans(), st.booleans())
def test_who_parked_while_a_mark_was_cleared_is_woken_once_it_is_set_again(
    reads: bool, readable: bool, writable: bool
) -> None:
    channel = Channel(3)
    block = parked(channel, reads)
    channel.readable, channel.writable = readable, writable
    woken: list[Any] = []
    channel.left(woken.append)
    channel.left(woken.append)
    assert woken == ([block] if (readable if reads else writable) else [])
    assert channel.awaited == (not woken)


def test_a_close_wakes_all_and_leaves_the_marks_up() -> None:
    channel = Channel(3)
    reader = parked(channel, reads=True)
    writer: Any = Block()
    channel.writer = writer
    woken: list[Any] = []
    channel.close(woken.append)
    assert woken == [reader, writer]
    assert channel.readable
    assert channel.writable


def test_a_wait_is_withdrawn_at_most_once() -> None:
    channel = Channel(3)
    block = parked(channel, reads=True)
    assert channel._withdraw(block)
    assert not channel._withdraw(block)
    woken: list[Any] = []
    channel.deliver(IN, woken.append)
    assert woken == []
