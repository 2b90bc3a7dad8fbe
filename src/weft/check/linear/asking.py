"""`weft.check.linearizable(factory, operations)`: the caller's side.

Hypothesis makes sets of calls up, and makes one that fails smaller. Each is asked about in a process that has
been started once for all of them.
"""

import importlib
import inspect
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from weft.check.called import START, Checked, described, patterns
from weft.check.linear.scenario import told
from weft.check.settings import Settings
from weft.config import environment_with_fixed_hashes
from weft.errors import WeftError
from weft.host.children import kill_group
from weft.host.clock import monotonic
from weft.host.entropy import Stream
from weft.wording import counted

__all__ = ["CheckedCalls", "NotLinearizable", "linearizable"]

LEAST, MOST = 20, 1_000_000  # executions of a set of calls that is smaller than one that fails
CHECKING = "weft.check.served"  # the module that makes a process one that checks
MOST_STUCK = 3  # sets of calls that come to no end, after which none is tried any more
SETS = ("set of calls", "sets of calls")
Text = dict[str, Any]
_LIMITS = {  # the least and the most of each number
    "threads": (2, 8),
    "calls": (1, 20),
    "before": (0, 50),
    "after": (0, 50),
    "examples": (1, 1_000_000),
}


class CheckedCalls(Checked):
    """What a check of calls has found.

    Attributes:
        scenarios: how many sets of calls were run.
        completed: of how many of them all schedules were run.
    """

    def __init__(self, said: Text, text: str, scenarios: int, completed: int) -> None:
        super().__init__(said, text)
        self.scenarios = scenarios
        self.completed = completed


class NotLinearizable(AssertionError):
    """Calls were found that give what no order of them gives, or that wait for ever; the text is the report.

    Attributes:
        found: the report.
    """

    def __init__(self, found: CheckedCalls) -> None:
        super().__init__(str(found))
        self.found = found


class _GivenUp(BaseException):
    """What Hypothesis is to hand through: nothing is to be made smaller."""


def linearizable(
    factory: Callable[[], object],
    operations: Mapping[str, Any] | Iterable[str],
    *,
    spec: Callable[[], object] | None = None,
    equal: Callable[[Any, Any], object] | None = None,
    threads: int = 2,
    calls: int = 3,
    before: int = 2,
    after: int = 2,
    examples: int = 100,
    schedules: int = 100,
    time: float | None = None,
    seed: int = 0,
    steps: int = 5_000,
    only: Iterable[str] = (),
    exclude: Iterable[str] = (),
    stdlib: bool = False,
) -> CheckedCalls:
    """Call an object from several threads, and see whether the calls give what some order of them gives.

    Args:
        factory: makes the object, a new one for each execution: a class, or a function without arguments.
        operations: the methods that are called, by name, with their arguments. A tuple has an entry for each
            argument: a strategy of Hypothesis, or a value. A list has what can be given, each a tuple or, for
            one argument, a value. A strategy gives the same. Names alone are methods without arguments.
        spec: makes the object that says what calls give one after another; None: `factory` does.
        equal: says of two results whether they are the same; None: their values are compared.
        threads: that call at the same time, at most; calls: of each.
        before, after: calls before the threads are started and after they have ended, at most.
        examples: sets of calls that are tried; schedules: executions of each at most.
        time: seconds after which no further set of calls is tried; None: there is no such limit.
        seed: where chance begins.
        steps: after which an execution is broken off.
        only, exclude, stdlib: what is rewritten, as for `weft.check`.

    Raises:
        NotLinearizable: calls were found that no order of them explains.
        WeftError: the object cannot be checked, or an argument cannot be.
    """
    __tracebackhide__ = True  # of pytest: the report is what is to be seen
    if CHECKING in sys.modules:
        raise WeftError(
            "the process that checks calls has come to this call itself: it belongs into a function, or under"
            " `if __name__ == '__main__':`, and not into a test that is run under many schedules"
        )
    numbers = {"threads": threads, "calls": calls, "before": before, "after": after, "examples": examples}
    for name, value in numbers.items():
        least, most = _LIMITS[name]
        if type(value) is not int or not least <= value <= most:
            raise WeftError(f"{name} takes a whole number from {least} to {most}, not {value!r}")
    settings = {"schedules": schedules, "seed": seed, "steps": steps}
    Settings(time=time, **settings)  # refuses what cannot be, here
    hypothesis = _hypothesis()
    made = _scenarios(hypothesis.strategies, _arguments(operations), numbers)
    choice = {"only": patterns(only), "exclude": patterns(exclude), "stdlib": bool(stdlib)}
    with _Process(_request(factory, spec, equal, choice, settings)) as process:
        search = _Search(process, hypothesis, time)
        return search.run(made, examples, seed)


def _hypothesis() -> Any:
    try:
        importlib.import_module("hypothesis.strategies")
        return importlib.import_module("hypothesis")
    except ImportError as error:
        raise WeftError(
            f"calls are made up by Hypothesis, which cannot be imported ({error}):"
            " pip install 'weft[linearizable]'"
        ) from None


def _request(factory: Any, spec: Any, equal: Any, choice: Text, settings: Text) -> Text:
    made = _described("factory", factory)
    given = {
        "factory": made,
        "spec": None if spec is None else _described("spec", spec),
        "equal": None if equal is None else _described("equal", equal),
        "calls": None,
    }
    return {
        "kind": "calls",
        "what": made["what"],
        "args": [json.dumps(given)],
        "path": sys.path,
        "choice": choice,
        "settings": {name: value for name, value in settings.items() if value is not None},
    }


def _described(what: str, function: Any) -> Text:
    if isinstance(function, type) and "<locals>" in function.__qualname__:
        raise WeftError(
            f"{what} is {function.__name__}, a class that is made inside a function, where another process"
            " cannot find it: put it at the level of its module, or give a function that makes the class and"
            " returns an object of it"
        )
    needed = _needed(function)
    if needed and what != "equal":
        raise WeftError(
            f"{what} is called without arguments, and {getattr(function, '__qualname__', function)!r} needs"
            f" {', '.join(needed)}: give a function that makes the object, such as `lambda: ...`"
        )
    try:
        return described(function)
    except WeftError as error:
        raise WeftError(f"{what}: {error}") from None


def _needed(function: Any) -> list[str]:
    """The parameters that a call must give."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):  # of C, or no function at all
        return []
    variable = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    return [each.name for each in parameters if each.default is each.empty and each.kind not in variable]


# -- what is called


def _arguments(operations: Any) -> dict[str, Any]:
    """By the name of each method what it is given."""
    if isinstance(operations, str):
        operations = [operations]
    if not isinstance(operations, Mapping):
        try:
            operations = dict.fromkeys(operations, ())
        except TypeError:
            raise WeftError(
                f"operations has methods' names, with what they are given, not {operations!r}"
            ) from None
    if not operations:
        raise WeftError("operations names no method: there is nothing to call")
    for name in operations:
        if not isinstance(name, str) or not name.isidentifier():
            raise WeftError(f"operations has methods' names, not {name!r}")
    return dict(operations)


def _scenarios(st: Any, arguments: dict[str, Any], numbers: dict[str, int]) -> Any:
    """The strategy of sets of calls."""
    call = st.one_of([st.tuples(st.just(name), _drawn(st, name, given)) for name, given in arguments.items()])
    return st.tuples(
        st.lists(call, max_size=numbers["before"]),
        st.lists(
            st.lists(call, min_size=1, max_size=numbers["calls"]), min_size=2, max_size=numbers["threads"]
        ),
        st.lists(call, max_size=numbers["after"]),
    )


def _drawn(st: Any, name: str, given: Any) -> Any:
    """The strategy of one method's arguments: lists."""
    if isinstance(given, st.SearchStrategy):
        return given.map(_listed)
    if isinstance(given, tuple):
        return st.tuples(
            *(each if isinstance(each, st.SearchStrategy) else st.just(each) for each in given)
        ).map(list)
    if isinstance(given, list) and given:
        return st.sampled_from(given).map(_listed)
    raise WeftError(
        f"operations[{name!r}] is {given!r}: it has to be a tuple with an entry for each argument, a strategy"
        " of Hypothesis, or a list of what can be given"
    )


def _listed(given: Any) -> list[Any]:
    return list(given) if isinstance(given, tuple) else [given]


def _as_json(scenario: Any) -> Any:
    """A set of calls as the other process gets it."""
    before, threads, after = scenario

    def calls(group: Any) -> Any:
        return [[name, [told(each) for each in args]] for name, args in group]

    return [calls(before), [calls(group) for group in threads], calls(after)]


# -- the search


class _Search:
    """Tries sets of calls until one fails, and then smaller ones."""

    def __init__(self, process: "_Process", hypothesis: Any, time: float | None) -> None:
        self._process = process
        self._hypothesis = hypothesis
        self._begun = monotonic()
        self._until = None if time is None else self._begun + time
        self._answers: dict[str, Text] = {}
        self._most: int | None = None  # executions of a set of calls
        self._kind: str | None = None  # of what was found first: smaller ones have to fail likewise

    def run(self, scenarios: Any, examples: int, seed: int) -> CheckedCalls:
        """The report.

        Raises:
            NotLinearizable: a set of calls fails.
            WeftError: the calls cannot be made.
        """
        __tracebackhide__ = True
        hypothesis = self._hypothesis
        settings = hypothesis.settings(
            max_examples=examples,
            deadline=None,
            database=None,
            derandomize=False,
            phases=(hypothesis.Phase.generate, hypothesis.Phase.shrink),
            suppress_health_check=list(hypothesis.HealthCheck),
        )
        try:
            found = hypothesis.find(scenarios, self._fails, settings=settings, random=Stream(seed))
        except hypothesis.errors.NoSuchExample:
            return self._nothing()
        except _GivenUp as given_up:
            raise given_up.args[0] from None
        said = self._process.ask(_as_json(found), tell=[self._executions(), monotonic() - self._begun])
        raise NotLinearizable(self._report(said["report"], said["text"]))

    def _fails(self, scenario: Any) -> bool:
        """Whether a set of calls fails as the first one did."""
        try:
            data = _as_json(scenario)
            key = json.dumps(data)
            if key not in self._answers:
                if self._until is not None and monotonic() > self._until:
                    return False
                self._answers[key] = self._process.ask(data, self._most)
                self._refuse_stuck()
        except WeftError as error:
            raise _GivenUp(error) from None
        answer = self._answers[key]
        if self._kind is None:
            self._kind = answer["kind"]
        fails = answer["kind"] is not None and answer["kind"] == self._kind
        if fails:  # smaller calls have fewer schedules: what fails among them comes soon
            self._most = min(self._most or MOST, max(LEAST, 2 * answer["executions"]))
        return bool(fails)

    def _refuse_stuck(self) -> None:
        stuck = [key for key, answer in self._answers.items() if answer.get("stuck")]
        if len(stuck) >= MOST_STUCK:
            raise WeftError(
                f"{len(stuck)} sets of calls have come to no end in time: a call makes very many steps (fewer"
                " `schedules` or `steps` help), never comes to a scheduling point, or waits for something"
                " outside the program"
            )

    def _executions(self) -> int:
        return sum(answer["executions"] for answer in self._answers.values())

    def _nothing(self) -> CheckedCalls:
        seconds = monotonic() - self._begun
        answers = list(self._answers.values())
        completed = sum(answer["complete"] for answer in answers)
        stuck = sum(answer.get("stuck", False) for answer in answers)
        text = (
            f"no failure found in {counted(len(answers), *SETS)}, {counted(self._executions(), 'execution')},"
            f" in {seconds:.2f} s\nof {counted(completed, *SETS)} every schedule has been run"
        )
        unseen = sorted({name for answer in answers for name in answer.get("unseen", ())})
        if unseen:
            text += (
                f"\nnote: not rewritten, so one step between operations on locks and the like:"
                f" {', '.join(unseen)}"
            )
        cut = sum(answer.get("cut", 0) for answer in answers)
        if cut:
            text += (
                f"\nnote: {counted(cut, 'execution was', 'executions were')} longer than the bound on steps"
            )
        if stuck:
            text += f"\nnote: {counted(stuck, *SETS)} did not come to a scheduling point in time"
        said: Text = {
            "kind": None,
            "findings": [],
            "executions": self._executions(),
            "seconds": round(seconds, 3),
            "complete": bool(answers) and completed == len(answers),
            "bound": None,
            "schedule": None,
        }
        return self._report(said, text)

    def _report(self, said: Text, text: str) -> CheckedCalls:
        completed = sum(answer["complete"] for answer in self._answers.values())
        return CheckedCalls(said, text, len(self._answers), completed)


class _Process:
    """The process that answers."""

    def __init__(self, request: Text) -> None:
        options = subprocess._args_from_interpreter_flags()  # type: ignore[attr-defined]
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - until the end
        self._process = subprocess.Popen(
            [sys.executable, *options, "-c", START],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            env=environment_with_fixed_hashes(),
            start_new_session=True,
        )
        try:
            self._say(request)
        except BaseException:
            self.__exit__()
            raise

    def __enter__(self) -> "_Process":
        return self

    def __exit__(self, *_: object) -> None:
        kill_group(self._process.pid)  # with who explores at the moment
        self._process.communicate()
        self._errors.close()

    def ask(self, calls: Any, most: int | None = None, tell: list[Any] | None = None) -> Text:
        """What comes of a set of calls, in so many executions; with what came before: the report."""
        return self._say({"calls": calls, "most": most, "tell": tell})

    def _say(self, request: Text) -> Text:
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None
        assert stdout is not None
        try:
            stdin.write(json.dumps(request).encode() + b"\n")
            stdin.flush()
            answer: Text = json.loads(stdout.readline())
        except (OSError, ValueError):
            self._errors.seek(0)
            text = self._errors.read().decode(errors="replace").strip()
            raise WeftError(f"the process that checks has ended\n{text}".strip()) from None
        if "error" in answer:
            raise WeftError(answer["error"])
        return answer
