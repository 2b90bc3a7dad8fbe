"""Programs that talk, checked as they stand."""

import json
import textwrap
from pathlib import Path
from typing import Any

from tests.check.network.seen import EXAMPLES
from tests.check.programs import check, weft

ECHO = str(EXAMPLES / "r15_echo_checked.py")
AS_IT_STANDS = """
    import argparse
    import threading
    from r15_echo_client import Clients
    from r15_echo_server import EchoServer

    server = EchoServer("127.0.0.1", 0, 2)
    serving = threading.Thread(target=server.serve)
    serving.start()
    port = server.listener.getsockname()[1]
    asked = dict(host="127.0.0.1", port=port, messages=1, patience=30.0, together=False, count=2)
    clients = Clients(argparse.Namespace(**asked))
    threads = [threading.Thread(target=clients.one, args=(number,)) for number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    server.stopping = True
    serving.join()
    server.finish(5.0)
    assert clients.outcomes == {"right": 2}, clients.outcomes
    assert server.served == 2 and not server.open
"""


def said_by(folder: Path, *args: str) -> dict[str, Any]:
    done = weft("check", "--json", *args, cwd=folder)
    said: dict[str, Any] = json.loads(done.stdout)
    return said


def test_the_echo_server_and_its_clients_are_checked_as_they_stand(tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text(textwrap.dedent(AS_IT_STANDS))
    done = weft("check", "--schedules", "40", "program.py", cwd=tmp_path, path=EXAMPLES)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "no failure found in 40 executions" in done.stdout
    assert "note:" not in done.stdout, done.stdout


def test_the_connection_that_is_not_counted_is_found_and_replayed(tmp_path: Path) -> None:
    said = said_by(tmp_path, ECHO, "--racy")
    (race,) = [each for each in said["findings"] if each["kind"] == "race"]
    assert race["title"] == "lost update of self.served"
    again = weft("replay", said["schedule"], cwd=tmp_path)
    assert again.returncode == 1, again.stdout + again.stderr
    assert "diverged" not in again.stdout
    assert "lost update of self.served" in again.stdout


def test_with_a_lock_there_is_no_schedule_that_fails(tmp_path: Path) -> None:
    said = said_by(tmp_path, "--strategy", "dpor", "--time", "60", ECHO)
    assert (said["findings"], said["complete"], said["unseen"]) == ([], True, [])
    assert said["executions"] > 5


def test_a_deadlock_of_two_that_both_wait_for_data_says_who_waits(tmp_path: Path) -> None:
    program = """
        import socket
        import threading

        def serve(listener):
            connection, _ = listener.accept()
            connection.recv(100)
            connection.sendall(b"hello")

        with socket.create_server(("127.0.0.1", 8080)) as listener:
            threading.Thread(target=serve, args=(listener,), name="server").start()
            with socket.create_connection(listener.getsockname()) as client:
                client.recv(100)
    """
    said = check(tmp_path, program, "--schedules", "20", status=1)
    assert said["kind"] == "deadlock"
    lines = sorted(line.rpartition(", at ")[0] for line in said["findings"][0]["lines"])
    assert lines == [
        "MainThread waits for data on connection 127.0.0.1:8080 -> 127.0.0.1:32768",
        "server waits for data on connection 127.0.0.1:32768 -> 127.0.0.1:8080",
    ]


def test_a_server_of_the_standard_library_and_its_clients(tmp_path: Path) -> None:
    program = """
        import threading
        import urllib.request
        from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                body = self.path.upper().encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *args):
                pass

        def get(name):
            with urllib.request.urlopen(f"http://localhost:{server.server_port}/{name}") as answer:
                got.append(answer.read())

        got = []
        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        serving = threading.Thread(target=server.serve_forever)
        serving.start()
        clients = [threading.Thread(target=get, args=(name,)) for name in ("a", "b")]
        for client in clients:
            client.start()
        for client in clients:
            client.join()
        server.shutdown()
        serving.join()
        server.server_close()
        assert sorted(got) == [b"/A", b"/B"]
    """
    said = check(tmp_path, program, "--schedules", "12", "--strategy", "walk")
    assert said["stuck"] == said["unconfirmed"] == 0
    assert said["problems"] == []


def test_an_event_loop_waits_in_virtual_time(tmp_path: Path) -> None:
    program = """
        import asyncio
        import time

        async def serve(reader, writer):
            writer.write(await reader.readline())
            writer.close()

        async def main():
            server = await asyncio.start_server(serve, "127.0.0.1", 0)
            reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
            writer.write(b"line\\n")
            assert await reader.readline() == b"line\\n"
            writer.close()
            begun = time.monotonic()
            await asyncio.sleep(1000)
            assert 1000 <= time.monotonic() - begun < 1001
            assert await asyncio.to_thread(lambda: 5) == 5
            server.close()

        asyncio.run(main())
    """
    said = check(tmp_path, program, "--schedules", "8")
    assert said["stuck"] == 0
    assert said["problems"] == []


def test_each_thread_has_an_event_loop_of_its_own(tmp_path: Path) -> None:
    program = """
    import asyncio, threading
    done, ended = [], []
    async def main(n):
        mine = asyncio.get_running_loop()
        async def count():
            try:
                yield n
            finally:
                ended.append(n)
        async for _ in count():
            await asyncio.sleep(0.01)
            assert asyncio.get_running_loop() is mine
            break
        done.append(n)
    threads = [threading.Thread(target=lambda n=n: asyncio.run(main(n))) for n in range(2)]
    for t in threads: t.start()
    for t in threads: t.join()
    assert asyncio._get_running_loop() is None
    assert sorted(done) == [0, 1]{also}
    """
    options = ("--schedules", "60", "--strategy", "walk")
    assert check(tmp_path, program.replace("{also}", ""), *options)["findings"] == []
    wrong = check(tmp_path, program.replace("{also}", " and done == [0, 1]"), *options, status=1)
    assert wrong["kind"] == "assertion"
