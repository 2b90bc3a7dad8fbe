"""Row 4: why threads. A word processor to type in, which loses nothing.

Three threads share one document. The keyboard takes keys, the formatter breaks the text into lines and draws
them, the autosaver writes the file on a timer. While one waits (for a key, for a change, for the disk) the
others go on.

Nothing typed is lost, whatever kills the program. Each key is noted in a journal beside the file before it
is shown; the file is replaced as a whole, never written over. A start reads the file and plays the journals
that follow it: so `kill -9` costs nothing, and a loss of power what came after the last save.

Run `weft run examples/r04_writer.py letter.txt`. Arrows move, Ctrl-S saves now, Ctrl-L draws anew, Ctrl-Q
saves and ends. `r04_word_processor.py` is the same idea in small, and types by itself.
"""

import argparse
import curses
import fcntl
import hashlib
import json
import locale
import os
import select
import sys
import threading
import unicodedata
from pathlib import Path

CTRL_L, CTRL_Q, CTRL_S, RUB_OUT = "\x0c", "\x11", "\x13", ("\x7f", "\x08", curses.KEY_BACKSPACE)
LOOK_UP = 0.5  # seconds after which the keyboard looks whether the window has another size


class CannotOpenError(Exception):
    """The file, or what was journaled of it, cannot be used; the text says what to do."""


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def edited(text: str, at: int, gone: int, new: str) -> str:
    return text[:at] + new + text[at + gone :]


class Store:
    """A file with its journals `.NAME.N.journal`: each begins with the digest of the text that it goes on
    from, and has a line for each edit. While a save is under way there are two of them.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.guard = os.open(path.with_name(f".{path.name}.lock"), os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(self.guard, fcntl.LOCK_EX | fcntl.LOCK_NB)  # until the process is no more
        except OSError:
            raise CannotOpenError(f"{path} is open in another writer") from None
        self.text = path.read_text(encoding="utf-8") if path.exists() else ""
        self.number, self.journal = 0, -1
        self.recover()

    def journals(self) -> list[Path]:
        found = self.path.parent.glob(f".{self.path.name}.*.journal")
        return sorted(found, key=lambda journal: int(journal.name.split(".")[-2]))

    def recover(self) -> None:
        """Play the journals that follow what is in the file."""
        journals = self.journals()
        followed = not journals
        for journal in journals:
            self.number = int(journal.name.split(".")[-2])
            first, *edits = journal.read_bytes().split(b"\n")[:-1] or [b""]  # a torn line is no edit
            if first.decode() == digest(self.text):
                followed = True
                for edit in edits:
                    self.text = edited(self.text, *json.loads(edit))
            elif followed and first:
                raise CannotOpenError(
                    f"{journal} does not follow the journal before it: look at both by hand"
                )
        if not followed and any(journal.stat().st_size for journal in journals):
            raise CannotOpenError(
                f"{self.path} was changed by somebody else while {journals[0]} and its like had edits of it:"
                " move them away, or put the file back"
            )
        self.begin_journal(self.text)

    def begin_journal(self, text: str) -> None:
        """From here on edits are noted as edits of this text."""
        if self.journal >= 0:
            os.close(self.journal)
        self.number += 1
        name = self.path.with_name(f".{self.path.name}.{self.number}.journal")
        self.journal = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.write(self.journal, f"{digest(text)}\n".encode())

    def note(self, *edit: object) -> None:
        """Into the hands of the kernel: whatever becomes of the process, it will be there."""
        os.write(self.journal, json.dumps(edit).encode() + b"\n")

    def save(self, text: str) -> None:
        """Put the text where the file is, whole; journals of what came before it are done with."""
        last = self.number
        beside = self.path.with_name(f".{self.path.name}.new")
        with open(beside, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.replace(beside, self.path)
        for journal in self.journals():
            if int(journal.name.split(".")[-2]) < last:
                journal.unlink()

    def close(self) -> None:
        """All is saved: nothing but the file stays."""
        os.close(self.journal)
        for journal in self.journals():
            journal.unlink()
        self.path.with_name(f".{self.path.name}.lock").unlink()
        os.close(self.guard)


class Document:
    """The text, and where the next key goes. `changed` guards both, and wakes the formatter."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.changed = threading.Condition()
        self.closed = threading.Event()
        self.save_now = threading.Event()
        self.text = self.saved = store.text
        self.place = len(self.text)
        self.lines: list[tuple[int, int]] = [(0, 0)]
        self.all_anew = False
        self.trouble = ""

    def edit(self, at: int, gone: int, new: str) -> None:
        if gone or new:
            self.store.note(at, gone, new)
            self.text = edited(self.text, at, gone, new)
            self.place = at + len(new)

    def press(self, key: "str | int") -> None:
        with self.changed:
            if key in RUB_OUT:
                if self.place:
                    self.edit(self.place - 1, 1, "")
            elif key == CTRL_L:
                self.all_anew = True
            elif isinstance(key, int):
                self.move(key)
            elif key in ("\r", "\n"):
                self.edit(self.place, 0, "\n")
            elif key.isprintable():
                self.edit(self.place, 0, key)
            self.changed.notify_all()

    def move(self, key: int) -> None:
        row = max(row for row, (begin, _) in enumerate(self.lines) if begin <= self.place or row == 0)
        if key == curses.KEY_LEFT:
            self.place = max(self.place - 1, 0)
        elif key == curses.KEY_RIGHT:
            self.place = min(self.place + 1, len(self.text))
        elif key in (curses.KEY_UP, curses.KEY_DOWN):
            other = row + (1 if key == curses.KEY_DOWN else -1)
            if 0 <= other < len(self.lines):
                begin, end = self.lines[other]
                self.place = min(begin + self.place - self.lines[row][0], end)

    def close(self) -> None:
        with self.changed:
            self.closed.set()
            self.save_now.set()
            self.changed.notify_all()


def columns(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)


def layout(text: str, width: int) -> list[tuple[int, int]]:
    """Where the lines of a page begin and end in the text, broken after spaces where there are any."""
    lines, begin, used, space = [], 0, 0, -1
    for place, character in enumerate(text):
        if character == "\n":
            lines.append((begin, place))
            begin, used, space = place + 1, 0, -1
            continue
        if used + columns(character) > width and place > begin:
            cut = space + 1 if space >= begin else place
            lines.append((begin, cut))
            begin, used = cut, columns(text[cut:place])
        if character == " ":
            space = place
        used += columns(character)
    return [*lines, (begin, len(text))]


def keyboard(document: Document, window: "curses.window", screen: threading.Lock) -> None:
    window.keypad(True)
    window.nodelay(True)
    while not document.closed.is_set():
        select.select([sys.stdin], [], [], LOOK_UP)  # waits where others can go on; curses' own wait is in C
        while True:
            try:
                with screen:
                    key = window.get_wch()
            except curses.error:  # no more keys
                break
            if key == CTRL_Q:
                document.close()
            elif key == CTRL_S:
                document.save_now.set()
            else:
                try:
                    document.press(key)
                except OSError as error:  # what cannot be noted is not typed
                    document.trouble = f"NOT TYPED ({error.strerror})"


def formatter(document: Document, window: "curses.window", screen: threading.Lock) -> None:
    with document.changed:
        while not document.closed.is_set():
            with screen:
                draw(document, window)
            document.changed.wait()


def draw(document: Document, window: "curses.window") -> None:
    height, width = window.getmaxyx()
    document.lines = layout(document.text, max(width - 1, 1))
    row = max(row for row, (begin, _) in enumerate(document.lines) if begin <= document.place or row == 0)
    page = max(height - 1, 1)
    top = max(row - page + 1, 0)
    window.erase()
    state = document.trouble or ("saved" if document.text == document.saved else "in the journal")
    status = f" {document.store.path.name}: {len(document.text)} characters, {state}   ^S save  ^Q end"
    try:
        for number, (begin, end) in enumerate(document.lines[top : top + page]):
            window.addstr(number, 0, document.text[begin:end])
        window.addstr(height - 1, 0, status[: width - 1], curses.A_REVERSE)
        window.move(
            row - top, min(columns(document.text[document.lines[row][0] : document.place]), width - 1)
        )
    except curses.error:  # a window of no size at all
        pass
    if document.all_anew:
        document.all_anew = False
        window.redrawwin()
    window.refresh()


def autosaver(document: Document, every: float) -> None:
    open_for_work = True
    while open_for_work:
        document.save_now.wait(timeout=every)
        document.save_now.clear()
        open_for_work = not document.closed.is_set()
        if document.text == document.saved and document.store.path.exists():
            continue
        try:
            with document.changed:
                text = document.text
                document.store.begin_journal(text)
            document.store.save(text)  # outside the lock: nobody who types waits for the disk
            trouble, saved = "", text
        except OSError as error:
            trouble, saved = f"NOT SAVED ({error.strerror})", document.saved
        with document.changed:
            document.trouble, document.saved = trouble, saved
            document.changed.notify_all()


def work(window: "curses.window", document: Document, every: float) -> None:
    curses.raw()  # Ctrl-S, Ctrl-Q and Ctrl-C are keys
    screen = threading.Lock()  # curses is not made for several threads
    threads = [
        threading.Thread(target=keyboard, args=(document, window, screen), name="keyboard"),
        threading.Thread(target=formatter, args=(document, window, screen), name="formatter"),
        threading.Thread(target=autosaver, args=(document, every), name="autosaver"),
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("file", type=Path, help="the text; it is made if it is not there")
    parser.add_argument("--every", type=float, default=5.0, metavar="SECONDS", help="between two saves (5)")
    options = parser.parse_args()
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        parser.error("it needs a terminal; r04_word_processor.py does not")
    locale.setlocale(locale.LC_ALL, "")
    os.environ.setdefault("ESCDELAY", "25")
    try:
        document = Document(Store(options.file))
    except (CannotOpenError, OSError, UnicodeDecodeError) as error:
        parser.error(str(error))
    curses.wrapper(work, document, options.every)
    if document.text != document.saved:
        sys.exit(f"{options.file} {document.trouble}: what was typed is in its journal, for the next start")
    document.store.close()


if __name__ == "__main__":
    main()
