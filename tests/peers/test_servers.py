"""Web servers as people install them, on user threads, under load from `wrk`."""

import contextlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.peers.support import HEAD, free_port, needs, program, requests_answered, running

STANDARD = """
import http.server
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        body = b"hello"
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *args):
        pass
http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler).serve_forever()
"""
FLASK = """
import flask
app = flask.Flask("app")
@app.get("/")
def hello():
    time.sleep(0.002)
    return "hello"
"""
SERVERS = {
    "http.server": ((), STANDARD),
    "waitress": (
        ("waitress", "flask"),
        FLASK + "import waitress\nwaitress.serve(app, host='127.0.0.1', port=port, threads=50, backlog=200)",
    ),
    "cheroot": (
        ("cheroot", "flask"),
        FLASK + "import cheroot.wsgi\ncheroot.wsgi.Server(('127.0.0.1', port), app, numthreads=50).start()",
    ),
    "werkzeug": (
        ("flask",),
        FLASK
        + "import logging\nlogging.disable(logging.CRITICAL)\n"
        + "app.run('127.0.0.1', port, threaded=True)",
    ),
}
#: Beside the server: writes how far it has come, to be held against the time that it has had.
TICKER = """
import os
port = int(sys.argv[1])
def tick():
    count = 0
    while True:
        time.sleep(0.01)
        count += 1
        with open(sys.argv[2] + ".new", "w") as file:
            file.write(str(count))
        os.replace(sys.argv[2] + ".new", sys.argv[2])  # whole at any moment
threading.Thread(target=tick, daemon=True).start()
"""


@contextlib.contextmanager
def serving(code: str) -> Iterator[tuple[int, Path]]:
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        path, ticks = Path(folder, "server.py"), Path(folder, "ticks")
        path.write_text(HEAD + TICKER + code, encoding="utf-8")
        command = [sys.executable, "-m", "weft", "run", "--model", "user", str(path), str(port), str(ticks)]
        with running(command, port, env={**os.environ, "PYTHONWARNINGS": "ignore"}):
            yield port, ticks


def count_in(ticks: Path) -> int:
    return int(ticks.read_text()) if ticks.exists() else 0


@pytest.mark.parametrize("name", list(SERVERS))
def test_a_server_answers_many_connections_and_others_go_on(name: str) -> None:
    modules, code = SERVERS[name]
    needs(*modules)
    program("wrk")
    with serving(code) as (port, ticks):
        before = count_in(ticks)
        assert requests_answered(port, connections=50, seconds=2) > 100
        assert count_in(ticks) - before > 10
        address = f"http://127.0.0.1:{port}/"
        got = subprocess.run(
            [sys.executable, "-c", f"import urllib.request as u; print(u.urlopen({address!r}).read())"],
            capture_output=True,
            text=True,
            timeout=20,
        )
        assert got.stdout == "b'hello'\n"
