"""The poller: sleeps to the microsecond, and is woken from any kernel thread, once for each sleep."""

import os
import resource
import select
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from weft.core.channel import Channel
from weft.host import poller as poller_module
from weft.host.poller import Poller


@pytest.fixture
def poller() -> Iterator[Poller]:
    made = Poller()
    yield made
    made.close()


def took(poller: Poller, timeout: float | None) -> float:
    begun = time.perf_counter()
    poller.wait(timeout)
    return time.perf_counter() - begun


def test_a_sleep_takes_its_time_and_no_millisecond_more(poller: Poller) -> None:
    times = sorted(took(poller, 0.0003) for _ in range(20))
    assert times[0] >= 0.0003
    assert times[10] < 0.0012


def test_a_wake_ends_a_sleep_that_has_no_end(poller: Poller) -> None:
    threading.Timer(0.005, poller.wake).start()
    assert took(poller, None) < 5


def test_a_wake_before_the_sleep_ends_it_at_once(poller: Poller) -> None:
    poller.wake()
    assert took(poller, 5) < 1


def test_many_wakes_end_one_sleep(poller: Poller) -> None:
    for _ in range(1000):
        poller.wake()
    assert took(poller, 5) < 1
    assert took(poller, 0.01) >= 0.01


def test_a_wake_writes_nothing_into_a_file_that_has_its_number_now(tmp_path: Path) -> None:
    if not os.path.isdir("/proc/self/fd"):
        pytest.skip("no /proc to look at")
    before = set(os.listdir("/proc/self/fd"))
    poller = Poller()
    fresh = {int(fd) for fd in set(os.listdir("/proc/self/fd")) - before}
    taken = [fd for fd in fresh if os.path.exists(f"/proc/self/fd/{fd}") and fd != poller._events.fileno()]
    with open(tmp_path / "theirs", "wb") as file:
        for fd in taken:
            os.dup2(file.fileno(), fd)
        poller.wake()
        poller.close()
        assert (len(taken), os.path.getsize(file.name)) == (3, 0)
        for fd in taken:
            os.close(fd)  # it is theirs: still open


def test_its_descriptors_are_its_own_and_given_back() -> None:
    if not os.path.isdir("/proc/self/fd"):
        pytest.skip("no /proc to look at")
    before = os.listdir("/proc/self/fd")
    made = Poller()
    made.wake()
    made.after_fork()
    assert took(made, 0.005) >= 0.005  # a wake of the parent's is not the child's
    made.close()
    assert len(os.listdir("/proc/self/fd")) == len(before)


def test_an_edge_comes_once_and_again_at_the_next_change(poller: Poller) -> None:
    read, write = os.pipe()
    try:
        channel = object()
        assert poller.open(read, channel) is channel
        assert poller.look() == []
        os.write(write, b"a")
        assert [fd for fd, _ in poller.wait(5)] == [read]
        assert poller.look() == []  # not read, and yet told of once only
        os.write(write, b"b")
        assert [fd for fd, _ in poller.look()] == [read]
    finally:
        os.close(read)
        os.close(write)


def test_a_descriptor_that_is_open_already_keeps_its_channel_and_tells_again(poller: Poller) -> None:
    read, write = os.pipe()
    try:
        first, second = object(), object()
        os.write(write, b"a")
        poller.open(read, first)
        assert [fd for fd, _ in poller.look()] == [read]
        assert poller.open(read, second) is first
        assert [fd for fd, _ in poller.look()] == [read]
    finally:
        os.close(read)
        os.close(write)


def test_a_number_that_was_closed_behind_its_back_is_registered_anew(poller: Poller) -> None:
    read, write = os.pipe()
    poller.open(read, object())
    os.close(read)
    os.close(write)
    again, write = os.pipe()
    assert again == read
    try:
        channel = object()
        poller.arm(again, channel)
        os.write(write, b"a")
        assert [fd for fd, _ in poller.look()] == [again]
        assert poller.channels[again] is channel
    finally:
        os.close(again)
        os.close(write)


@pytest.mark.parametrize("how", ["as a further waiter", "taking it back"])
def test_who_comes_to_wait_as_a_channel_is_taken_elsewhere_is_told(poller: Poller, how: str) -> None:
    """Another carrier's thread begins to wait after it was seen that nobody does, before the release."""
    read, write = os.pipe()
    other = Poller(poller.channels)
    channel = Channel(read)
    me: Any = object()
    try:
        poller.open(read, channel)
        channel.poller, channel.reader = poller, me
        release = poller.release

        def slow_release(fd: int) -> None:
            if how == "taking it back":
                channel.poller = poller
                poller.arm(fd, channel)
            else:
                channel.wait_more(select.POLLIN, lambda: None)
                poller.arm(fd, channel)
            release(fd)

        poller.release = slow_release  # type: ignore[method-assign]
        other.take(read, channel, me)
        poller.look()
        os.write(write, b"a")
        assert [fd for fd, _ in poller.look()] == [read]
    finally:
        other.close()
        os.close(read)
        os.close(write)


def test_two_carriers_that_arm_one_poller_at_once_do_not_fail(poller: Poller) -> None:
    read, write = os.pipe()
    events = poller._events
    try:
        channel = Channel(read)
        poller.channels[read] = channel
        modify = events.modify

        def late(fd: int) -> None:
            try:
                modify(fd)
            except FileNotFoundError:
                events.register(fd)  # the other's
                raise

        events.modify = late
        poller.arm(read, channel)
        assert poller.channels[read] is channel
        os.write(write, b"a")
        assert [fd for fd, _ in poller.look()] == [read]
    finally:
        os.close(read)
        os.close(write)


def test_what_cannot_be_watched_leaves_nothing_behind(poller: Poller, tmp_path: Path) -> None:
    with open(tmp_path / "file", "wb") as file:
        with pytest.raises(PermissionError):
            poller.open(file.fileno(), object())
        with pytest.raises(PermissionError):
            poller.arm(file.fileno(), object())
        closed = os.dup(file.fileno())
    os.close(closed)
    with pytest.raises(OSError, match="Bad file descriptor"):
        poller.open(closed, object())
    assert len(poller) == 0


def test_a_stranger_among_the_events_is_dropped(poller: Poller) -> None:
    read, write = os.pipe()
    try:
        poller.open(read, object())
        del poller.channels[read]
        os.write(write, b"a")
        for fd, _ in poller.look():
            poller.stray(fd)
        os.write(write, b"a")
        assert poller.look() == []
    finally:
        os.close(read)
        os.close(write)


def test_who_loses_the_descriptors_tells_all_channels_to_look(poller: Poller) -> None:
    read, write = os.pipe()
    try:
        poller.open(read, object())
        for fd in list(poller._ours):
            os.close(fd)
        os.close(poller._events.fileno())
        assert [fd for fd, _ in poller.wait(0.01)] == [read]
        os.write(write, b"a")
        assert [fd for fd, _ in poller.wait(5)] == [read]
    finally:
        os.close(read)
        os.close(write)


def with_ticks(poller: Poller, function: Callable[[], object]) -> set[int]:
    """Call the function, and serve before each line of the poller's own, as a tick does; what was served."""
    served: set[int] = set()

    def tick(frame: FrameType, event: str, arg: object) -> Any:
        if frame.f_code.co_filename != poller_module.__file__ or frame.f_code.co_name in ("look", "stray"):
            return None
        if event == "line":
            for fd, _ in poller.look():
                if fd in poller.channels:
                    served.add(fd)
                else:
                    poller.stray(fd)
        return tick

    before = sys.gettrace()
    sys.settrace(tick)
    try:
        function()
    finally:
        sys.settrace(before)
    return served


def test_a_tick_in_the_middle_of_a_registration_loses_nothing(poller: Poller) -> None:
    """A process pool hung at short slices: the tick took the descriptor out that was being put in."""
    read, write = os.pipe()
    os.write(write, b"ready")
    try:
        for call in (poller.open, poller.arm):
            served = with_ticks(poller, lambda call=call: call(read, object()))  # type: ignore[misc]
            served |= {fd for fd, _ in poller.look()}
            assert served == {read}
            assert read in poller.channels
            poller.drop(read, poller.channels[read])
    finally:
        os.close(read)
        os.close(write)


@pytest.fixture
def crowd() -> Iterator[Callable[[], None]]:
    """Take all numbers below 1,100, which is more than `select` knows."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    taken: list[int] = []

    def fill() -> None:
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 2000), hard))
        while not taken or taken[-1] < 1100:
            taken.append(os.dup(0))

    yield fill
    for fd in taken:
        os.close(fd)
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_a_child_of_a_crowded_process_has_the_numbers_of_its_parent(
    poller: Poller, crowd: Callable[[], None]
) -> None:
    before = {*poller._ours, *poller._sleep_on}
    crowd()
    poller.after_fork()
    assert {*poller._ours, *poller._sleep_on} == before


def test_a_poller_that_is_made_in_a_crowded_process_sleeps(crowd: Callable[[], None]) -> None:
    crowd()
    poller = Poller()
    try:
        assert poller._sleep_on[0] > 1023
        assert took(poller, 0.002) >= 0.002
        poller.wake()
        assert took(poller, 5) < 1
    finally:
        poller.close()


@pytest.mark.parametrize("how", ["open", "arm"])
def test_who_registers_meets_the_loss_of_the_descriptors_first(poller: Poller, how: str) -> None:
    reader, writer = os.pipe()
    for fd in (*poller._ours, *poller._sleep_on):
        os.close(fd)
    channel = object()
    getattr(poller, how)(reader, channel)
    assert poller.channels == {reader: channel}
    os.write(writer, b"x")
    assert [fd for fd, _ in poller.wait(1)] == [reader]
    os.close(reader)
    os.close(writer)
    with pytest.raises(OSError, match="Bad file descriptor"):
        getattr(poller, how)(reader, channel)
