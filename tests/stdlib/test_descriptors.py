"""Waiting for descriptors: no wake is lost, and none is left over."""

import textwrap

import pytest

from tests.support import needs_gil, run_code

HEAD = """
import os, select, socket, tempfile, threading, time
from weft.core.current import current
from weft.host.poller import READ
from weft.stdlib.descriptors import wait_for

def ticking(carrier, arm):
    def arm_and_tick(*args):
        arm(*args)
        carrier.serve(carrier.poller.look())
    return arm_and_tick
"""


@pytest.mark.parametrize(
    "model", ["user", pytest.param("kernel", marks=needs_gil("the kernel model is CPython's own threads"))]
)
def test_a_select_on_what_never_becomes_ready_ends_at_its_time(model: str) -> None:
    code = """
    with tempfile.TemporaryFile() as file:
        begun = time.monotonic()
        print(select.select([], [], [file], 0.02), time.monotonic() - begun >= 0.02)
    """
    assert run_code(HEAD + textwrap.dedent(code), model=model).check().stdout == "([], [], []) True\n"


@pytest.mark.parametrize("second", ["a file", "a closed descriptor"])
def test_a_wait_that_could_not_be_had_leaves_no_wake_behind(second: str) -> None:
    """The first descriptor is served while the second is still to be watched, and that one cannot be."""
    code = f"""
    carrier = current().carrier
    carrier.poller.arm = ticking(carrier, carrier.poller.arm)
    reader, writer = os.pipe()
    os.write(writer, b"ready")
    with tempfile.TemporaryFile() as file:
        other = file.fileno() if {second!r} == "a file" else 1000
        try:
            print(wait_for([(reader, READ), (other, READ)], None))
        except OSError as error:
            print(error)
    print(len(carrier.ready), sum(c.awaited for c in carrier.poller.channels.values()), current().on)
    """
    said = "True" if second == "a file" else "[Errno 9] Bad file descriptor"
    assert run_code(HEAD + textwrap.dedent(code)).check().stdout == f"{said}\n0 0 None\n"


def test_a_number_that_was_closed_and_opened_anew_is_watched() -> None:
    """Whoever waited on the closed descriptor is not told; who waits on the new one of that number is."""
    code = """
    old, old_writer = os.pipe()
    threading.Thread(target=os.read, args=(old, 1), daemon=True).start()
    time.sleep(0.001)
    os.close(old)
    reader, writer = os.pipe()
    threading.Timer(0.001, os.write, [writer, b"x"]).start()
    print(reader == old, os.read(reader, 1))
    """
    assert run_code(HEAD + textwrap.dedent(code), timeout=10).check().stdout == "True b'x'\n"


def test_a_socket_closed_while_a_child_has_it_too_is_forgotten() -> None:
    """A thread waits on it. The epoll kept it as long as the child lived, and the carrier never slept."""
    code = """
    def accept():
        try:
            server.accept()
        except OSError as error:
            print(error)

    server = socket.create_server(("127.0.0.1", 0))
    thread = threading.Thread(target=accept)
    thread.start()
    gate = os.pipe()
    time.sleep(0)
    if not (child := os.fork()):
        os.read(gate[0], 1)
        os._exit(0)
    address = server.getsockname()
    server.close()
    thread.join()
    with socket.create_connection(address):  # the child's copy listens
        for _ in range(3):
            time.sleep(0.001)
        poller = current().carrier.poller
        print(select.select([poller._events], [], [], 0)[0])
    os.write(gate[1], b"x")
    os.waitpid(child, 0)
    """
    done = run_code(HEAD + textwrap.dedent(code)).check()
    assert done.stdout == "[Errno 9] Bad file descriptor\n[]\n"
