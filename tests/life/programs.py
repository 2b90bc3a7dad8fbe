"""Programs of these tests; also such as are talked to while they run: output is read, signals are sent."""

import os
import signal
import subprocess
import sys
import tempfile
import textwrap
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Self

from tests.support import run_code
from tests.support.programs import environment, text

PATIENCE = 10.0  # seconds for anything a program is asked to do


def out(code: str, model: str, *options: str, input: str | None = None) -> str:
    """What a program prints on a model; it must end well and without complaint."""
    return run_code(code, model=model, options=options, input=input).output()


class Running:
    """A program that runs; its folder goes with it."""

    def __init__(self, command: Sequence[str], folder: str) -> None:
        self.out = Path(folder, "stdout")
        self.err = Path(folder, "stderr")
        with self.out.open("wb") as out, self.err.open("wb") as err:
            self.child = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=out,
                stderr=err,
                cwd=folder,
                env=environment(None),
                process_group=0,
            )

    def until(self, words: str, where: str = "stdout") -> Self:
        """Wait until the program has printed the words."""
        deadline = time.monotonic() + PATIENCE
        while words not in self.read(where):
            if self.child.poll() is not None and words not in self.read(where):
                raise AssertionError(f"it ended with {self.child.returncode}: {self.all()}")
            if time.monotonic() > deadline:
                raise AssertionError(f"{words!r} never came: {self.all()}")
            time.sleep(0.005)
        return self

    def read(self, where: str) -> str:
        return text((self.out if where == "stdout" else self.err).read_bytes())

    def send(self, number: int) -> Self:
        os.kill(self.child.pid, number)
        return self

    def end(self) -> tuple[int, str, str]:
        """Its status (-N: by signal N), and all it printed."""
        try:
            self.child.communicate(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            self.child.send_signal(signal.SIGQUIT)
            time.sleep(0.5)
            raise AssertionError(f"it did not end: {self.all()}") from None
        return self.child.returncode, self.read("stdout"), self.read("stderr")

    def all(self) -> str:
        return f"\n--- stdout\n{self.read('stdout')}\n--- stderr\n{self.read('stderr')}"


@contextmanager
def program(code: str, model: str | None, options: Sequence[str] = ()) -> Iterator[Running]:
    """Start `code` on a model (None: the plain interpreter); it is ended with the block."""
    with tempfile.TemporaryDirectory(prefix="weft-test-") as folder:
        path = Path(folder, "program.py")
        path.write_text(textwrap.dedent(code), encoding="utf-8")
        weft = [] if model is None else ["-m", "weft", "run", "--model", model, *options]
        running = Running([sys.executable, *weft, str(path)], folder)
        try:
            yield running
        finally:
            if running.child.poll() is None:
                os.killpg(running.child.pid, signal.SIGKILL)
                running.child.wait()
            if running.child.stdin is not None:
                running.child.stdin.close()
