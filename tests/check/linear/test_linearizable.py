"""`weft.check.linearizable`: what it finds, what it passes, what it refuses."""

import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import strategies as st

import weft
from tests.check.linear import classes
from tests.check.programs import weft as command
from weft.check.linear.asking import CheckedCalls

ROOT = Path(__file__).resolve().parents[3]
SMALL = {"examples": 8, "schedules": 25, "calls": 2, "before": 1, "after": 1}
ONE_OR_TWO = st.integers(1, 2)


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Schedules are written into a folder of the test's own."""
    monkeypatch.chdir(tmp_path)


def passes(factory: Callable[[], object], operations: Any, **options: Any) -> CheckedCalls:
    found = weft.check.linearizable(factory, operations, **{**SMALL, **options})
    assert found.ok
    assert (found.kind, found.schedule, found.findings) == (None, None, [])
    return found


def fails(factory: Callable[[], object], operations: Any, **options: Any) -> CheckedCalls:
    with pytest.raises(weft.check.NotLinearizable) as caught:
        weft.check.linearizable(factory, operations, **{**SMALL, "examples": 60, **options})
    found = caught.value.found
    assert not found.ok
    assert str(caught.value) == str(found)
    return found


def refused(factory: Any, operations: Any, **options: Any) -> str:
    with pytest.raises(weft.WeftError) as caught:
        weft.check.linearizable(factory, operations, **{**SMALL, **options})
    return str(caught.value)


# ---- what is found


def test_a_lost_count_is_told_by_the_smallest_calls_that_show_it(tmp_path: Path) -> None:
    found = fails(classes.Counter, {"add": (ONE_OR_TWO,), "value": ()})
    assert found.kind == "not-linearizable"
    lines = found.findings[0]["lines"]
    calls = [line.split() for line in lines[:2]]
    assert calls[0] == ["A", "|", "B"]
    assert calls[1] in (["add(1)", "=", n, "|", "add(1)", "=", n] for n in "12")
    assert [line.partition(":")[0] for line in lines[2:]] == [
        "in the order A's add(1), B's add(1)",
        "in the order B's add(1), A's add(1)",
    ]
    assert len(re.findall(r"def add\(.*  \[calls add\(1\)\]", str(found))) == 2
    assert found.schedule == str(Path(".weft", "Counter-not-linearizable.json"))
    again = command("replay", str(tmp_path / found.schedule), cwd=ROOT)
    assert (again.returncode, again.stderr) == (1, "")
    assert "failure: not-linearizable: no order of these calls gives what they gave" in again.stdout


@pytest.mark.slow
def test_the_same_seed_finds_the_same() -> None:
    operations = {"add": ONE_OR_TWO, "value": ()}
    first, second = (fails(classes.Counter, operations, seed=3, before=0) for _ in range(2))
    assert first.findings == second.findings
    assert (first.executions, first.scenarios) == (second.executions, second.scenarios)


def test_times_matter() -> None:
    """A call that comes after another has returned cannot be put before it."""
    options = {"spec": classes.Register, "calls": 1, "before": 0, "after": 0}
    found = fails(classes.Lagging, {"put": (ONE_OR_TWO,), "get": ()}, **options)
    told = found.findings[0]["lines"]
    put, get = ("A", "B") if told[1].startswith("put") else ("B", "A")
    assert told[2] == f"{put}'s put(1) had returned before {get}'s get() was called"


def test_a_deadlock_is_one_that_no_order_has() -> None:
    found = fails(classes.Crossing, ["there", "back"])
    assert found.kind == "deadlock"
    told = str(found)
    assert "there() never returns" in told
    assert "in no order of these calls, made one after another, would they wait there" in told
    assert "MainThread" not in told


def test_a_call_that_would_wait_anyway_may_wait() -> None:
    assert passes(classes.Slot, {"put": [(1,)], "get": ()}).executions > 8


def test_a_lost_wakeup() -> None:
    found = fails(classes.Forgetful, ["put", "wait"])
    assert found.kind == "lost-wakeup"


def test_an_exception_is_what_a_call_gives() -> None:
    found = fails(classes.Keys, {"put": ONE_OR_TWO, "keys": ()})
    assert "keys() raises RuntimeError('dictionary changed size during iteration')" in str(found)


def test_one_object_for_two() -> None:
    found = fails(classes.Pool, ["take"])
    line = found.findings[0]["lines"][1]
    assert line.split() == ["take()", "=", "<Connection", "1>", "|", "take()", "=", "<Connection", "1>"]


# ---- what is right


def test_a_mended_class_passes() -> None:
    found = passes(
        classes.LockedCounter, {"add": (ONE_OR_TWO,), "value": ()}, calls=1, before=0, schedules=200
    )
    assert found.complete
    assert found.completed == found.scenarios == 8
    assert f"of {found.completed} sets of calls every schedule has been run" in str(found)


@pytest.mark.slow
def test_other_right_classes_pass() -> None:
    passes(classes.Owned, ["take", "drop"], schedules=15)
    passes(classes.LockedPool, ["take"], schedules=15)


@pytest.mark.slow
def test_threads_of_its_own() -> None:
    passes(classes.Worker, {"add": ONE_OR_TWO, "value": ()}, examples=4, schedules=15)


def test_state_of_the_module_is_put_back() -> None:
    """Else no two runs would give the same number."""
    found = fails(classes.Numbers, ["next"])
    given = found.findings[0]["lines"][1].split()
    assert given[2] == given[6]
    assert int(given[2]) < 10


def test_what_was_cut_off_is_not_complete() -> None:
    found = passes(classes.Long, ["count"], examples=2, schedules=4, steps=50)
    assert (found.completed, found.complete) == (0, False)
    assert "8 executions were longer than the bound on steps" in str(found)


@pytest.mark.slow
def test_what_is_not_rewritten_is_named() -> None:
    found = passes(classes.Counter, {"add": (1,)}, only="nothing", examples=2)
    assert "note: not rewritten, so one step between operations on locks and the like: Counter.add" in str(
        found
    )


# ---- options


def test_another_class_may_say_what_is_right() -> None:
    found = fails(classes.LockedCounter, {"add": (1,)}, spec=classes.Doubling)
    assert "add(1) returns 2" in str(found)


@pytest.mark.slow
def test_a_comparison_of_ones_own() -> None:
    operations = {"add": (1,), "value": ()}
    passes(
        classes.Approximate, operations, spec=classes.LockedCounter, equal=classes.near, examples=4, calls=1
    )


def test_what_is_made_inside_a_function() -> None:
    size = 2

    def make() -> object:
        counter = classes.Counter()
        counter.n = size
        return counter

    lines = fails(lambda: make(), {"add": ()}).findings[0]["lines"]  # noqa: PLW0108 - as people write it
    assert lines[1].split()[2] in "34"


@pytest.mark.slow
def test_arguments_of_many_kinds() -> None:
    colours = st.sampled_from(classes.Colour)
    passes(
        classes.Colours,
        {"put": st.tuples(colours, st.just(("a",))), "get": ()},
        examples=3,
        schedules=10,
    )


@pytest.mark.slow
def test_time_is_up() -> None:
    found = passes(classes.LockedCounter, {"add": (1,)}, examples=100_000, time=0.05)
    assert found.scenarios < 1_000


# ---- what is refused

STARTED = [
    (classes.Broken, ["f"], "Broken makes no object: KeyError('told')"),
    (classes.Counter, ["subtract"], "a Counter has no method 'subtract'\n  the calls: "),
    (classes.Counter, {"value": (1,)}, "value(1) cannot be called: "),
    (classes.Clocked, ["now"], "do not give the same each time: now() returns datetime.datetime("),
    pytest.param(
        classes.Mortal,
        ["end"],
        "a call has ended its process, with exit status 3\n  the calls: A: end()",
        marks=pytest.mark.slow,
    ),
    (classes.Counter, {"add": [(classes.Connection(),)]}, "an argument has to be a plain value"),
]


@pytest.mark.parametrize(("factory", "operations", "why"), STARTED)
def test_calls_that_cannot_be_made(factory: Any, operations: Any, why: str) -> None:
    assert why in refused(factory, operations)


def _with_argument(a: int) -> object:
    return a


BAD = [
    (classes.Counter, {}, {}, "operations names no method"),
    (classes.Counter, {"a b": ()}, {}, "operations has methods' names, not 'a b'"),
    (classes.Counter, {3: ()}, {}, "operations has methods' names, not 3"),
    (classes.Counter, 3, {}, "operations has methods' names, with what they are given, not 3"),
    (classes.Counter, {"add": 3}, {}, "operations['add'] is 3: it has to be a tuple"),
    (classes.Counter, {"add": []}, {}, "operations['add'] is []: it has to be a tuple"),
    (classes.Counter, ["add"], {"threads": 1}, "threads takes a whole number from 2 to 8, not 1"),
    (classes.Counter, ["add"], {"calls": 0}, "calls takes a whole number from 1 to 20, not 0"),
    (classes.Counter, ["add"], {"before": "1"}, "before takes a whole number from 0 to 50, not '1'"),
    (classes.Counter, ["add"], {"schedules": 0}, "schedules takes a number of executions, 1 or more, not 0"),
    (classes.Counter, ["add"], {"time": 0}, "time takes seconds, more than 0, not 0"),
    (classes.Counter(), ["add"], {}, "factory: a check takes a function"),
    (_with_argument, ["add"], {}, "factory is called without arguments, and '_with_argument' needs a"),
    (classes.Counter, ["add"], {"spec": 3}, "spec: a check takes a function, not 3"),
    (classes.Counter, ["add"], {"equal": 3}, "equal: a check takes a function, not 3"),
]


@pytest.mark.parametrize(("factory", "operations", "options", "why"), BAD)
def test_bad_arguments(factory: Any, operations: Any, options: dict[str, Any], why: str) -> None:
    assert refused(factory, operations, **options).startswith(why)


def test_a_class_that_is_made_inside_a_function() -> None:
    class Here:
        pass

    assert "Here, a class that is made inside a function" in refused(Here, ["f"])


def test_a_call_at_the_level_of_the_module(tmp_path: Path) -> None:
    """Else each process that checks would begin another."""
    program = tmp_path / "program.py"
    program.write_text(
        "import weft\n\nclass Mine:\n    def f(self): pass\n\n"
        "try:\n    weft.check.linearizable(Mine, ['f'])\n"
        "except weft.WeftError as error:\n    print(error)\n    raise\n"
    )
    done = command("run", str(program), cwd=tmp_path)
    assert f"cannot be imported, at {program}:7: weft.errors.WeftError: the process that" in done.stdout
    assert "under `if __name__ == '__main__':`" in done.stdout


def test_hypothesis_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "hypothesis.strategies", None)
    assert "pip install 'weft[linearizable]'" in refused(classes.Counter, ["add"])


def test_nothing_of_it_is_loaded_before_it_is_asked_for(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(
        "import sys, weft, weft.check\n"
        "assert not [name for name in sys.modules if name.startswith(('hypothesis', 'weft.check.'))]\n"
        "weft.check.linearizable\n"
        "assert not [name for name in sys.modules if name.startswith('hypothesis')]\n"
        "try:\n    weft.check.nothing\nexcept AttributeError as error:\n    print(error)\n"
    )
    done = command("run", str(program), cwd=tmp_path)
    assert (done.stdout, done.stderr) == ("module 'weft.check' has no attribute 'nothing'\n", "")
