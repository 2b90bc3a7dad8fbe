"""Who is taken to be stuck: who sleeps, or computes for long; not who gets little of a processor."""

import pytest

from weft.check import workers


class Child:
    def __init__(self) -> None:
        self.spent: float | None = 0.0

    def processor_time(self) -> float | None:
        return self.spent


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    clock = [100.0]
    monkeypatch.setattr(workers, "monotonic", lambda: clock[0])
    return clock


@pytest.mark.parametrize(
    ("passed", "spent", "stuck"),
    [
        (9.9, 9.9, False),  # it may still come to a point
        (10.1, 0.1, True),  # it sleeps in a call
        (10.1, 9.0, True),  # it computes, and comes to none
        (10.1, 2.0, False),  # others have the processor
        (59.0, 7.9, False),
        (59.0, 8.1, True),
        (59.0, 1.0, True),
        (60.1, 5.0, True),
        (10.1, None, True),  # the system does not tell
    ],
)
def test_who_is_stuck(now: list[float], passed: float, spent: float | None, stuck: bool) -> None:
    child = Child()
    progress = workers._Progress(child)  # type: ignore[arg-type]
    now[0] += passed
    child.spent = spent
    assert progress.is_stuck() is stuck


def test_who_gets_on_is_not(now: list[float]) -> None:
    child = Child()
    progress = workers._Progress(child)  # type: ignore[arg-type]
    for _ in range(5):
        now[0] += 9.0
        child.spent = 9.0
        progress.note()
    now[0] += 9.0
    assert not progress.is_stuck()


def test_what_a_child_has_had_of_a_processor_is_known() -> None:
    def work(send: object) -> None:
        while True:
            sum(range(1000))

    child = workers.fork_child(work)
    try:
        while not child.processor_time():
            pass
    finally:
        child.end(kill=True)
