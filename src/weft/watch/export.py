"""Makes of a recording what people look at: a page, and a file for Perfetto.

The records are read twice: figures first, since they say what matters, then what is drawn and written. A
file takes its place when it is whole.
"""

import os
from collections.abc import Callable, Iterator
from typing import IO

from weft.errors import WeftError
from weft.watch.perfetto import Perfetto
from weft.watch.picture import Picture
from weft.watch.reading import read
from weft.watch.record import Names, Record
from weft.watch.summary import Summary
from weft.watch.timeline import gather

__all__ = ["EXTRA", "NothingRecordedError", "Read", "export", "load_pages", "write"]

EXTRA = "weft[html]"


class NothingRecordedError(WeftError):
    """A recording has no records: the program was gone before the first were written."""


#: Gives names and records of a recording, as often as it is called: weft.watch.reading.read of a path.
Read = Callable[[], tuple[Names, Iterator[Record]]]
Render = Callable[[Picture], str]


def load_pages() -> Render:
    """What makes pages.

    Raises:
        WeftError: the template library cannot be loaded.
    """
    try:
        from weft.watch.page.render import render  # noqa: PLC0415 - it stands on an extra
    except ImportError as why:
        raise WeftError(
            f"the page is made with jinja2, which cannot be loaded ({why});"
            f" it comes with the extra {EXTRA}: python -m pip install '{EXTRA}'"
        ) from None
    return render


def write(spool: str, json: str | None, html: str | None) -> Summary:
    """Make the files of a recording that is in a spool (weft.watch.spool).

    Args:
        spool: its file.
        json: where the file for Perfetto goes; None: nowhere.
        html: where the page goes.

    Raises:
        WeftError: as `export`, or the spool cannot be read.
    """
    return export(lambda: read(spool), json, html)


def export(recording: Read, json: str | None, html: str | None) -> Summary:
    """Make the files of a recording.

    Args:
        recording: gives it, from its beginning at each call.
        json: where the file for Perfetto goes; None: nowhere.
        html: where the page goes.

    Raises:
        NothingRecordedError: there are no records.
        WeftError: a file cannot be written, or no page can be made.
    """
    render = load_pages() if html is not None else None
    timeline = gather(*recording())
    if not timeline.lives:
        raise NothingRecordedError("nothing was recorded: the program left before the first was written")
    last = timeline.last_to_end()
    assert last is not None
    first = min(life.first for life in timeline.lives.values())
    path = timeline.wakes.path(last, timeline.lives[last].last, first)
    picture = Picture(timeline, path)
    summary = Summary.of(timeline)
    with _Whole(json) as file:
        writer = Perfetto(file.write, timeline) if file is not None else None
        for record in recording()[1]:
            picture.take(record)
            if writer is not None:
                writer.take(record)
        picture.settle()
        if writer is not None:
            writer.close(picture.counts)
    if html is not None and render is not None:
        with _Whole(html) as file:
            assert file is not None
            file.write(render(picture))
    summary.files = [path for path in (html, json) if path is not None]
    return summary


class _Whole:
    """A text file that is written beside its place and put there when it is whole."""

    def __init__(self, path: str | None) -> None:
        self._path = path
        self._beside = ""
        self._file: IO[str] | None = None

    def __enter__(self) -> IO[str] | None:
        if self._path is None:
            return None
        if os.path.exists(self._path) and not os.path.isfile(self._path):  # a pipe, a terminal, /dev/null
            self._file = self._open(self._path)
            return self._file
        folder, name = os.path.split(os.path.realpath(self._path))
        self._beside = os.path.join(folder, f".{name}.{os.getpid()}")
        self._file = self._open(self._beside)
        return self._file

    def _open(self, path: str) -> IO[str]:
        try:
            return open(path, "w", encoding="utf-8", errors="backslashreplace")
        except OSError as why:
            raise self._error(why) from None

    def __exit__(self, kind: object, error: object, _: object) -> None:
        if self._file is None or self._path is None:
            return
        try:
            self._file.close()
            if error is None and self._beside:
                os.replace(self._beside, os.path.realpath(self._path))
        except OSError as why:
            raise self._error(why) from None
        finally:
            if self._beside and os.path.exists(self._beside):
                os.unlink(self._beside)
        if isinstance(error, OSError):
            raise self._error(error) from None

    def _error(self, why: OSError) -> WeftError:
        return WeftError(f"cannot write {self._path!r}: {why.strerror}")
