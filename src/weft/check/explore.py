"""The search: units of work until something is found, everything has been tried, or time is up.

The program is imported once, here, and each piece of the search is a forked child. What comes of the units
(weft.check.units) is put together here; what was found is shown again in a fresh child, and made smaller.
"""

import gc
from collections.abc import Callable
from functools import partial
from typing import Any

from weft.check import findings, units
from weft.check.again import failure_in_child, replay_in_child, shrink_in_child
from weft.check.benign import patterns_of
from weft.check.coordinator import Coordinator
from weft.check.divergence import parting
from weft.check.execution import Executor
from weft.check.frontier import BoundedFrontier, DporFrontier
from weft.check.plan import Plan, Planned
from weft.check.program import Program
from weft.check.report import Report
from weft.check.schedule import Schedule
from weft.check.settings import Settings
from weft.check.state import Snapshot, modules_with_state
from weft.check.strategies.walk import Walk
from weft.check.units import MANY, Knowledge, Unit
from weft.check.workers import STUCK, ForkedWorkers, Lost, Workers, ask_child
from weft.check.world import MODEL, NET
from weft.errors import WeftError
from weft.host.children import Interrupts
from weft.host.clock import monotonic
from weft.host.entropy import Stream

__all__ = ["Explorer", "Report"]

MOST_PROBLEMS = 5  # children that ended without a word, after which the search is given up
CAUSES = (
    "It may depend on the real time (datetime.now), on process numbers, files or sockets, or on addresses"
    " (id(), the order of a set of objects)."
)
DIVERGED = "executions that went another way than the same choices had before"
LOST = "what comes after executions that ended their process"
MOST_DOUBTS = 3  # times that a failure may not show again, after which it is no longer looked at
MOST_OTHERS = 20  # warnings and notes of a search
MOST_HOT = 32  # times that units are thrown away since executions change what none had changed
GRACE = 2.0  # seconds for executions to end after an interrupt
IMPORTS = 3  # executions at most that import what the next need not
FIRST_UNITS = 3  # of whose executions the length is noted


class _Enough(Exception):
    """A failure has been found and shown again, or nothing is left to try."""


class Explorer:
    """One search over one program.

    Attributes:
        interrupts: signals that end the search early; None: it has none of its own.
        make_workers: makes who does the units; None: forked children.
        watch: told of how it goes, and of executions that are under way, often; None: nobody is.
        before_search: called when the program is prepared: a search that is gone on with is put in place.
        before: executions of the searches that this one goes on from.
        others: warnings and notes as they were found, by signature.
        doubted: how often a failure did not show again, by signature.
        buried: threads that would not end.
        preloaded: modules that the first executions imported.
    """

    def __init__(self, program: Program, settings: Settings) -> None:
        self.program = program
        self.settings = settings
        self.report = Report()
        self.executor = Executor(program, patterns=patterns_of(program.folder))
        self.executor.notes = settings.notes
        self.plan = Plan(settings)
        self.known = Knowledge()
        self.interrupts: Interrupts | None = None
        self.make_workers: Callable[[Explorer, float], Workers] | None = None
        self.watch: Callable[[Explorer, int], None] | None = None
        self.before_search: Callable[[Explorer], None] | None = None
        self.preloaded: list[str] = []
        self.others: dict[str, dict[str, Any]] = {}
        self.doubted: dict[str, int] = {}
        self.buried = 0
        self.before = 0
        self._begun = monotonic()
        self._spent = 0.0  # seconds of earlier searches that this one goes on from
        self._hot_news = 0
        self._cut_at: list[int] | None = None  # where the plan stood before the first unit that was cut off
        self._workers: Workers | None = None

    # -- the search ---------------------------------------------------------------------------------

    def explore(self) -> Report:
        """Search until a failure is found, everything has been tried, or the budget is spent."""
        report = self.report
        try:
            self.prepare()
            if self.before_search is not None:
                self.before_search(self)
            if self.known.threads == 1:  # there is nothing to choose
                report.exhausted = True
            else:
                self._search()
        except _Enough:
            pass
        finally:
            if self._workers is not None:
                self._workers.close()
        report.threads = self.known.threads
        failed = any(found["level"] == "failure" for found in report.findings)
        if not report.stuck and not failed and not self._interrupted and not self._once:
            self._run_twice()
        self._add_up()
        self._tell_others()
        report.interrupted = self._interrupted
        report.seconds = self._spent + monotonic() - self._begun
        return report

    def _search(self) -> None:
        self.plan.count_from(self.report.executions - self.before)
        until = self._begun + self.settings.seconds
        if self.make_workers is not None:
            now = monotonic()
            self._workers = self.make_workers(self, until)
            self._begun += monotonic() - now  # what it takes to start a cluster is no part of the budget
        else:
            self._workers = ForkedWorkers(self.settings.jobs, self.do, until, self.interrupts)
        Coordinator(
            self.plan,
            self._workers,
            merge=self._merge,
            known=lambda: self.known,
            executions=lambda: self.report.executions - self.before,
            stop=self._stop,
        ).run()

    # -- to go on another time ------------------------------------------------------------------------

    @property
    def has_rest(self) -> bool:
        """Whether the search could go on."""
        failed = any(found["level"] == "failure" for found in self.report.findings)
        return not (failed or self.report.complete or self.known.threads == 1 or self.plan.over)

    @property
    def plan_state(self) -> dict[str, Any]:
        """Where the plan stands; what was cut off has not been done."""
        state = self.plan.state
        return {**state, "at": self._cut_at or state["at"]}

    @property
    def snapshot_size(self) -> int:
        """How many parts the state of the modules has."""
        return len(self.executor.snapshot) if self.executor.snapshot is not None else 0

    def goes_on(self, seconds: float) -> None:
        """This search goes on from one that took so many seconds; its budget is its own."""
        self._spent = seconds
        self.before = self.report.executions

    def leave(self) -> None:
        """End all children: this process is about to end."""
        if self._workers is not None:
            self._workers.drop()

    # -- pieces of it -----------------------------------------------------------------------------------

    def do(self, unit: Unit, known: Knowledge, beat: units.Beat) -> Any:
        """Do a unit in this process, which is a child then (weft.check.units)."""
        return units.do(self.executor, self.settings, unit, known, beat)

    @property
    def left(self) -> float:
        """Seconds of the budget that are left."""
        return self.settings.seconds - (monotonic() - self._begun)

    @property
    def _interrupted(self) -> int:
        return self.interrupts.number if self.interrupts is not None else 0

    def _stop(self) -> float | None:
        """Whether it is time: the seconds in which all has to end."""
        if self.watch is not None and self._workers is not None:
            self.watch(self, self._workers.running())
        if self._interrupted:
            return GRACE
        return STUCK if self.left <= 0 else None

    def import_all(self, judge: bool = True) -> None:
        """Import here what an execution imports, until one imports nothing more."""
        for number in range(IMPORTS):
            unit = Unit(number, units.SHOT, "round-robin", 1, 0, 0)
            news: list[str] = []
            for piece in self._ask(partial(self._send, unit)):
                self._count(piece)
                self._learn(piece, shot=True)
                news += piece["news"]
                # Else it is run again, with these imported.
                if "finding" in piece and judge and (not news or number == IMPORTS - 1):
                    self._confirm(piece)
            if not news:
                break
            self.preload(news)

    def _send(self, unit: Unit, send: Callable[[Any], None]) -> None:
        send(self.do(unit, self.known, lambda: False))

    def preload(self, names: list[str]) -> None:
        """Import these here."""
        self.preloaded += names
        self.program.preload(names)

    def prepare(self, judge: bool = True) -> None:
        """The first execution: nobody is preempted; what it imports is imported here for all that follow."""
        self.import_all(judge)
        if not self._once:
            self.settle()

    def settle(self) -> None:
        """All is imported: from here on children are forked."""
        self.executor.snapshot = Snapshot(modules_with_state())
        gc.collect()
        gc.freeze()
        gc.disable()

    # -- what comes of units --------------------------------------------------------------------------

    def _merge(self, unit: Planned, outcome: Any) -> bool:
        """Take what came of a unit; whether something is known that was not."""
        if isinstance(outcome, Lost):
            return self._lose(unit, outcome)
        self._count(outcome)
        if outcome.get("cut") and unit.frontier is None:  # it will be done anew
            self._cut(unit)
            news = False
        else:
            news = self._learn(outcome, unit.kind == units.SHOT, unit.number < FIRST_UNITS)
        if unit.frontier is not None and unit.frontier in self.plan.frontiers.values():
            unit.frontier.merge(unit.taken, outcome["left"])
            self._look_at(unit.frontier)
        elif not outcome.get("more", True):
            self.plan.run_out = True
        if "finding" in outcome:
            news = self._confirm(outcome) or news
        self._add_up()
        if self.report.complete:
            raise _Enough
        return news

    def _cut(self, unit: Planned) -> None:
        if self._cut_at is None:
            self._cut_at = unit.mark

    def _lose(self, unit: Planned, lost: Lost) -> bool:
        """A process has ended without a word."""
        if self._interrupted or (self.left <= 0 and lost.killed):
            unit.put_back()
            self._cut(unit)
            return False
        if unit.frontier is not None:
            unit.frontier.lose(unit.taken)
            self._look_at(unit.frontier)
        self._ended_by_itself(lost.status, lost.stuck)
        return False

    def _ended_by_itself(self, status: int, stuck: bool) -> None:
        if stuck:
            self.report.stuck += 1
            return
        self.report.problems.append(f"the program ended its process by itself (wait status {status})")
        if len(self.report.problems) >= MOST_PROBLEMS:
            raise WeftError(self.report.problems[-1])

    def _count(self, piece: dict[str, Any]) -> None:
        """What a unit adds to the report."""
        report = self.report
        report.executions += piece["runs"]
        report.over_bound += piece["ends"].get("bound", 0)
        self.buried += piece.get("buried", 0)
        report.silenced.update(piece["silenced"])
        report.missed(*(f"what happens in {name}" for name in piece.get("unseen", ())))
        for other in piece["others"]:
            self.others.setdefault(findings.signature(other["finding"]), other)
        if piece.get("unfit"):
            raise WeftError(piece["unfit"])

    def _learn(self, piece: dict[str, Any], shot: bool, first: bool = True) -> bool:
        """What a unit has shown that later ones go by; whether that is anything new."""
        known = self.known
        news = False
        if piece["timed"] and not known.timed:
            known.timed = news = True
        threads = min(piece.get("threads", 0), MANY + 1) if shot else 0
        if threads > known.threads:
            news = news or threads > MANY
            known.threads = threads
        if first and piece["k"] > known.k:
            known.k = piece["k"]
            news = True
        self.executor.hot.update(piece["hot"])  # where schedules are made smaller it is put back, too
        if not known.hot.issuperset(piece["hot"]) and self._hot_news < MOST_HOT:
            self._hot_news += 1
            known.hot.update(piece["hot"])
            news = True
        if not known.release.issuperset(piece["tried"]):
            known.release |= frozenset(piece["tried"])
            MODEL.release_points = known.release
            self.plan.begin_anew()
            self.report.exhausted = False
            news = True
        return news

    def _look_at(self, frontier: BoundedFrontier | DporFrontier) -> None:
        """What a part of an exhaustive search means for the report."""
        report = self.report
        if isinstance(frontier, BoundedFrontier):
            report.bounded = "delays" if self.settings.strategy == "delay" else "preemptions"
            report.bound = frontier.exhausted if frontier.exhausted >= 0 else None
            report.within = frontier.within
            report.exhausted = report.exhausted or frontier.complete
            if frontier.complete and self.known.timed:
                report.missed("timeouts and sleeps")
        elif frontier.over:
            report.exhausted = report.exhausted or frontier.complete
            report.missed(*frontier.blurred)
        if frontier.over and frontier.diverged:
            report.missed(DIVERGED)
        if frontier.over and frontier.lost:
            report.missed(LOST)

    @property
    def _once(self) -> bool:
        """Whether it is a test without threads: most are, and one execution has shown all there is."""
        return self.known.threads == 1 and self.program.kind == "test"

    def _add_up(self) -> None:
        """What kept the search from seeing all."""
        report = self.report
        for count, text in (
            (report.stuck, "executions that were broken off"),
            (report.over_bound, "what comes after the bound on steps"),
            (report.unconfirmed, "what failed and did not show again in a fresh process"),
            (len(report.problems), "executions that ended their process"),
            (self.buried, "threads that would not end"),
        ):
            if count:
                report.missed(text)
        if NET.faults():
            report.missed("more faults of the network in one execution")

    def _ask(self, work: Callable[[Callable[[Any], None]], object]) -> list[Any]:
        """What a child of its own sends."""
        pieces, status, stuck = ask_child(work, self.interrupts)
        if stuck or not pieces:
            self._ended_by_itself(status, stuck)
        return pieces

    # -- findings -----------------------------------------------------------------------------------

    def _confirm(self, piece: dict[str, Any]) -> bool:
        """Run a failure's schedule in a fresh child, step by step; keep it if it fails there too.

        Returns whether it is no longer to be looked at.
        """
        schedule = self._schedule_of(piece)
        wanted = findings.signature(piece["finding"])
        limit = self.settings.limit
        again = replay_in_child(self.executor, schedule, limit, self._ask)
        if again is None or again["finding"] is None or findings.signature(again["finding"]) != wanted:
            self.report.unconfirmed += 1
            self.doubted[wanted] = self.doubted.get(wanted, 0) + 1
            if self.doubted[wanted] == MOST_DOUBTS:
                self.known.seen.add(wanted)
                return True
            return False
        smaller = shrink_in_child(self.executor, schedule, limit, self._ask)
        if smaller is not None:
            schedule.choices = smaller.choices
            self.report.preemptions = smaller.preemptions
            less = replay_in_child(self.executor, schedule, limit, self._ask)
            if less is not None and less["finding"] and findings.signature(less["finding"]) == wanted:
                self.report.whole, again = again, less
        self._keep(schedule, again)
        self.report.findings = [each for each in again["findings"] if each["level"] == "failure"]
        raise _Enough

    def _tell_others(self) -> None:
        """Add warnings and notes that show again in a fresh process."""
        report = self.report
        failed = bool(report.findings)
        for wanted, piece in list(self.others.items())[:MOST_OTHERS]:
            if piece["finding"]["kind"] == "lock-order" and (failed or report.exhausted):
                continue  # the deadlock has been found, or there is none
            schedule = self._schedule_of(piece)
            again = replay_in_child(self.executor, schedule, self.settings.limit, self._ask)
            found = again["finding"] if again is not None else None
            if found is None or findings.signature(found) != wanted:
                continue
            report.findings.append(found)
            if report.schedule is None and found["level"] == "warning":
                self._keep(schedule, again)
        report.findings.sort(key=lambda finding: ("failure", "warning", "note").index(finding["level"]))

    def _run_twice(self) -> None:
        """Run one schedule in two fresh processes: if they differ, no search and no replay is worth much."""
        schedule = self._schedule([])
        schedule.release = sorted(MODEL.release_points)
        seed = self.settings.seed << 40

        def work(send: Any) -> None:
            outcome = self.executor.run(Walk(Stream(seed), (0.5,)), None, self.settings.limit, tell=True)
            steps = [list(step) for step in outcome.told.steps]
            send({"choices": outcome.choices, "steps": steps, "finding": outcome.failure})

        first = self._ask(work)
        if not first:
            return
        schedule.choices = first[0]["choices"]
        again = replay_in_child(self.executor, schedule, self.settings.limit, self._ask)
        steps = [
            [(step[0], step[1], step[2]) for step in run["steps"]]
            for run in (first[0], again or {"steps": []})
        ]
        parted = parting(*steps)
        if again is not None and parted is not None:
            self.report.missed("what differs from one run to the next")
            self.report.problems.append(
                f"the program is not deterministic: one schedule, run twice, parts at step {parted[0]}:"
                f" {parted[1]}, then {parted[2]}. {CAUSES}"
            )
        elif first[0]["finding"] is not None:
            self._take_by_the_way(schedule)

    def _take_by_the_way(self, schedule: Schedule) -> None:
        """A schedule that was run for another reason has failed, which none of the search did."""
        found = failure_in_child(self.executor, schedule, self.settings.limit, self._ask)
        if found is None or findings.signature(found) in self.known.seen:
            return
        self.report.executions += 1
        piece = {"choices": schedule.choices, "clock": False, "release": schedule.release, "finding": found}
        try:
            self._confirm(piece)
        except _Enough:
            self.report.exhausted = False  # whatever was taken for all schedules was not

    def _schedule(self, choices: list[int]) -> Schedule:
        program = self.program
        made = Schedule(program.what, program.args, self.executor.seed, choices)
        made.kind, made.choice, made.network = program.kind, program.choice, NET.mode
        return made

    def _schedule_of(self, piece: dict[str, Any]) -> Schedule:
        schedule = self._schedule(piece["choices"])
        schedule.clock = piece["clock"]
        schedule.release = piece["release"]
        schedule.finding = piece["finding"]
        return schedule

    def _keep(self, schedule: Schedule, again: dict[str, Any]) -> None:
        """This is the schedule that the report ends with."""
        schedule.finding = again["finding"]
        schedule.choices = again["choices"]  # those of the fresh process, should they have parted
        schedule.tell(again)
        self.report.schedule = schedule
