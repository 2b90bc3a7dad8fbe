"""What waits for a descriptor waits alone: select and its kin, reads, writes, closing, locks of files."""

import errno
import fcntl
import os
import pickle
import select
import selectors
import socket
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.stdlib.seen import LONG, PARKS_IN_C, for_weft, raises, running, start, until, until_stopped

BIG = b"x" * 300_000  # more than a pipe or a socket holds


@contextmanager
def pipe() -> Iterator[tuple[int, int]]:
    ends = os.pipe()
    try:
        yield ends
    finally:
        for fd in ends:
            try:
                os.close(fd)
            except OSError:
                pass


def drain(fd: int, count: int) -> bytes:
    got = b""
    while len(got) < count:
        got += os.read(fd, count - len(got))
    return got


def waits_for_a_write(wait: Any, expected: Any) -> None:
    """The call waits until a byte is written to a pipe, and gives what is expected; the others run on."""
    with pipe() as (r, w):
        got: list[Any] = []
        thread = start(lambda: got.append(wait(r)))
        until_stopped(thread)
        assert not got
        os.write(w, b"!")
        thread.join(LONG)
        assert got == [expected(r)], got


def case_select_waits_alone() -> None:
    waits_for_a_write(lambda r: select.select([r], [], [], LONG), lambda r: ([r], [], []))
    waits_for_a_write(lambda r: select.select([r], [], []), lambda r: ([r], [], []))


def case_poll_waits_alone() -> None:
    def wait(r: int) -> Any:
        poll = select.poll()
        poll.register(r, select.POLLIN)
        return poll.poll()

    waits_for_a_write(wait, lambda r: [(r, select.POLLIN)])


def case_epoll_waits_alone() -> None:
    def wait(r: int) -> Any:
        with select.epoll() as epoll:
            epoll.register(r, select.EPOLLIN)
            return epoll.poll()

    waits_for_a_write(wait, lambda r: [(r, select.EPOLLIN)])


def case_reads_wait_alone() -> None:
    waits_for_a_write(lambda r: os.read(r, 10), lambda r: b"!")

    def readv(r: int) -> Any:
        buffer = bytearray(10)
        return os.readv(r, [buffer]), bytes(buffer[:1])

    waits_for_a_write(readv, lambda r: (1, b"!"))


def case_select_gives_back_the_objects_it_was_given() -> None:
    a, b = socket.socketpair()
    with a, b:
        threading.Timer(0.01, b.send, (b"x",)).start()
        assert select.select([a], [], [a], LONG) == ([a], [], [])


def case_a_list_that_its_fileno_empties_is_waited_for_as_it_was_read() -> None:
    class Clears:
        def fileno(self) -> int:
            files.clear()
            return 2**31 - 1

    files: list[Any] = [Clears() for _ in range(10)]
    with raises(ValueError, "filedescriptor out of range in select()"):
        select.select([], files, [])


def case_timeouts_run_out() -> None:
    with pipe() as (r, _):
        begun = time.monotonic()
        assert select.select([r], [], [], 0.02) == ([], [], [])
        poll = select.poll()
        poll.register(r, select.POLLIN)
        assert poll.poll(20) == []
        with select.epoll() as epoll:
            epoll.register(r, select.EPOLLIN)
            assert epoll.poll(0.02) == []
        assert 0.05 < time.monotonic() - begun < LONG


def case_bad_timeouts_are_refused_as_cpython_does() -> None:
    poll = select.poll()
    with raises(ValueError, "timeout must be non-negative"):
        select.select([], [], [], -1)
    for bad in (1e300, float("nan"), "1"):
        for wait in (lambda bad=bad: select.select([], [], [], bad), lambda bad=bad: poll.poll(bad)):
            try:
                wait()
            except (OverflowError, ValueError, TypeError):
                continue
            raise AssertionError(bad)


def case_a_polling_object_serves_one_thread_at_a_time() -> None:
    with pipe() as (r, w):
        poll = select.poll()
        poll.register(r, select.POLLIN)
        thread = start(poll.poll)
        until_stopped(thread)
        with raises(RuntimeError, "concurrent poll() invocation"):
            poll.poll()
        os.write(w, b"x")
        thread.join(LONG)
        assert poll.poll() == [(r, select.POLLIN)]


def case_the_types_look_like_cpythons() -> None:
    kind = type(select.poll())
    assert (kind.__module__, kind.__qualname__) == ("select", "poll")
    with raises(TypeError, "cannot create 'select.poll' instances"):
        kind()
    with raises(TypeError, "type 'select.epoll' is not an acceptable base type"):
        type("Mine", (select.epoll,), {})
    epoll = select.epoll()
    assert repr(epoll).startswith("<select.epoll object at ")
    again = select.epoll.fromfd(os.dup(epoll.fileno()))
    again.close()
    epoll.close()
    assert epoll.closed
    for call in (epoll.poll, epoll.fileno, epoll.__enter__):
        with raises(ValueError, "I/O operation on closed epoll object"):
            call()


def case_supplied_functions_do_not_bind() -> None:
    class Holder:
        select = select.select
        sleep = time.sleep
        read = os.read

    holder = Holder()
    assert holder.select([], [], [], 0) == ([], [], [])
    holder.sleep(0)
    with pipe() as (r, w):
        os.write(w, b"x")
        assert holder.read(r, 1) == b"x"
    with selectors.SelectSelector() as selector:
        assert selector.select(0) == []


def case_supplied_functions_are_pickled_by_name() -> None:
    for function in (time.sleep, select.select, os.read, os.waitpid, open):
        assert pickle.loads(pickle.dumps(function)) is function
        assert function.__name__ == function.__qualname__


def case_a_write_to_a_full_pipe_waits_alone() -> None:
    for write in (os.write, lambda fd, data: os.writev(fd, [data[:1000], data[1000:]])):
        with pipe() as (r, w):
            sent: list[int] = []
            thread = start(lambda w=w, write=write, sent=sent: sent.append(write(w, BIG)))
            until_stopped(thread)
            assert drain(r, len(BIG)) == BIG
            thread.join(LONG)
            assert sent == [len(BIG)]


def case_a_write_to_a_full_socket_waits_alone() -> None:
    a, b = socket.socketpair()
    with a, b:
        sent: list[int] = []
        thread = start(lambda: sent.append(os.write(a.fileno(), BIG * 4)))
        until_stopped(thread)
        assert drain(b.fileno(), len(BIG) * 4) == BIG * 4
        thread.join(LONG)
        assert sent == [len(BIG) * 4]


def case_sendfile_to_a_full_socket_waits_alone() -> None:
    a, b = socket.socketpair()
    with a, b, tempfile.TemporaryFile() as file:
        file.write(BIG * 4)
        file.seek(0)

        def send() -> None:
            at = 0
            while at < len(BIG) * 4:
                at += os.sendfile(a.fileno(), file.fileno(), at, len(BIG) * 4 - at)

        thread = start(send)
        until_stopped(thread)
        assert drain(b.fileno(), len(BIG) * 4) == BIG * 4
        thread.join(LONG)
        assert os.lseek(file.fileno(), 0, os.SEEK_CUR) == 0


def case_sendfile_without_an_offset_moves_on_by_what_was_sent() -> None:
    a, b = socket.socketpair()
    with a, b, tempfile.TemporaryFile() as file:
        file.write(b"0123456789")
        file.seek(0)
        assert os.sendfile(a.fileno(), file.fileno(), None, 4) == 4
        assert os.sendfile(a.fileno(), file.fileno(), None, 100) == 6
        assert os.sendfile(a.fileno(), file.fileno(), None, 100) == 0
        assert drain(b.fileno(), 10) == b"0123456789"


def case_what_may_not_wait_says_so() -> None:
    with pipe() as (r, w):
        os.set_blocking(r, False)
        os.set_blocking(w, False)
        with raises(BlockingIOError):
            os.read(r, 1)
        assert 0 < os.write(w, BIG) < len(BIG)
        with raises(BlockingIOError):
            os.write(w, BIG)
    with pipe() as (r, w):
        for call in (lambda: os.read(w, 1), lambda: os.write(r, b"x"), lambda: os.write(r, BIG)):
            with raises(OSError, "[Errno 9] Bad file descriptor"):
                call()
        os.close(r)
        for data in (b"x", BIG):
            with raises(BrokenPipeError):
                os.write(w, data)


@for_weft
def case_closing_what_others_wait_on_wakes_them() -> None:
    def by_close(r: int) -> None:
        os.close(r)

    def by_range(r: int) -> None:
        os.closerange(r, r + 1)

    def by_dup2(r: int) -> None:
        other = os.open(os.devnull, os.O_RDONLY)
        os.dup2(other, r)
        os.close(other)

    if not PARKS_IN_C:
        return  # a kernel thread that sleeps in the kernel is not woken by a close, as on plain CPython
    for close in (by_close, by_range, by_dup2):
        with pipe() as (r, _):
            errors: list[int | None] = []

            def wait(r: int = r, errors: list[int | None] = errors) -> None:
                try:
                    os.read(r, 1)
                except OSError as error:
                    errors.append(error.errno)

            thread = start(wait)
            until_stopped(thread)
            close(r)
            thread.join(LONG)
            assert errors == [errno.EBADF], (close, errors)


def case_a_lock_of_a_file_is_waited_for_alone() -> None:
    with tempfile.NamedTemporaryFile() as first, open(first.name, "r+b") as second:
        fcntl.flock(first, fcntl.LOCK_EX)
        with raises(BlockingIOError):
            fcntl.flock(second, fcntl.LOCK_EX | fcntl.LOCK_NB)
        thread = start(fcntl.flock, second, fcntl.LOCK_EX)
        until_stopped(thread)
        fcntl.flock(first, fcntl.LOCK_UN)
        thread.join(LONG)
        with raises(BlockingIOError):
            fcntl.flock(first, fcntl.LOCK_EX | fcntl.LOCK_NB)
        fcntl.lockf(second, fcntl.LOCK_EX)
        fcntl.lockf(second, fcntl.LOCK_UN)


def case_a_regular_file_never_waits() -> None:
    with tempfile.TemporaryFile() as file:
        assert os.write(file.fileno(), BIG) == len(BIG)
        os.lseek(file.fileno(), 0, os.SEEK_SET)
        assert os.read(file.fileno(), 10) == BIG[:10]
        assert select.select([file], [file], [], LONG) == ([file], [file], [])


def case_many_wait_for_one_descriptor_each() -> None:
    pipes = [os.pipe() for _ in range(50)]
    got: list[bytes] = []
    with running(*[lambda r=r: got.append(os.read(r, 1)) for r, _ in pipes]):
        for number, (_, w) in enumerate(pipes):
            os.write(w, bytes([number]))
    assert sorted(got) == [bytes([number]) for number in range(50)]
    for ends in pipes:
        for fd in ends:
            os.close(fd)


def case_two_wait_for_the_same_descriptor() -> None:
    with pipe() as (r, w):
        got: list[bytes] = []
        threads = [start(lambda: got.append(os.read(r, 1))) for _ in range(2)]
        until_stopped(*threads)
        os.write(w, b"a")
        until(lambda: got)
        os.write(w, b"b")
        for thread in threads:
            thread.join(LONG)
        assert sorted(got) == [b"a", b"b"]


def case_errors_of_arguments_are_cpythons() -> None:
    for call in (lambda: os.read("x", 1), lambda: os.write(1, "text"), lambda: os.close("x")):
        with raises(TypeError):
            call()
    with raises(OSError):
        os.read(12345, 1)
