"""What calls give: kept as it was, compared by value, told in a few characters."""

import math
from collections import OrderedDict, deque
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from typing import Any

import pytest

from tests.check.linear.classes import Colour, Connection
from weft.check.linear.results import Names, Raised, frozen, said, same

NONE: frozenset[tuple[int, int]] = frozenset()


@dataclass
class Point:
    x: int
    y: list[int]


class Loud:
    def __init__(self, n: int) -> None:
        self.n = n

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Loud):
            raise RuntimeError("not that")
        return self.n == other.n

    __hash__ = None  # type: ignore[assignment]


VALUES: list[Any] = [
    None,
    1,
    2.5,
    "text",
    b"bytes",
    math.nan,
    (1, [2, {3}]),
    {"a": 1, "b": [2]},
    {(1, "a"): 2, (1, "b"): 3},
    deque([1, 2]),
    OrderedDict(a=1),
    Point(1, [2]),
    Fraction(1, 3),
    Colour.RED,
    Loud(3),
    int,
    range(3),
    {1: 2}.keys(),
    {1: 2}.values(),
    KeyError("k"),
]


@pytest.mark.parametrize("index", range(len(VALUES)))
def test_a_value_is_the_same_as_itself_and_as_no_other(index: int) -> None:
    mine = frozen(VALUES[index])
    assert same(mine, frozen(VALUES[index]), NONE) is not None
    for number, value in enumerate(VALUES):
        if number != index:
            assert same(mine, frozen(value), NONE) is None, value


def test_what_goes_into_a_dictionary_or_a_set_first_makes_no_difference() -> None:
    pairs = [((1, "a"), 2), ("b", 3), (4, [5])]
    assert same(frozen(dict(pairs)), frozen(dict(pairs[::-1])), NONE) is not None
    assert same(frozen({1, "a", (2,)}), frozen({(2,), "a", 1}), NONE) is not None


def test_what_is_kept_does_not_change() -> None:
    held = {"a": [1]}
    kept, view = frozen(held), frozen(held.keys())
    held["a"].append(2)
    held["b"] = []
    assert same(kept, frozen({"a": [1]}), NONE) is not None
    assert said(kept) == "{'a': [1]}"
    assert said(view) == "dict_keys('a')"


def test_objects_stand_one_to_one_for_others() -> None:
    one, other, third, fourth = (frozen(Connection()) for _ in range(4))
    pairs = same(one, third, NONE)
    assert pairs is not None
    assert same(one, third, pairs) == pairs
    assert same(one, fourth, pairs) is None
    assert same(other, third, pairs) is None
    assert same(other, fourth, pairs) is not None
    assert same(one, frozen(object()), NONE) is None
    both = Connection()
    assert same(frozen([both, both]), frozen([Connection(), Connection()]), NONE) is None
    assert same(frozen([both, both]), frozen([both, both]), NONE) is not None


def test_exceptions_are_the_same_by_class_and_arguments() -> None:
    def raised(error: BaseException) -> Raised:
        return Raised(error)

    assert same(raised(KeyError(1)), raised(KeyError(1)), NONE) is not None
    assert same(raised(KeyError(1)), raised(KeyError(2)), NONE) is None
    assert same(raised(KeyError(1)), raised(IndexError(1)), NONE) is None
    assert same(raised(KeyError(1)), frozen(KeyError(1)), NONE) is None
    assert said(raised(KeyError("a" * 99))) == "KeyError('" + "a" * 47 + "..."


def test_a_container_in_itself_comes_to_an_end() -> None:
    inside: list[Any] = []
    inside.append(inside)
    assert "list" in said(frozen(inside))


def test_how_values_are_told() -> None:
    names: Names = {}
    one, other = frozen(Connection()), frozen(Connection())
    assert [said(one, names), said(other, names), said(one, names)] == [
        "<Connection 1>",
        "<Connection 2>",
        "<Connection 1>",
    ]
    assert said(frozen([Connection()])) == "[<Connection>]"
    assert said((1,)) == "(1,)"
    assert said({1}) == "{1}"
    assert said(set()) == "set()"
    assert said(date(2026, 1, 2)) == "datetime.date(2026, 1, 2)"
    assert said(Loud(1)) == "<Loud>"
    assert said(Colour.RED) == "<Colour.RED: 1>"
    assert said(int) == "int"
    assert len(said(list(range(100)))) == 60
