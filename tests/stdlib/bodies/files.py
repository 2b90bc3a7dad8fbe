"""File objects on pipes, FIFOs, sockets and terminals: each read and write waits alone."""

import io
import os
import pty
import socket
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.stdlib.seen import LONG, PARKS_IN_C, for_weft, raises, start, until, until_stopped

BIG = 300_000


@contextmanager
def pipe_files(mode: str = "b", **options: Any) -> Iterator[tuple[Any, Any]]:
    r, w = os.pipe()
    with open(r, "r" + mode, **options) as reader, open(w, "w" + mode, **options) as writer:
        yield reader, writer


def result_of(function: Any) -> tuple[threading.Thread, list[Any]]:
    got: list[Any] = []
    return start(lambda: got.append(function())), got


def case_reads_of_each_kind_wait_alone() -> None:
    buffer = bytearray(3)
    reads = {
        "read": (lambda f: f.read(3), b"abc"),
        "read1": (lambda f: f.read1(3), b"abc"),
        "readinto": (lambda f: (f.readinto(buffer), bytes(buffer)), (3, b"abc")),
        "peek": (lambda f: f.peek(1)[:3], b"abc"),
        "readline": (lambda f: f.readline(), b"abc\n"),
        "next": (next, b"abc\n"),
    }
    for name, (read, expected) in reads.items():
        with pipe_files() as (reader, writer):
            thread, got = result_of(lambda read=read, reader=reader: read(reader))
            until_stopped(thread)
            writer.write(b"abc\n")
            writer.flush()
            thread.join(LONG)
            assert got == [expected], (name, got)


def case_all_is_read_when_the_other_end_is_closed() -> None:
    for mode, piece in (("b", b"line\n"), ("", "line\n")):
        for read, expected in ((lambda f: f.read(), piece * 3), (list, [piece] * 3)):
            with pipe_files(mode) as (reader, writer):
                thread, got = result_of(lambda read=read, reader=reader: read(reader))
                for _ in range(3):
                    until_stopped(thread)
                    writer.write(piece)
                    writer.flush()
                writer.close()
                thread.join(LONG)
                assert got == [expected]


def case_unbuffered_files_wait_alone() -> None:
    with pipe_files(buffering=0) as (reader, writer):
        thread, got = result_of(lambda: (reader.read(2), reader.readall()))
        until_stopped(thread)
        assert writer.write(b"ab") == 2
        until_stopped(thread)
        writer.write(b"cd")
        writer.close()
        thread.join(LONG)
        assert got == [(b"ab", b"cd")]


def case_a_writer_waits_for_room() -> None:
    with pipe_files() as (reader, writer):
        thread, got = result_of(lambda: (writer.write(b"x" * BIG), writer.close()))
        until_stopped(thread)
        assert reader.read() == b"x" * BIG
        thread.join(LONG)
        assert got == [(BIG, None)]


def case_a_second_thread_waits_for_the_first_inside_one_buffer() -> None:
    with pipe_files() as (reader, writer):
        got: list[bytes] = []
        threads = [start(lambda: got.append(reader.read(2))) for _ in range(3)]
        until_stopped(*threads)
        for line in (b"a\n", b"b\n", b"c\n"):
            writer.write(line)
            writer.flush()
        for thread in threads:
            thread.join(LONG)
        assert sorted(got) == [b"a\n", b"b\n", b"c\n"]


def case_a_fifo_is_opened_when_the_peer_comes() -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "fifo")
        os.mkfifo(path)
        for first, second in (("r", "w"), ("w", "r")):
            files: dict[str, Any] = {}
            thread = start(lambda mode=first, files=files: files.update({mode: open(path, mode)}))  # noqa: SIM115
            until_stopped(thread)
            assert not files
            files[second] = open(path, second)  # noqa: SIM115
            thread.join(LONG)
            reading, got = result_of(files["r"].read)
            until_stopped(reading)
            files["w"].write("x" * BIG)
            files["w"].close()
            reading.join(LONG)
            assert got == ["x" * BIG]
            files["r"].close()


def case_a_terminal_waits_alone() -> None:
    master, slave = pty.openpty()
    with open(slave, "r+b", buffering=0) as terminal, open(slave, closefd=False) as text:
        thread, got = result_of(text.readline)
        until_stopped(thread)
        os.write(master, b"typed\n")
        thread.join(LONG)
        assert got == ["typed\n"]
        assert terminal.write(b"shown") == 5
        seen = b""
        while not seen.endswith(b"shown"):
            seen += os.read(master, 100)
    os.close(master)


def case_a_socket_as_a_file_waits_alone() -> None:
    a, b = socket.socketpair()
    with b, open(a.detach(), "rb") as reader:
        thread, got = result_of(reader.readline)
        until_stopped(thread)
        b.sendall(b"line\n")
        thread.join(LONG)
        assert got == [b"line\n"]


def case_the_files_look_like_cpythons() -> None:
    with pipe_files() as (reader, writer):
        assert isinstance(reader, io.BufferedReader)
        assert isinstance(writer, io.BufferedWriter)
        assert repr(reader) == f"<_io.BufferedReader name={reader.fileno()}>"
        assert repr(writer.raw) == f"<_io.FileIO name={writer.fileno()} mode='wb' closefd=True>"
        assert (type(reader).__module__, type(reader).__name__) == ("_io", "BufferedReader")
        assert reader.mode == "rb"
        assert writer.mode == "wb"
        assert not reader.seekable()
        with raises(io.UnsupportedOperation):
            reader.write(b"x")
        with raises(io.UnsupportedOperation, "read"):
            writer.read()
    with raises(ValueError, "I/O operation on closed file"):
        reader.raw.readall()
    with pipe_files("", encoding="latin-1", newline="\r\n", errors="replace") as (text, _):
        assert (text.mode, text.encoding, text.errors, text.line_buffering) == (
            "r",
            "latin-1",
            "replace",
            False,
        )


def case_bad_arguments_are_refused_as_cpython_does() -> None:
    r, w = os.pipe()
    try:
        for mode, options, text in (
            ("", {}, "Must have exactly one of create/read/write/append mode and at most one plus"),
            ("rt", {"buffering": 0, "closefd": False}, "can't have unbuffered text I/O"),
            ("rb", {"encoding": "utf-8"}, "binary mode doesn't take an encoding argument"),
            ("rbt", {}, "can't have text and binary mode at once"),
            ("q", {}, "invalid mode: 'q'"),
        ):
            with raises(ValueError, text):
                open(r, mode, **options)  # noqa: SIM115
        with raises(TypeError):
            open(r, 3)  # type: ignore[call-overload]  # noqa: SIM115
        with raises(LookupError, "unknown encoding: no-such"):
            open(r, encoding="no-such", closefd=False)  # noqa: SIM115
    finally:
        os.close(r)
        os.close(w)
    with raises(OSError):
        open(12345)  # noqa: SIM115


def case_nonblocking_files_do_not_wait() -> None:
    with pipe_files() as (reader, writer):
        os.set_blocking(reader.fileno(), False)
        os.set_blocking(writer.fileno(), False)
        assert reader.read() is None
        assert reader.raw.read(10) is None
        assert writer.raw.write(b"x" * BIG) < BIG
        assert writer.raw.write(b"x" * BIG) is None


@for_weft
def case_closing_a_raw_file_wakes_its_reader() -> None:

    if not PARKS_IN_C:
        return  # as on plain CPython
    r, w = os.pipe()
    raw = open(r, "rb", buffering=0)  # noqa: SIM115
    failed: list[BaseException] = []

    def read() -> None:
        try:
            raw.read(1)
        except OSError as error:
            failed.append(error)

    thread = start(read)
    until_stopped(thread)
    raw.close()
    thread.join(LONG)
    assert until(lambda: failed)[0].errno == 9
    os.close(w)


def case_regular_files_are_cpythons_own() -> None:
    with tempfile.TemporaryDirectory() as folder, open(Path(folder, "file"), "w+b") as file:
        assert type(file) is io.BufferedRandom
        assert type(file.raw) is io.FileIO
