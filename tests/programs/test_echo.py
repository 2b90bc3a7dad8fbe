"""Row 15's server and client, on every model: limits, shortages, and an orderly end."""

import contextlib
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import Finished, run_weft

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
TO_END = 20.0  # seconds


class Server:
    """A running echo server and, once it has been stopped, what it said."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self.process = process
        assert process.stdout is not None
        found = re.fullmatch(r"serving on 127.0.0.1 (\d+)\n", process.stdout.readline())
        assert found
        self.address = ("127.0.0.1", int(found[1]))

    def stop(self, number: int = signal.SIGTERM) -> dict[str, int]:
        self.process.send_signal(number)
        return self.end()

    def end(self) -> dict[str, int]:
        out, err = self.process.communicate(timeout=TO_END)
        assert (self.process.returncode, err) == (0, "")
        found = re.fullmatch(
            r"served (\d+) connections, at most (\d+) at once\npaused (\d+) times, cut (\d+)\n", out
        )
        assert found, out
        return dict(zip(("served", "most", "paused", "cut"), map(int, found.groups()), strict=True))


@contextlib.contextmanager
def serving(model: str, *arguments: str, descriptors: int | None = None) -> Iterator[Server]:
    program = [sys.executable, "-m", "weft", "run", "--model", model, str(EXAMPLES / "r15_echo_server.py")]
    if descriptors is not None:
        program = ["sh", "-c", f'ulimit -n {descriptors} && exec "$@"', "sh", *program]
    process = subprocess.Popen(
        [*program, *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield Server(process)
    finally:
        process.kill()
        process.communicate()


def clients(model: str, server: Server, count: int, *arguments: str) -> Finished:
    host, port = server.address
    return run_weft(
        "--model",
        model,
        str(EXAMPLES / "r15_echo_client.py"),
        *("--host", host, "--port", str(port), "--count", str(count), *arguments),
    )


def ask(connection: socket.socket, message: bytes) -> bytes:
    connection.sendall(message)
    return connection.recv(len(message))


def test_thousands_are_served_at_once(model: str) -> None:
    count = {"kernel": 300, "user": 2000, "hybrid": 2000}[model]
    with serving(model) as server:
        answered = clients(model, server, count, "--together")
        assert answered.stdout.startswith(f"{count} of {count} connections right"), answered
        assert answered.returncode == 0
        said = server.stop()
    assert said == {"served": count, "most": count, "paused": 0, "cut": 0}


def test_who_comes_too_many_waits_for_a_seat(model: str) -> None:
    with serving(model, "--limit", "5") as server:
        answered = clients(model, server, 100)
        assert answered.stdout.startswith("100 of 100 connections right"), answered
        said = server.stop()
    assert (said["served"], said["cut"]) == (100, 0)
    assert said["most"] <= 5


def test_accepting_pauses_without_descriptors_and_goes_on_when_there_are_some(model: str) -> None:
    with serving(model, descriptors=40) as server:
        with contextlib.ExitStack() as held:
            connections = [
                held.enter_context(socket.create_connection(server.address, timeout=TO_END))
                for _ in range(80)  # the kernel makes the connections, the server cannot take them all
            ]
            assert ask(connections[0], b"hello") == b"hello"
            late = connections[-1]
            late.sendall(b"patience")
            late.settimeout(0.3)
            with pytest.raises(TimeoutError):
                late.recv(8)
            for connection in connections[:60]:
                connection.close()
            late.settimeout(TO_END)
            assert late.recv(8) == b"patience"
            assert all(ask(connection, b"all") == b"all" for connection in connections[60:])
        said = server.stop()
    assert (said["served"], said["cut"]) == (80, 0)
    assert said["most"] < 40
    assert said["paused"] > 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_those_in_flight_may_finish_and_nobody_else_comes_in(model: str, number: int) -> None:
    with serving(model, "--grace", str(TO_END)) as server:
        with socket.create_connection(server.address, timeout=TO_END) as connection:
            assert ask(connection, b"before") == b"before"
            server.process.send_signal(number)
            wait_until_closed(server.address)
            assert ask(connection, b"after") == b"after"
            assert server.process.poll() is None
        assert server.end()["cut"] == 0


def wait_until_closed(address: tuple[str, int]) -> None:
    deadline = time.monotonic() + TO_END
    while time.monotonic() < deadline:
        try:
            socket.create_connection(address, timeout=1).close()
        except OSError:
            return
        time.sleep(0.01)
    pytest.fail("it still accepts")


def test_who_does_not_finish_in_time_is_cut(model: str) -> None:
    with serving(model, "--grace", "0.2") as server:
        with socket.create_connection(server.address, timeout=TO_END) as connection:
            assert ask(connection, b"x") == b"x"
            begun = time.monotonic()
            said = server.stop()
            assert time.monotonic() - begun < TO_END / 2
            assert connection.recv(1) == b""
    assert said["cut"] == 1


def test_a_peer_that_resets_or_never_reads_harms_nobody(model: str) -> None:
    with serving(model, "--grace", "0.2") as server:
        with (
            socket.create_connection(server.address) as rude,
            socket.create_connection(server.address) as deaf,
        ):
            rude.sendall(b"half a mess")
            rude.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            rude.close()
            deaf.settimeout(0.2)
            with pytest.raises(TimeoutError):
                deaf.sendall(bytes(100_000_000))  # the server cannot send it back, and stops reading
            answered = clients(model, server, 20)
            assert answered.stdout.startswith("20 of 20 connections right"), answered
            said = server.stop()
    assert said["cut"] == 1


def test_the_client_says_what_went_wrong(model: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        over = threading.Event()

        def lie() -> None:
            while not over.is_set():
                connection, _ = listener.accept()
                with connection:
                    connection.recv(10)
                    connection.sendall(b"?" * 5000)

        liar = threading.Thread(target=lie)
        liar.start()
        port = str(listener.getsockname()[1])
        program = str(EXAMPLES / "r15_echo_client.py")
        outcome = run_weft("--model", model, program, "--port", port, "--count", "3", "--messages", "1")
        over.set()
        with socket.create_connection(listener.getsockname()) as last:
            last.sendall(b"end")
        liar.join()
    assert outcome.returncode == 1
    assert outcome.stdout.startswith("0 of 3 connections right"), outcome
