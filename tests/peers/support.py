"""Real servers for the tests of this folder, and programs that use them on many user threads at once."""

import contextlib
import importlib.util
import os
import re
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import run_code

TO_START = 20.0  # seconds

#: Put before each program: `together(count, work)` runs work(0), work(1), ... on a thread each, raises what
#: one of them raised, and holds that a ticking thread went on meanwhile.
HEAD = '''
import sys, threading, time

def starved():
    """Seconds for which others had the processor that this kernel thread wanted, as far as Linux tells."""
    try:
        with open("/proc/self/schedstat") as file:
            return int(file.read().split()[1]) / 1e9
    except OSError:
        return 0.0

def together(count, work):
    faults, ticks, over = [], [0], threading.Event()

    def run(number):
        try:
            work(number)
        except BaseException as error:
            faults.append(error)

    def tick():
        while not over.is_set():
            ticks[0] += 1
            time.sleep(0.001)

    ticker = threading.Thread(target=tick)
    ticker.start()
    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    begun = time.monotonic() - starved()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    spent = time.monotonic() - starved() - begun
    over.set()
    ticker.join()
    if faults:
        raise faults[0]
    assert ticks[0] > spent / 0.05, (ticks, spent)  # the ticker never waited long for the others
'''


def needs(*modules: str) -> None:
    """Skip the test where a package of the group `peers` is not installed."""
    for name in modules:
        if importlib.util.find_spec(name) is None:
            pytest.skip(f"{name} is not installed (pip install -e '.[peers]')")


def program(name: str, *places: str) -> str:
    """The path of a server's program; skips the test where there is none."""
    found = shutil.which(name, path=os.pathsep.join([os.environ.get("PATH", ""), *places]))
    if found is None:
        pytest.skip(f"{name} is not installed")
    return found


def succeeds(code: str, *arguments: str, model: str = "user") -> str:
    """Run a program under weft; its output. It must end with status 0 and say nothing on stderr."""
    return run_code(HEAD + code, *arguments, model=model).output()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def until_it_answers(port: int, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + TO_START
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            assert process.poll() is None, "the server has ended"
            assert time.monotonic() < deadline, "the server does not answer"
            time.sleep(0.02)


@contextlib.contextmanager
def running(command: list[str], port: int, **options: object) -> Iterator[None]:
    """A server in a process of its own."""
    process = subprocess.Popen(  # type: ignore[call-overload]
        command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **options
    )
    try:
        until_it_answers(port, process)
        yield
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@contextlib.contextmanager
def redis() -> Iterator[int]:
    """A Redis server; its port."""
    server, port = program("redis-server"), free_port()
    with tempfile.TemporaryDirectory() as folder:
        options = ["--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", folder]
        with running([server, *options], port):
            yield port


@contextlib.contextmanager
def postgres() -> Iterator[int]:
    """A PostgreSQL server with a user `weft` that needs no password; its port."""
    server = program("postgres", *map(str, Path("/usr/lib/postgresql").glob("*/bin")))
    initdb = shutil.which("initdb", path=f"{Path(server).resolve().parent}{os.pathsep}{os.environ['PATH']}")
    if initdb is None:
        pytest.skip("initdb is not installed")
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        as_other: dict[str, object] = {}
        if os.getuid() == 0:  # which PostgreSQL refuses
            as_other = {"user": 65534, "group": 65534, "extra_groups": []}
            os.chown(folder, 65534, 65534)
        data = str(Path(folder, "data"))
        command = [initdb, "--no-sync", "-A", "trust", "-U", "weft", "-D", data]
        made = subprocess.run(command, capture_output=True, text=True, timeout=60, cwd=folder, **as_other)  # type: ignore[call-overload]
        if made.returncode:
            pytest.skip(f"initdb does not work here: {made.stderr.strip().splitlines()[-1:]}")
        options = ["-D", data, "-p", str(port), "-k", folder, "-c", "max_connections=60", "-c", "fsync=off"]
        with running([server, *options, "-c", "listen_addresses=127.0.0.1"], port, cwd=folder, **as_other):
            yield port


def requests_answered(port: int, connections: int = 50, seconds: int = 2) -> int:
    """Load from `wrk` with many connections; how many requests were answered, if all were, and rightly."""
    wrk = program("wrk")
    command = [wrk, "-t1", f"-c{connections}", f"-d{seconds}s", f"http://127.0.0.1:{port}/"]
    said = subprocess.run(command, capture_output=True, text=True, timeout=30, check=True).stdout
    assert "Non-2xx" not in said, said
    assert "Socket errors" not in said, said
    found = re.search(r"(\d+) requests in", said)
    assert found, said
    return int(found[1])
