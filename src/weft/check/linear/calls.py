"""A scenario as a program to check: an object is made, threads call it, and what the calls gave is judged.

The calls of a thread begin and return at points of their own, so that the search tries the orders in which
one call has returned before another begins: two such points matter to each other if one is a beginning and the
other a return. A run in a given order is an execution too, in which each call waits for its turn; one that
then cannot return would not return in that order. So calls are always made by the thread that makes them in the
scenario, and locks that know their owner do in an order what they do under threads.
"""

import importlib
import json
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from weft.check.linear import telling
from weft.check.linear.history import Span, linearization
from weft.check.linear.results import Pairs, Raised, Result, frozen, said, same
from weft.check.linear.scenario import Scenario
from weft.check.program import Function, Program, named
from weft.check.said import Said
from weft.check.strategies.robin import RoundRobin
from weft.check.world import MODEL
from weft.errors import WeftError
from weft.models.controlled import Ended, Over, Task

__all__ = ["Calls", "Record"]

WAITING = frozenset({"deadlock", "self-deadlock", "lost-wakeup", "thread-left-behind", "livelock"})
WHOLE = frozenset({"end", "deadlock", "livelock"})  # ends of an execution that leave nothing open
_WRITE = 2  # a kind of points that are no pure looks


class _Edge:
    """The key of a beginning or of a return: equal to those of the other sort alone."""

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        return self is not other

    def __hash__(self) -> int:
        return 0


_BEGINNING, _RETURN = _Edge(), _Edge()


class Record:
    """What the calls of one execution did: when each began and returned, and what it gave."""

    def __init__(self, count: int) -> None:
        self.begun: list[int | None] = [None] * count
        self.ended: list[int | None] = [None] * count
        self.results: list[Result] = [None] * count
        self.raw: list[Any] = [None] * count  # what was returned, as it is
        self._clock = 0

    def tick(self) -> int:
        """The next time."""
        self._clock += 1
        return self._clock

    def spans(self, numbers: list[int]) -> list[Span]:
        """When these calls were made."""
        return [(self.begun[number] or 0, self.ended[number]) for number in numbers]

    @property
    def returned(self) -> list[int]:
        """The calls that returned."""
        return [number for number, end in enumerate(self.ended) if end is not None]

    @property
    def pending(self) -> list[int]:
        """The calls that began and never returned."""
        return [n for n, end in enumerate(self.ended) if end is None and self.begun[n] is not None]


class _Never:
    """What stands for the result of a call that does not return."""


State = tuple[tuple[int, ...], Pairs]
"""The calls made so far, in their order, and which object of theirs stands for which."""


class Calls(Program):
    """A scenario; `args` is one text, JSON: how to make the object, the sequential one, and the calls.

    Attributes:
        scenario: the calls.
        record: of the last execution.
    """

    kind = "calls"

    def __init__(self, what: str, args: list[str], choice: dict[str, Any] | None = None) -> None:
        super().__init__(what, args, choice)
        try:
            (self._given,) = map(json.loads, args)
            self._factory = self._function({**self._given["factory"], "what": what})
            self._spec = self._function(self._given["spec"])
            self._equal = self._function(self._given["equal"], 2)
            scenario = self._given["calls"]
        except (ValueError, TypeError, KeyError, AttributeError):
            raise WeftError("the description of calls is damaged") from None
        self.scenario = Scenario([[], [], []] if scenario is None else scenario)
        self.record = Record(len(self.scenario))
        self._known: dict[tuple[int, ...], Any] = {}
        self._order: tuple[int, ...] | None = None  # None: as threads do
        self._done = 0  # calls of the order
        self._executor: Any = None
        self._broken = ""

    def _function(self, text: Any, given: int = 0) -> Any:
        """The function that a text describes, to be called with so many arguments; None: there is none."""
        if text is None:
            return None
        made = named(text["kind"], text["what"], text["args"], self.choice)
        if not isinstance(made, Function):
            raise TypeError
        made.given = given
        return made

    @property
    def short(self) -> str:
        """The name of what makes the object."""
        return re.sub(r"[^\w.-]+", "", str(self._factory.short)) or "calls"

    def take(self, data: Any) -> None:
        """These are the calls from now on."""
        self.scenario = Scenario(data)
        self._given["calls"] = data
        self.args = [json.dumps(self._given)]
        self._known = {}

    def prepare(self) -> None:
        """Import what makes the object, and the rest."""
        for function in (self._equal, self._spec, self._factory):
            if function is not None:
                function.prepare()

    # -- an execution ----------------------------------------------------------------------------------

    def run(self) -> None:
        """Make the object and the calls."""
        scenario = self.scenario
        self._done = 0
        self._broken = ""
        self.record = Record(len(scenario))
        factory = self._factory if self._order is None or self._spec is None else self._spec
        try:
            subject = factory.call()
        except Ended:
            raise
        except BaseException as error:  # noqa: BLE001 - of the program's own code
            self._broken = f"{factory.what} makes no object: {said(Raised(error))}"
            return
        threading: Any = importlib.import_module("threading")  # the checker's, which programs get
        edges = _Edges()
        for number in scenario.before:
            self._make(subject, number)
        threads = [
            threading.Thread(
                target=self._make_all, args=(subject, numbers, edges), name=scenario.name(index)
            )
            for index, numbers in enumerate(scenario.threads)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for number in scenario.after:
            self._make(subject, number)

    def _make_all(self, subject: Any, numbers: list[int], edges: "_Edges") -> None:
        if self._order is not None:
            for number in numbers:
                self._make(subject, number)
            return
        for number in numbers:
            call = self.scenario.calls[number]
            place = telling.place_of_method(subject, call.name)
            MODEL.point(Said(f"calls {call.text}", place), edges, _BEGINNING)
            self._make(subject, number)
            gave = telling.gave(self.record.results[number])
            MODEL.point(Said(f"{call.name} {gave}", place), edges, _RETURN)
            self.record.ended[number] = self.record.tick()

    def _make(self, subject: Any, number: int) -> None:
        """Make one call; in an order, when its turn comes."""
        record, call = self.record, self.scenario.calls[number]
        if self._order is not None:
            MODEL.point("turn", None, number, None, self._is_turn)
        record.begun[number] = record.tick()
        try:
            gave = getattr(subject, call.name)(*call.args())
        except Ended:
            raise
        except BaseException as error:  # noqa: BLE001 - what a call raises is what it gives
            record.results[number] = Raised(error)
        else:
            record.raw[number] = gave
            record.results[number] = frozen(gave)
        record.ended[number] = record.tick()
        if self._order is not None:
            self._done += 1
            if self._done == len(self._order):
                MODEL.stop(Over("stop"))

    def _is_turn(self, task: Task) -> bool:
        assert self._order is not None
        return bool(self._order[self._done] == task.key)

    # -- its judgement ---------------------------------------------------------------------------------

    def judge(self, executor: Any, outcome: Any) -> None:
        """Of what was found keep what no order of the calls explains."""
        if self._order is not None:
            return
        if self._broken:
            outcome.unfit = self._broken
            return
        failures = [each for each in outcome.findings if each["level"] == "failure"]
        outcome.findings = [each for each in failures if each["kind"] != "race"]
        if outcome.end not in WHOLE:
            return
        self._executor = executor
        stuck = [each for each in outcome.findings if each["kind"] in WAITING]
        others = [each for each in outcome.findings if each["kind"] not in WAITING]
        with self._aside():
            if not self._explains_results():
                others.insert(0, telling.not_linearizable(self.scenario, self.record, self._possible()))
            elif not all(map(self._explains_waiting, self.record.pending)):
                others += [telling.with_calls(each, self.scenario, self.record) for each in stuck]
        outcome.findings = others

    @contextmanager
    def _aside(self) -> Iterator[None]:
        """Run other executions now, of which nobody is told."""
        sys.settrace(None)
        debugged = self.__dict__.pop("run", None)  # as weft.check.debugger puts it there
        kept = MODEL.tried, MODEL.now, MODEL.started, MODEL.offer_clock, self.record
        try:
            yield
        finally:
            MODEL.tried, MODEL.now, MODEL.started, MODEL.offer_clock, self.record = kept
            if debugged is not None:
                self.__dict__["run"] = debugged

    def _explains_results(self) -> bool:
        numbers = self.record.returned
        return self._linearization(numbers) is not None

    def _explains_waiting(self, pending: int) -> bool:
        """Whether the call would not return either after some order of those that did."""
        numbers = self.record.returned

        def waits(state: State) -> bool:
            return self._after((*state[0], pending)) is _Never

        return self._linearization(numbers, waits) is not None

    def _linearization(self, numbers: list[int], accepts: Any = lambda _: True) -> list[int] | None:
        record = self.record

        def step(state: State, index: int) -> State | None:
            number = numbers[index]
            path = (*state[0], number)
            pairs = self._same(record, number, self._after(path), state[1])
            return None if pairs is None else (path, pairs)

        start: State = ((), frozenset())
        return linearization(record.spans(numbers), start, step, accepts)

    def _same(self, record: Record, number: int, after: Any, pairs: Pairs) -> Pairs | None:
        """Whether a call gave what it gives in an order."""
        if after is _Never:
            return None
        result, raw = after
        mine = record.results[number]
        if self._equal is not None and not isinstance(mine, Raised) and not isinstance(result, Raised):
            return pairs if self._equal.call(record.raw[number], raw) else None
        return same(mine, result, pairs)

    def _after(self, path: tuple[int, ...]) -> Any:
        """What the last call of these gives, if they are made in this order: (result, raw), or `_Never`."""
        known = self._known.get(path)
        if known is None:
            record = self.record
            rest = sorted(set(record.returned) - set(path), key=lambda number: record.ended[number] or 0)
            self._make_in_order((*path, *rest))
            self.record = record
            known = self._known[path]
        return known

    def _make_in_order(self, order: tuple[int, ...]) -> None:
        """Make the calls in an order, and note what each gave."""
        self._order = order
        try:
            self._executor.run(RoundRobin(), None, self._limit())
        finally:
            self._order = None
        if self._broken:
            raise WeftError(self._broken)
        made = self.record
        for count in range(1, len(order) + 1):
            number = order[count - 1]
            path = order[:count]
            if made.ended[number] is None:
                self._known[path] = _Never
                break
            self._known.setdefault(path, (made.results[number], made.raw[number]))

    def _limit(self) -> int:
        return 20_000

    def _possible(self) -> list[telling.Possible]:
        """What the calls could have given: some of the orders that their times allow, and their results."""
        record = self.record
        numbers = record.returned
        spans = record.spans(numbers)
        found: list[telling.Possible] = []

        def step(path: tuple[int, ...], index: int) -> tuple[int, ...] | None:
            longer = (*path, numbers[index])
            return None if self._after(longer) is _Never else longer

        def note(path: tuple[int, ...]) -> bool:
            results = {number: self._after(path[: at + 1])[0] for at, number in enumerate(path)}
            found.append((list(path), results))
            return len(found) >= telling.MOST_ORDERS

        linearization(spans, (), step, note)
        return found


class _Edges:
    """What the beginnings and returns of an execution's calls are points on."""
