"""Faults of the network: found, replayed, made smaller, and never a way out."""

from pathlib import Path

import pytest

from tests.check.programs import check, weft
from weft.check import settings, world

FORGETS = """
    import socket
    import threading

    def serve():
        connection, _ = listener.accept()
        with connection:
            connection.sendall(connection.recv(5).upper())

    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = threading.Thread(target=serve)
        server.start()
        with socket.create_connection(listener.getsockname(), timeout={timeout}) as client:
            client.sendall(b"hello")
            got = client.recv(100)
            assert got == b"HELLO", got
        server.join()
"""


@pytest.mark.parametrize(
    ("fault", "timeout", "told"),
    [
        ("short", "None", "AssertionError: b'H'"),
        ("delay", "2", "TimeoutError: timed out"),
        ("reset", "None", "ConnectionResetError: [Errno 104] Connection reset by peer"),
    ],
)
def test_each_is_found_and_replayed(tmp_path: Path, fault: str, timeout: str, told: str) -> None:
    program = FORGETS.replace("{timeout}", timeout)
    assert check(tmp_path, program, "--schedules", "30")["findings"] == []
    said = check(tmp_path, program, f"--net-faults={fault}", "--schedules", "200", status=1)
    assert told in said["findings"][0]["title"]
    again = weft("replay", said["schedule"], cwd=tmp_path)
    assert again.returncode == 1
    assert told in again.stdout
    assert "the network" in again.stdout
    assert "diverged" not in again.stdout


def test_who_reads_on_is_not_harmed_and_nothing_is_called_complete(tmp_path: Path) -> None:
    program = """
        import socket
        import threading

        def read(connection, count):
            got = b""
            while len(got) < count and (part := connection.recv(100)):
                got += part
            return got

        here, there = socket.socketpair()
        sender = threading.Thread(target=here.sendall, args=(b"hello",))
        sender.start()
        assert read(there, 5) == b"hello"
        sender.join()
    """
    said = check(tmp_path, program, "--net-faults=short", "--time", "20", "--strategy", "dpor")
    assert said["findings"] == []
    assert (said["exhausted"], said["complete"]) == (True, False)
    assert said["unseen"] == ["more faults of the network in one execution"]


def test_a_deadlock_is_one_with_faults_too(tmp_path: Path) -> None:
    program = """
        import socket
        import threading

        def wait(connection):
            try:
                connection.recv(1)
            except OSError:
                pass

        listener = socket.create_server(("127.0.0.1", 0))
        one = socket.create_connection(listener.getsockname())
        other, _ = listener.accept()
        threading.Thread(target=wait, args=(one,)).start()
        wait(other)
    """
    said = check(tmp_path, program, "--net-faults", "--schedules", "50", status=1)
    assert said["kind"] == "deadlock"
    assert all("network" not in line for line in said["findings"][0]["lines"])


@pytest.mark.parametrize(
    "options", [["--net-faults=long"], ["--net-faults="], ["--net-faults", "--net-pass"]]
)
def test_what_cannot_be_is_refused(tmp_path: Path, options: list[str]) -> None:
    (tmp_path / "program.py").write_text("pass")
    done = weft("check", *options, "program.py", cwd=tmp_path)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert "net-" in done.stderr


def test_names_are_the_same_everywhere() -> None:
    assert tuple(world.FAULT_NAMES) == settings.FAULT_NAMES
