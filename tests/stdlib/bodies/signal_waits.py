"""Waiting for signals, and the descriptor that gets a byte for each."""

import os
import select
import signal
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.stdlib.seen import in_thread, raises, running

USR1, USR2 = signal.SIGUSR1, signal.SIGUSR2


@contextmanager
def handled(number: int, handler: Any = lambda number, frame: None) -> Iterator[None]:
    old = signal.signal(number, handler)
    try:
        yield
    finally:
        signal.signal(number, old)


@contextmanager
def blocked(*numbers: int) -> Iterator[None]:
    old = signal.pthread_sigmask(signal.SIG_BLOCK, numbers)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, old)


def soon(number: int) -> None:
    """Send the signal while another thread spins, too."""
    time.sleep(0.02)
    os.kill(os.getpid(), number)


def case_pause_ends_with_a_signal_that_is_handled() -> None:
    seen: list[int] = []
    with handled(USR1, lambda number, frame: seen.append(number)), running(lambda: soon(USR1)):
        assert signal.pause() is None  # type: ignore[func-returns-value]
    assert seen == [USR1]


def case_a_handler_that_raises_ends_pause() -> None:
    def handler(number: int, frame: object) -> None:
        raise LookupError

    # Where the main thread is kept from running the signal comes before `pause`, and the error, too.
    with raises(LookupError), handled(USR1, handler), running(lambda: soon(USR1)):
        signal.pause()


def case_blocked_signals_are_waited_for() -> None:
    for wait in (
        lambda: signal.sigwait([USR1, USR2]),
        lambda: signal.sigwaitinfo({USR1, USR2}).si_signo,
        lambda: signal.sigtimedwait([USR1, USR2], 10).si_signo,  # type: ignore[union-attr]
    ):
        with blocked(USR1, USR2):
            ran: list[int] = []
            thread = threading.Thread(target=lambda ran=ran: (ran.append(1), soon(USR2)), daemon=True)
            # On the plain interpreter a new thread inherits the mask, so the signal can only be waited for.
            thread.start()
            assert wait() == USR2
            assert ran == [1]
            thread.join()


def case_a_time_runs_out() -> None:
    with blocked(USR1):
        assert signal.sigtimedwait([USR1], 0.02) is None
        assert signal.sigtimedwait([USR1], 0) is None
    with raises(ValueError, "timeout must be non-negative"):
        signal.sigtimedwait([USR1], -1)
    assert isinstance(signal.SIGUSR1, signal.Signals)


@contextmanager
def wakeup() -> Iterator[socket.socket]:
    """The reading end of the wakeup descriptor."""
    reads, writes = socket.socketpair()
    with reads, writes:
        reads.setblocking(False)
        writes.setblocking(False)
        old = signal.set_wakeup_fd(writes.fileno())
        try:
            yield reads
        finally:
            assert signal.set_wakeup_fd(old) == writes.fileno()


def case_the_wakeup_descriptor_gets_a_byte_for_each_signal() -> None:
    with handled(USR1), handled(USR2), wakeup() as reads:
        signal.raise_signal(USR1)
        signal.raise_signal(USR2)
        assert reads.recv(10) == bytes((USR1, USR2))
        with raises(BlockingIOError):
            reads.recv(10)


def case_the_wakeup_descriptor_ends_a_select() -> None:
    with handled(USR1), wakeup() as reads, running(lambda: soon(USR1)):
        assert select.select([reads], [], [], 10) == ([reads], [], [])
        assert reads.recv(10) == bytes((USR1,))


def case_a_signal_without_a_handler_writes_nothing() -> None:
    with handled(USR1, signal.SIG_IGN), wakeup() as reads:
        signal.raise_signal(USR1)
        with raises(BlockingIOError):
            reads.recv(10)


def case_bad_wakeup_descriptors_are_refused_as_cpython_does() -> None:
    r, w = os.pipe()
    try:
        with raises(ValueError, f"the fd {w} must be in non-blocking mode"):
            signal.set_wakeup_fd(w)
        with raises(OSError, "[Errno 9] Bad file descriptor"):
            signal.set_wakeup_fd(12345)
        with raises(TypeError):
            signal.set_wakeup_fd("x")  # type: ignore[arg-type]
        with raises(ValueError, "set_wakeup_fd only works in main thread of the main interpreter"):
            in_thread(lambda: signal.set_wakeup_fd(-1))
    finally:
        os.close(r)
        os.close(w)
    assert signal.set_wakeup_fd(-1) == -1


def case_a_program_that_only_writes_gets_its_signals() -> None:
    """The interpreter's lock is given up inside the writes alone, where no handler may run."""

    def handler(number: int, frame: object) -> None:
        raise LookupError

    r, w = os.pipe()
    begun = time.monotonic()
    calls = (lambda file: (file.write(b"x"), file.flush()), lambda file: os.write(w, b"x"))
    with open(r, "rb", buffering=0) as reads, open(w, "wb") as writes, handled(signal.SIGALRM, handler):
        for call in calls:
            signal.setitimer(signal.ITIMER_REAL, 0.02)
            with raises(LookupError):
                while time.monotonic() < begun + 20:
                    for _ in range(100):
                        call(writes)
                    reads.read(100)
