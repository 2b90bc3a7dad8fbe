"""Frames as places, and what may be preempted: decided by the whole stack, not by its top."""

import itertools
import queue
import sys
from collections.abc import Callable
from types import FrameType
from typing import Any, cast

import pytest

from weft.core.places import (
    AT_END,
    HOME,
    floor,
    may_preempt,
    place_of,
    short,
    spot_of,
    stack_of,
    transparent,
    words_for,
)


def innermost() -> FrameType:
    return sys._getframe()


def ours(source: str) -> Callable[..., Any]:
    """A function whose code says that it stands in weft's own folder; no two have equal code."""
    space: dict[str, Any] = {}
    number = next(NUMBER)
    exec(compile("\n" * number + source, f"{HOME}core/made_up_{number}.py", "exec"), space)
    return cast("Callable[..., Any]", space["step"])


NUMBER = itertools.count()
CALL = "def step(call):\n    return call()\n"
LEAF = "import sys\ndef step():\n    return sys._getframe()\n"


def test_a_program_may_be_preempted() -> None:
    assert may_preempt(innermost())
    assert may_preempt(None)


def test_weft_itself_may_not() -> None:
    assert not may_preempt(ours(LEAF)())


def test_nor_a_finalizer_that_runs_on_top_of_weft() -> None:
    assert not may_preempt(ours(CALL)(innermost))


def test_a_transparent_frame_does_not_forbid_it() -> None:
    assert may_preempt(transparent(ours(CALL))(innermost))


def test_one_opaque_frame_among_transparent_ones_is_enough() -> None:
    opaque, clear = ours(CALL), transparent(ours(CALL))
    assert not may_preempt(clear(lambda: opaque(lambda: clear(innermost))))


def test_below_a_floor_nothing_matters() -> None:
    opaque, ground = ours(CALL), floor(ours(CALL))
    assert may_preempt(opaque(lambda: ground(innermost)))
    assert not may_preempt(ground(lambda: opaque(innermost)))


def test_the_place_is_the_innermost_line_of_the_program() -> None:
    def program() -> FrameType:
        return ours(LEAF)()  # type: ignore[no-any-return]

    frame = program()
    line = program.__code__.co_firstlineno + 1
    assert place_of(frame) == f"{__file__}:{line} in program"


def test_a_frame_of_ours_is_no_place() -> None:
    frame: FrameType = ours(LEAF)()
    assert "made_up" not in place_of(frame)
    assert not any("made_up" in place for place in stack_of(frame))


def test_what_stands_between_is_a_place_only_if_there_is_no_other() -> None:
    between = LEAF.replace("step", "get")
    space: dict[str, Any] = {}
    exec(compile(between, queue.__file__, "exec"), space)

    def program() -> FrameType:
        return space["get"]()  # type: ignore[no-any-return]

    frame = program()
    assert place_of(frame).endswith(" in program")
    assert stack_of(frame)[-1].startswith(f"{queue.__file__}:3 in get")


def test_no_frame_is_no_place() -> None:
    assert place_of(None) == "?"
    assert stack_of(None) == []


def test_a_stack_begins_with_the_outermost() -> None:
    def inner() -> list[str]:
        return stack_of(sys._getframe())

    assert [place.rpartition(" in ")[2] for place in inner()][-2:] == [
        "test_a_stack_begins_with_the_outermost",
        "inner",
    ]


@pytest.mark.parametrize("mark", [transparent, floor])
def test_marks_leave_the_function_as_it_is(mark: Callable[[Any], Any]) -> None:
    function = ours(CALL)
    assert mark(function) is function


def test_the_command_that_runs_a_program_is_no_place_but_the_end() -> None:
    def command(call: Callable[[], FrameType]) -> FrameType:
        return call()

    space: dict[str, Any] = {}
    exec(compile(LEAF, f"{HOME}launch.py", "exec"), space)
    frame = command(space["step"])
    spot = spot_of(frame)
    assert spot is not None
    assert place_of(frame) == words_for(spot) == short(AT_END) == "the end of the program"
