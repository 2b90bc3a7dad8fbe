"""One file object of a socket that several threads use."""

import contextlib
import io
import itertools
import socket
import time
from typing import Any

from tests.stdlib.bodies.signalled import handled, send, until_main_waits
from tests.stdlib.bodies.tls import connected
from tests.stdlib.seen import LONG, ON_USER, raises, running, start
from tests.stdlib.wires import pair, reset, until_blocked

LINE = "x" * 700


def talk_all_at_once(here: socket.socket, there: socket.socket) -> None:
    """Whole lines arrive, however slowly they are taken."""
    here.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
    file = here.makefile("w", encoding="utf-8")

    def talk(number: int) -> None:
        for turn in range(50):
            file.write(f"{number} {turn} {LINE}\n")
            file.flush()

    lines: list[str] = []

    def listen() -> None:
        with there.makefile("r", encoding="utf-8") as words:
            lines.extend(itertools.islice(words, 300))

    with running(listen), running(*[lambda n=n: talk(n) for n in range(6)]):
        pass
    file.close()
    assert sorted(lines) == sorted(f"{n} {t} {LINE}\n" for n in range(6) for t in range(50))


def case_many_write_on_one_text_file() -> None:
    with pair() as (here, there):
        talk_all_at_once(here, there)


def case_many_write_on_one_text_file_over_tls() -> None:
    with connected() as (here, there):
        talk_all_at_once(here, there)


def case_many_read_lines_of_one_file() -> None:
    with pair() as (here, there):
        file = there.makefile("rb")
        got: list[bytes] = []

        ended = []

        def take() -> None:
            while line := file.readline():
                got.append(line)
            ended.append(True)

        with running(*[take] * 3) as threads:
            until_blocked(threads[0])
            for number in range(300):
                here.sendall(b"%d\n" % number)
            here.shutdown(socket.SHUT_WR)
        assert sorted(got, key=int) == [b"%d\n" % number for number in range(300)]
        assert len(ended) == 3
        file.close()


def case_one_reads_and_one_writes_on_one_file() -> None:
    """The reader waits inside, and the writer is not kept from writing."""
    with pair() as (here, there):
        file, peer = here.makefile("rwb"), there.makefile("rwb")
        got: list[bytes] = []
        with running(lambda: got.append(file.readline())) as threads:
            until_blocked(*threads)
            file.write(b"question\n")
            file.flush()
            assert peer.readline() == b"question\n"
            peer.write(b"answer\n")
            peer.flush()
        assert got == [b"answer\n"]
        file.close()
        peer.close()


def case_who_closes_waits_for_who_reads() -> None:
    with pair() as (here, there):
        file = there.makefile("rb")
        got: list[bytes] = []
        with running(lambda: got.append(file.readline())) as threads:
            until_blocked(*threads)
            closer = start(file.close)
            until_blocked(closer)
            assert not file.closed
            here.sendall(b"late\n")
        closer.join(LONG)
        assert got == [b"late\n"]
        assert file.closed


def case_who_is_inside_already_is_refused() -> None:
    """A handler that interrupts a read of the main thread, and reads the same file."""
    with pair() as (here, there):
        file = there.makefile("rb")
        said: list[str] = []

        def read_again() -> None:
            with raises(RuntimeError, f"reentrant call inside {file!r}"):
                file.readline()
            said.append("refused")
            here.sendall(b"line\n")

        with handled(read_again):
            sender = start(lambda: (until_main_waits() if ON_USER else time.sleep(0.02), send()))
            assert file.readline() == b"line\n"
            sender.join(LONG)
        assert said == ["refused"]
        file.close()


def case_an_error_of_who_waited_has_no_refusal_behind_it() -> None:
    with pair() as (here, there):
        file = here.makefile("wb")
        said: list[BaseException] = []

        def put() -> None:
            try:
                file.write(bytes(10_000_000))
            except OSError as error:
                said.append(error)

        with running(put, put) as threads:
            until_blocked(*threads)
            reset(there)
        assert len(said) == 2
        assert [error.__context__ for error in said] == [None, None]
        with contextlib.suppress(OSError):
            file.close()


def case_the_files_look_like_cpythons() -> None:
    with pair() as (here, _):
        number = here.fileno()
        kinds: dict[str, tuple[Any, str]] = {
            "rb": (io.BufferedReader, f"<_io.BufferedReader name={number}>"),
            "wb": (io.BufferedWriter, f"<_io.BufferedWriter name={number}>"),
            "rwb": (io.BufferedRWPair, "<_io.BufferedRWPair object at 0x"),
            "r": (io.TextIOWrapper, f"<_io.TextIOWrapper name={number} mode='r' encoding='ascii'>"),
        }
        for mode, (kind, shown) in kinds.items():
            with here.makefile(mode, encoding=None if "b" in mode else "ascii") as file:
                assert isinstance(file, kind)
                assert repr(file).startswith(shown), repr(file)
        with here.makefile("wb", 0) as file:
            assert isinstance(file, socket.SocketIO)
        with here.makefile("wb", 16) as file:
            assert file.write(b"x" * 10) == 10
        with raises(ValueError, "invalid mode 'x' (only r, w, b allowed)"):
            here.makefile("x")
        with raises(ValueError, "unbuffered streams must be binary"):
            here.makefile("r", 0)
        with raises(LookupError, "unknown encoding: none"):
            here.makefile("r", encoding="none")
