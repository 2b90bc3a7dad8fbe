"""What the core and the interfaces ask of a model: the carrier.

A primitive parks by four lines that are the same on every model (`weft.core.parking` has them with
their reasons); all that differs stands behind these attributes. They are attributes and not methods
that look something up, since a frame of Python around a switch costs a tenth of the switch.
"""

from collections.abc import Callable, Mapping
from types import FrameType
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from weft.core.events import Listener
    from weft.core.thread import ControlBlock
    from weft.core.timers import Timers

__all__ = ["Carrier", "Model"]


class Carrier(Protocol):
    """What executes threads: one kernel thread, with one thread of the program on it or many.

    Attributes:
        push: put a `resume` callable into the ready queue; atomic, from any kernel thread.
        again: `push`, for the caller itself, which gives way.
        pick: take what runs next instead of the caller and return it as a callable; raises IndexError
            when nothing is ready. Where the carrier has one thread only, it sleeps until that thread
            is unparked and returns a callable that does nothing.
        idle: what to call when `pick` raised: waits for a timer, a descriptor or another carrier, and
            returns what runs next.
        waiting: True while the carrier sleeps in `idle`; who pushes then has to call `wake`.
        now: the monotonic clock as last read, seconds; good to about a slice.
        alone: nobody but the caller could run on it, so nobody is kept waiting if the caller blocks in C.
        collecting: a garbage collection runs on it, so that nobody may be switched to.
        poller: watches descriptors for parked threads (host.poller); None where the thread may sleep in
            the kernel itself.
        native_id: the kernel's number of the kernel thread it is.
    """

    waiting: bool

    @property
    def alone(self) -> bool: ...

    @property
    def collecting(self) -> bool: ...

    native_id: int
    poller: Any
    timers: "Timers"

    @property
    def push(self) -> Callable[[Any], None]: ...

    @property
    def again(self) -> Callable[[Any], None]: ...

    @property
    def pick(self) -> Callable[[], Callable[[], Any]]: ...

    @property
    def idle(self) -> Callable[[], Callable[[], Any]]: ...

    @property
    def wake(self) -> Callable[[], None]: ...

    @property
    def now(self) -> float: ...

    def nap(self, block: "ControlBlock", on: object, seconds: float) -> bool:
        """Sleep, if the thread may do so in the kernel; False: it has to park."""

    def breathe(self) -> None:
        """The caller gives way and nobody else is ready: see to timers, or to other kernel threads."""

    @property
    def let_others(self) -> Callable[[float], None]:
        """Called, with the monotonic clock, where a thread polls: other carriers are to have their turn."""

    def holds(self, block: "ControlBlock") -> bool:
        """Whether the thread stands in the ready queue."""

    def ready_now(self) -> "Callable[[ControlBlock], bool]":
        """`holds` for who asks of very many: the queue is looked through once."""

    def frame(
        self, block: "ControlBlock", known: "Mapping[int, FrameType] | None" = None
    ) -> FrameType | None:
        """The thread's innermost frame, if it can be had.

        Args:
            block: the thread.
            known: the innermost frames of kernel threads, from who asks of very many.
        """

    def sleeps(self, block: "ControlBlock") -> bool:
        """Whether the thread, which does not wait for anything of ours, is known to sleep in the kernel."""

    def place(self, block: "ControlBlock") -> str:
        """Where in the program the thread is: "file:line in function"."""

    def stack(self, block: "ControlBlock") -> list[str]:
        """Its calls, outermost first."""


class Model(Protocol):
    """Binds threads to carriers."""

    name: str
    main: "ControlBlock"
    started: int  # how many threads, until now

    def start(
        self,
        run: "Callable[[ControlBlock], object]",
        daemon: bool,
        thread: Any = None,
        register: "Callable[[ControlBlock], object] | None" = None,
    ) -> "ControlBlock":
        """Start a thread that calls `run` with its block.

        `register` is called with the block once its ident is known, before the thread runs.

        Raises:
            RuntimeError: the machine will not start one.
        """

    def listen(self, listener: "Listener | None") -> None:
        """Tell a listener what happens to threads (weft.core.events); None: nobody."""

    def blocks(self) -> "list[ControlBlock]":
        """Every thread that has not ended, the main one first."""

    def stop(self) -> None:
        """Give back what the model took from the machine."""
