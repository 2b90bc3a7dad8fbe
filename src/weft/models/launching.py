"""Where there is a guard: workers hold it, and the threads that they run do not."""

from _functools import partial  # type: ignore[import-not-found]  # functools leads to much more
from collections.abc import Callable
from typing import Any

from weft.core.places import transparent
from weft.core.thread import ControlBlock
from weft.guard import guarded, let_go, outside, take

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


def put_guard_around(loop: Any) -> None:
    """Have the entries of the class `Loop` take the guard, and its threads run without it."""
    for name in ENTRIES:
        setattr(loop, name, guarded(getattr(loop, name)))
    loop.launch = _launching(loop.launch)
    loop.launch_from_afar = _launching(loop.launch_from_afar)


def let_sleep(poller: Any) -> None:
    """Let the guard go while a carrier sleeps in its poller."""
    poller.wait = outside(poller.wait)
    poller._lost = guarded(poller._lost)
