"""The composition root: builds a runtime out of the parts, puts it in force and takes it away.

Everything that is one per process is here: the runtime in force, its model, its signal desk, the hooks
around fork and at exit.
"""

import atexit
import importlib
import os
import sys
from _functools import partial  # type: ignore[import-not-found]  # functools leads to much more
from collections.abc import Callable, Iterable
from typing import IO, Any, TypeVar

from weft.config import DEADLOCK_STATUS, Config
from weft.core.current import current, set_adopter, stand_still
from weft.core.parking import THROWN, interrupt, settler
from weft.core.places import floor
from weft.core.policy import make_policy
from weft.core.thread import ControlBlock
from weft.errors import DeadlockError, WeftError
from weft.guard import GUARDED, guarded, let_go, renew, take
from weft.host import collector
from weft.host import signals as host_signals
from weft.host import threads as host_threads
from weft.host.clock import SLACK, monotonic, set_slack
from weft.host.clock import sleep as real_sleep
from weft.host.platform import FREE_THREADED, end_at_once, kernel_thread_count
from weft.host.pool import Pool
from weft.host.stacks import UNFIT
from weft.stdlib import adapt, forks, set_provider
from weft.stdlib.long_calls import LongCalls
from weft.stdlib.long_calls import replacements as long_calls
from weft.stdlib.named import Named
from weft.stdlib.offload import end_of_kernel_thread, offload, offloaded, use_pool
from weft.stdlib.per_thread import AsyncState
from weft.stdlib.signals import SignalDesk
from weft.stdlib.sleep import sleep
from weft.stdlib.supply import TOO_LATE, Supply, make_queue_module
from weft.stdlib.thread_module import run_endings
from weft.stdlib.tracing import Tracing

__all__ = [
    "Runtime",
    "call_later",
    "dump",
    "install",
    "offload",
    "offloaded",
    "run",
    "runtime",
    "set_priority",
    "threads",
    "uninstall",
]

R = TypeVar("R")

_runtime: Any = None  # a Runtime, or the Processes of its own model
SOON = 0.002  # seconds until a signal is offered again that came in the middle of a change


class Runtime:
    """One model in force in this process, with the modules it supplies."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self.desk = SignalDesk(lambda: self.model.main, self._kick)
        self.model: Any
        self.pool: Pool | None = None
        self.named = Named(config.offload, replace=config.model != "kernel")
        self.long_calls = LongCalls()
        on_main = host_threads.get_ident() == host_threads.main_ident()
        parts = (config.slice, self._stuck, self.desk.pending, self.desk.deliver, config.blocked_limit)
        if config.model == "user":
            self.model = _part("weft.models.user").UserModel(*parts)
        elif config.model == "hybrid":
            self.model = _part("weft.models.hybrid").HybridModel(*parts, config.carriers)
        else:
            self.model = _part("weft.models.kernel").KernelModel(
                self._stuck, self._outside, self.desk.pending, self.desk.meet_missed
            )
        if config.model != "kernel":
            self.pool = Pool(config.offload_threads, end_of_kernel_thread)
        self.shares_main = on_main and config.model != "kernel"
        extras = adapt.adapters(self)
        if config.model == "kernel":
            del extras["ctypes"]  # CPython's own PyThreadState_SetAsyncExc does what it says
            extras["_socket"] = _prepare_reports
        self.tracing = Tracing(self.model.blocks, None if config.model == "kernel" else self.model.everywhere)
        self.async_state = AsyncState(lambda: self.model.main)
        self.attached: Any = _part("weft.watch.attached").Attached(self.model, monotonic)
        self.count_into = self.attached.count_into
        more = self.tracing.replacements()
        more += forks.replacements(self.attached.fork_begins, self.attached.fork_is_over)
        extras.update(self.tracing.adapters())
        if config.model != "kernel":
            for part in ("selecting", "descriptor_calls", "children", "files"):
                more += _part(f"weft.stdlib.{part}").replacements()
            more += self.async_state.replacements()
            more += long_calls(more)
            extras.update(self.long_calls.adapters())
            if config.model == "hybrid":
                extras["_posixsubprocess"] = partial(_supply, "weft.stdlib.children", "adapt_fork_exec")
            extras["_asyncio"] = self.async_state.adapt
            extras["_socket"] = _supply_sockets
            locked = "locked_" if config.model == "hybrid" else ""
            extras["socket"] = partial(_supply, "weft.stdlib.socket_files", f"supply_{locked}makefile")
            extras["ssl"] = partial(_supply, "weft.stdlib.tls", "supply_tls")
            extras["_multiprocessing"] = partial(_supply, "weft.stdlib.sem_lock", "supply_sem_lock")
        self.supply = Supply(self.model, sleep, [*extras.items(), *self.named.adapters().items()], more)
        self.on_main = on_main
        self._interval: float | None = None
        self._slack: int | None = None
        self._active = False
        self._tripping = False
        self._leaving = False
        self._told: set[tuple[int, int]] = set()
        self._told_once = False

    def start_beside(self) -> None:
        """Be there for `weft.stdlib`, with nothing replaced."""
        use_pool(self.pool)
        set_adopter(self.model.adopt)
        settler.handle_signals = self.desk.handle
        if self.on_main:
            self.desk.open()
        self._active = True

    # -- in force, and not any more --------------------------------------------------------------------

    def install(self) -> None:
        """Put the runtime in force: from here on programs that import `threading` are on it."""
        use_pool(self.pool)
        set_adopter(self.model.adopt)
        settler.handle_signals = self.desk.handle
        self.supply.install()
        if self.config.model != "kernel":
            self._slack = set_slack(SLACK)
        if self.config.model != "kernel":  # a policy's module may import threading: ours, by now
            self.model.use(lambda: make_policy(self.config.policy))
        if self.on_main:
            self.desk.open()
            if self.config.model == "kernel":
                host_signals.set_tripwire(self._on_trip)
                self.desk.watch_arrivals()
            else:
                self.model.loop.poller.reopened = self._listen_to_signals
                self._listen_to_signals()
                self.model.loop.signals = self.desk.noted
        if self.config.model == "kernel":
            self.model.ensure_monitor()
        self._active = True
        if self.config.slice and self.config.model != "kernel" and self.config.slice < 0.01:
            self._interval = sys.getswitchinterval()
            sys.setswitchinterval(min(self._interval, max(self.config.slice / 4, 5e-5)))

        self._tell_of_missing("has")

    def _listen_to_signals(self) -> None:
        """Have the poller's sleep ended by any signal."""
        host_signals.wake_by(self.model.loop.poller.signal_write)

    def uninstall(self) -> None:
        """Take it away again; threads that still run are lost."""
        self._active = False
        self.attached.leave()
        use_pool(None)
        self.named.restore()
        self.long_calls.restore()
        if self.on_main:
            self.desk.close()
        if self.shares_main and self.supply.installed:
            host_signals.wake_by(self.desk.wakeup.fd)
        self.tracing.close()
        self.async_state.close()
        if self._interval is not None:
            sys.setswitchinterval(self._interval)
        if self._slack is not None:
            set_slack(self._slack)
        adapt.restore_signal()
        if self.supply.installed:
            self.supply.uninstall()
        self.model.stop()
        set_adopter(_part("weft.models.foreign").ForeignCarrier.adopt)  # for what modules keep of ours

    # -- stuck -----------------------------------------------------------------------------------------

    def _outside(self) -> bool:
        """Whether a kernel thread that carries none of our threads could wake one."""
        idle = 0
        if self.pool is not None:
            if self.pool.in_flight:
                return True
            idle = self.pool.alive
        kernel_threads = kernel_thread_count()
        if kernel_threads is None:
            return bool(self.model.foreign_blocks())
        ours: int = self.model.own_kernel_threads() + idle + self.attached.kernel_threads
        return kernel_threads > ours

    def _stuck(self) -> bool:
        """Nothing is ready and no timer is armed: report a deadlock if nothing outside can end it."""
        model = self.model
        main = model.main
        if self.desk.pending() or self.desk.handles_more_than_ctrl_c() or main.on is None:
            return False
        if self._outside():
            return False
        blocks = model.blocks()
        if len(blocks) == 1 and main.on is main:
            return False
        # A kernel thread that is not ours may have woken one, and ended before it was counted.
        if main.on is None or any(block.carrier.holds(block) for block in blocks):
            return False
        waits = {(b.ident, id(b.on)) for b in blocks if b is not main}
        action = self.config.on_deadlock
        if action == "report" and (not waits - self._told and self._told_once):
            return False
        if not self._leaving or not waits <= self._told:
            try:
                report = _part("weft.watch.dump").render_deadlock(blocks)
            except OSError as why:  # no descriptor is left to load it with
                report = f"weft: deadlock: every thread waits and nothing can wake one (no details: {why})"
            sys.stderr.write(report + "\n")
            sys.stderr.flush()
        self._told, self._told_once = waits, True
        if action == "exit":
            end_at_once(DEADLOCK_STATUS)
        if action == "report":
            return False
        error = DeadlockError("every thread waits and nothing can wake one; the report above has the details")
        main.error = error
        return interrupt(main, THROWN)

    # -- signals -----------------------------------------------------------------------------------------

    def _kick(self) -> None:
        """Offer the noted signals again, as soon as the main thread has left the call of ours it is in."""
        preemption = getattr(self.model, "preemption", None)
        if preemption is not None:
            preemption.kick()  # should the place be left late
            host_signals.trip_at_next_look()
        elif not self._tripping:
            self._tripping = True
            host_threads.start(self._trip_soon)

    def _trip_soon(self) -> None:
        real_sleep(SOON)
        self._tripping = False
        self.desk.meet_missed()
        host_signals.trip()

    def _on_trip(self, signum: int, frame: Any) -> None:
        if self.desk.pending() and not self.desk.deliver(frame):
            self._kick()

    def dump_on_quit(self) -> None:
        """Have SIGQUIT print every thread, unless the program sets a handler of its own."""
        number = host_signals.QUIT
        if number is not None and self.on_main:
            host_signals.put(number, _dump_if_possible)

    def kernel_ident(self, block: ControlBlock | None, ident: int) -> int:
        """The kernel thread that carries a block: what a signal can be sent to."""
        if block is not None and self.config.model != "kernel":
            return int(self.model.kernel_ident)
        return ident

    # -- fork ----------------------------------------------------------------------------------------------

    def before_fork(self) -> None:
        """Stop our own kernel threads and take the import lock, so that the child gets whole modules."""
        if not self._active:
            return
        self.supply.import_lock.acquire()
        self.model.pause()
        if self.pool is not None:
            self.pool.pause()
        self.attached.before_fork()
        if GUARDED:
            take()  # nobody is in the middle of a change

    def after_fork_parent(self) -> None:
        """Go on as before."""
        if not self._active:
            return
        if GUARDED:
            let_go()
        self.model.resume()
        self.attached.after_fork_parent()
        self.supply.import_lock.release()

    def after_fork_child(self) -> None:
        """Only the calling thread lives here."""
        if not self._active:
            return
        host_threads.forget_own()
        if GUARDED:
            renew()
        self.model.after_fork(current())
        self.async_state.after_fork()
        self.desk.after_fork()
        if self.pool is not None:
            self.pool.after_fork()
        if GUARDED:
            let_go()
        self.model.resume()
        self.attached.after_fork_child()
        self.supply.import_lock.release()

    def leave(self) -> None:
        """The program has ended with an exception: what has been told of a deadlock is not told again."""
        self._leaving = True

    # -- the end -------------------------------------------------------------------------------------------

    def freeze(self) -> None:
        """The interpreter ends: keep the stacks of threads that have not ended from unwinding.

        Daemon threads stop where they stand, as CPython's do: no `finally` of theirs runs. Finalizers
        that run from here on see the main thread, on a carrier of its own, and no stacks to switch.
        """
        if not self._active:
            return
        self._active = False
        self._tell_of_missing("had")
        self.attached.leave()
        use_pool(None)
        for block in self.model.ended_foreign_blocks() if FREE_THREADED else ():
            run_endings(block)  # what is done while modules are taken apart finds nothing there
        self.model.end()
        stacks: list[Any] = [b.resume for b in self.model.blocks() if b.begun and not b.done]
        stacks += self.model.left_behind()
        if len(stacks) > 1:
            stacks.append(stacks)
            collector.freeze()
        stand_still(self.model.main)

    def _tell_of_missing(self, has: str) -> None:
        """Say which names for offloading have no effect, since there are no such modules."""
        for entry in self.named.missing():
            module = entry.partition(":")[0]
            sys.stderr.write(f"weft: offload: {entry!r} {has} no effect: there is no module {module!r}\n")

    @guarded
    def throw(self, ident: int, error: Any) -> int:
        """Set an exception for a thread to meet at its next bytecode; how many threads that were."""
        for block in self.model.blocks():
            if block.ident == ident:
                if error is None:
                    block.error = None
                    block.alarm &= ~THROWN
                    return 1
                block.error = error() if isinstance(error, type) else error
                block.alarm |= THROWN
                self.model.nudge(block)
                return 1
        return 0


def _part(name: str) -> Any:
    """A part of weft that is loaded when it is needed first, so that a start does not pay for it."""
    return importlib.import_module(name)


def _supply(name: str, function: str, module: Any) -> None:
    """Adapt a module by a function of a part that is loaded only then."""
    getattr(_part(name), function)(module)


def _prepare_reports(_: Any) -> None:
    """Load what prints reports: a program with sockets may have no descriptor left when it is wanted."""
    _part("weft.watch.dump")


def _supply_sockets(module: Any) -> None:
    _supply("weft.stdlib.sockets", "supply_sockets", module)
    _prepare_reports(module)


def runtime() -> Any:
    """The runtime in force.

    Raises:
        WeftError: there is none.
    """
    if _runtime is None:
        raise WeftError("no weft runtime is in force: call weft.install() first, or start with `weft run`")
    return _runtime


def install(
    model: str | None = None,
    *,
    policy: str | None = None,
    slice: float | None = None,
    offload: Iterable[str] | None = None,
    offload_threads: int | None = None,
    blocked_limit: float | None = None,
    carriers: int | None = None,
    start_method: str | None = None,
    copy_globals: bool | None = None,
    on_deadlock: str | None = None,
    stall_limit: float | None = None,
) -> None:
    """Put a thread model in force for this process; call it before anything imports `threading`.

    Args:
        model: "user", "kernel", "hybrid" or "process"; None: WEFT_MODEL, or user.
        policy: "fifo", "priority", "fair" or "module:Class"; user model only.
        slice: seconds a thread runs while others are ready; 0: never preempt.
        offload: callables whose calls go to kernel threads: "module:function", "module:Class.method".
        offload_threads: how many kernel threads there may be for them.
        blocked_limit: seconds in one C call, while others wait, after which that is told; 0: never.
        carriers: how many kernel threads carry the threads; hybrid model only.
        start_method: "fork", "forkserver" or "spawn"; process model only.
        copy_globals: whether processes may change their copies of what threads would share.
        on_deadlock: what follows a report: "raise" a DeadlockError in the main thread, "report" (nothing),
            "exit" with status 70, or "debug", which outside of `weft run` is "raise".
        stall_limit: seconds of a wait for a lock or a thread after which that is told; 0: never.

    Raises:
        WeftError: `threading` is loaded already, a runtime is in force, or an argument is bad.
    """
    global _runtime
    config = Config.from_environment(
        model=model,
        policy=policy,
        slice=slice,
        offload=offload,
        offload_threads=offload_threads,
        blocked_limit=blocked_limit,
        carriers=carriers,
        start_method=start_method,
        copy_globals=copy_globals,
        on_deadlock=on_deadlock,
        stall_limit=stall_limit,
    )
    if _runtime is not None:
        if _runtime.config.model == config.model:
            return
        raise WeftError(
            f"the {_runtime.config.model} model is in force already; call weft.uninstall() before another one"
        )
    if FREE_THREADED and config.model == "kernel":
        raise WeftError(
            "on a free-threaded interpreter the kernel model is CPython's own threads:"
            " run the program with plain `python`, or choose --model hybrid or user"
        )
    if UNFIT is not None and config.model == "hybrid":
        raise WeftError(f"hybrid cannot run here: {UNFIT}")
    late = [name for name in TOO_LATE if name in sys.modules]
    if late and config.model != "process":
        raise WeftError(
            f"weft comes too late: {', '.join(late)} had been imported already. Start the program with"
            " `weft run`, call weft.install() before the first import that leads to threading, or use"
            " `from weft.stdlib import threading, queue` beside the real ones"
        )
    by_process = config.model == "process"
    made = _runtime = _part("weft.processes.session").Processes(config) if by_process else Runtime(config)
    try:
        made.install()
    except BaseException:
        uninstall()
        raise
    if not by_process:
        _register_hooks()


def uninstall() -> None:
    """Take the runtime away; `threading` and its kin are forgotten, to be imported afresh."""
    global _runtime, _beside
    _beside = None
    if _runtime is None:
        return
    _runtime.uninstall()
    _runtime = None


_hooked = False


def _register_hooks() -> None:
    global _hooked
    if _hooked:
        return
    _hooked = True
    atexit.register(lambda: _runtime.freeze() if _runtime is not None else None)
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(
            before=lambda: _runtime.before_fork() if _runtime is not None else None,
            after_in_parent=lambda: _runtime.after_fork_parent() if _runtime is not None else None,
            after_in_child=lambda: _runtime.after_fork_child() if _runtime is not None else None,
        )


def run(
    function: Callable[..., R],
    *args: Any,
    model: str | None = None,
    policy: str | None = None,
    slice: float | None = None,
    **kwargs: Any,
) -> R:
    """Call a function as the main thread of a model, wait for its non-daemon threads, and return.

    `threading` is imported afresh inside, so the function and what it imports must import it themselves.

    Raises:
        WeftError: as `install` does.
    """
    mine = _runtime is None
    install(model, policy=policy, slice=slice)
    try:
        return _call_and_wait(function, args, kwargs)
    finally:
        if mine:
            uninstall()


@floor
def _call_and_wait(function: Callable[..., R], args: tuple[Any, ...], kwargs: dict[str, Any]) -> R:
    try:
        return function(*args, **kwargs)
    finally:
        threading = sys.modules.get("threading")
        if _runtime is not None and _runtime.config.model == "process":
            _runtime.wait()
        elif threading is not None:
            threading._shutdown()


_beside: Any = None


def _provide(name: str) -> Any:
    """A module of `weft.stdlib`: the installed one if a runtime is in force, else a copy beside it."""
    global _runtime, _beside
    where = _part("weft.stdlib.beside")
    config = _runtime.config if _runtime is not None else Config.from_environment()
    if config.model == "process":
        if _runtime is None:
            _runtime = _part("weft.processes.session").Processes(config)
            _runtime.start_beside()
        return _runtime.module(name)
    if _runtime is not None and _beside is None:
        return importlib.import_module("concurrent.futures" if name == "futures" else where.NAMES[name])
    if _beside is None:
        _runtime = made = Runtime(config)
        made.start_beside()
        _register_hooks()
        supply = made.supply
        _beside = where.Beside(made.model, supply.thread_module, make_queue_module, sleep)
        atexit.register(lambda: _beside.get("threading")._shutdown())
    return _beside.get(where.NAMES[name])


set_provider(_provide)


def threads() -> list[ControlBlock]:
    """The control block of each live thread, the main one first."""
    return list(runtime().model.blocks())


def dump(file: IO[str] | None = None) -> None:
    """Print every thread with its state, its wait and its stack (stderr)."""
    blocks = runtime().model.blocks()
    sockets = sys.modules.get("weft.host.sockets")
    ends = {"ends": sockets.ends_of} if sockets is not None else {}
    _part("weft.watch.dump").dump(blocks, monotonic(), file, frames=host_threads.current_frames, **ends)


def _dump_if_possible(*_: Any) -> None:
    try:
        dump()
    except OSError as why:  # it is the program's only by accident, and must not end it
        sys.stderr.write(f"weft: the threads cannot be shown: {why}\n")


def set_priority(thread: Any, priority: int) -> None:
    """Give a thread (or its block) a priority, for the policies that look: the smaller runs first."""
    block = thread if isinstance(thread, ControlBlock) else getattr(thread, "_weft", thread)
    block = getattr(block, "_block", block)
    if not isinstance(block, ControlBlock):
        raise WeftError(f"{thread!r} is no started thread of the runtime in force")
    block.priority = priority


def call_later(seconds: float, function: Callable[..., object], *args: Any) -> Any:
    """Call a function in `seconds`, on a new daemon thread of its own; `cancel()` on the result undoes it.

    A timer that has not fired costs a heap entry and no thread.
    """
    made = _runtime or runtime()
    start = made.supply.thread_module.start_new_thread
    return made.model.call_at(monotonic() + seconds, start, function, args)
