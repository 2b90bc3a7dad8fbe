"""What looks on while a program runs: kernel threads that serve beside it, listeners, counts, a recording."""

from collections.abc import Callable
from typing import Protocol

from weft.core.events import Kind, Listener, listening
from weft.core.ports import Model
from weft.core.thread import ControlBlock
from weft.watch.counts import Counts

__all__ = ["Attached", "Recording"]


class _Servant(Protocol):
    """A kernel thread of weft's own: weft.host.servant."""

    alive: bool

    def start(self) -> None: ...
    def pause(self) -> None: ...
    def resume(self) -> None: ...
    def after_fork(self) -> None: ...
    def stop(self) -> None: ...


class Recording(Protocol):
    """What ends with the program, and in a forked child is the parent's."""

    def stop(self) -> object: ...
    def abandon(self) -> object: ...


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
        self._listeners: list[Listener] = []
        self._counting: tuple[Counts, str] | None = None
        self.recordings: list[Recording] = []
        self._forks = 0  # that have begun and are not over

    # -- kernel threads ------------------------------------------------------------------------------

    def attach(self, servant: _Servant) -> None:
        """Send a kernel thread that serves until the program ends."""
        servant.start()
        self._servants.append(servant)

    def detach(self, servant: _Servant) -> None:
        """Call one off for good."""
        self.forget(servant)
        servant.stop()

    def forget(self, servant: _Servant) -> None:
        """It has nothing to do here any more: in a forked child, where it is not there."""
        if servant in self._servants:
            self._servants.remove(servant)

    @property
    def kernel_threads(self) -> int:
        """How many kernel threads of the process are theirs."""
        return sum(servant.alive for servant in self._servants)

    # -- listeners -----------------------------------------------------------------------------------

    def listen(self, listener: Listener) -> None:
        """Tell a listener what happens to threads from here on."""
        self._listeners.append(listener)
        self._tell()

    def unlisten(self, listener: Listener) -> None:
        """Tell it no more."""
        self._listeners = [other for other in self._listeners if other is not listener]
        self._tell()

    def _tell(self) -> None:
        listeners = tuple(self._listeners)
        if len(listeners) < 2:
            listening[:] = listeners
            self._model.listen(listeners[0] if listeners else None)
            return

        def tell_all(kind: Kind, block: ControlBlock, by: ControlBlock | None) -> None:
            for listener in listeners:
                listener(kind, block, by)

        listening[:] = [tell_all]
        self._model.listen(tell_all)

    def count_into(self, path: str) -> None:
        """Count what threads do from here on, and leave the figures in a file when the program ends."""
        counts = Counts(self._clock)
        counts.begin(self._model.main)
        self.listen(counts)
        self._counting = counts, path

    # -- forks and the end ---------------------------------------------------------------------------

    def before_fork(self) -> None:
        """A fork finds no kernel thread of theirs."""
        for servant in self._servants:
            servant.pause()

    def after_fork_parent(self) -> None:
        """Go on as before, as soon as a fork that has been told of is over."""
        if not self._forks:
            self._resume()

    def fork_begins(self) -> None:
        """A fork is coming, and will be told to be over."""
        self._forks += 1

    def fork_is_over(self) -> None:
        """Those that serve come back."""
        self._forks = max(0, self._forks - 1)
        if not self._forks:
            self._resume()

    def _resume(self) -> None:
        for servant in self._servants:
            servant.resume()

    def after_fork_child(self) -> None:
        """In the child the figures and the recording would be those of another process."""
        if self._counting is not None:
            counts, self._counting = self._counting[0], None
            self.unlisten(counts)
        while self.recordings:
            self.recordings.pop().abandon()
        self._forks = 0
        for servant in self._servants:
            servant.after_fork()
        self._resume()

    def leave(self) -> None:
        """The program has ended: those who serve go, and what they have is written down."""
        while self.recordings:
            self.recordings.pop().stop()
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
