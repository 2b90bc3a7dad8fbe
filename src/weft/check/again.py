"""A schedule that is known, run once more in a fresh child; and made smaller."""

from collections.abc import Callable
from typing import Any

from weft.check import findings
from weft.check.execution import Executor
from weft.check.schedule import Schedule
from weft.check.shrink import Tried, shrink
from weft.check.strategies.guided import Guided, Recorded
from weft.check.strategies.replay import Replay
from weft.check.world import MODEL
from weft.host.children import fork_child

__all__ = ["collect", "failure_in_child", "replay_in_child", "shrink_in_child"]

FRESH_SECONDS = 4.0  # to make one smaller of which each try is a process of its own

Collect = Callable[[Callable[[Any], None]], list[Any]]
"""Runs what it is given in a forked child, and returns what that sends."""


def collect(work: Callable[[Any], None], patience: float = 60.0) -> list[Any]:
    """Run this in a forked child; what it sends until it ends, or says nothing for so many seconds."""
    child = fork_child(work)
    pieces = []
    try:
        while True:
            pieces.append(child.receive(patience))
    except (EOFError, TimeoutError) as error:
        child.end(kill=isinstance(error, TimeoutError))
    return pieces


def replay_in_child(executor: Executor, schedule: Schedule, limit: int, collect: Collect) -> Any:
    """Run a schedule once in a forked child: what was found, the steps, where it parted; None: no answer."""
    wanted = schedule.finding
    analyse = wanted is not None and wanted["level"] != "failure"

    def work(send: Any) -> None:
        MODEL.release_points = frozenset(schedule.release)
        strategy = Replay(schedule.choices)
        chooser = _Following(strategy) if schedule.clock else None
        executor.notes = executor.notes or analyse
        outcome = executor.run(strategy, chooser, limit, tell=True, analyse=analyse)
        strategy.end(outcome.steps, None)
        found = outcome.failure
        if analyse and wanted is not None:
            same = [each for each in outcome.others if findings.signature(each) == findings.signature(wanted)]
            found = same[0] if same else found
        send(
            {
                "finding": found,
                "findings": outcome.findings,
                "choices": outcome.choices,
                "steps": [list(step) for step in outcome.told.steps],
                "details": [list(detail) for detail in outcome.told.details],
                "waits": [list(wait) for wait in outcome.told.waits],
                "threads": [[number, name] for number, name in outcome.told.names.items()],
                "diverged": strategy.diverged,
                "lanes": outcome.told.lanes.plain if outcome.told.lanes else {},
            }
        )

    pieces = collect(work)
    return pieces[0] if pieces else None


def failure_in_child(executor: Executor, schedule: Schedule, limit: int, collect: Collect) -> Any:
    """The failure that a schedule ends with where nobody takes down what happens; None if it has none.

    Whatever is told of keeps objects alive, so that a program that asks whether one is gone may part there.
    """

    def work(send: Any) -> None:
        MODEL.release_points = frozenset(schedule.release)
        send(executor.run(Replay(schedule.choices), None, limit).failure)

    pieces = collect(work)
    return pieces[0] if pieces else None


class _Following:
    """A replay of an execution in which the clock was offered: each offer is in the schedule."""

    def __init__(self, strategy: Replay) -> None:
        self.pick = strategy.pick


def shrink_in_child(executor: Executor, schedule: Schedule, limit: int, collect: Collect) -> Tried | None:
    """A smaller schedule that fails in the same way, or the same one; None: it did not fail again.

    All tries are made in one child. If the failure shows in fresh state alone, each is a child of its own.
    """
    assert schedule.finding is not None
    wanted = findings.signature(schedule.finding)

    def run(guided: Guided) -> Tried | None:
        outcome = executor.run(guided, guided if schedule.clock else None, limit)
        failure = outcome.failure
        same = failure is not None and findings.signature(failure) == wanted
        return Tried(guided.sequence, guided.preemptions, outcome.choices) if same else None

    def all_in_one(send: Callable[[Any], None]) -> None:
        MODEL.release_points = frozenset(schedule.release)
        run(Recorded(schedule.choices))
        first = run(Recorded(schedule.choices))  # with the state put back
        best = None if first is None else shrink(first, lambda blocks: run(Guided(blocks)))
        send([] if best is None else best.plain)

    def one(guided: Guided) -> Tried | None:
        def work(send: Callable[[Any], None]) -> None:
            MODEL.release_points = frozenset(schedule.release)
            tried = run(guided)
            send([] if tried is None else tried.plain)

        return _tried(collect(work))

    best = _tried(collect(all_in_one))
    if best is not None:
        return best
    first = one(Recorded(schedule.choices))
    return shrink(first, lambda blocks: one(Guided(blocks)), FRESH_SECONDS) if first is not None else None


def _tried(pieces: list[Any]) -> Tried | None:
    return Tried(*pieces[0]) if pieces and pieces[0] else None
