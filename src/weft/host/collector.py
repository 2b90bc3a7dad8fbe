"""CPython's garbage collector, as far as threads have to know of it."""

import gc
from collections.abc import Callable

__all__ = ["freeze", "unwatch", "watch"]

freeze = gc.freeze
_watchers: list[Callable[[bool], object]] = []


def _told(phase: str, _info: dict[str, int]) -> None:
    starts = phase == "start"
    for watcher in _watchers:
        watcher(starts)


def watch(watcher: Callable[[bool], object]) -> None:
    """Call `watcher(True)` as each collection starts and `watcher(False)` as it ends, on its thread."""
    if not _watchers:
        gc.callbacks.append(_told)
    _watchers.append(watcher)


def unwatch(watcher: Callable[[bool], object]) -> None:
    """Stop that."""
    if watcher in _watchers:
        _watchers.remove(watcher)
    if not _watchers and _told in gc.callbacks:
        gc.callbacks.remove(_told)
