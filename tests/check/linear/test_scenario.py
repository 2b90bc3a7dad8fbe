"""Calls as JSON, and back."""

import json
import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.check.linear.classes import Colour, Counter
from weft.check.linear.results import frozen, same
from weft.check.linear.scenario import Scenario, told
from weft.errors import WeftError

PLAIN = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary()
PLAIN |= st.complex_numbers(allow_nan=False, allow_infinity=False) | st.sampled_from(Colour)
ARGUMENTS = st.recursive(
    PLAIN | st.sampled_from([Counter, Counter.add, math.floor]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.tuples(inner, inner)
        | st.sets(PLAIN, max_size=3)
        | st.frozensets(PLAIN, max_size=3)
        | st.dictionaries(PLAIN, inner, max_size=3)
    ),
    max_leaves=6,
)


@settings(max_examples=50)
@given(ARGUMENTS)
def test_an_argument_comes_back_as_it_was(argument: Any) -> None:
    scenario = Scenario(json.loads(json.dumps([[["f", [told(argument)]]], [], []])))
    (back,) = scenario.calls[0].args()
    assert type(back) is type(argument)
    assert same(frozen(back), frozen(argument), frozenset()) is not None


def test_what_a_method_may_change_is_new_for_each_call() -> None:
    scenario = Scenario([[["f", [told([1]), told(2)]]], [], []])
    scenario.calls[0].args()[0].append(2)
    assert scenario.calls[0].args() == [[1], 2]


def test_calls_are_numbered_and_named() -> None:
    def call(name: str) -> Any:
        return [name, [told(1)]]

    scenario = Scenario([[call("a")], [[call("b"), call("c")], [call("d")]], [call("e")]])
    assert (scenario.before, scenario.threads, scenario.after) == ([0], [[1, 2], [3]], [4])
    assert [scenario.who(number) for number in range(5)] == ["", "A", "A", "B", ""]
    assert scenario.text == "before: a(1); A: b(1), c(1); B: d(1); after: e(1)"
    assert scenario.name(26) == "T27"


class Local:
    pass


@pytest.mark.parametrize("value", [Local(), object(), lambda: 0, [Local()], {1: Local()}, complex(math.inf)])
def test_what_cannot_be_told_is_refused(value: Any) -> None:
    with pytest.raises(WeftError, match="an argument has to be a plain value"):
        told(value)


@pytest.mark.parametrize(
    "data",
    [
        None,
        [],
        [[], []],
        [[["f"]], [], []],
        [[["f", [["nope", 1]]]], [], []],
        [[["f", [["plain", "1 +"]]]], [], []],
        [[["f", [["plain", "print(1)"]]]], [], []],
        [[["f", [["name", "no.such.module", "x"]]]], [], []],
        [[["f", [["member", "tests.check.linear.classes", "Colour", "GREEN"]]]], [], []],
        [[["f", [[]]]], [], []],
    ],
)
def test_a_damaged_description_is_refused(data: Any) -> None:
    with pytest.raises(WeftError, match="the description of calls is damaged"):
        Scenario(data)
