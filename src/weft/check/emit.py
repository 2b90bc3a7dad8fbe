"""From the schedule of a finding to a test that is kept: the few operations whose order makes it fail.

The schedule is run once more to see each operation. Then as many are left out as can be, as long as a run that
is steered along the others fails in the same way; what is written has been run in a fresh process.
"""

import json
from collections.abc import Callable
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
from weft.check.strategies.steered import Steered
from weft.check.tell import that_matter
from weft.check.world import MODEL
from weft.errors import WeftError
from weft.host.clock import monotonic
from weft.models import controlled

__all__ = ["Emission"]

MOST_TRIES = 600
MOST_SECONDS = 3.0
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
            self.said = "no test was written: nothing failed"
            return
        assert report.schedule is not None
        try:
            order = _Orders(made_ready(program, settings), report.schedule, settings.limit).least()
            if order is None:
                self.said = "no test was written: threads held at operations by name do not fail in the same way"
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
        all_of_it, matter = self._recorded()
        for chosen in (matter, list(range(len(all_of_it)))):
            fewer = _first(collect(lambda send: self._fewer(all_of_it, chosen, send)))  # noqa: B023 - called here
            for indexes in (fewer, chosen):
                order = [all_of_it[index] for index in indexes or ()]
                if indexes is not None and _first(collect(lambda send: send(self._shows(order)))):  # noqa: B023
                    return order
        return None

    def _recorded(self) -> tuple[list[Named], list[int]]:
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

        piece = _first(collect(work))
        if piece is None:
            return [], []
        again = Schedule("", [], 0, [])
        again.tell(piece)
        again.finding = self._finding
        labels = Labels()
        names = {number: labels.give(name) for number, name in piece["threads"]}
        told_of = set(that_matter(again))
        order: list[Named] = []
        matter: list[int] = []
        steps = iter(enumerate(again.steps))
        for number in piece["sequence"]:
            if number == controlled.CLOCK:
                matter.append(len(order))
                order.append(Named(CLOCK))
                continue
            index, (thread, what, place) = next(steps, (-1, (0, "", "")))
            if index < 0:  # chosen, and the execution was over
                break
            if index in told_of:
                matter.append(len(order))
            order.append(Named(names[thread], what, *code_of(place)))
        return order, matter

    def _run(self, strategy: Any, chooser: Any, tell: bool = False) -> Outcome:
        analyse = self._finding["level"] != "failure"
        return self._executor.run(strategy, chooser, self._limit, tell=tell, analyse=analyse)

    def _shows(self, order: list[Named]) -> bool:
        """Whether the finding comes of a run along this order, with nothing of it left out."""
        MODEL.release_points = frozenset(self._schedule.release)
        steered = Steered(order)
        outcome = self._run(steered, steered if steered.clocked else None)
        failure = outcome.failure
        wanted = findings.signature(self._finding)
        if self._finding["level"] == "failure":
            same = failure is not None and findings.signature(failure) == wanted
        else:
            same = failure is None and wanted in map(findings.signature, outcome.others)
        return same and not steered.missed

    def _fewer(self, named: list[Named], chosen: list[int], send: Send) -> None:
        """Leave out what can be left out, the boldest first; all tries in one process."""
        until = monotonic() + MOST_SECONDS
        tries = 0

        def shows(indexes: list[int]) -> bool:
            nonlocal tries
            tries += 1
            return self._shows([named[index] for index in indexes])

        shows(chosen)
        if not shows(chosen):  # with the state put back
            send(None)
            return
        kept = self._writes(named, chosen)
        least = chosen
        size = len(least)
        while size:
            at = 0
            before = len(least)
            while at < len(least) and tries < MOST_TRIES and monotonic() < until:
                without = least[:at] + [each for each in least[at : at + size] if each in kept] + least[at + size :]
                if len(without) < len(least) and shows(without):  # from the beginning: of several that do, what comes last says most
                    at += size - (len(least) - len(without))
                    least = without
                else:
                    at += size
            size = size if len(least) < before and size == 1 else size // 2
        last = self._last(named, chosen)
        if last is not None and last not in least:
            fuller = sorted([*least, last])
            least = fuller if shows(fuller) else least
        send(least)

    def _writes(self, named: list[Named], chosen: list[int]) -> set[int]:
        """Of accesses that clash the writes: they are named even if they come by themselves."""
        if not self._finding["names"]:
            return set()
        places = {code_of(place) for place in self._finding["places"]}
        last = {}
        for index in chosen:
            each = named[index]
            if (each.function, each.source) in places and each.thread in self._finding["threads"]:
                if not each.what.startswith("reads "):
                    last[each.thread] = index
        return set(last.values())

    def _last(self, named: list[Named], chosen: list[int]) -> int | None:
        """The last operation where the finding is: it is named even if it comes by itself."""
        places = {code_of(place) for place in self._finding["places"]}
        found = [index for index in chosen if (named[index].function, named[index].source) in places]
        return found[-1] if found else None


def _first(pieces: list[Any]) -> Any:
    return pieces[0] if pieces else None
