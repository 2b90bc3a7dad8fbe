"""What a case can see of threads: on weft the wait records, on the plain interpreter next to nothing.

The same bodies run on the plain interpreter, which holds them to what CPython does. There, and where threads
are processes, a thread is taken to wait once it has slept in the kernel for a while, as far as Linux tells.
"""

import re
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import weft
from weft import ControlBlock, State, Wait, WaitReason

try:
    weft.threads()
    ON_WEFT = True
except weft.WeftError:
    ON_WEFT = False

HAS_GIL = getattr(sys, "_is_gil_enabled", lambda: True)()  # here, so that this needs nothing but weft
#: Whether a thread that waits for a descriptor is parked by weft: not where each has a kernel thread.
PARKS_IN_C = ON_WEFT and weft.current().carrier.poller is not None
ON_USER = ON_WEFT and sys.modules["weft.runtime"].runtime().model.name == "user"

LONG = 10.0  # seconds; a wait that is meant to be ended by something else
SHORT = 0.01  # seconds; a wait that is meant to run out
STILL = 0.02  # seconds; who has slept for as long is taken to wait

Case = TypeVar("Case", bound=Callable[[], None])


def for_weft(case: Case) -> Case:
    """Mark a case that CPython does not promise, as order of service: it is not run there."""
    case.for_weft = True  # type: ignore[attr-defined]
    return case


def for_user(case: Case) -> Case:
    """Mark a case of what only the user model promises, as that closing a socket wakes who waits on it."""
    case.for_user = True  # type: ignore[attr-defined]
    return for_weft(case)


def others() -> list[ControlBlock]:
    """The control blocks of all threads but the main one."""
    return weft.threads()[1:] if ON_WEFT else []


def block_of(thread: threading.Thread) -> ControlBlock:
    """The control block of a live thread."""
    return next(block for block in weft.threads() if block.ident == thread.ident)


def until(condition: Callable[[], Any], seconds: float = 5.0) -> Any:
    """Let others run until the condition is true, and return what it gave.

    It is looked at once more after the time is over: who waits may itself have starved, as kernel threads do
    for seconds while others spin. It is looked at less and less often, so that a long wait costs little.
    """
    now = time.monotonic()
    deadline, pause = now + seconds, 0.0002
    while not (value := condition()):
        if now > deadline:
            raise AssertionError(f"not true within {seconds:g} s")
        time.sleep(pause)
        pause = min(1.1 * pause, 0.005)
        now = time.monotonic()
    return value


def until_waits(*threads: threading.Thread, reason: WaitReason | None = None) -> Wait | None:
    """Until each of the threads is parked (for that reason); the last one's record."""
    if not ON_WEFT:
        _until_asleep(*threads)
        return None
    wait = None
    for thread in threads:
        wait = until(lambda thread=thread: waits(thread, reason))
    return wait


def until_stopped(*threads: threading.Thread) -> None:
    """As `until_waits`, where on the kernel model a thread sleeps in the kernel and no record tells."""
    if PARKS_IN_C:
        until_waits(*threads)
    else:
        _until_asleep(*threads)


def _until_asleep(*threads: threading.Thread) -> None:
    """Until each has slept in the kernel for a while; one that wakes all the time is given up."""
    for thread in threads:
        deadline = time.monotonic() + 1.0
        before, now = "", _slept(thread)
        while time.monotonic() < deadline:
            time.sleep(STILL)
            before, now = now, _slept(thread)
            if before == now and now != "R":
                break


def _slept(thread: threading.Thread) -> str:
    """How often a kernel thread, or a process, that sleeps has begun to; "R": it runs or would like to."""
    world = sys.modules.get("weft.check.world")
    if world is not None and world.MODEL.active:
        return ""  # the number is the checker's: a process of somebody else's may have it
    try:
        with open(f"/proc/{thread.native_id}/status") as file:
            status = file.read()
    except OSError:  # there is no telling here, or it has ended
        return ""
    asleep = re.search(r"^State:\s+S", status, re.MULTILINE)
    return " ".join(re.findall(r"ctxt_switches:\s+(\d+)", status)) if asleep else "R"


def waits(thread: threading.Thread, reason: WaitReason | None = None) -> Wait | None:
    """The record of the thread's wait, if it is parked (for that reason)."""
    block = block_of(thread)
    wait = block.wait
    if wait is None or (reason is not None and wait.reason is not reason):
        return None
    assert not HAS_GIL or block.state in (State.BLOCKED, State.READY)  # it may have been woken since
    return wait


def start(function: Callable[..., object], *args: Any, name: str | None = None) -> threading.Thread:
    """A started thread."""
    thread = threading.Thread(target=function, args=args, name=name)
    thread.start()
    return thread


@contextmanager
def running(*functions: Callable[[], object]) -> Iterator[list[threading.Thread]]:
    """Threads that have all been joined at the end."""
    threads = [start(function) for function in functions]
    try:
        yield threads
    finally:
        for thread in threads:
            thread.join(LONG)
            assert not thread.is_alive(), thread


def in_thread(function: Callable[[], Any]) -> Any:
    """What the function returns in a thread of its own; what it raises is raised here."""
    thread = _Asked(function)
    thread.start()
    thread.join(LONG)
    assert not thread.is_alive(), "it did not end"
    if thread.error is not None:
        raise thread.error
    return thread.result


class _Asked(threading.Thread):
    """Calls a function, and keeps what came of it in the thread, where it is found on processes too."""

    def __init__(self, function: Callable[[], Any]) -> None:
        super().__init__()
        self.function = function
        self.result: Any = None
        self.error: BaseException | None = None

    def run(self) -> None:
        try:
            self.result = self.function()
        except BaseException as caught:
            self.error = caught


@contextmanager
def raises(kind: type[BaseException], text: str | None = None) -> Iterator[None]:
    """As pytest's, for children that have no pytest: the type itself, and the text if it is given."""
    try:
        yield
    except BaseException as error:
        if type(error) is not kind or (text is not None and str(error) != text):
            raise AssertionError(f"{type(error).__name__}: {error} instead of {kind.__name__}") from error
        return
    raise AssertionError(f"no {kind.__name__} was raised")
