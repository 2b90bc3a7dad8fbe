"""The file that a recording streams into: chunks that stand alone, so that what was written can be read.

A file is a line that says what it is, and chunks: one byte for the kind, four for the length (little endian),
and
that many of content. The last chunk may be cut off by whatever ended the program; it is left out.

- `H`, JSON: facts about the run (`record.Names.about`), once at the beginning.
- `F`, JSON: what numbers stand for, and what happened to threads. Its *watermark* says that nothing older
  follows.
- `T`: which thread ran on a carrier from when on: the carrier and how many (two 32-bit numbers), the times
  (64 bits
  each, nanoseconds of the monotonic clock), the threads (32 bits each; 0 is nobody). It belongs to the `F`
  behind it.
- `W`: wakes, by column: times (64 bits each), and in 32 bits the threads, what they waited on, where, who
  woke them, where, and alarm bits (weft.core.parking). It belongs to the `F` behind it as well.
- `E`, JSON: the closing words.

With a ring there are two files: what has become half as long as the ring is renamed to `NAME.old`, in place
of the one before.
"""

import json
import os
import struct
import sys
from array import array
from collections.abc import Iterator
from typing import IO, Any

from weft.errors import WeftError

__all__ = ["MAGIC", "Spool", "chunks", "old_name"]

MAGIC = b"weft trace 1\n"
_HEAD = struct.Struct("<cI")
_TAPE = struct.Struct("<II")
WIDE, NARROW, NARROW_ONES = 8, 4, 6  # bytes of a time, of any other number of a wake, and how many these are
LONGEST = 1 << 28  # bytes of one chunk; more is no chunk of ours


def old_name(path: str) -> str:
    """Where the earlier half of a ring is."""
    return path + ".old"


class Spool:
    """Writes a recording.

    Args:
        path: the file; what is there is written over.
        about: facts about the run.
        ring: bytes of the newest chunks to be kept; 0: all.
        shared: whether other processes append to it too, each by a `joined` one. A chunk is written by one
            call, at what is the end then; such a file has no ring.

    Raises:
        OSError: the file cannot be written.
    """

    def __init__(self, path: str, about: dict[str, Any], ring: int = 0, shared: bool = False) -> None:
        self._path = path
        self._shared = shared
        self._about = about
        self._half = ring // 2
        self._counts = [0, 0]  # records in the file before, and in this one
        self._lost = 0
        if os.path.exists(
            old_name(path)
        ):  # of an earlier recording: it would be taken for the beginning of this one
            os.unlink(old_name(path))
        self._file: IO[bytes] = self._open()

    @classmethod
    def joined(cls, path: str) -> "Spool":
        """One that appends to a shared file which is there already.

        Raises:
            OSError: it is not, or cannot be written.
        """
        made = cls.__new__(cls)
        made._counts = [0, 0]
        made._file = open(path, "r+b", buffering=0, opener=_appending)  # noqa: SIM115
        return made

    def _open(self) -> IO[bytes]:
        file = open(self._path, "wb", buffering=0)  # noqa: SIM115 - it is open as long as the recording
        file.write(MAGIC + _chunk(b"H", json.dumps({**self._about, "lost": self._lost}).encode()))
        if self._shared:
            file.close()
            return Spool.joined(self._path)._file
        return file

    @property
    def full(self) -> bool:
        """Whether the next chunk goes better into a fresh file: `turn` it."""
        return bool(self._half) and self._file.tell() >= self._half

    def turn(self) -> None:
        """Begin another file; the one before this one is dropped. Numbers have to be said anew."""
        self._file.close()
        os.replace(self._path, old_name(self._path))
        self._lost += self._counts[0]
        self._counts = [self._counts[1], 0]
        self._file = self._open()

    def tape(self, carrier: int, times: "array[int]", threads: "array[int]") -> None:
        """Which thread ran from when on, on one carrier."""
        head = _TAPE.pack(carrier, len(times))
        self._counts[1] += len(times)
        self._file.write(_chunk(b"T", head + _bytes(times) + _bytes(threads)))

    def wakes(self, columns: list["array[int]"]) -> None:
        """Wakes by column: the times, then as many columns of 32 bits as there are."""
        self._counts[1] += len(columns[0])
        self._file.write(_chunk(b"W", b"".join(map(_bytes, columns))))

    def facts(self, content: dict[str, Any]) -> None:
        """All else that happened until a time."""
        self._counts[1] += len(content.get("f", ()))
        self._file.write(_chunk(b"F", json.dumps(content, separators=(",", ":")).encode()))

    def close(self, seconds: float) -> None:
        """Say the closing words."""
        self._file.write(_chunk(b"E", json.dumps({"seconds": seconds}).encode()))
        self._file.close()

    def abandon(self) -> None:
        """Leave the file as it is, to others: in a forked child it is the parent's."""
        self._file.close()


def _appending(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_APPEND | os.O_CLOEXEC)


def _chunk(kind: bytes, content: bytes) -> bytes:
    return _HEAD.pack(kind, len(content)) + content


def _bytes(values: "array[int]") -> bytes:
    if sys.byteorder == "big":
        values.byteswap()
    return values.tobytes()


def _unarray(kind: str, content: bytes) -> "array[int]":
    made = array(kind)
    made.frombytes(content)
    if sys.byteorder == "big":
        made.byteswap()
    return made


def chunks(path: str) -> Iterator[tuple[str, Any]]:
    """What a file consists of: its kind and content, JSON decoded; of a tape (carrier, times, threads).

    Raises:
        WeftError: it cannot be read, or it is no recording.
    """
    try:
        with open(path, "rb") as file:
            if file.read(len(MAGIC)) != MAGIC:
                raise WeftError(f"{path}: this is no recording of `weft trace`")
            while len(head := file.read(_HEAD.size)) == _HEAD.size:
                kind, length = _HEAD.unpack(head)
                content = file.read(length) if length <= LONGEST else b""
                if len(content) < length:
                    return
                yield kind.decode("latin-1"), _decoded(path, kind, content)
    except OSError as error:
        raise WeftError(f"{path}: the recording cannot be read: {error.strerror}") from None


def _decoded(path: str, kind: bytes, content: bytes) -> Any:
    try:
        if kind == b"W":
            count = len(content) // (WIDE + NARROW * NARROW_ONES)
            rest = _unarray("I", content[WIDE * count :])
            return _unarray("Q", content[: WIDE * count]), *(
                rest[count * n : count * (n + 1)] for n in range(NARROW_ONES)
            )
        if kind != b"T":
            return json.loads(content)
        carrier, count = _TAPE.unpack_from(content)
        middle = _TAPE.size + 8 * count
        return carrier, _unarray("Q", content[_TAPE.size : middle]), _unarray("I", content[middle:])
    except (ValueError, struct.error):
        raise WeftError(f"{path}: the recording is damaged: a chunk makes no sense") from None
