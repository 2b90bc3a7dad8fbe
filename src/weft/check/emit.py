"""From the schedule of a finding to a test that is kept: the few operations whose order makes it fail.

The schedule is run once more to see each operation. Where threads take turns the last one of each turn is
enough as a rule; of many as many are left out as can be. What is written has been run in a fresh process:
steered along these operations the program fails in the same way.
"""

import json
import os
from collections.abc import Callable
from functools import partial
from typing import Any

from weft.check import findings
from weft.check.again import collect
from weft.check.emitted import Text, write
from weft.check.execution import Executor, Outcome
from weft.check.explore import Report
from weft.check.findings import Finding
from weft.check.order import CLOCK, Labels, Named, code_of
from weft.check.program import Program
from weft.check.schedule import Schedule
from weft.check.settings import Settings
from weft.check.steering import made_ready
from weft.check.strategies.guided import Recorded
from weft.check.strategies.steered import ALIKE, EXACT, Steered
from weft.check.tell import steps_that_matter
from weft.check.world import MODEL
from weft.errors import WeftError
from weft.host.clock import monotonic
from weft.models import controlled

__all__ = ["Emission"]

MOST_TRIES = 600
MOST_SECONDS = 3.0
FEW = 6  # operations, of which none is left out any more: they are read
LAST = 3  # operations that are left out last
_LIBRARY = os.path.dirname(os.path.abspath(os.__file__)) + os.sep
Send = Callable[[Any], None]


class Emission:
    """A test to write if something is found.

    Args:
        path: its file, which `claim` (weft.check.emitted) allows.
        strict: whether warnings count.

    Attributes:
        written: the file, or None.
        said: what there is to say of it.
    """

    def __init__(self, path: str, strict: bool) -> None:
        self._path = path
        self._strict = strict
        self.written: str | None = None
        self.said = ""

    def of(self, program: Program, settings: Settings, report: Report, replay: str | None) -> None:
        """Write the test of what the report has found, or say why not."""
        finding = report.schedule.finding if report.schedule is not None else None
        if finding is None or not (finding["level"] == "failure" or self._strict):
            only = " (with --strict one of the warning is)" if finding is not None else ""
            self.said = f"no test was written: nothing failed{only}"
            return
        assert report.schedule is not None
        try:
            order = _Orders(made_ready(program, settings), report.schedule, settings.limit).least()
            if order is None:
                self.said = (
                    "no test was written: threads held at operations by name do not fail in the same way"
                )
                return
            text = Text(self._path, program.kind, program.what, program.args)
            write(self._path, text.of(finding, order, replay, _options(program, settings, finding)))
        except WeftError as error:  # what was found is told all the same
            self.said = f"no test was written: {error}"
            return
        self.written = self._path
        self.said = f"test: python -m pytest {self._path}"

    def added(self, text: str, as_json: bool) -> str:
        """A report with what there is to say of the test."""
        if as_json:
            return json.dumps(json.loads(text) | {"test": self.written})
        return f"{text}\n{self.said}"


def _options(program: Program, settings: Settings, finding: Finding) -> dict[str, Any]:
    options: dict[str, Any] = {name: value for name, value in program.choice.items() if value}
    if settings.limit != Settings().limit:
        options["steps"] = settings.limit
    options |= {
        name: getattr(settings, name) for name in ("net_faults", "net_pass") if getattr(settings, name)
    }
    if finding["level"] == "warning":
        options["strict"] = True
    return options


class _Orders:
    """Orders along which the same comes of the program as under a schedule."""

    def __init__(self, executor: Executor, schedule: Schedule, limit: int) -> None:
        assert schedule.finding is not None
        self._executor = executor
        self._schedule = schedule
        self._finding: Finding = schedule.finding
        self._limit = limit

    def least(self) -> list[Named] | None:
        """The shortest that was found; None: there is none."""
        self._record()
        own = [each for each in self._matter if not self._order[each].source or self._is_own[each]]
        every = list(range(len(self._order)))
        turns = [self._turns(steps) for steps in (self._clashing(), own, self._matter, every)]
        for chosen in (*turns, self._matter, every):
            for indexes in (self._fewer(chosen), chosen):
                order = [self._order[index] for index in indexes]
                if order and _first(collect(self._telling_whether(order))):
                    return order
        return None

    def _clashing(self) -> list[int]:
        """What the threads of the finding do to what it is about."""
        about = {f"{verb} {name}" for name in self._finding["names"] for verb in ("reads", "writes", "calls")}
        return [
            each
            for each in self._matter
            if self._order[each].what in about and self._order[each].thread in self._finding["threads"]
        ]

    def _turns(self, chosen: list[int]) -> list[int]:
        """Of operations that a thread does one after another the last."""
        after: list[int | None] = [*chosen[1:], None] if chosen else []
        return [
            each
            for each, other in zip(chosen, after, strict=True)
            if other is None or self._order[other].thread != self._order[each].thread
        ]

    def _record(self) -> None:
        """All operations of the schedule, the clock's among them, and which of them matter for the story."""

        def work(send: Send) -> None:
            MODEL.release_points = frozenset(self._schedule.release)
            recorded = Recorded(self._schedule.choices)
            told = self._run(recorded, recorded if self._schedule.clock else None, tell=True).told
            send(
                {
                    "sequence": recorded.sequence,
                    "steps": [list(step) for step in told.steps],
                    "details": [list(detail) for detail in told.details],
                    "waits": [list(wait) for wait in told.waits],
                    "threads": sorted(told.names.items()),
                }
            )

        self._order: list[Named] = []
        self._matter: list[int] = []
        self._is_own: list[bool] = []  # whether it stands in the program, and not in the standard library
        piece = _first(collect(work))
        if piece is None:
            return
        again = Schedule("", [], 0, [])
        again.tell(piece)
        again.finding = self._finding
        labels = Labels()
        names = {number: labels.give(name) for number, name in piece["threads"]}
        told_of = set(steps_that_matter(again))
        steps = iter(enumerate(again.steps))
        for number in piece["sequence"]:
            if number == controlled.CLOCK:
                self._add(Named(CLOCK), True, True)
                continue
            index, (thread, what, place) = next(steps, (-1, (0, "", "")))
            if index < 0:  # chosen, and the execution was over
                break
            own = not place.startswith(_LIBRARY)
            self._add(Named(names[thread], what, *code_of(place)), index in told_of, own)

    def _add(self, named: Named, matters: bool, own: bool) -> None:
        if matters:
            self._matter.append(len(self._order))
        self._order.append(named)
        self._is_own.append(own)

    def _run(self, strategy: Any, chooser: Any, tell: bool = False) -> Outcome:
        analyse = self._finding["level"] != "failure"
        return self._executor.run(strategy, chooser, self._limit, tell=tell, analyse=analyse)

    def _shows(self, order: list[Named], whose: int = EXACT) -> bool:
        """Whether the finding comes of a run along this order, with nothing of it left out."""
        MODEL.release_points = frozenset(self._schedule.release)
        steered = Steered(order, whose)
        outcome = self._run(steered, steered if steered.clocked else None)
        failure = outcome.failure
        wanted = findings.signature(self._finding)
        if self._finding["level"] == "failure":
            same = failure is not None and findings.signature(failure) == wanted
        else:
            same = failure is None and wanted in map(findings.signature, outcome.others)
        return same and not steered.missed

    def _telling_whether(self, order: list[Named]) -> Callable[[Send], None]:
        return lambda send: send(self._shows(order))

    def _fewer(self, chosen: list[int]) -> list[int]:
        """Leave out what can be left out until few are left, the boldest first.

        All tries are made in one process, where pools count their threads on. If the failure shows in fresh
        state alone, each has a process of its own.
        """
        if len(chosen) <= FEW:
            return chosen

        def named(some: list[int]) -> list[Named]:
            return [self._order[index] for index in some]

        def all_in_one(send: Send) -> None:
            for whose in (EXACT, ALIKE):
                shows = partial(self._shows, whose=whose)
                shows(named(chosen))
                if shows(named(chosen)):  # with the state put back
                    send(_least(chosen, lambda some: shows(named(some))))  # noqa: B023 - it is called here
                    return

        found = _first(collect(all_in_one))
        if found is not None:
            return list(found)
        return _least(chosen, lambda some: bool(_first(collect(self._telling_whether(named(some))))))


def _least(chosen: list[int], shows: Callable[[list[int]], bool]) -> list[int]:
    """As few as will do, or FEW: taken away from the beginning, since what comes last says most."""
    until = monotonic() + MOST_SECONDS
    tries = 0
    least = chosen
    size = max(1, len(least) // 2)
    while size and len(least) > FEW:
        at = 0
        before = len(least)
        while at < len(least) - LAST and len(least) > FEW:
            if tries >= MOST_TRIES or monotonic() > until:
                return least
            tries += 1
            without = least[:at] + least[min(at + size, len(least) - LAST) :]
            if shows(without):
                least = without
            else:
                at += size
        size = size if len(least) < before and size == 1 else size // 2
    return least


def _first(pieces: list[Any]) -> Any:
    return pieces[0] if pieces else None
