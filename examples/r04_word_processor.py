"""Row 4: why threads. A word processor.

Three threads work on one document. The keyboard takes keystrokes, the formatter breaks the text into
lines, the autosaver writes it to disk on a timer. Each spends most of its life waiting, and while one
waits the others go on. The disk is slow on purpose: the autosaver copies the text under the lock and
writes it outside, so nobody waits for the disk. When the keyboard closes the document, the last save
takes in what came since the one before.

Prints each save as it happens, the page, and a last line that compares what was typed with what is on
disk. Keys come from a script with pauses, or from standard input with --stdin. "<" rubs out the last
character.
"""

import argparse
import os
import sys
import tempfile
import textwrap
import threading
import time
from collections.abc import Iterable, Iterator

SCRIPT = (
    "A word processor that did one thing at a tyme<<<ime would stop taking keys when it formatted the page, "
    "and stop both when it went to the disk. With a thread for each, all threee< go on together."
)


class Document:
    """The text and its page. `changed` guards both, and tells the formatter when there is work."""

    def __init__(self) -> None:
        self.changed = threading.Condition()
        self.closed = threading.Event()
        self.text = ""
        self.page: list[str] = []
        self.keystrokes = 0

    def press(self, key: str) -> None:
        with self.changed:
            self.text = self.text[:-1] if key == "<" else self.text + key
            self.keystrokes += 1
            self.changed.notify_all()

    def close(self) -> None:
        with self.changed:
            self.closed.set()
            self.changed.notify_all()


def keyboard(document: Document, keys: Iterable[str]) -> None:
    for key in keys:
        document.press(key)
    document.close()


def formatter(document: Document) -> None:
    with document.changed:
        while True:
            document.page = textwrap.wrap(document.text, width=40)
            if document.closed.is_set():
                return
            document.changed.wait()


def autosaver(document: Document, path: str, every: float) -> None:
    open_for_work = True
    while open_for_work:
        open_for_work = not document.closed.wait(timeout=every)
        with document.changed:
            text, typed_by_then = document.text, document.keystrokes
        time.sleep(every / 4)  # the disk
        with open(path, "w") as file:
            file.write(text)
        meanwhile = document.keystrokes - typed_by_then
        print(f"saved {len(text):>3} characters; {meanwhile} keys came in meanwhile")


def timed_keys(pause: float) -> Iterator[str]:
    for key in SCRIPT:
        time.sleep(pause)
        yield key


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--stdin", action="store_true", help="take the keys from standard input")
    parser.add_argument("--scale", type=float, default=1.0, help="factor on all times")
    options = parser.parse_args()
    keys = iter(lambda: sys.stdin.read(1), "") if options.stdin else timed_keys(0.02 * options.scale)

    document = Document()
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "letter.txt")
        threads = [
            threading.Thread(target=keyboard, args=(document, keys), name="keyboard"),
            threading.Thread(target=formatter, args=(document,), name="formatter"),
            threading.Thread(target=autosaver, args=(document, path, 0.5 * options.scale), name="autosaver"),
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        with open(path) as file:
            on_disk = file.read()

    print()
    print("\n".join(document.page))
    print()
    verdict = "nothing lost" if on_disk == document.text else "LOST"
    print(f"{document.keystrokes} keys, {len(document.text)} characters, {len(on_disk)} on disk: {verdict}")


if __name__ == "__main__":
    main()
