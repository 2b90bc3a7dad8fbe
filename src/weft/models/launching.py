"""Where there is a guard: workers hold it, and the threads that they run do not."""

from _functools import partial  # type: ignore[import-not-found]  # functools leads to much more
from collections.abc import Callable
from typing import Any

from weft.config import wants_guard
from weft.core.places import transparent
from weft.core.thread import ControlBlock
from weft.errors import InternalError
from weft.guard import guarded, has_guard, let_go, outside, take

__all__ = ["let_sleep", "put_guard_around"]

#: What of a loop is called from without: by the program's threads, other carriers and reports.
ENTRIES = ("breathe", "discard", "ready_blocks", "launch", "launch_from_afar", "listen", "use")


@transparent
def _run_outside(run: Callable[[ControlBlock], object], block: ControlBlock) -> None:
    """Run a thread of the program's: a worker holds the guard before and after."""
    let_go()
    try:
        run(block)
    finally:
        take()


def _launching(launch: Any) -> Any:
    """`launch`, for threads that run without the guard."""

    def launch_outside(self: Any, block: ControlBlock) -> None:
        block.run = partial(_run_outside, block.run)
        launch(self, block)

    return launch_outside


def _checking(plain_pick: Any) -> Any:
    """`_plain_pick` for tests (WEFT_GUARD=1): a way that leads to a switch without the guard is told of."""

    def checking(self: Any) -> Callable[[], Any]:
        pick = plain_pick(self)

        def checked() -> Any:
            if not has_guard():
                raise InternalError("a thread parks without the guard")
            return pick()

        return checked

    return checking


def put_guard_around(loop: Any) -> None:
    """Have the entries of the class `Loop` take the guard, and its threads run without it."""
    for name in ENTRIES:
        setattr(loop, name, guarded(getattr(loop, name)))
    loop.launch = _launching(loop.launch)
    loop.launch_from_afar = _launching(loop.launch_from_afar)
    if wants_guard(False):
        loop._plain_pick = _checking(loop._plain_pick)


def let_sleep(poller: Any) -> None:
    """Let the guard go while a carrier sleeps in its poller."""
    poller.wait = outside(poller.wait)
    poller._lost = guarded(poller._lost)
