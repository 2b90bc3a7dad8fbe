"""The word processor of row 4, typed into through a pseudo-terminal: a kill loses nothing that was typed."""

import fcntl
import importlib.util
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest

from tests.support.programs import environment
from tests.support.source import ROOT

PROGRAM = ROOT / "examples" / "r04_writer.py"
ROWS, COLUMNS = 12, 30
PATIENCE = 60.0  # seconds until what does not come is missed
ESCAPES = re.compile(rb"\x1b(?:\[[0-9;?]*[A-Za-z]|[()][A-Z0-9]|[=>78])|[\x0e\x0f]")
models = pytest.mark.parametrize("model", ["plain", "kernel", "user"])


class Writer:
    """The program on a terminal of 12 rows and 30 columns."""

    def __init__(self, file: Path, model: str, *options: str) -> None:
        self.file = file
        start = [] if model == "plain" else ["-m", "weft", "run", "--model", model]
        self.ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
        self.child = subprocess.Popen(
            [sys.executable, *start, str(PROGRAM), str(file), *options],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            env=environment({"TERM": "xterm", "LC_ALL": "C.UTF-8"}),
            start_new_session=True,
        )
        os.close(theirs)
        self.seen = b""

    def look(self, seconds: float = 0.02) -> None:
        """Take what it draws, so that it never waits for the terminal."""
        while select.select([self.ours], [], [], seconds)[0]:
            try:
                part = os.read(self.ours, 65_536)
            except OSError:  # it has ended
                return
            if not part:
                return
            self.seen += part

    def wait_for(self, what: str, condition: Callable[[], bool]) -> None:
        give_up = time.monotonic() + PATIENCE
        while not condition():
            assert time.monotonic() < give_up, f"{what} did not come; on the screen: {self.seen[-2000:]!r}"
            self.look()

    def type(self, keys: str) -> None:
        os.write(self.ours, keys.encode())

    def shows(self, text: str) -> bool:
        return text.encode() in ESCAPES.sub(b"", self.seen)

    def drawn_anew(self) -> bytes:
        """The whole screen, without the marks that move the cursor."""
        self.look()
        self.seen = b""
        self.type("\x0c")
        self.wait_for("the screen", lambda: self.shows("characters"))
        self.look(0.1)
        return ESCAPES.sub(b"|", self.seen)

    def kill(self) -> None:
        self.child.send_signal(signal.SIGKILL)
        self.child.wait()

    def quit(self) -> int:
        self.type("\x11")
        self.wait_for("the end", lambda: self.child.poll() is not None)
        return self.child.returncode

    def close(self) -> None:
        if self.child.poll() is None:
            self.kill()
        os.close(self.ours)


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Writer]]:
    writers = []

    def begin(model: str, *options: str, file: str = "letter.txt") -> Writer:
        writer = Writer(tmp_path / file, model, *options)
        writers.append(writer)
        writer.wait_for(
            "the first page", lambda: writer.shows("characters") or writer.child.poll() is not None
        )
        return writer

    yield begin
    for writer in writers:
        writer.close()


def journaled(file: Path) -> int:
    """How many edits the journals hold."""
    return sum(
        max(journal.read_bytes().count(b"\n") - 1, 0)
        for journal in file.parent.glob(f".{file.name}.*.journal")
    )


@models
def test_what_is_typed_is_formatted_and_saved_by_itself(start: Callable[..., Writer], model: str) -> None:
    writer = start(model, "--every", "0.05")
    writer.type("One thread types while another one format\x7fts it.\rA second paragraph.")
    text = "One thread types while another one formats it.\nA second paragraph."
    writer.wait_for("the save", lambda: writer.file.exists() and writer.file.read_text() == text)
    page = writer.drawn_anew()
    for line in (b"One thread types while", b"another one formats it.", b"A second paragraph."):
        assert line in page
    assert b"while another" not in page  # it is broken where the page ends
    assert writer.quit() == 0
    assert [path.name for path in writer.file.parent.iterdir()] == ["letter.txt"]


@models
def test_a_kill_loses_nothing_that_was_typed(start: Callable[..., Writer], model: str) -> None:
    writer = start(model, "--every", "1000")  # no save before the kill
    typed = "Nobody saved this; 但是一个字也没有丢。"
    writer.type(typed)
    writer.wait_for("the journal", lambda: journaled(writer.file) == len(typed))
    writer.kill()
    assert not writer.file.exists()
    again = start(model, "--every", "1000")
    again.type(" More.")
    again.wait_for("the journal", lambda: journaled(writer.file) == len(typed) + 6)
    again.kill()
    last = start(model)
    assert last.quit() == 0
    assert last.file.read_text() == typed + " More."


@models
def test_a_kill_among_saves_loses_nothing(start: Callable[..., Writer], model: str) -> None:
    writer = start(model, "--every", "0.001")
    typed = "".join(f"{number} " for number in range(60))
    writer.type(typed)
    writer.wait_for("much of it", lambda: writer.file.exists() and writer.file.stat().st_size > 20)
    writer.kill()
    shown = len(writer.file.read_text())
    again = start(model)
    assert again.quit() == 0
    assert typed.startswith(again.file.read_text())
    assert len(again.file.read_text()) >= shown


def test_the_cursor_moves_and_edits_are_made_where_it_stands(start: Callable[..., Writer]) -> None:
    writer = start("user")
    writer.type("ac\x1bOD" + "b")  # left
    writer.wait_for("the edits", lambda: journaled(writer.file) == 3)
    writer.type("\x1bOC" + "d\x13")  # right, and a save
    writer.wait_for("the save", lambda: writer.file.exists() and "d" in writer.file.read_text())
    assert writer.quit() == 0
    assert writer.file.read_text() == "abcd"


def test_a_second_writer_of_a_file_is_refused(start: Callable[..., Writer]) -> None:
    writer = start("user")
    second = start("user")
    assert second.child.wait() == 2
    assert second.shows("is open in another writer")
    assert writer.quit() == 0


# -- what a start makes of what a kill left ----------------------------------------------------------------


@pytest.fixture(scope="module")
def program() -> ModuleType:
    spec = importlib.util.spec_from_file_location("r04_writer", PROGRAM)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def left_behind(program: ModuleType, file: Path, text: str | None, *journals: tuple[str, bytes]) -> None:
    if text is not None:
        file.write_text(text)
    for number, (base, edits) in enumerate(journals, 1):
        journal = file.with_name(f".{file.name}.{number}.journal")
        journal.write_bytes(program.digest(base).encode() + b"\n" + edits)


@pytest.mark.parametrize(
    ("text", "journals"),
    [
        pytest.param(None, [("", b'[0, 0, "a"]\n[1, 0, "b"]\n')], id="never saved"),
        pytest.param("a", [("a", b'[1, 0, "b"]\n')], id="after a save"),
        pytest.param("a", [("a", b'[1, 0, "b"]\n[2, 0, "')], id="in the middle of a note"),
        pytest.param(
            "", [("", b'[0, 0, "a"]\n'), ("a", b'[1, 0, "b"]\n')], id="before the file was replaced"
        ),
        pytest.param("a", [("", b'[0, 0, "a"]\n'), ("a", b'[1, 0, "b"]\n')], id="after it was replaced"),
        pytest.param(
            "ab", [("ab", b'[1, 1, ""]\n'), ("a", b'[1, 0, "b"]\n'), ("ab", b"")], id="there and back"
        ),
    ],
)
def test_a_start_finds_what_was_typed(
    program: ModuleType, tmp_path: Path, text: str | None, journals: list[tuple[str, bytes]]
) -> None:
    file = tmp_path / "letter.txt"
    left_behind(program, file, text, *journals)
    store = program.Store(file)
    assert store.text == "ab"
    os.close(store.guard)
    again = program.Store(file)  # killed at once, and started once more
    assert again.text == "ab"
    again.save(again.text)
    again.close()
    assert [path.name for path in tmp_path.iterdir()] == ["letter.txt"]


def test_a_torn_journal_without_a_head_is_nothing(program: ModuleType, tmp_path: Path) -> None:
    file = tmp_path / "letter.txt"
    left_behind(program, file, "", ("", b'[0, 0, "a"]\n'))
    file.with_name(".letter.txt.2.journal").write_bytes(b"0123")
    assert program.Store(file).text == "a"


def test_a_file_that_somebody_else_has_changed_is_left_alone(program: ModuleType, tmp_path: Path) -> None:
    file = tmp_path / "letter.txt"
    left_behind(program, file, "changed", ("old", b'[0, 0, "a"]\n'))
    with pytest.raises(program.CannotOpenError, match="was changed by somebody else"):
        program.Store(file)
    assert file.read_text() == "changed"


def test_lines_break_at_spaces_and_count_wide_characters(program: ModuleType) -> None:
    def lines(text: str, width: int) -> list[str]:
        return [text[begin:end] for begin, end in program.layout(text, width)]

    assert lines("one two three", 8) == ["one two ", "three"]
    assert lines("abcdefghij", 4) == ["abcd", "efgh", "ij"]
    assert lines("一二三", 4) == ["一二", "三"]
    assert lines("a\n\nb", 4) == ["a", "", "b"]
    assert lines("", 4) == [""]
    assert lines("一", 1) == ["一"]
