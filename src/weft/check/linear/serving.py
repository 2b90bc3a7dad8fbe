"""The process that is asked about scenarios: each is explored in a child of its own, within a budget.

The budget is in executions, and chance begins anew for each scenario: the same scenario always gets the same
answer, so that who makes scenarios up can make them smaller.
"""

import gc
import json
import os
import traceback
from collections.abc import Callable
from typing import Any

from weft.check import tell
from weft.check.again import replay_in_child, shrink_in_child
from weft.check.execution import Executor, Outcome, WithClock
from weft.check.explore import Explorer, Report
from weft.check.linear.calls import Calls, snapshot
from weft.check.schedule import Schedule, save
from weft.check.settings import Settings
from weft.check.strategies.base import Strategy
from weft.check.strategies.dpor import Dpor
from weft.check.strategies.pct import Pct
from weft.check.strategies.pos import Pos
from weft.check.strategies.surw import Surw
from weft.check.strategies.walk import Walk
from weft.check.world import MODEL
from weft.errors import WeftError
from weft.host.children import fork_child
from weft.host.clock import monotonic
from weft.host.entropy import Stream
from weft.models.controlled import START_TIME

__all__ = ["serve"]

FOLDER = ".weft"
STUCK = 10.0  # seconds of real time without a word, after which a child is taken to be stuck
Say = Callable[[dict[str, Any]], None]


def serve(request: dict[str, Any], lines: Any, say: Say) -> None:
    """Answer questions, a line each, until there are no more.

    Args:
        request: `what`, `args`, `choice` of the program, and the settings of the search.
        lines: the questions: `{"calls": ..., "most": ..., "tell": ...}`, where `most` is of executions, or
            null; `tell` is null, or what has been spent before, `[executions, seconds]`.
        say: takes the answers.

    Raises:
        WeftError: there is no such program.
    """
    settings = Settings(**request["settings"])
    program = Calls(request["what"], request["args"], request["choice"])
    program.prepare()
    server = _Server(program, settings)
    say({"ready": True})
    for line in lines:
        asked = json.loads(line)
        try:
            program.take(asked["calls"])
            say(server.tell(*asked["tell"]) if asked["tell"] else server.explore(asked["most"]))
        except WeftError as error:
            say({"error": f"{error}\n  the calls: {program.scenario.text}"})


class _Server:
    """Explores what the program has been given to run."""

    def __init__(self, program: Calls, settings: Settings) -> None:
        self._program = program
        self._settings = settings
        self._executor = Executor(program)
        self._ready = False

    def _prepare(self) -> None:
        """Import what an execution imports, so that none has to, and remember the state after it."""
        explorer = Explorer(self._program, self._settings)
        explorer.import_all(judge=False)
        self._executor = explorer.executor
        self._executor.snapshot = snapshot()
        if not self._ready:
            self._ready = True
            gc.collect()
            gc.freeze()
            gc.disable()

    # -- is something wrong?

    def explore(self, most: int | None) -> dict[str, Any]:
        """What is found within the budget: `kind` (None: nothing), `executions`, `complete`."""
        if not self._ready:
            self._prepare()
        return self._found(most)

    def _found(self, most: int | None = None) -> dict[str, Any]:
        pieces = _collect(lambda send: send(_Search(self._program, self._executor, self._settings).run(most)))
        if pieces is None:
            return {"kind": None, "executions": 0, "complete": False, "stuck": True}
        found: dict[str, Any] = pieces[0]
        self._executor.hot.update(found.pop("hot", ()))
        return found

    # -- what is it?

    def tell(self, executions: int, seconds: float) -> dict[str, Any]:
        """Find it once more, make its schedule as small as may be, and write that to a file.

        Args:
            executions, seconds: what the search has taken so far.
        """
        begun = monotonic()
        self._prepare()
        found = self._found()
        if found["kind"] is None:
            raise WeftError("what was found does not show again: the class is not the same from run to run")
        schedule = self._schedule(found)
        smaller = shrink_in_child(self._executor, schedule, self._settings.limit, _collected)
        if smaller is not None:
            schedule.choices = smaller.choices
        again = replay_in_child(self._executor, schedule, self._settings.limit, _collected)
        if again is None or again["finding"] is None:
            raise WeftError("what was found does not show again in a fresh process")
        schedule.finding = again["finding"]
        schedule.choices = again["choices"]
        schedule.tell(again)
        path = os.path.join(FOLDER, f"{self._program.short}-{again['finding']['kind']}.json")
        save(schedule, path)
        report = Report()
        report.findings, report.schedule = [again["finding"]], schedule
        report.executions = executions + found["executions"]
        report.seconds = seconds + monotonic() - begun
        report.preemptions = smaller.preemptions if smaller is not None else None
        return {"report": json.loads(tell.as_json(report, path)), "text": tell.verdict(report, path)}

    def _schedule(self, found: dict[str, Any]) -> Schedule:
        program = self._program
        made = Schedule(program.what, program.args, self._executor.seed, found["choices"])
        made.kind, made.choice = program.kind, program.choice
        made.clock, made.release, made.finding = found["clock"], found["release"], found["finding"]
        return made


class _Search:
    """Executions of one scenario in this process, until one fails, none is left, or the budget is spent."""

    def __init__(self, program: Calls, executor: Executor, settings: Settings) -> None:
        self._program = program
        self._executor = executor
        self._limit = settings.limit
        self._budget = settings.schedules or 0
        self._stream = stream = Stream(settings.seed)
        self._turns: tuple[Strategy, ...] = (Pct(stream), Pos(stream), Walk(stream), Surw(stream))
        self._dpor = Dpor()
        self._over = False  # whether it has nothing more to try
        self._timed = False
        self._cut = 0  # executions that were longer than the bound on steps
        MODEL.release_points = frozenset()

    def run(self, most: int | None) -> dict[str, Any]:
        """What came of it, of plain types; with at most so many executions."""
        runs = 0
        budget = self._budget if most is None else min(most, self._budget)
        while runs < budget and not self._complete:
            strategy = self._strategy(runs)
            outcome = self._execute(strategy, runs)
            runs += 1
            self._cut += outcome.end == "bound"
            if outcome.unfit:
                raise WeftError(outcome.unfit)
            failure = outcome.failure
            if failure is not None:
                return {
                    "kind": failure["kind"],
                    "executions": runs,
                    "complete": False,
                    "finding": failure,
                    "choices": outcome.choices,
                    "clock": MODEL.offer_clock,
                    "release": sorted(MODEL.release_points),
                }
            self._learn(strategy, outcome)
        return {
            "kind": None,
            "executions": runs,
            "complete": self._complete,
            "unseen": sorted(self._program.unseen),
            "cut": self._cut,
            "hot": sorted(self._executor.hot),
        }

    @property
    def _complete(self) -> bool:
        """Whether there is no schedule left that does anything else."""
        return self._over and self._dpor.complete and not self._cut

    def _strategy(self, runs: int) -> Strategy:
        """One execution in two is of the search that comes to an end if the scenario is small."""
        if runs % 2 == 0 and not self._over:
            return self._dpor
        return self._turns[(runs if self._over else runs // 2) % len(self._turns)]

    def _execute(self, strategy: Strategy, runs: int) -> Outcome:
        chooser = None
        if self._timed and strategy is not self._dpor and runs % 4 == 1:
            chooser = WithClock(strategy, self._stream)
        return self._executor.run(strategy, chooser, self._limit)

    def _learn(self, strategy: Strategy, outcome: Outcome) -> None:
        """What the execution says of those to come."""
        executor = self._executor
        self._timed = self._timed or MODEL.now > START_TIME
        more = strategy.end(outcome.steps, outcome.trace)
        tried = frozenset(executor.tried())
        if not tried <= MODEL.release_points:  # there are more points now: what was run were other schedules
            MODEL.release_points |= tried
            self._dpor = Dpor()
            self._over = False
        elif strategy is self._dpor and not more:
            self._over = True


def _collect(work: Callable[[Callable[[Any], None]], object]) -> list[Any] | None:
    """What a child sends until it ends; None: it came to no end and was killed.

    Raises:
        WeftError: the work was refused, or the child ended without a word.
    """

    def guarded(send: Any) -> None:
        try:
            work(send)
        except WeftError as error:
            send({"refused": str(error)})
        except BaseException:
            send({"failed": traceback.format_exc()})
            raise

    child = fork_child(guarded)
    pieces: list[Any] = []
    try:
        while True:
            pieces.append(child.receive(STUCK))
    except TimeoutError:
        child.end(kill=True)
        return None
    except EOFError:
        status = child.end()
    last = pieces[-1] if pieces else {"refused": _ended(status)}
    if isinstance(last, dict) and "failed" in last:
        raise WeftError(f"the checker itself failed, please report it:\n{last['failed']}")
    if isinstance(last, dict) and "refused" in last:
        raise WeftError(last["refused"])
    return pieces


def _ended(status: int) -> str:
    code = os.waitstatus_to_exitcode(status)
    how = f"with exit status {code}" if code >= 0 else f"by signal {-code}"
    return f"a call has ended its process, {how}"


def _collected(work: Callable[[Callable[[Any], None]], object]) -> list[Any]:
    return _collect(work) or []
