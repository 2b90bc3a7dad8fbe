"""Signals that a checked program sends to itself: handlers run in the main thread, wherever it stands.

CPython runs a handler between two operations of the main thread. Here that is at its points: to send a
signal is an operation of the sender, by which the main thread may have come to any of its own. Handlers are
those of one execution; those that were set while modules were imported are the machine's, and are looked up
there.
"""

import importlib
import os
from typing import Any

from weft.check.world import MODEL
from weft.models.controlled import Task
from weft.models.interrupts import interrupt

__all__ = ["delivered", "replacements"]

_signal: Any = importlib.import_module("signal")
_real_signal, _real_getsignal = _signal.signal, _signal.getsignal
_real_raise, _real_kill = _signal.raise_signal, os.kill
_real_pthread_kill = getattr(_signal, "pthread_kill", None)
_sent: list[int] = []


def delivered() -> bool:
    """Whether a handler has run in this process: where it may run is not among what a search can exhaust."""
    return bool(_sent)


def _main() -> Task | None:
    return MODEL.tasks[0] if MODEL.active and MODEL.tasks and MODEL.tasks[0].number == 0 else None


def _handlers(main: Task) -> dict[int, Any]:
    """Those that this execution has set: kept with its main thread, and gone with it."""
    handlers: dict[int, Any] = vars(main).setdefault("handlers", {})
    return handlers


def _set(signalnum: Any, handler: Any, /) -> Any:
    """`signal.signal`."""
    main = _main()
    if main is None or signalnum in (_signal.SIGKILL, _signal.SIGSTOP):
        return _real_signal(signalnum, handler)
    if MODEL.current is not main:
        raise ValueError("signal only works in main thread of the main interpreter")
    if not callable(handler) and handler not in (_signal.SIG_DFL, _signal.SIG_IGN):
        raise TypeError("signal handler must be signal.SIG_IGN, signal.SIG_DFL, or a callable object")
    before = _get(signalnum)
    _handlers(main)[int(signalnum)] = handler
    return before


def _get(signalnum: Any, /) -> Any:
    """`signal.getsignal`; refuses what is no number of a signal, in CPython's words."""
    main = _main()
    real = _real_getsignal(signalnum)
    return real if main is None else _handlers(main).get(int(signalnum), real)


def _raise(signalnum: Any, /) -> None:
    """`signal.raise_signal`."""
    if not _deliver(signalnum):
        _real_raise(signalnum)


def _kill(pid: int, signalnum: Any, /) -> None:
    """`os.kill`."""
    if pid != os.getpid() or not _deliver(signalnum):
        _real_kill(pid, signalnum)


def _pthread_kill(thread_id: int, signalnum: Any, /) -> None:
    """`signal.pthread_kill`: whichever thread it names, the handler runs in the main one."""
    if thread_id not in [task.ident for task in MODEL.tasks] or not _deliver(signalnum):
        assert _real_pthread_kill is not None
        _real_pthread_kill(thread_id, signalnum)


def _deliver(signalnum: Any) -> bool:
    """Run its handler; False: what it does is the machine's to say."""
    main = _main()
    if main is None or signalnum not in _signal.valid_signals():
        return False
    handler = _get(signalnum)
    if handler == _signal.SIG_IGN:
        return True
    if not callable(handler):
        return False
    number = int(signalnum)
    _sent.append(number)
    if MODEL.current is main:
        handler(number, None)
        return True
    MODEL.tried |= {"lock", "semaphore"}  # a handler can tell whether the main thread has let go
    MODEL.point("signal", None)
    if not main.done:
        interrupt(MODEL, main, lambda: handler(number, main.frame()))
    return True


def replacements() -> list[tuple[Any, str, Any]]:
    """What to put where: (module, name, value)."""
    mine = [(_signal, "signal", _set), (_signal, "getsignal", _get), (_signal, "raise_signal", _raise)]
    if _real_pthread_kill is not None:
        mine.append((_signal, "pthread_kill", _pthread_kill))
    return [*mine, (os, "kill", _kill)]
