"""What is not simulated is refused, or let through and listed."""

from pathlib import Path

import pytest

from tests.check.programs import check, weft

TWO = """
    import os
    import socket
    import subprocess
    import sys
    import threading

    def one():
        {one}

    def other():
        {other}

    threads = [threading.Thread(target=call) for call in (one, other)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
"""


def two(one: str, other: str = "pass") -> str:
    return TWO.replace("{one}", one).replace("{other}", other)


@pytest.mark.parametrize(
    ("call", "told"),
    [
        ('socket.create_connection(("192.0.2.1", 80))', "weft check refuses to connect to 192.0.2.1:80"),
        ('socket.create_connection(("example.com", 80))', "weft check refuses to look up 'example.com'"),
        ('socket.create_server(("192.0.2.1", 80))', "weft check refuses to bind to 192.0.2.1"),
        ("socket.socket(socket.AF_INET, socket.SOCK_RAW)", "weft check refuses sockets of type 3"),
        ("socket.socket(fileno=1)", "weft check refuses a socket of descriptor 1"),
        ("open(socket.socket().fileno())", "weft check refuses files on the descriptor of a socket"),
    ],
)
def test_the_outside_is_refused_by_name(tmp_path: Path, call: str, told: str) -> None:
    said = check(tmp_path, two(call), "--schedules", "5", status=1)
    title = said["findings"][0]["title"]
    assert told in title
    assert "--net-pass" in title


def test_who_takes_the_refusal_is_not_called_complete(tmp_path: Path) -> None:
    call = 'socket.create_connection(("192.0.2.1", 80))'
    program = two(f"try:\n            {call}\n        except OSError:\n            pass")
    said = check(tmp_path, program, "--time", "20", "--strategy", "dpor")
    assert (said["exhausted"], said["complete"]) == (True, False)
    assert said["unseen"] == ["what happens in the outside world, which was asked for and refused"]


def test_a_file_that_threads_share_is_listed_and_others_are_not(tmp_path: Path) -> None:
    write, read = 'open("shared", "w").close()', 'os.path.exists("shared")'
    said = check(tmp_path, two(write, read), "--time", "20", "--strategy", "dpor")
    assert said["unseen"] == [f"what happens in the file {tmp_path / 'shared'}"]
    for one, other in ((read, read), (write, 'open("mine", "w").close()')):
        assert check(tmp_path, two(one, other), "--time", "20", "--strategy", "dpor")["complete"], one


def test_children_are_listed(tmp_path: Path) -> None:
    said = check(tmp_path, two('subprocess.run([sys.executable, "-S", "-c", ""])'), "--schedules", "3")
    assert "what happens in child processes" in said["unseen"]


def test_the_machines_sockets_are_let_through_and_listed(tmp_path: Path) -> None:
    program = two("assert socket.socket().fileno() < 1000")
    said = check(tmp_path, program, "--net-pass", "--time", "20", "--strategy", "dpor")
    assert (said["findings"], said["exhausted"], said["complete"]) == ([], True, False)
    assert said["unseen"] == ["what happens in the machine's sockets"]
    assert check(tmp_path, program, "--schedules", "5", status=1)["kind"] == "assertion"


def test_a_pipe_to_a_child_is_the_machines(tmp_path: Path) -> None:
    program = """
        import multiprocessing

        def add(end):
            end.send(end.recv() + 1)

        here, there = multiprocessing.Pipe()
        child = multiprocessing.get_context("fork").Process(target=add, args=(there,))
        child.start()
        here.send(1)
        assert here.recv() == 2
        child.join()
    """
    assert check(tmp_path, program, "--schedules", "3")["findings"] == []


def test_a_path_of_a_socket_is_there_until_it_is_removed(tmp_path: Path) -> None:
    program = """
        import os
        import socket
        import stat
        import threading

        for _ in range(2):
            with socket.socket(socket.AF_UNIX) as listener:
                listener.bind("here")
                listener.listen()
                assert os.path.exists("here") and stat.S_ISSOCK(os.stat("here").st_mode)
                threading.Thread(target=lambda: listener.accept()[0].close()).start()
                with socket.socket(socket.AF_UNIX) as client:
                    client.connect("here")
                    assert client.recv(1) == b""
            os.unlink("here")
            assert not os.path.exists("here")
    """
    assert check(tmp_path, program, "--schedules", "20")["findings"] == []
    assert not (tmp_path / "here").exists()


def test_sockets_of_an_import_begin_each_execution_as_they_were(tmp_path: Path) -> None:
    (tmp_path / "shared.py").write_text(
        "import socket\nlistener = socket.create_server(('127.0.0.1', 0))\n"
        "left, right = socket.socketpair()\n"
    )
    (tmp_path / "program.py").write_text(
        "import threading, socket\nimport shared\n"
        "thread = threading.Thread(target=lambda: shared.left.sendall(b'x'))\nthread.start()\n"
        "client = socket.create_connection(shared.listener.getsockname())\n"
        "assert client.getsockname()[1] == shared.listener.getsockname()[1] + 1\n"
        "assert shared.right.recv(10) == b'x'\nthread.join()\n"
        "for each in (shared.left, shared.right, shared.listener, client):\n    each.close()\n"
    )
    done = weft("check", "--time", "20", "--strategy", "dpor", "program.py", cwd=tmp_path)
    assert done.returncode == 0, done.stdout
    assert "complete" in done.stdout
