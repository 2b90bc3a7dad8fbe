"""How an operation on a descriptor is announced, waits, and is made."""

import errno
from collections.abc import Callable
from typing import Any

from weft.check.network.errors import bad_descriptor, fail
from weft.check.network.space import NETWORK, Description
from weft.check.world import MODEL
from weft.models.controlled import Task

__all__ = ["announce", "operate"]

_point = MODEL.point


def operate(
    fd: int,
    description: Description,
    what: tuple[Any, Any, Any],
    ready: Callable[[], Any],
    attempt: Callable[[], Any],
    deadline: float | None = None,
    wait: bool = True,
) -> Any:
    """Make one operation: a point, and then whatever `attempt` returns.

    Args:
        what: kind, target and key of the point.
        ready: whether `attempt` would return something else than None.
        deadline: when a wait gives up.
        wait: whether it waits at all.

    Raises:
        TimeoutError: the deadline came first.
        BlockingIOError: it would have to wait and must not.
        OSError: the descriptor was closed meanwhile.
    """
    table = NETWORK.table
    if not wait:
        _point(*what)
    else:

        def may_go_on(task: Task) -> bool:
            if table.get(fd) is not description or ready():
                return True
            return task.deadline is not None and MODEL.now >= task.deadline

        _point(*what, None, may_go_on, deadline)
    if table.get(fd) is not description:
        raise bad_descriptor()
    got = attempt()
    if got is None:
        MODEL.changes -= 1  # the point counted one
        if wait:
            raise TimeoutError("timed out")
        raise fail(errno.EAGAIN)
    return got


def announce(kind: str, description: Description) -> None:
    """A point for what touches all of a description, if others can notice."""
    end = description.end
    if end is not None:
        _point(kind, end.connection)
    elif description.place is not None:
        _point(kind, description.place)
    elif description.inbox is not None:
        _point(kind, description.inbox)
