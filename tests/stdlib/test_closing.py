"""Closing a descriptor that other user threads wait for: they are woken, and told what CPython would tell.

User model only: on plain CPython, and so on kernel threads, such a thread is not woken at all.
"""

import pytest

from tests.support import run_code

HEAD = """
    import contextlib, errno, os, select, selectors, socket, threading, time
    import weft
    reader, writer = os.pipe()
    left, right = socket.socketpair()
    epoll = select.epoll()
    epoll.register(reader, select.EPOLLIN)
    came = []

    def waits(function):
        try:
            came.append(function())
        except OSError as error:
            came.append((type(error).__name__, errno.errorcode[error.errno], str(error)))
        except ValueError as error:
            came.append((type(error).__name__, str(error)))

    def poll():
        made = select.poll()
        made.register(reader, select.POLLIN)
        return [(fd == reader, mask) for fd, mask in made.poll()]

    def begin(*functions):
        threads = [threading.Thread(target=waits, args=(function,)) for function in functions]
        for thread in threads: thread.start()
        blocks = [b for b in weft.threads() if b.name != "MainThread"]
        while not all(b.wait is not None for b in blocks): time.sleep(0.0005)
        return threads

    def finish(threads):
        for thread in threads:
            thread.join(5)
            assert not thread.is_alive(), "it was not woken"
        for one in came: print(one)
"""

BAD = "('OSError', 'EBADF', '[Errno 9] Bad file descriptor')\n"

WAITS = {
    "read": ("lambda: os.read(reader, 10)", "os.close(reader)", BAD),
    "select": ("lambda: select.select([reader], [], [])", "os.close(reader)", BAD),
    "select_with_a_timeout": ("lambda: select.select([reader], [], [], 60)", "os.close(reader)", BAD),
    "select_of_many": ("lambda: select.select([left, reader], [], [])", "os.close(reader)", BAD),
    "poll": ("poll", "os.close(reader)", "[(True, 32)]\n"),
    "recv": ("lambda: left.recv(10)", "left.close()", BAD),
    "recv_closed_by_number": ("lambda: left.recv(10)", "os.close(left.detach())", BAD),
    "accept": (
        "(server := socket.create_server(('127.0.0.1', 0))).accept",
        "server.close()",
        BAD,
    ),
    "epoll": ("epoll.poll", "epoll.close()", "('ValueError', 'I/O operation on closed epoll object')\n"),
}


@pytest.mark.parametrize(("wait", "close", "printed"), WAITS.values(), ids=WAITS)
def test_who_waits_is_woken_with_an_error(wait: str, close: str, printed: str) -> None:
    code = f"{HEAD}\n    threads = begin({wait})\n    {close}\n    finish(threads)\n"
    done = run_code(code, timeout=20).check()
    assert (done.stdout, done.stderr) == (printed, "")


def test_all_who_wait_are_woken() -> None:
    code = """
        threads = begin(*[lambda: os.read(reader, 1)] * 5)
        os.close(reader)
        finish(threads)
    """
    assert run_code(joined(code), timeout=20).check().stdout == BAD * 5


def test_a_new_file_of_the_same_number_is_not_mistaken_for_the_old_one() -> None:
    code = """
        threads = begin(lambda: os.read(reader, 10))
        os.close(reader)
        other, other_writer = os.pipe()
        assert other == reader
        os.write(other_writer, b"for another")
        finish(threads)
        print(os.read(other, 20))
    """
    assert run_code(joined(code), timeout=20).check().stdout == BAD + "b'for another'\n"


def test_a_copy_in_a_child_does_not_keep_it_watched() -> None:
    """The file stays open in the child: its events must not come for the next file of that number."""
    code = """
        go_reader, go_writer = os.pipe()
        threads = begin(lambda: os.read(reader, 10))
        pid = os.fork()
        if pid == 0:
            os.close(go_writer)
            os.read(go_reader, 1)
            os._exit(0)
        os.close(reader)
        finish(threads)
        came.clear()
        os.write(writer, b"to the child's copy")
        other, other_writer = os.pipe()
        threads = begin(lambda: os.read(other, 10))
        used = time.thread_time()
        time.sleep(0.05)
        assert time.thread_time() - used < 0.04, "it spins"
        os.write(other_writer, b"x")
        finish(threads)
        os.close(go_writer)
        os.waitpid(pid, 0)
    """
    assert run_code(joined(code), timeout=20).check().stdout == BAD + "b'x'\n"


def test_closing_what_nobody_waits_for_is_as_ever() -> None:
    code = """
        os.close(reader)
        with contextlib.suppress(OSError):
            os.close(reader)
            print("no error")
        try:
            os.close("1")
        except TypeError as error:
            print(error)
    """
    plain = run_code(joined(code, "import contextlib, os\nreader = os.dup(0)"), model=None).check()
    assert run_code(joined(code)).check().stdout == plain.stdout


def joined(code: str, head: str = HEAD) -> str:
    import textwrap

    return textwrap.dedent(head) + textwrap.dedent(code)
