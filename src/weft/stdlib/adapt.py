"""Small adaptations of modules that know threads but do not block: signal, sys, ctypes, faulthandler."""

import sys
from collections.abc import Callable
from typing import Any

from weft.core.current import current
from weft.host import signals
from weft.host.platform import FREE_THREADED
from weft.host.threads import call_unmasked, program_mask
from weft.stdlib.signal_waits import adapt_waits
from weft.stdlib.supplied import dress

__all__ = ["adapters", "restore_signal"]

#: What may be replaced in `signal`.
ADAPTED = (
    "signal",
    "getsignal",
    "pthread_kill",
    "pthread_sigmask",
    "raise_signal",
    "set_wakeup_fd",
    "sigwait",
    "sigwaitinfo",
    "sigtimedwait",
    "pause",
)


def restore_signal() -> None:
    """Give the `signal` module its own functions back."""
    module: Any = sys.modules.get("signal")
    if module is not None:
        vars(module).update(_originals)


_originals: dict[str, Any] = {}  # what was replaced in the `signal` module


class _SetAsyncExc:
    """Stands for `ctypes.pythonapi.PyThreadState_SetAsyncExc`."""

    argtypes: Any = None
    restype: Any = None
    errcheck: Any = None

    def __init__(self, throw: Callable[[int, Any], int]) -> None:
        self._throw = throw

    def __call__(self, ident: Any, error: Any) -> int:
        ident = getattr(ident, "value", ident)
        error = getattr(error, "value", error)
        return self._throw(int(ident), error or None)


def _sigmask_of_threads(real: Callable[..., Any], runtime: Any) -> Callable[..., Any]:
    """`pthread_sigmask` for threads of which only the main one has a mask in the kernel.

    A signal goes to the process, and to whichever of its threads lets it through. A thread that wants none
    leaves them to the others: with one kernel thread for all, its mask must not be the others' too.
    """

    def pthread_sigmask(how: int, mask: Any) -> Any:
        """Fetch and/or change the signal mask of the calling thread."""
        me, main = current(), runtime.model.main
        if me.carrier.poller is None or me.ident == main.ident:
            return real(how, mask)
        wanted = set(mask)
        try:
            real(-1, wanted)  # changes nothing, and refuses bad signals in CPython's words
        except OSError:
            pass
        before = me.sigmask if me.sigmask is not None else program_mask()
        before = real(signals.BLOCK, ()) if before is None else before
        changes = {signals.BLOCK: before | wanted, signals.UNBLOCK: before - wanted, signals.SETMASK: wanted}
        if how not in changes:
            return real(how, wanted)
        me.sigmask = frozenset(changes[how])
        return set(before)

    return pthread_sigmask


def _raise_signal_for_threads(real: Any, kill: Any, runtime: Any) -> Callable[..., Any]:
    """`raise_signal` where a kernel thread that takes no signals may carry the caller.

    There it would stay pending for ever. The main kernel thread, which takes them for all, gets it. Where it
    runs beside the caller, it would meet it some time later: so the caller takes it for once, and what is
    done here is done when it returns.
    """

    def raise_signal(signalnum: int, /) -> None:
        if program_mask() is None or signalnum in (current().sigmask or ()):
            real(signalnum)
        elif FREE_THREADED and signalnum not in (program_mask() or ()):
            call_unmasked(real, signalnum)
        else:
            kill(runtime.model.kernel_ident, signalnum)

    raise_signal.__doc__ = real.__doc__
    return raise_signal


def adapters(runtime: Any) -> dict[str, Callable[[Any], None]]:
    """Module name to what is done to the module once it is there.

    Args:
        runtime: has `desk` (signals), `model`, `throw`, and `shares_main`: whether user threads run on
            the main kernel thread, and `on_main`: whether it was made there.
    """

    def adapt_signal(module: Any) -> None:
        for name in ADAPTED:
            if hasattr(module, name):
                _originals.setdefault(name, getattr(module, name))
        if runtime.shares_main:
            adapt_waits(module)
        if runtime.on_main:
            module.set_wakeup_fd = runtime.desk.set_wakeup_fd
        module.signal = runtime.desk.signal
        module.getsignal = runtime.desk.getsignal
        real_kill = signals.pthread_kill
        if real_kill is not None:

            def pthread_kill(thread_id: int, signalnum: int, /) -> None:
                # One of ours shares the kernel thread of the main one.
                known = {block.ident: block for block in runtime.model.blocks()}
                real_kill(runtime.kernel_ident(known.get(thread_id), thread_id), signalnum)

            pthread_kill.__doc__ = real_kill.__doc__
            module.pthread_kill = dress(pthread_kill, "signal", "pthread_kill")
            if runtime.config.model == "hybrid":
                raiser = _raise_signal_for_threads(module.raise_signal, real_kill, runtime)
                module.raise_signal = dress(raiser, "signal", "raise_signal")
        if signals.pthread_sigmask is not None:
            sigmask = _sigmask_of_threads(module.pthread_sigmask, runtime)
            module.pthread_sigmask = dress(sigmask, "signal", "pthread_sigmask")

    def adapt_ctypes(module: Any) -> None:
        module.pythonapi.PyThreadState_SetAsyncExc = _SetAsyncExc(runtime.throw)

    return {"signal": adapt_signal, "ctypes": adapt_ctypes}
