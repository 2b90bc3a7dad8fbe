"""The search: which strategy runs how often, in which kind of process, until something is found or time is
up.

The program is imported once, here, and each piece of the search is a forked child. A *one-shot* child runs
one execution in fresh state. A *batch* runs many, putting the state of modules back between them: a hundred
times faster, but what it finds is believed only when a fresh child shows it again.
"""

import gc
import sys
import traceback
from collections.abc import Callable
from typing import Any

from weft.check import findings
from weft.check.again import replay_in_child, shrink_in_child
from weft.check.benign import patterns_of
from weft.check.divergence import parting
from weft.check.execution import Executor, Outcome, WithClock
from weft.check.program import Program
from weft.check.schedule import Schedule
from weft.check.settings import Settings
from weft.check.state import Snapshot, modules_with_state
from weft.check.strategies.base import Strategy
from weft.check.strategies.delay import DelayDfs
from weft.check.strategies.dfs import BoundedDfs
from weft.check.strategies.dpor import Dpor
from weft.check.strategies.pct import Pct
from weft.check.strategies.pos import Pos
from weft.check.strategies.robin import RoundRobin
from weft.check.strategies.surw import Surw
from weft.check.strategies.walk import Walk
from weft.check.world import MODEL, NET, passed
from weft.errors import WeftError
from weft.host.children import fork_child
from weft.host.clock import monotonic
from weft.host.entropy import Stream

__all__ = ["Explorer", "Report"]

STUCK = 10.0  # seconds of real time without a word, after which a child is taken to be stuck
FIRST_BATCH = 0.1  # seconds
ONE_SHOTS = 50
MANY = 12  # threads
WITHOUT_CLOCK = ("dfs", "delay", "dpor", "round-robin")
SLICE = 0.5  # seconds of a later batch
MOST_PROBLEMS = 5  # children that ended without a word, after which the search is given up
CAUSES = (
    "It may depend on the real time (datetime.now), on process numbers, files or sockets, or on addresses"
    " (id(), the order of a set of objects)."
)
DIVERGED = "executions that went another way than the same choices had before"
LOOK_AT_FIRST = 24  # executions of a batch that are looked at for warnings
LOOK_EVERY = 17  # executions of which one is, later
MOST_DOUBTS = 3  # times that a failure may not show again, after which it is no longer looked at
MOST_OTHERS = 20  # warnings and notes of a search
BURIED = 200  # stacks that would not end, after which a batch gives up its process


class Report:
    """What a search has found.

    Attributes:
        complete: every schedule there is has been run, or one that is the same for the program.
        exhausted: so it seems from what was seen; `unseen` says what was not.
    """

    def __init__(self) -> None:
        self.findings: list[findings.Finding] = []
        self.schedule: Schedule | None = None
        self.outcome: Outcome | None = None
        self.whole: dict[str, Any] | None = None  # the run that was found, before it was made smaller
        self.executions = 0
        self.threads = 0  # most that an execution has had
        self.seconds = 0.0
        self.exhausted = False
        self.unseen: list[str] = []
        self.bound: int | None = None  # all schedules with at most so many have been run
        self.bounded = "preemptions"  # what the bound is of
        self.within = 0  # how many those are
        self.preemptions: int | None = None  # in the schedule
        self.unconfirmed = 0
        self.silenced: set[str] = set()  # what the program declares harmless
        self.stuck = 0
        self.over_bound = 0
        self.problems: list[str] = []

    @property
    def complete(self) -> bool:
        """Whether nothing is left to try."""
        return self.exhausted and not self.unseen

    def missed(self, *what: str) -> None:
        """Something that keeps a search from being complete."""
        self.unseen += [each for each in what if each not in self.unseen]


class _Found(Exception):
    """A failure has been found and shown again."""


class Explorer:
    """One search over one program."""

    def __init__(self, program: Program, settings: Settings) -> None:
        self.program = program
        self.settings = settings
        self.report = Report()
        self.executor = Executor(program, patterns=patterns_of(program.folder))
        self.executor.notes = settings.notes
        self._begun = monotonic()
        self._stream = self.executor.chance = Stream(settings.seed)
        self._k = 20
        self._dfs: list[Any] | None = None
        self._dfs_over = False
        self._dpor: list[Any] | None = None
        self._dpor_over = False
        self._timed = False
        self._threads = 0  # most that an execution has had
        self._run_out = False  # the strategy of the last batch has nothing more to try
        self._buried = 0
        self._seen: set[str] = set()
        self._doubted: dict[str, int] = {}  # how often a failure did not show again
        self._others: dict[str, dict[str, Any]] = {}  # warnings and notes, by signature

    # -- the plan -----------------------------------------------------------------------------------

    def explore(self) -> Report:
        """Search until a failure is found, everything has been tried, or the budget is spent."""
        try:
            self.prepare()
            if self._threads == 1:  # there is nothing to choose
                self.report.exhausted = True
            elif self.settings.strategy == "portfolio":
                self._portfolio()
            else:
                self._alone(self.settings.strategy)
        except _Found:
            pass
        self._add_up()
        self._tell_others()
        self.report.threads = self._threads
        failed = any(found["level"] == "failure" for found in self.report.findings)
        if not self.report.stuck and not failed and not self._once:
            self._run_twice()
        self.report.seconds = monotonic() - self._begun
        return self.report

    @property
    def _once(self) -> bool:
        """Whether it is a test without threads: most are, and one execution has shown all there is."""
        return self._threads == 1 and self.program.kind == "test"

    def _add_up(self) -> None:
        """What kept the search from seeing all."""
        report = self.report
        for count, text in (
            (report.stuck, "executions that were broken off"),
            (report.over_bound, "what comes after the bound on steps"),
            (report.unconfirmed, "what failed and did not show again in a fresh process"),
            (len(report.problems), "executions that ended their process"),
            (self._buried, "threads that would not end"),
        ):
            if count:
                report.missed(text)
        if NET.faults():
            report.missed("more faults of the network in one execution")

    def _tell_others(self) -> None:
        """Add warnings and notes that show again in a fresh process."""
        report = self.report
        failed = bool(report.findings)
        for wanted, piece in list(self._others.items())[:MOST_OTHERS]:
            if piece["finding"]["kind"] == "lock-order" and (failed or report.exhausted):
                continue  # the deadlock has been found, or there is none
            schedule = self._schedule_of(piece)
            again = replay_in_child(self.executor, schedule, self.settings.limit, self._collect)
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
        seed = self._stream.below(1 << 30)

        def work(send: Any) -> None:
            outcome = self.executor.run(Walk(Stream(seed), (0.5,)), None, self.settings.limit, tell=True)
            send({"choices": outcome.choices, "steps": [list(step) for step in outcome.told.steps]})

        first = self._collect(work)
        if not first:
            return
        schedule.choices = first[0]["choices"]
        again = replay_in_child(self.executor, schedule, self.settings.limit, self._collect)
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

    def _left(self) -> float:
        left = self.settings.seconds - (monotonic() - self._begun)
        if self.settings.schedules is not None and self.report.executions >= self.settings.schedules:
            return 0.0
        return left

    def _room(self, wanted: int) -> int:
        """How many executions may still be run, at most `wanted`."""
        if self.settings.schedules is None:
            return wanted
        return max(0, min(wanted, self.settings.schedules - self.report.executions))

    def import_all(self, judge: bool = True) -> None:
        """Import here what an execution imports, until one imports nothing more."""
        robin = RoundRobin()
        for left in (2, 1, 0):
            news = self._one_shot(robin, judge, audit=True, last=not left)
            if not news:
                break
            self.program.preload(news)

    def prepare(self) -> None:
        """The first execution: nobody is preempted; what it imports is imported here for all that follow."""
        self.import_all()
        if self._once:
            return
        self.executor.snapshot = Snapshot(modules_with_state())
        gc.collect()
        gc.freeze()
        gc.disable()

    def _portfolio(self) -> None:
        walk = Walk(self._stream)
        self._one_shot(walk)
        self._batch(self._mixture(), FIRST_BATCH)
        shots = 0
        turn = 0
        while self._left() > 0:
            turn += 1
            batch_until = monotonic()
            while shots < ONE_SHOTS and shots < turn * 10 and self._left() > 0:
                self._one_shot(walk)
                shots += 1
            spent = monotonic() - batch_until
            if turn % 2 and not self._dpor_over:
                self._batch(self._dpor_alone(), SLICE)
            elif turn % 4 == 2 and not self._dfs_over:
                self._batch(self._dfs_alone(), SLICE)
            if self.report.complete:
                self._add_up()
            if self.report.complete:
                return
            else:
                self._batch(self._mixture(), max(SLICE, spent))
            if shots >= ONE_SHOTS and turn % 2:
                for _ in range(4):
                    self._one_shot(walk)

    def _alone(self, name: str) -> None:
        make = self._makers()[name]
        while self._left() > 0:
            if name in ("dfs", "delay"):
                self._batch(self._dfs_alone(type(make)), SLICE)
                if self._dfs_over:
                    return
            elif name == "dpor":
                self._batch(self._dpor_alone(), SLICE)
                if self._dpor_over:
                    return
            else:
                self._batch(_always(make), SLICE)
                if self._run_out:
                    return

    def _makers(self) -> "dict[str, Any]":
        stream = self._stream
        return {
            "walk": Walk(stream),
            "uniform": Walk(stream, (0.0,)),
            "pct": Pct(stream, k=self._k),
            "pos": Pos(stream),
            "round-robin": RoundRobin(),
            "surw": Surw(stream),
            "dfs": BoundedDfs(self.settings.bound),
            "delay": DelayDfs(self.settings.bound),
            "dpor": Dpor(),
        }

    def _mixture(self) -> Callable[[int], Strategy]:
        """Which strategy the n-th execution of a batch runs under."""
        walk, pos, pct = Walk(self._stream), Pos(self._stream), Pct(self._stream, k=self._k)
        surw = Surw(self._stream)
        turns: tuple[Strategy, ...] = (walk, pos, walk, pct, surw, pos, walk, pct, walk, surw)
        if self._threads > MANY:  # their orders are so many that what all others find is chance
            turns = (surw, walk, surw, pos, surw, pct)
        return lambda number: turns[number % len(turns)]

    def _dpor_alone(self) -> Callable[[int], Strategy]:
        dpor = Dpor()
        if self._dpor is not None:
            dpor.state = self._dpor
        return lambda _: dpor

    def _dfs_alone(self, kind: type[BoundedDfs] = BoundedDfs) -> Callable[[int], Strategy]:
        dfs = kind(self.settings.bound)
        if self._dfs is not None:
            dfs.state = self._dfs
        return lambda _: dfs

    # -- children ---------------------------------------------------------------------------------------

    def _one_shot(
        self, strategy: Strategy, judge: bool = True, audit: bool = False, last: bool = False
    ) -> list[str]:
        """One execution in fresh state; the names of modules that it imported.

        Args:
            judge: whether what it finds counts, if it imported nothing or is the `last` that imports.
            audit: whether calls out of sight are looked for.
        """
        if self._left() <= 0 and self.report.executions:
            return []
        seed = self._stream.below(1 << 30)
        strategy.begin()  # here too: what a child does to it is not seen here

        def work(send: Any) -> None:
            loaded = set(sys.modules)
            self._stream.seed(seed)
            outcome = self.executor.run(
                strategy, self._clocked(strategy, 1), self.settings.limit, analyse=True, audit=audit
            )
            changed = self.executor.snapshot.changed() if self.executor.snapshot is not None else []
            send(
                {
                    "runs": 1,
                    "tried": sorted(self.executor.tried()),
                    "news": [name for name in sys.modules if name not in loaded],
                    "hot": changed,
                    "k": len(outcome.choices),
                    "ends": {outcome.end: 1},
                    "timed": MODEL.now > 1_000.0,
                    "unfit": outcome.unfit,
                    "threads": MODEL.started,
                    "unseen": [*outcome.unseen, *sorted(passed)],
                    "silenced": list(map(findings.signature, outcome.silenced)),
                    "others": [self._piece(outcome, each) for each in outcome.others],
                    **self._told(outcome),
                }
            )

        pieces = self._collect(work)
        news: list[str] = []
        for piece in pieces:
            self._take(piece)
            self._threads = max(self._threads, piece["threads"])
            if piece["unfit"]:
                raise WeftError(piece["unfit"])
            news += piece["news"]
            if (
                "finding" in piece and judge and (last or not news)
            ):  # else it is run again, with these imported
                self._confirm(piece)
        return news

    def _clocked(self, strategy: Strategy, number: int) -> Any:
        """Every fourth execution of a program that waits with a deadline also lets time pass by itself."""
        if self._timed and number % 4 == 1 and strategy.name not in WITHOUT_CLOCK:
            return WithClock(strategy, self._stream)
        return None

    def _told(self, outcome: Outcome) -> dict[str, Any]:
        failure = outcome.failure
        if failure is None or findings.signature(failure) in self._seen:
            return {}
        return self._piece(outcome, failure)

    def _piece(self, outcome: Outcome, finding: findings.Finding) -> dict[str, Any]:
        release = sorted(MODEL.release_points)  # of this run: what it tries is a point in the next
        return {
            "finding": finding,
            "choices": outcome.choices,
            "clock": MODEL.offer_clock,
            "release": release,
        }

    def _batch(self, strategies: Callable[[int], Strategy], seconds: float) -> None:
        """Many executions in one child, for so many seconds."""
        seconds = min(seconds, self._left())
        room = self._room(1_000_000)
        if seconds <= 0 or not room:
            return
        seed = self._stream.below(1 << 30)

        def work(send: Any) -> None:
            self._stream.seed(seed)
            until = monotonic() + seconds
            runs = 0
            k = 0
            ends: dict[str, int] = {}
            more = True
            found: dict[str, Any] = {}
            others: dict[str, dict[str, Any]] = {}
            silenced: set[str] = set()
            strategy = strategies(0)
            executor = self.executor
            while more and not found and runs < room and (runs % 8 or monotonic() < until):
                strategy = strategies(runs)
                look = runs < LOOK_AT_FIRST or runs % LOOK_EVERY == 0
                look = look and strategy.name not in ("dfs", "dpor")
                outcome = executor.run(
                    strategy, self._clocked(strategy, runs), self.settings.limit, analyse=look
                )
                runs += 1
                more = strategy.end(outcome.steps, outcome.trace)
                k = max(k, len(outcome.choices))
                ends[outcome.end] = ends.get(outcome.end, 0) + 1
                if outcome.findings:
                    found = self._told(outcome)
                    for each in outcome.others:
                        others.setdefault(findings.signature(each), self._piece(outcome, each))
                if outcome.silenced:
                    silenced.update(map(findings.signature, outcome.silenced))
                if runs == 1 and executor.snapshot is not None:
                    executor.hot.update(executor.snapshot.changed())
                if len(MODEL.buried) > BURIED:
                    break
            piece = {
                "runs": runs,
                "tried": sorted(self.executor.tried()),
                "k": k,
                "ends": ends,
                "hot": sorted(executor.hot),
                "others": list(others.values())[:MOST_OTHERS],
                "silenced": sorted(silenced),
                "unseen": sorted(passed),
                **found,
            }
            piece["timed"] = MODEL.now > 1_000.0
            piece["more"] = more
            piece["buried"] = len(MODEL.buried)
            if isinstance(strategy, BoundedDfs):
                piece["dfs"] = strategy.state
            elif isinstance(strategy, Dpor):
                piece["dpor"] = strategy.state
            send(piece)

        for piece in self._collect(work):
            self._run_out = not piece["more"]
            before = MODEL.release_points
            self._take(piece)
            if "dfs" in piece and before == MODEL.release_points:
                self._take_dfs(piece)
            if "dpor" in piece and before == MODEL.release_points:
                self._dpor = piece["dpor"]
                if not piece["more"]:
                    self._dpor_over = self.report.exhausted = True
                    self.report.missed(*self._dpor[1])
                    if self._dpor[2]:
                        self.report.missed(DIVERGED)
            if "finding" in piece:
                self._confirm(piece)

    def _take_dfs(self, piece: dict[str, Any]) -> None:
        self._dfs = piece["dfs"]
        done = BoundedDfs()
        self.report.bounded = "delays" if self.settings.strategy == "delay" else "preemptions"
        done.state = self._dfs
        self.report.bound = done.exhausted if done.exhausted >= 0 else None
        self.report.within = done.within
        if not piece["more"]:
            self._dfs_over = True
            if done.complete:
                self.report.exhausted = True
                if self._timed:
                    self.report.missed("timeouts and sleeps")
                if done.diverged:
                    self.report.missed(DIVERGED)

    def _collect(self, work: Callable[[Callable[[Any], None]], object]) -> list[Any]:
        """What a child sends, until it ends; one that says nothing for long is killed."""

        def guarded(send: Any) -> None:
            try:
                work(send)
            except BaseException:
                send({"failed": traceback.format_exc()})
                raise

        child = fork_child(guarded)
        pieces: list[Any] = []
        stuck = False
        try:
            while True:
                pieces.append(child.receive(STUCK))
        except EOFError:
            pass
        except TimeoutError:
            stuck = True
            self.report.stuck += 1
        status = child.end(kill=stuck)
        if pieces and "failed" in pieces[-1]:
            raise WeftError(f"the checker itself failed, please report it:\n{pieces[-1]['failed']}")
        if not pieces and not stuck:
            self.report.problems.append(f"the program ended its process by itself (wait status {status})")
            if len(self.report.problems) >= MOST_PROBLEMS:
                raise WeftError(self.report.problems[-1])
        return pieces

    def _take(self, piece: dict[str, Any]) -> None:
        self.report.executions += piece["runs"]
        self._k = max(self._k, piece["k"])
        self._timed = self._timed or piece["timed"]
        self.report.over_bound += piece["ends"].get("bound", 0)
        self._buried += piece.get("buried", 0)
        self.report.silenced.update(piece["silenced"])
        self.report.missed(*(f"what happens in {name}" for name in piece.get("unseen", ())))
        for other in piece["others"]:
            self._others.setdefault(findings.signature(other["finding"]), other)
        self.executor.hot.update(piece["hot"])
        if not MODEL.release_points.issuperset(piece["tried"]):
            MODEL.release_points = MODEL.release_points | frozenset(piece["tried"])
            self._dfs = None  # there are more points now: what it has run were other schedules
            self._dfs_over = False
            self._dpor = None
            self._dpor_over = False
            self.report.exhausted = False

    def _schedule(self, choices: list[int]) -> Schedule:
        program = self.program
        made = Schedule(program.what, program.args, self.executor.seed, choices)
        made.kind, made.choice, made.network = program.kind, program.choice, NET.mode
        return made

    # -- findings -----------------------------------------------------------------------------------

    def _confirm(self, piece: dict[str, Any]) -> None:
        """Run a failure's schedule in a fresh child, step by step; keep it if it fails there too."""
        schedule = self._schedule_of(piece)
        wanted = findings.signature(piece["finding"])
        again = replay_in_child(self.executor, schedule, self.settings.limit, self._collect)
        if again is None or again["finding"] is None or findings.signature(again["finding"]) != wanted:
            self.report.unconfirmed += 1
            self._doubted[wanted] = self._doubted.get(wanted, 0) + 1
            if self._doubted[wanted] == MOST_DOUBTS:
                self._seen.add(wanted)
            return
        smaller = shrink_in_child(self.executor, schedule, self.settings.limit, self._collect)
        if smaller is not None:
            schedule.choices = smaller.choices
            self.report.preemptions = smaller.preemptions
            less = replay_in_child(self.executor, schedule, self.settings.limit, self._collect)
            if less is not None and less["finding"] and findings.signature(less["finding"]) == wanted:
                self.report.whole, again = again, less
        self._keep(schedule, again)
        self.report.findings = [each for each in again["findings"] if each["level"] == "failure"]
        raise _Found

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


def _always(strategy: Strategy) -> Callable[[int], Strategy]:
    return lambda _: strategy
