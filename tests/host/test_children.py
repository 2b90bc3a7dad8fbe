"""A command that is asked something, without `subprocess`."""

import os
import sys

from weft.host.children import FAILED, ask

ECHO = "import sys; sys.stdout.buffer.write(sys.stdin.buffer.read()[::-1]); sys.exit(5)"


def test_it_answers_with_a_status() -> None:
    data = bytes(range(256)) * 4_000  # more than a pipe holds
    assert ask([sys.executable, "-c", ECHO], dict(os.environ), data) == (5, data[::-1])


def test_one_that_does_not_listen_still_answers() -> None:
    code = "import os; os.close(0); print('no')"
    assert ask([sys.executable, "-c", code], dict(os.environ), b"x" * 1_000_000) == (0, b"no\n")


def test_one_that_is_not_there_or_is_killed_fails() -> None:
    before = len(os.listdir("/proc/self/fd"))
    assert ask(["/no/such/program"], {}, b"") == (FAILED, b"")
    code = "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"
    assert ask([sys.executable, "-c", code], dict(os.environ), b"")[0] == FAILED
    assert len(os.listdir("/proc/self/fd")) == before
