"""What starts a program that is measured, waits for its end and says what it cost."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.waiting import until, until_ended
from weft.host import starter

LONG = "import time; time.sleep(60)"


class Started:
    """A starter with a program, and what it says."""

    def __init__(self, folder: Path, *command: str, limit: float = float("inf"), ask: bool = False) -> None:
        self.out, self.err = folder / "out", folder / "err"
        options = [repr(limit), "ask" if ask else "no", os.devnull, str(self.out), str(self.err)]
        self.helper = subprocess.Popen(
            [sys.executable, "-I", "-S", starter.__file__, *options, *command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def line(self) -> str:
        assert self.helper.stdin
        assert self.helper.stdout
        said = self.helper.stdout.read()
        self.close()
        return said

    def figures(self) -> dict[str, float]:
        return dict(zip(starter.FIGURES, map(float, self.line().split()), strict=True))

    def close(self) -> None:
        assert self.helper.stdin
        assert self.helper.stdout
        self.helper.stdin.close()
        self.helper.stdout.close()
        assert self.helper.wait(10) == 0


def python(code: str) -> tuple[str, ...]:
    return (sys.executable, "-c", code)


def test_a_program_costs_what_it_costs(tmp_path: Path) -> None:
    code = (
        "import time, sys\nbegin = time.process_time()\nx = b'x' * 40_000_000\n"
        "while time.process_time() - begin < 0.2: pass\ntime.sleep(0.1)\nprint('out'); sys.exit(3)"
    )
    started = Started(tmp_path, *python(code))
    found = started.figures()
    assert found["status"] == 3
    assert found["hung"] == 0
    assert 0.3 <= found["wall"] < 10
    assert 0.2 <= found["user"] + found["system"] < 1
    assert found["voluntary"] >= 1
    assert started.out.read_text() == "out\n"


def test_peak_memory_is_the_program_s_and_not_that_of_who_measures(tmp_path: Path) -> None:
    ballast = bytearray(150_000_000)
    ballast[::4096] = b"x" * len(ballast[::4096])
    small = Started(tmp_path, *python("pass")).figures()["memory"]
    large = Started(tmp_path, *python("x = b'x' * 60_000_000")).figures()["memory"]
    unit = 1 if sys.platform == "darwin" else 1024
    assert small * unit < 50_000_000
    assert 58_000_000 < (large - small) * unit < 70_000_000


def test_what_is_not_there_is_told(tmp_path: Path) -> None:
    assert Started(tmp_path, str(tmp_path / "nothing")).line() == "cannot start it: No such file or directory"


def test_a_program_that_a_signal_ends_has_its_number(tmp_path: Path) -> None:
    assert Started(tmp_path, *python("import os; os.kill(os.getpid(), 9)")).figures()["status"] == -9


WITH_CHILD = (
    "import subprocess, sys, time\n"
    f"child = subprocess.Popen([sys.executable, '-c', {LONG!r}])\n"
    "print(child.pid, flush=True)\n"
)


def hang(folder: Path, code: str, ask: bool = False) -> tuple[dict[str, float], str, float]:
    """What a program cost that hangs once it has printed something, that, and its limit, which lets it come
    so far: the machine may have other work.
    """
    limit = 1.0
    while True:
        started = Started(folder, *python(code + LONG), limit=limit, ask=ask)
        found = started.figures()
        if (said := started.out.read_text()) or limit > 20:
            return found, said, limit
        limit *= 2


def test_a_program_that_hangs_is_ended_with_what_it_started(tmp_path: Path) -> None:
    found, said, limit = hang(tmp_path, WITH_CHILD)
    assert (found["hung"], found["status"]) == (1, -9)
    assert limit <= found["wall"] < limit + 4
    until_ended(int(said))


def test_one_that_may_be_asked_is_asked_first(tmp_path: Path) -> None:
    code = (
        "import signal, time\n"
        "signal.signal(signal.SIGQUIT, lambda *_: print('asked', flush=True))\n"
        "print('there', flush=True)\n"
    )
    for ask, wanted in ((True, "there\nasked\n"), (False, "there\n")):
        found, said, _ = hang(tmp_path, code, ask)
        assert found["hung"] == 1
        assert said == wanted


def test_what_a_program_leaves_running_is_ended(tmp_path: Path) -> None:
    started = Started(tmp_path, *python(WITH_CHILD))
    found = started.figures()
    assert (found["hung"], found["status"]) == (0, 0)
    until_ended(int(started.out.read_text()))


def test_who_goes_away_takes_the_program_with_him(tmp_path: Path) -> None:
    started = Started(tmp_path, *python(WITH_CHILD + LONG))
    until(lambda: started.out.exists() and started.out.read_text().endswith("\n"))
    started.close()
    until_ended(int(started.out.read_text()))


@pytest.mark.parametrize(("ignored", "expected"), [(False, "handled"), (True, "ignored")])
def test_a_program_meets_an_interrupt_as_it_would_without_us(
    tmp_path: Path, ignored: bool, expected: str
) -> None:
    """And a broken pipe, which Python itself ignores, ends what it starts as usual."""
    code = (
        "import signal\n"
        "told = {signal.default_int_handler: 'handled', signal.SIG_IGN: 'ignored'}\n"
        "print(told[signal.getsignal(signal.SIGINT)])\n"
    )
    before = signal.signal(signal.SIGINT, signal.SIG_IGN if ignored else signal.default_int_handler)
    try:
        started = Started(tmp_path, *python(code))
        assert started.figures()["status"] == 0
    finally:
        signal.signal(signal.SIGINT, before)
    assert started.out.read_text().split() == [expected]
    masks = "grep SigIgn /proc/self/status"
    if Path("/proc/self/status").exists():
        started = Started(tmp_path, "/bin/sh", "-c", masks)
        assert started.figures()["status"] == 0
        ignored_now = int(started.out.read_text().split()[1], 16)
        assert not ignored_now & 1 << signal.SIGPIPE - 1
