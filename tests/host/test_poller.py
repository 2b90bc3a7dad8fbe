"""The poller: sleeps to the microsecond, and is woken from any kernel thread, once for each sleep."""

import os
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from types import FrameType
from typing import Any

import pytest

from weft.host import poller as poller_module
from weft.host.poller import READ, Poller


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


def with_ticks(poller: Poller, function: Callable[[], object], only: int | None = None) -> int:
    """Call the function, and have the poller serve before each line of the poller's own, as a tick does.

    With `only` there is one tick, before that line. How many lines there were is returned.
    """
    ticks = 0

    def tick(frame: FrameType, event: str, arg: object) -> Any:
        nonlocal ticks
        if frame.f_code.co_filename != poller_module.__file__ or frame.f_code.co_name == "serve":
            return None
        if event == "line":
            ticks += 1
            if only is None or ticks == only:
                poller.serve()
        return tick

    before = sys.gettrace()
    sys.settrace(tick)
    try:
        function()
    finally:
        sys.settrace(before)
    return ticks


def test_a_tick_in_the_middle_of_a_change_loses_no_watch(poller: Poller) -> None:
    """A process pool hung at short slices: the tick took the descriptor out that was being put in."""
    reader, writer = os.pipe()
    quiet = os.pipe()
    os.write(writer, b"ready")
    poller.watch(quiet[0], READ, lambda: called.append(9))
    called: list[int] = []
    others = [lambda number=number: called.append(number) for number in range(3)]
    try:
        assert with_ticks(poller, lambda: poller.watch(reader, READ, others[0])) > 3
        poller.serve()
        assert called == [0]
        os.read(reader, 5)
        poller.watch(reader, READ, others[0])
        os.write(writer, b"ready")
        with_ticks(poller, lambda: poller.watch(reader, READ, others[1]))
        poller.serve()
        assert called == [0, 0, 1]
        os.read(reader, 5)
        for other in others:
            poller.watch(reader, READ, other)
        os.write(writer, b"ready")
        with_ticks(poller, lambda: poller.unwatch(reader, others[2]))
        assert sorted(called) in ([0, 0, 0, 1, 1], [0, 0, 0, 1, 1, 2])
        poller.serve()
        assert len(poller) == 1
    finally:
        for fd in (reader, writer, *quiet):
            os.close(fd)


@pytest.mark.parametrize("change", ["watch", "unwatch"])
def test_one_tick_anywhere_in_a_change_loses_no_watch_of_another(poller: Poller, change: str) -> None:
    """The tick serves the first watch and drops its list, just as one is being put on it or taken off."""
    called: list[str] = []
    first, second = (lambda: called.append("first")), (lambda: called.append("second"))
    only, lines = 1, 1
    while only <= lines:
        called.clear()
        reader, writer = os.pipe()
        os.write(writer, b"ready")
        poller.watch(reader, READ, first)
        if change == "watch":
            lines = with_ticks(poller, partial(poller.watch, reader, READ, second), only)
            poller.serve()
            assert sorted(called) == ["first", "second"], only
        else:
            lines = with_ticks(poller, partial(poller.unwatch, reader, first), only)
            poller.serve()
            assert called in ([], ["first"]), only
        assert len(poller) == 0
        os.close(reader)
        os.close(writer)
        only += 1
    assert only > 4


def test_a_closed_descriptor_whose_file_is_still_open_does_not_keep_it_awake(poller: Poller) -> None:
    """The epoll goes on reporting the file, and cannot be told of a descriptor that is closed."""
    called: list[str] = []
    (reader, writer), quiet = os.pipe(), os.pipe()
    child = os.dup(reader)
    try:
        poller.watch(quiet[0], READ, lambda: called.append("quiet"))
        poller.watch(reader, READ, lambda: called.append("closed"))
        os.close(reader)
        os.write(writer, b"ready")
        poller.wait(5)
        assert called == ["closed"]
        poller.wait(5)  # finds out
        assert took(poller, 0.01) >= 0.01
        os.write(quiet[1], b"ready")
        poller.wait(5)
        assert called == ["closed", "quiet"]
        assert took(poller, 0.01) >= 0.01
    finally:
        for fd in (writer, child, *quiet):
            os.close(fd)


def test_what_cannot_be_watched_is_not_held_to_be(poller: Poller) -> None:
    with tempfile.TemporaryFile() as file:
        assert poller.watch(file.fileno(), READ, lambda: None) is False
    with pytest.raises(OSError, match="Bad file descriptor"):
        poller.watch(file_number_that_is_free(), READ, lambda: None)
    assert len(poller) == 0


def file_number_that_is_free() -> int:
    fd = os.dup(0)
    os.close(fd)
    return fd
