"""A scenario as a program to check: an object is made, and threads call it.

The calls of a thread begin and return at points of their own, so that the search tries the orders in which
one call has returned before another begins: two such points matter to each other if one is a beginning and
the other a return. A run in a given order is an execution too, in which each call waits for its turn; one
that then cannot return would not return in that order. So calls are always made by the thread that makes
them in the scenario, and a lock that knows its owner does in an order what it does under threads.
"""

import importlib
import json
import re
from typing import Any

from weft.check.linear.judging import Judge
from weft.check.linear.record import Record
from weft.check.linear.results import Raised, frozen, said
from weft.check.linear.scenario import Scenario
from weft.check.linear.telling import gave, is_refused, place_of_method
from weft.check.program import Function, Program, named
from weft.check.said import Said
from weft.check.state import Snapshot, modules_with_state
from weft.check.strategies.robin import RoundRobin
from weft.check.world import MODEL
from weft.errors import WeftError
from weft.instrument import points
from weft.instrument.hook import TOOLS
from weft.models.controlled import Ended, Over, Task

__all__ = ["Calls", "snapshot"]

LIMIT = 20_000  # steps of calls that are made in an order


def snapshot() -> Snapshot:
    """The state of modules as it is now, what tests are made with left out."""
    return Snapshot(
        [module for module in modules_with_state() if module.__name__.partition(".")[0] not in TOOLS]
    )


class _Edge:
    """The key of a beginning or of a return: equal to those of the other sort alone."""

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        return self is not other

    def __hash__(self) -> int:
        return 0


_BEGINNING, _RETURN = _Edge(), _Edge()


class _Edges:
    """What the beginnings and returns of an execution's calls are points on."""


class Calls(Program):
    """A scenario; `args` is one text, JSON: how to make the object, the sequential one, and the calls.

    Attributes:
        scenario: the calls.
        record: of the last execution.
        broken: why these calls cannot be checked; "" if they can.
        unseen: methods whose code has not been rewritten.
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
        self.broken = ""
        self.unseen: set[str] = set()
        self._state: Snapshot | None = None
        self._judge = Judge(self)
        self._order: tuple[int, ...] | None = None  # None: as threads do
        self._done = 0  # calls of the order

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
        """These are the calls from now on.

        Raises:
            WeftError: they are no scenario.
        """
        self.scenario = Scenario(data)
        self._given["calls"] = data
        self.args = [json.dumps(self._given)]
        self._judge = Judge(self)

    def prepare(self) -> None:
        """Import what makes the object, and the rest."""
        for function in (self._equal, self._spec, self._factory):
            if function is not None:
                function.prepare()
        self._state = snapshot()

    def judge(self, executor: Any, outcome: Any) -> None:
        """Of what was found keep what no order of the calls explains."""
        if self._order is None:
            if executor.snapshot is None:  # orders have to begin as the execution did
                executor.snapshot = self._state
            self._judge.judge(executor, outcome)

    # -- an execution ----------------------------------------------------------------------------------

    @property
    def equal(self) -> Any:
        """The program's own comparison of results, or None."""
        return None if self._equal is None else self._equal.call

    def in_order(self, executor: Any, order: tuple[int, ...]) -> Record:
        """What these calls do one after another.

        Raises:
            WeftError: they cannot be made.
        """
        kept, self._order = self.record, order
        try:
            executor.run(RoundRobin(), None, LIMIT)
            made = self.record
        finally:
            self._order, self.record = None, kept
        if self.broken:
            raise WeftError(self.broken)
        return made

    def run(self) -> None:
        """Make the object and the calls."""
        self._done = 0
        self.broken = ""
        self.record = Record(len(self.scenario))
        factory = self._factory if self._order is None or self._spec is None else self._spec
        try:
            subject = factory.call()
        except Ended:
            raise
        except BaseException as error:  # noqa: BLE001 - of the program's own code
            self.broken = f"{factory.what} makes no object: {said(Raised(error))}"
            return
        self._look_at(subject)
        if not self.broken:
            self._make_calls(subject)

    def _look_at(self, subject: Any) -> None:
        """See whether it has the methods, and whether their code has been rewritten."""
        cls = type(subject)
        for name in {call.name: 0 for call in self.scenario}:
            if not hasattr(cls, name) and not callable(getattr(subject, name, None)):
                self.broken = f"a {cls.__name__} has no method {name!r}"
                return
            path = place_of_method(subject, name).rpartition(":")[0]
            if path not in points.rewritten:
                self.unseen.add(f"{cls.__qualname__}.{name}")

    def _make_calls(self, subject: Any) -> None:
        threading: Any = importlib.import_module("threading")  # the checker's, which programs get
        scenario, edges = self.scenario, _Edges()
        for number in scenario.before:
            self._make(subject, number)
        threads = [
            threading.Thread(target=self._make_all, args=(subject, numbers, edges), name=scenario.name(index))
            for index, numbers in enumerate(scenario.threads)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for number in scenario.after:
            self._make(subject, number)

    def _make_all(self, subject: Any, numbers: list[int], edges: _Edges) -> None:
        """What a thread does."""
        if self._order is not None:
            for number in numbers:
                self._make(subject, number)
            return
        record = self.record
        for number in numbers:
            call = self.scenario.calls[number]
            place = place_of_method(subject, call.name)
            MODEL.point(Said(f"calls {call.text}", place), edges, _BEGINNING)
            self._make(subject, number)
            text = f"{call.name} {gave(record.results[number], record.names)}"
            MODEL.point(Said(text, place), edges, _RETURN)
            record.ended[number] = record.tick()

    def _make(self, subject: Any, number: int) -> None:
        """Make one call; in an order, when its turn comes."""
        record, call = self.record, self.scenario.calls[number]
        if self._order is not None:
            MODEL.point("turn", None, number, None, self._is_turn)
        record.begun[number] = record.tick()
        try:
            returned = getattr(subject, call.name)(*call.args())
        except Ended:
            raise
        except BaseException as error:  # noqa: BLE001 - what a call raises is what it gives
            record.results[number] = Raised(error)
            if isinstance(error, TypeError) and is_refused(error, subject, call.name):
                self.broken = f"{call.text} cannot be called: {error}"
        else:
            record.raw[number] = returned
            record.results[number] = frozen(returned)
        record.ended[number] = record.tick()
        if self._order is not None:
            self._done += 1
            if self._done == len(self._order):
                MODEL.stop(Over("stop"))

    def _is_turn(self, task: Task) -> bool:
        assert self._order is not None
        return bool(self._order[self._done] == task.key)
