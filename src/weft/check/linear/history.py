"""Is there an order of calls that explains what they gave?

The search of Wing and Gong (1993) with the memory of Lowe (2017): take a call before whose beginning no other
call that is left has returned, see whether the sequential object can give the same, go on with the rest; a
set of calls done that has led to a state before is not gone into again.
"""

from collections.abc import Callable, Hashable, Sequence
from typing import Any, TypeVar

__all__ = ["Span", "comes_before", "linearization"]

Span = tuple[int, int | None]
"""When a call began and when it returned, on one clock whose values are all different; None: it never did."""

State = TypeVar("State", bound=Hashable)


def comes_before(first: Span, second: Span) -> bool:
    """Whether the first call had returned when the second one began."""
    return first[1] is not None and first[1] < second[0]


def linearization(
    spans: Sequence[Span],
    start: State,
    step: Callable[[State, int], State | None],
    accepts: Callable[[State], bool] = lambda _: True,
) -> list[int] | None:
    """An order of the calls in which each gives what it gave; None: there is none.

    A call that never returned may have done its work or not. All others are in the order.

    Args:
        spans: one for each call; a call is its index here.
        start: the state of the sequential object at first.
        step: the state after a call that is made in a state; None: there the call would give something else,
            or would not return.
        accepts: says of the last state whether it may be that.
    """
    needed = sum(1 << call for call, span in enumerate(spans) if span[1] is not None)
    in_time = sorted(range(len(spans)), key=lambda call: (spans[call][1] is None, spans[call]))
    seen: set[tuple[int, Any]] = set()
    order: list[int] = []

    def search(done: int, state: State) -> bool:
        if done & needed == needed and accepts(state):
            return True
        if (done, state) in seen:
            return False
        seen.add((done, state))
        left = [call for call in in_time if not done >> call & 1]
        first_return = min(
            (end for end in (spans[call][1] for call in left) if end is not None), default=None
        )
        for call in left:
            if first_return is not None and spans[call][0] > first_return:
                continue
            after = step(state, call)
            if after is None:
                continue
            order.append(call)
            if search(done | 1 << call, after):
                return True
            order.pop()
        return False

    return order if search(0, start) else None
