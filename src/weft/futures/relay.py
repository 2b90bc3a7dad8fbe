"""What the pools share whose calls are made elsewhere: the error for a dead worker, chunks of `map`.

The future that the program has of such a call is ours. Behind it stands one of the library that makes the
call, and the pool hands on what becomes of that. So a broken pool can be replaced without the program's
noticing, and an error can be told in words that help.
"""

import importlib
from collections.abc import Iterable, Iterator
from functools import partial
from itertools import chain, islice
from typing import Any

from weft.errors import WeftError

__all__ = ["RemoteTraceback", "make", "map_in_chunks", "run_chunk", "unsendable"]


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


def map_in_chunks(
    call_each: Any, run: Any, fn: Any, iterables: tuple[Iterable[Any], ...], size: int, timeout: float | None
) -> Iterator[Any]:
    """The `map` of a pool with `size` calls sent to a worker together.

    Args:
        call_each: `Executor.map` of the pool.
        run: `run_chunk`, or what does the same where the calls are made.

    Raises:
        ValueError: the size is less than 1.
    """
    if size < 1:
        raise ValueError("chunksize must be >= 1.")
    if size == 1:
        return call_each(fn, *iterables, timeout=timeout)  # type: ignore[no-any-return]
    calls = zip(*iterables, strict=False)
    chunks = iter(lambda: tuple(islice(calls, size)), ())
    return chain.from_iterable(call_each(partial(run, fn), chunks, timeout=timeout))


def unsendable(pool: Any) -> TypeError:
    """The error for a pool that is sent along with a call."""
    return TypeError(
        f"a {type(pool).__name__} cannot be sent to its workers; a call that wants a pool makes its own"
    )
