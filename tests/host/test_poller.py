"""The poller: sleeps to the microsecond, and is woken from any kernel thread, once for each sleep."""

import os
import threading
import time
from collections.abc import Iterator

import pytest

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
