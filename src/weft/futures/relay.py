"""What the pools share whose calls are made elsewhere: the error for a dead worker, chunks of `map`.

The future that the program has of such a call is ours. Behind it stands one of the library that makes the
call, and the pool hands on what becomes of that. So a broken pool can be replaced without the program's
noticing, and an error can be told in words that help.
"""

import importlib
from collections.abc import Iterable, Iterator
from itertools import chain, islice
from typing import Any

from weft.errors import WeftError

__all__ = ["RemoteTraceback", "chunks", "flat", "make", "run_chunk", "unsendable"]


def make() -> Any:
    """The class over the `concurrent.futures` that the program has."""
    base = importlib.import_module("concurrent.futures._base")

    class WorkerDied(WeftError, base.BrokenExecutor):  # type: ignore[misc,name-defined]
        """A worker has died, and with it the call; the text says which one and how, and what to do."""

    WorkerDied.__module__ = "weft.futures"
    WorkerDied.__qualname__ = "WorkerDied"
    return WorkerDied


class RemoteTraceback(Exception):
    """The cause of an exception from elsewhere: its traceback as it was there, for people."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text

    def __str__(self) -> str:
        return f'\n"""\n{self.text}"""'


def run_chunk(fn: Any, chunk: Iterable[tuple[Any, ...]]) -> list[Any]:
    """The calls of `map` that go to a worker together."""
    return [fn(*args) for args in chunk]


def chunks(iterables: tuple[Iterable[Any], ...], size: int) -> Iterator[tuple[Any, ...]]:
    """Tuples of arguments, `size` of them together.

    Raises:
        ValueError: the size is less than 1.
    """
    if size < 1:
        raise ValueError("chunksize must be >= 1.")
    calls = zip(*iterables, strict=False)
    return iter(lambda: tuple(islice(calls, size)), ())


def flat(results: Iterator[list[Any]]) -> Iterator[Any]:
    """What the calls of the chunks returned, one by one."""
    return chain.from_iterable(results)


def unsendable(pool: Any) -> TypeError:
    """The error for a pool that is sent along with a call."""
    return TypeError(
        f"a {type(pool).__name__} cannot be sent to its workers; a call that wants a pool makes its own"
    )
