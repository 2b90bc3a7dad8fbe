"""One execution of the program in this process: made ready, run under a strategy, judged."""

import gc
import sys
from typing import Any

from weft.check import findings, signals, virtual
from weft.check.analysis import Analysis
from weft.check.benign import Benign
from weft.check.points import LostUpdate, Watch
from weft.check.program import Program
from weft.check.state import Snapshot
from weft.check.strategies.base import Strategy
from weft.check.teller import Teller
from weft.check.threads import Uncaught, forget_threads, reset_threading, shut_down
from weft.check.world import FAULTS, MODEL, NET, put_back
from weft.host.entropy import Stream
from weft.instrument import kinds, points
from weft.models.controlled import Ended, Over, Task
from weft.stdlib.per_thread import AsyncState

__all__ = ["Executor", "Outcome", "WithClock"]

NAME = "name "  # before a name that is told since the program binds it anew
EXACT = ("dfs", "dpor", "delay", "replay", "guided")  # strategies that take a fault for a thread like others
MOST_LOST = 200  # sets of lost updates whose findings are kept
COLLECT_EVERY = 64  # executions between two garbage collections: none runs within one


class Outcome:
    """What became of one execution."""

    __slots__ = ("_told", "choices", "end", "findings", "silenced", "steps", "trace", "unfit", "unseen")

    def __init__(self) -> None:
        self.end = ""
        self.findings: list[findings.Finding] = []
        self.silenced: list[findings.Finding] = []  # declared harmless
        self.unseen: list[str] = []  # calls out of sight that touched what threads share
        self.choices: list[int] = []
        self.steps = 0
        self.trace: list[Any] | None = None
        self._told: Teller | None = None
        self.unfit = ""  # why there is nothing to check, where the program ends before it has begun

    @property
    def told(self) -> Teller:
        """What was noted of its steps and its end; most executions have none."""
        if self._told is None:
            self._told = Teller()
        return self._told

    @property
    def failure(self) -> findings.Finding | None:
        """The first finding that is a failure, with what else went wrong in its lines."""
        failures = [finding for finding in self.findings if finding["level"] == "failure"]
        return failures[0] if failures else None

    @property
    def others(self) -> list[findings.Finding]:
        """The findings that are no failures: warnings and notes."""
        return [finding for finding in self.findings if finding["level"] in ("warning", "note")]


class WithClock:
    """A chooser that now and then lets the clock go on though a thread could run."""

    RATE = 0.05
    MOST = 3  # times an execution

    def __init__(self, strategy: Strategy, stream: Stream) -> None:
        self._pick = strategy.pick
        self._every = getattr(strategy, "every", False)
        self._random = stream.random
        self._left = self.MOST

    def pick(self, enabled: list[Task], me: Task | None) -> Task | None:
        """The thread that goes on, or None for the clock."""
        if self._left and MODEL.near() and self._random() < self.RATE:
            self._left -= 1
            return None
        return self._pick(enabled, me) if len(enabled) > 1 or self._every else enabled[0]


class WithFaults:
    """A chooser that now and then lets the network fail, and keeps its threads from the strategy."""

    RATES = (0.0, 0.02, 0.1, 0.3)

    def __init__(self, chooser: Any, stream: Stream) -> None:
        self._pick = chooser.pick
        self._every = getattr(chooser, "every", False)
        self._stream = stream
        self._rate = self.RATES[stream.below(len(self.RATES))]

    def pick(self, enabled: list[Task], me: Task | None) -> Task | None:
        """The thread that goes on, of the program or the network."""
        others = [task for task in enabled if task.kind not in FAULTS]
        if len(others) == len(enabled):
            chosen: Task | None = self._pick(enabled, me)
            return chosen
        if not others or self._stream.random() < self._rate:
            faults = [task for task in enabled if task.kind in FAULTS]
            return faults[self._stream.below(len(faults))]
        if len(others) == 1 and not self._every and not MODEL.offer_clock:
            return others[0]
        return self._pick(others, me)  # type: ignore[no-any-return]


class Executor:
    """Runs the program in this process.

    Args:
        program: what to run; prepared.
        seed: where the program's own chance begins, the same in each execution.
        patterns: what is declared harmless (weft.check.benign).
    """

    def __init__(self, program: Program, seed: int = 0, patterns: list[str] | None = None) -> None:
        self.program = program
        self.benign = Benign(patterns or [])
        self.analysis = Analysis()
        self.notes = False  # whether an analysis tells notes too
        self._analysed = False
        self._ended = False  # whether the main thread has done all that the program says
        self._stopped: Any = None
        self._told: frozenset[str] | None = None  # the points of which the rewritten code has been told
        self._telling = False  # whether each step is noted
        self._lost: dict[Any, tuple[list[findings.Finding], list[findings.Finding]]] = {}
        self.seed = seed
        self.chance = Stream(seed)  # of faults
        self.snapshot: Snapshot | None = None
        self.hot: set[int] = set()  # the parts of the snapshot that executions change
        self.runs = 0
        self._watch = Watch()
        self._loops = AsyncState(lambda: MODEL.tasks[0], shares=lambda _: True)
        points.set_listener(self._watch.listen)  # outside executions it does nothing
        self._outcome = Outcome()
        self._threading: Any = sys.modules["threading"]
        self._first_name = int(repr(self._threading._counter.__self__)[6:-1])

    def run(
        self,
        strategy: Strategy,
        chooser: Any = None,
        limit: int = 20_000,
        tell: bool = False,
        analyse: bool = False,
        audit: bool = False,
    ) -> Outcome:
        """Run the program once.

        Args:
            strategy: told of the beginning and the end.
            chooser: who chooses in its place (`WithClock`); None: the strategy itself.
            limit: steps after which the execution is broken off.
            tell: note each step with its place, for a story or a comparison.
            analyse: look for warnings and notes too; audit: and for calls out of sight.
        """
        self._outcome = outcome = Outcome()
        self._begin(strategy)
        strategy.begin()
        MODEL.trace = [] if strategy.traced else None
        MODEL.offer_clock = chooser is not None
        MODEL.ask_always = getattr(strategy, "every", False)
        MODEL.on_release = getattr(strategy, "released", None)
        self._telling = tell
        MODEL.observer = outcome.told.step if tell else None
        self._analysed = analyse
        if analyse:
            self.analysis.begin(audit)
            MODEL.on_release = self.analysis.released
            MODEL.observer = self._note_and_analyse if tell else self.analysis.step
        over = MODEL.execute(self._body, self._with_faults(chooser or strategy, strategy.name), limit)
        if analyse:
            self.analysis.end()
        outcome.end = over.kind
        outcome.choices = MODEL.choices
        outcome.steps = MODEL.steps
        outcome.trace = MODEL.trace
        self.runs += 1
        if self.runs % COLLECT_EVERY == 0:
            gc.collect()
        self.program.judge(self, outcome)
        return outcome

    def _with_faults(self, chooser: Any, name: str) -> Any:
        """The chooser, which is not troubled by faults of the network if it goes by chance."""
        if not NET.faults() or name in EXACT:
            return chooser
        return WithFaults(chooser, self.chance)

    def tried(self) -> set[str]:
        """What the search has to know of the last execution, since it makes points where there were none."""
        return MODEL.tried | {NAME + name for name in kinds.rebinding - kinds.rebound}

    def _begin(self, strategy: Strategy) -> None:
        forget_threads()
        if self.runs and self.snapshot is not None:
            self.snapshot.restore(self.hot)
        put_back()
        events = sys.modules.get("asyncio.events")
        if events is not None:
            self._loops.adapt_anew(events)
        kinds.rebinding.clear()
        if self._told is not MODEL.release_points:
            self._told = MODEL.release_points
            kinds.tell_rebound(word.removeprefix(NAME) for word in self._told if word.startswith(NAME))
        reset_threading(self._threading, self._first_name)
        virtual.begin(self.seed)
        self._watch.begin()
        MODEL.before_end = self._judge
        self._stopped = getattr(strategy, "stopped", None)
        MODEL.on_error = self._told_of
        if Uncaught.tell != self._uncaught:  # a class that is changed is looked up slowly
            Uncaught.tell = self._uncaught

    def _body(self) -> None:
        """The main thread."""
        self._ended = False
        try:
            self.program.run()
        except Ended:
            raise
        except BaseException as error:  # noqa: BLE001 - what ends a program is what we look for
            self._failed(MODEL.current, error)
        self._ended = True
        shut_down()
        if len(MODEL.tasks) > 1:  # daemons: what they do before the end is part of the execution
            MODEL.point("exit", None)
            MODEL.stop(Over("end"))

    def _failed(self, task: Task, error: BaseException) -> None:
        finding = findings.exception(task, error)
        if finding is not None:
            if isinstance(error, (ImportError, SyntaxError)) and MODEL.started == 1:
                where = f", at {finding['places'][-1]}" if finding["places"] else ""
                self._outcome.unfit = (
                    f"the program does not get as far as its first thread: {finding['title']}{where}"
                )
            self._outcome.findings.append(finding)
            MODEL.stop(Over("failed"))

    def _uncaught(self, task: Task, error: BaseException) -> None:
        if MODEL.over is None:
            self._failed(task, error)

    def _told_of(self, task: Task, error: BaseException) -> Over | None:
        finding = findings.exception(task, error)
        if finding is None:
            return None
        self._outcome.findings.append(finding)
        return Over("failed")

    def _judge(self, over: Over) -> None:
        """The execution is over, and every thread still stands where it stood."""
        outcome = self._outcome
        if self._telling:
            outcome.told.finish()
        if self._stopped is not None and MODEL.tasks:
            self._stopped(MODEL.tasks)
        if over.kind == "deadlock":
            outcome.findings.append(findings.deadlock(MODEL.tasks, self._ended))
            outcome.told.stuck(MODEL.tasks)
        elif over.kind in ("bound", "livelock"):
            outcome.findings.append(findings.left_over(over, MODEL.tasks))
        elif over.kind == "end" and (left := findings.left_behind(MODEL.tasks)) is not None:
            outcome.findings.append(left)
            outcome.told.stuck([task for task in MODEL.tasks if task.guard is not None])
        if self._analysed:
            self._tell_analysis(outcome)
        if signals.delivered():
            outcome.unseen.append("signal handlers")
        lost = self._watch.lost
        if outcome.findings:
            outcome.findings[:0] = [findings.lost_update(each) for each in lost]
            outcome.findings, outcome.silenced = self._sorted(outcome.findings)
        elif lost:
            outcome.findings, outcome.silenced = self._of_lost(lost)
        if MODEL.delayed:
            for finding in outcome.findings:
                if finding["level"] != "failure":
                    continue
                finding["title"] += f" (needs a thread that is delayed by {MODEL.delayed * 1000:g} ms)"

    def _tell_analysis(self, outcome: Outcome) -> None:
        outcome.findings += self.analysis.warnings()
        self.program.analysed(self.analysis)
        if self.notes:
            outcome.findings += self.analysis.notes()
        outcome.unseen = sorted(self.analysis.races.unseen)

    def _sorted(self, found: list[findings.Finding]) -> tuple[list[findings.Finding], list[findings.Finding]]:
        """The findings, each once: those that count, and those that are declared harmless."""
        each_once = {findings.signature(each): each for each in reversed(found)}
        found = list(each_once.values())[::-1]
        silenced = [each for each in found if self.benign.covers(each)]
        return [each for each in found if each not in silenced], silenced

    def _of_lost(self, lost: list[LostUpdate]) -> tuple[list[findings.Finding], list[findings.Finding]]:
        """The same where updates were lost and nothing else is wrong: what search after search comes to."""
        key = tuple([each.told() for each in lost])
        known = self._lost.get(key)
        if known is None:
            if len(self._lost) >= MOST_LOST:
                self._lost.clear()
            known = self._lost[key] = self._sorted([findings.lost_update(each) for each in lost])
        return [dict(each) for each in known[0]], [dict(each) for each in known[1]]

    def _note_and_analyse(self, task: Task) -> None:
        self.analysis.step(task)
        self._outcome.told.step(task)
