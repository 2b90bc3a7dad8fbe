"""Is what the calls of an execution gave what some order of them gives?

What calls give in an order is found by making them so on a new object, once for each order that is asked for.
A call that never returned is all right if there is an order of those that did after which it would not return
either, as in Line-Up.
"""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from weft.check.linear import telling
from weft.check.linear.history import linearization
from weft.check.linear.record import Record
from weft.check.linear.results import Pairs, Raised, same
from weft.check.world import MODEL

if TYPE_CHECKING:
    from weft.check.linear.calls import Calls

__all__ = ["Judge"]

WAITING = frozenset({"deadlock", "self-deadlock", "lost-wakeup", "thread-left-behind", "livelock"})
WHOLE = frozenset({"end", "deadlock", "livelock"})  # ends of an execution that leave nothing open
NOBODY: Pairs = frozenset()

Order = tuple[int, ...]
State = tuple[Order, Pairs]
"""The calls made so far, in their order, and which object of theirs stands for which."""


class _Never:
    """What stands for the result of a call that does not return."""


class Judge:
    """Of the executions of one scenario."""

    def __init__(self, program: "Calls") -> None:
        self._program = program
        self._looked = False  # at what an execution changes
        self._executor: Any = None
        self._known: dict[Order, Any] = {}  # what the last call of each gives: (result, raw), or _Never

    def judge(self, executor: Any, outcome: Any) -> None:
        """Take away what is no fault of the calls, and add what is."""
        program = self._program
        if program.broken:
            outcome.unfit = program.broken
            return
        failures = [each for each in outcome.findings if each["level"] == "failure"]
        outcome.findings = [each for each in failures if each["kind"] != "race"]
        if outcome.end not in WHOLE:
            return
        self._executor = executor
        if not self._looked:
            self._looked = True
            executor.hot.update(executor.snapshot.changed())
        record, scenario = program.record, program.scenario
        stuck = [each for each in outcome.findings if each["kind"] in WAITING]
        others = [each for each in outcome.findings if each["kind"] not in WAITING]
        with self._aside():
            if self._linearization(record) is None:
                outcome.unfit = self._differs(record)
                others.insert(0, telling.not_linearizable(scenario, record, self._possible(record)))
            elif not all(self._may_wait(record, pending) for pending in record.pending):
                others += [telling.with_calls(each, scenario, record) for each in stuck]
                outcome.told.waits = telling.waits_of_calls(outcome.told.waits, scenario, record)
        outcome.findings = others

    @contextmanager
    def _aside(self) -> Iterator[None]:
        """Run other executions now, of which nobody is told."""
        sys.settrace(None)
        debugged = self._program.__dict__.pop("run", None)  # as weft.check.debugger puts it there
        kept = MODEL.tried, MODEL.now, MODEL.started, MODEL.offer_clock
        try:
            yield
        finally:
            MODEL.tried, MODEL.now, MODEL.started, MODEL.offer_clock = kept
            if debugged is not None:
                self._program.__dict__["run"] = debugged

    # -- is there an order?

    def _linearization(
        self, record: Record, accepts: Callable[[State], bool] = lambda _: True
    ) -> list[int] | None:
        numbers = record.returned

        def step(state: State, index: int) -> State | None:
            order = (*state[0], numbers[index])
            pairs = self._same(record, order[-1], self._after(record, order), state[1])
            return None if pairs is None else (order, pairs)

        start: State = ((), NOBODY)
        return linearization(record.spans(numbers), start, step, accepts)

    def _may_wait(self, record: Record, pending: int) -> bool:
        """Whether the call would not return either after some order of those that did."""

        def waits(state: State) -> bool:
            return self._after(record, (*state[0], pending)) is _Never

        return self._linearization(record, waits) is not None

    def _same(self, record: Record, number: int, after: Any, pairs: Pairs) -> Pairs | None:
        """Whether a call gave what it gives in an order."""
        if after is _Never:
            return None
        result, raw = after
        mine = record.results[number]
        equal = self._program.equal
        if equal is not None and not isinstance(mine, Raised) and not isinstance(result, Raised):
            return pairs if equal(record.raw[number], raw) else None
        return same(mine, result, pairs)

    # -- what do calls give in an order?

    def _after(self, record: Record, order: Order) -> Any:
        """What the last of these calls gives, if they are made in this order: (result, raw), or `_Never`.

        The others of the execution are made after them: some of that will be asked for next.
        """
        known = self._known.get(order)
        if known is None:
            longer = (*order, *(number for number in record.returned if number not in order))
            self._note(longer, self._program.in_order(self._executor, longer), self._known)
            known = self._known.setdefault(order, _Never)
        return known

    @staticmethod
    def _note(order: Order, made: Record, known: dict[Order, Any]) -> None:
        for count in range(1, len(order) + 1):
            number = order[count - 1]
            if made.ended[number] is None:
                known[order[:count]] = _Never
                break
            known.setdefault(order[:count], (made.results[number], made.raw[number]))

    # -- what is to be said?

    def _differs(self, record: Record) -> str:
        """How the calls differ when they are made in one order twice; "" if they do not."""
        order = tuple(record.returned)
        if not order:
            return ""
        first, second = (self._program.in_order(self._executor, order) for _ in range(2))
        known: dict[Order, Any] = {}
        self._note(order, second, known)
        pairs = NOBODY
        for count in range(1, len(order) + 1):
            number, other = order[count - 1], known[order[:count]]
            ended = first.ended[number] is not None
            if not ended and other is _Never:
                break
            found = self._same(first, number, other, pairs) if ended else None
            if found is None:
                results = (first.results[number] if ended else None, None if other is _Never else other[0])
                returned = (ended, other is not _Never)
                return telling.nondeterministic(self._program.scenario, order[:count], results, returned)
            pairs = found
        return ""

    def _possible(self, record: Record) -> list[telling.Possible]:
        """What the calls could have given: some orders that their times allow, and their results."""
        numbers = record.returned
        found: list[telling.Possible] = []

        def step(order: Order, index: int) -> Order | None:
            longer = (*order, numbers[index])
            return None if self._after(record, longer) is _Never else longer

        def note(order: Order) -> bool:
            results = {number: self._after(record, order[: at + 1])[0] for at, number in enumerate(order)}
            found.append((list(order), results))
            return len(found) >= telling.MOST_ORDERS

        start: Order = ()
        linearization(record.spans(numbers), start, step, note)
        return found
