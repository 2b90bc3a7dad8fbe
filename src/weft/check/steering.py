"""Executions that follow an order, and some beside it: whether the program still fails so.

First fresh processes follow the order: as it is written; then with the numbers in threads' names left open;
then with operations that did not come taken less strictly; then without those that still did not. After that
one process runs many executions near it and by chance, since a program that was edited may fail a little
elsewhere. All is counted in executions and steps and none in seconds: the answer does not depend on the
machine.
"""

import gc
from collections.abc import Callable, Iterator
from typing import Any

from weft.check import findings
from weft.check.again import collect, replay_in_child, shrink_in_child
from weft.check.execution import Executor, Outcome, WithClock
from weft.check.explore import Explorer
from weft.check.order import Named
from weft.check.program import Program
from weft.check.report import Report
from weft.check.schedule import Schedule
from weft.check.settings import Settings
from weft.check.state import Snapshot, modules_with_state
from weft.check.strategies.base import Strategy
from weft.check.strategies.pos import Pos
from weft.check.strategies.steered import ALIKE, ANY, EXACT, Near, Steered
from weft.check.strategies.surw import Surw
from weft.check.strategies.walk import Walk
from weft.check.world import MODEL
from weft.errors import WeftError
from weft.host.clock import monotonic
from weft.host.entropy import Stream

__all__ = ["SCHEDULES", "Steering", "made_ready"]

SCHEDULES = 300  # executions
MOST_STEPS = 1_000_000  # of all of them
AGES = 1e6  # seconds
MOST_DOUBTS = 3  # failures that do not show again in a fresh process


def made_ready(program: Program, settings: Settings) -> Executor:
    """What runs the program, which is prepared, with all imported that executions import.

    Raises:
        WeftError: it cannot be checked.
    """
    options = Settings(time=AGES, steps=settings.limit)
    explorer = Explorer(program, options)
    explorer.import_all(judge=False)
    executor = explorer.executor
    executor.snapshot = Snapshot(modules_with_state())
    gc.collect()
    gc.freeze()
    gc.disable()
    return executor


class Steering:
    """One search along an order.

    Args:
        program: prepared.
        order: the operations.
        settings: `schedules` and `limit` of it are heeded.
        strict: whether a warning is a failure.
    """

    def __init__(
        self, program: Program, order: list[Named], settings: Settings, strict: bool = False
    ) -> None:
        self.report = Report()
        self.missed: list[int] = list(range(len(order)))  # what came in none of the first executions
        self._program = program
        self._order = order
        self._limit = settings.limit
        self._room = settings.schedules or SCHEDULES
        self._strict = strict
        self._steps = 0
        self._doubted: set[str] = set()
        self._stream = Stream(settings.seed)
        self._executor = made_ready(program, settings)

    def search(self) -> Report:
        """Until a failure is found, or the executions have been made."""
        begun = monotonic()
        loose = self._along()
        number = 0
        while not self.report.findings and number < self._room and len(self._doubted) <= MOST_DOUBTS:
            number = self._beside(number, loose)
        self.report.seconds = monotonic() - begun
        return self.report

    # -- along the order -----------------------------------------------------------------------------

    def _along(self) -> list[int]:
        """Fresh processes, each less strict; what had to be taken loosely."""
        missed: list[int] = []
        loose: list[int] = []
        for whose in (EXACT, ALIKE, ALIKE, ANY):
            missed = self._one(self._order, whose, loose)
            if self.report.findings or not missed:
                return loose
            if whose == ALIKE:
                loose = sorted({*loose, *missed})
        kept = [named for index, named in enumerate(self._order) if index not in missed]
        self._one(kept, ALIKE, ())
        return loose

    def _one(self, order: list[Named], whose: int, loose: "list[int] | tuple[()]") -> list[int]:
        """One execution; once more while it has told of what is a point only if somebody asks."""
        while True:
            before = MODEL.release_points
            strategy = Steered(order, whose, loose)
            piece = self._ask(lambda send: send(self._followed(strategy)))  # noqa: B023 - it is called here
            if order is self._order:
                self.missed = [index for index in self.missed if index in piece["missed"]]
            if "finding" in piece:
                self._confirm(piece)
            if self.report.findings or before == MODEL.release_points:
                return list(piece["missed"])

    def _followed(self, strategy: Steered) -> dict[str, Any]:
        outcome = self._run(strategy, strategy if strategy.clocked else None)
        return {**self._told(outcome), "missed": strategy.missed, "runs": 1, "steps": outcome.steps}

    def _run(self, strategy: Strategy, chooser: Any) -> Outcome:
        outcome = self._executor.run(strategy, chooser, self._limit, analyse=self._strict)
        if outcome.unfit:
            raise WeftError(outcome.unfit)
        return outcome

    def _told(self, outcome: Outcome) -> dict[str, Any]:
        found = outcome.failure
        if found is None and self._strict:
            found = next((each for each in outcome.others if each["level"] == "warning"), None)
        told: dict[str, Any] = {"tried": sorted(self._executor.tried())}
        if found is None or findings.signature(found) in self._doubted:
            return told
        release = sorted(MODEL.release_points)
        return {
            **told,
            "finding": found,
            "choices": outcome.choices,
            "clock": MODEL.offer_clock,
            "release": release,
        }

    # -- beside it -----------------------------------------------------------------------------------

    def _beside(self, number: int, loose: list[int]) -> int:
        """Many executions in one process, from that number on; the number where it goes on."""
        seed = self._stream.below(1 << 30)

        def work(send: Any) -> None:
            executor = self._executor
            steps = self._steps
            strategies = self._nearby(Stream(seed), loose)
            for at in range(number, self._room):
                send(None)  # a sign of life
                strategy, chooser = next(strategies)
                outcome = self._run(strategy, chooser)
                strategy.end(outcome.steps, outcome.trace)
                steps += outcome.steps
                if at == number and executor.snapshot is not None:
                    executor.hot.update(executor.snapshot.changed())
                told = self._told(outcome)
                MODEL.release_points = MODEL.release_points | frozenset(executor.tried())
                if "finding" in told or steps > MOST_STEPS:
                    break
            over = self._room if steps > MOST_STEPS else at + 1
            send({**told, "runs": at + 1 - number, "steps": steps - self._steps, "next": over})

        piece = self._ask(work)
        if "finding" in piece:
            self._confirm(piece)
        return int(piece["next"])

    def _nearby(self, stream: Stream, loose: list[int]) -> Iterator[tuple[Strategy, Any]]:
        """What the executions run under, in turn, and who chooses in its place where time may pass."""
        near = Near(self._order, stream, ALIKE)
        loosely = Near(self._order, stream, ANY, loose)
        chance: tuple[Strategy, ...] = (Walk(stream), Pos(stream), Surw(stream))
        clocked = near.clocked
        while True:
            for each in chance:
                yield near, near if clocked else None
                yield each, WithClock(each, stream) if clocked else None
                yield loosely, loosely if clocked else None

    # -- processes -----------------------------------------------------------------------------------

    def _ask(self, work: Callable[[Any], object]) -> dict[str, Any]:
        pieces = [piece for piece in collect(_telling(work)) if piece is not None]
        if not pieces:
            raise WeftError("an execution has ended its process, or come to no further step")
        piece: dict[str, Any] = pieces[0]
        if "wrong" in piece:
            raise WeftError(piece["wrong"])
        self._steps += piece["steps"]
        self.report.executions += piece["runs"]
        MODEL.release_points = MODEL.release_points | frozenset(piece["tried"])
        return piece

    def _confirm(self, piece: dict[str, Any]) -> None:
        """Run it again, in a fresh process, and keep it if it fails there too."""
        schedule = Schedule(self._program.what, self._program.args, self._executor.seed, piece["choices"])
        schedule.kind, schedule.choice = self._program.kind, self._program.choice
        schedule.clock, schedule.release = piece["clock"], piece["release"]
        schedule.finding = piece["finding"]
        again = self._same_again(schedule)
        if again is None:
            self._doubted.add(findings.signature(piece["finding"]))
            self.report.unconfirmed += 1
            return
        if piece["finding"]["level"] == "failure":
            smaller = shrink_in_child(self._executor, schedule, self._limit, collect)
            if smaller is not None:
                schedule.choices = smaller.choices
                again = self._same_again(schedule) or again
        schedule.finding, schedule.choices = again["finding"], again["choices"]
        schedule.tell(again)
        self.report.schedule = schedule
        levels = ("failure", "warning") if self._strict else ("failure",)
        self.report.findings = [each for each in again["findings"] if each["level"] in levels]

    def _same_again(self, schedule: Schedule) -> Any:
        assert schedule.finding is not None
        again = replay_in_child(self._executor, schedule, self._limit, collect)
        same = again is not None and again["finding"] is not None
        wanted = findings.signature(schedule.finding)
        return again if same and findings.signature(again["finding"]) == wanted else None


def _telling(work: Callable[[Any], object]) -> Callable[[Any], None]:
    """Work that sends what it cannot do."""

    def told(send: Any) -> None:
        try:
            work(send)
        except WeftError as error:
            send({"wrong": str(error)})

    return told
