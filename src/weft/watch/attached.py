"""What looks on while a program runs: kernel threads that serve beside it, and the counts of a comparison."""

from collections.abc import Callable
from typing import Protocol

from weft.core.ports import Model
from weft.watch.counts import Counts

__all__ = ["Attached"]


class _Servant(Protocol):
    """A kernel thread of weft's own: weft.host.servant."""

    alive: bool

    def start(self) -> None: ...
    def pause(self) -> None: ...
    def resume(self) -> None: ...
    def after_fork(self) -> None: ...
    def stop(self) -> None: ...


class Attached:
    """Those that look on, and what becomes of them at a fork and at the end.

    Args:
        model: whose threads they look at.
        clock: monotonic seconds.
    """

    def __init__(self, model: Model, clock: Callable[[], float]) -> None:
        self._model = model
        self._clock = clock
        self._servants: list[_Servant] = []
        self._counting: tuple[Counts, str] | None = None

    def attach(self, servant: _Servant) -> None:
        """Send a kernel thread that serves until the program ends."""
        servant.start()
        self._servants.append(servant)

    def detach(self, servant: _Servant) -> None:
        """Call one off for good."""
        if servant in self._servants:
            self._servants.remove(servant)
        servant.stop()

    @property
    def kernel_threads(self) -> int:
        """How many kernel threads of the process are theirs."""
        return sum(servant.alive for servant in self._servants)

    def count_into(self, path: str) -> None:
        """Count what threads do from here on, and leave the figures in a file when the program ends."""
        counts = Counts(self._clock)
        counts.begin(self._model.main)
        self._model.listen(counts)
        self._counting = counts, path

    # -- forks and the end ---------------------------------------------------------------------------

    def before_fork(self) -> None:
        """A fork finds no kernel thread of theirs."""
        for servant in self._servants:
            servant.pause()

    def after_fork_parent(self) -> None:
        """Go on as before."""
        for servant in self._servants:
            servant.resume()

    def after_fork_child(self) -> None:
        """In the child the figures would be those of another process."""
        if self._counting is not None:
            self._counting = None
            self._model.listen(None)
        for servant in self._servants:
            servant.after_fork()
            servant.resume()

    def leave(self) -> None:
        """The program has ended: those who serve go, and the figures are written down."""
        while self._servants:
            self._servants.pop().stop()
        if self._counting is None:
            return
        (counts, path), self._counting = self._counting, None
        try:
            with open(path, "w", encoding="ascii") as file:
                file.writelines(counts.lines(self._model.started))
        except OSError:
            pass  # who asked sees that they are not there
