"""Faults of the network, as threads of its own: whoever chooses threads chooses them.

A connection that may fail has a thread for each fault, which stands before one operation: to shorten what
goes through next, to delay what is on its way, to cut it off. So a fault is a choice like any other:
it stands in the schedule, is replayed, and goes when the schedule is made smaller.
"""

from collections.abc import Callable

from weft.check.network.links import Connection
from weft.check.network.space import NETWORK
from weft.check.world import FAULTS, MODEL, NET, born
from weft.models.controlled import Task

__all__ = ["DELAY", "MOST", "attend"]

MOST = 2  # faults of an execution
DELAY = 5.0  # seconds of virtual time
_point = MODEL.point


class _Named:
    """What stands for the thread object."""

    name = "the network"


class _Faults:
    """Those of one execution."""

    def __init__(self) -> None:
        self.left = MOST
        self.new: list[Connection] = []
        born(self)

    def _put_back(self) -> None:
        self.left = MOST
        self.new = []
        NETWORK.connected = self.new.append if NET.faults() else None


_faults = _Faults()


def attend() -> None:
    """Start what may happen to connections that have just been made."""
    while _faults.new and MODEL.active:
        connection = _faults.new.pop()
        for kind in NET.faults():
            if kind != "shorten" and not connection.stream:
                continue  # within a machine nothing is late or lost
            _point("start", None)
            MODEL.start(_body(kind, connection), True, _name)


def _name(task: Task) -> None:
    task.thread = _Named


def _body(kind: str, connection: Connection) -> Callable[[Task], None]:
    def run(_: Task) -> None:
        def may_happen(_: Task) -> bool:
            return _faults.left > 0 and connection.open and _others_go_on()

        _point(kind, connection, None, None, may_happen)
        _faults.left -= 1
        _DO[kind](connection)

    return run


def _others_go_on() -> bool:
    """Whether a thread of the program could go on: a fault is no way out of a deadlock, nor out of a wait."""
    return any(task.kind not in FAULTS and (task.guard is None or task.guard(task)) for task in MODEL.tasks)


def _shorten(connection: Connection) -> None:
    for channel in connection.channels:
        channel.cut = True


def _delay(connection: Connection) -> None:
    until = MODEL.after(DELAY)
    for channel in connection.channels:
        channel.held = True
    _point("deliver", connection, None, None, lambda _: MODEL.now >= until, until)
    for channel in connection.channels:
        channel.held = False


def _cut_off(connection: Connection) -> None:
    connection.open = False
    for end in connection.ends:
        end.reset()
    for channel in connection.channels:
        channel.data.clear()


_DO = {"shorten": _shorten, "delay": _delay, "cut off": _cut_off}
