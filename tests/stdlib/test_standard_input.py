"""Standard input under `weft run`: who reads it waits alone."""

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support import needs_gil, run_code
from tests.support.programs import environment

TICKS = """
import sys, threading, time
ran = []
over = threading.Event()
def tick():
    while not over.is_set():
        ran.append(1)
        time.sleep(0.001)
def until_ran():
    before = len(ran)
    while len(ran) < before + 3:
        time.sleep(0.001)
"""


def test_input_waits_alone(tmp_path: Path) -> None:
    """The line is written only when another thread of the program has run while main waits for it."""
    program = tmp_path / "program.py"
    program.write_text(
        TICKS
        + """
def answer():
    until_ran()
    print("ready", flush=True)
threading.Thread(target=answer).start()
print(repr(input("? ")), repr(sys.stdin.readline()), sys.stdin.read().splitlines())
""".replace("answer():", "answer():\n    threading.Thread(target=tick, daemon=True).start()")
    )
    child = subprocess.Popen(
        [sys.executable, "-m", "weft", "run", "--model", "user", str(program)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=environment(None),
    )
    assert child.stdin is not None
    assert child.stdout is not None
    assert child.stdout.readline() == b"? ready\n"  # main waits for its line by now
    out, _ = child.communicate(b"one\ntwo\nthree\nfour\n", timeout=60)
    assert out == b"'one' 'two\\n' ['three', 'four']\n"


def test_input_from_a_terminal_waits_alone(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(
        TICKS
        + """
threading.Thread(target=tick, daemon=True).start()
def answer():
    until_ran()
    print("ready", flush=True)
threading.Thread(target=answer).start()
print(repr(input("? ")))
try:
    input()
except EOFError as error:
    print(repr(error))
"""
    )
    master, slave = pty.openpty()
    child = subprocess.Popen(
        [sys.executable, "-m", "weft", "run", "--model", "user", str(program)],
        stdin=slave,
        stdout=slave,
        stderr=slave,
        env=environment(None),
    )
    os.close(slave)

    def until(text: bytes) -> None:
        seen = b""
        while text not in seen:
            seen += os.read(master, 1000)

    until(b"ready")
    os.write(master, b"typed\n")
    until(b"'typed'")
    os.write(master, b"\x04")
    until(b"EOFError()")
    assert child.wait(60) == 0
    os.close(master)


@pytest.mark.parametrize(
    "model",
    ["user", pytest.param("kernel", marks=needs_gil("the kernel model is CPython's own threads")), None],
)
def test_standard_input_looks_like_cpythons(model: str | None) -> None:
    code = """
import io, sys
print(sys.stdin.name, sys.stdin.mode, sys.stdin.fileno(), sys.stdin is sys.__stdin__)
print(isinstance(sys.stdin.buffer, io.BufferedReader), sys.stdin.buffer.raw.closefd)
print(repr(sys.stdin.read()))
"""
    done = run_code(code, model=model, input="a\r\nb\rc\n").check()
    assert done.stdout == "<stdin> r 0 True\nTrue False\n'a\\r\\nb\\rc\\n'\n"


@pytest.mark.parametrize(
    "model",
    ["user", pytest.param("kernel", marks=needs_gil("the kernel model is CPython's own threads")), None],
)
def test_input_at_the_end_says_so(model: str | None) -> None:
    code = "try:\n    input('? ')\nexcept EOFError as error:\n    print(repr(error))"
    done = run_code(code, model=model, input="").check()
    assert done.stdout == "? EOFError('EOF when reading a line')\n"
