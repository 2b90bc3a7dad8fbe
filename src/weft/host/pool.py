"""Kernel threads for calls that cannot be polled: started on demand, ended when they have had nothing to do.

One C queue hands jobs over, and one number says who is free: the threads without a job, less the jobs that
nobody has taken yet. Whoever brings a job takes one off it first, and starts a thread if that leaves less
than nothing; a thread that has waited for long leaves only if it can take itself off. Both are atomic
segments (weft.core.parking), so no job is left without a thread that comes for it.
"""

from collections.abc import Callable
from typing import Any

from weft.host import threads
from weft.host.platform import FREE_THREADED, await_exit

__all__ = ["IDLE", "Pool"]

IDLE = 10.0  # seconds without a job after which a kernel thread ends
Job = Callable[[], object]


class Pool:
    """Kernel threads that run jobs. A job must not raise.

    Args:
        limit: how many there may be at once; jobs past it wait their turn.
        on_end: called on each kernel thread just before it ends.
        idle: seconds without a job after which one ends.

    Attributes:
        alive: how many there are.
        in_flight: jobs that were taken and are not over: on a thread, or waiting for one.
    """

    def __init__(self, limit: int, on_end: Callable[[], object], idle: float = IDLE) -> None:
        self.limit = limit
        self._on_end = on_end
        self._seconds = idle
        if FREE_THREADED:
            for name in ("submit", "_free_now", "_leaves", "_goes", "_is_over"):
                setattr(self, name, self._one_at_a_time(getattr(self, name)))
        self.after_fork()

    def after_fork(self) -> None:
        """In a forked child: no thread came along, and nothing of theirs will come back."""
        self._lock: Any = threads.raw_rlock()
        self._jobs: threads.Baton[Job | None] = threads.Baton()
        self._gone: threads.Baton[int] = threads.Baton()
        self.alive = self.in_flight = self._free = 0

    def _one_at_a_time(self, segment: Callable[..., Any]) -> Callable[..., Any]:
        """The method, where no lock of the interpreter makes one piece of it."""

        def call(*args: Any) -> Any:
            with self._lock:
                return segment(*args)

        return call

    def submit(self, job: Job) -> bool:
        """Have a kernel thread run a job; False if there is none and the machine will start none."""
        needed = False
        self.in_flight += 1
        self._free -= 1
        if self._free < 0 and self.alive < self.limit:  # atomic
            self._free += 1
            self.alive += 1
            needed = True
        jobs = self._jobs
        jobs.put(job)
        if not needed:
            return True
        try:
            threads.start(self._work, jobs)
        except RuntimeError:
            self._free -= 1
            self.alive -= 1
            if self.alive:
                return True  # one of the others takes it in its turn
            jobs.get()
            self._free += 1
            self.in_flight -= 1
            return False
        return True

    def pause(self) -> None:
        """End the threads that are free, and wait until they have (fork); jobs in flight go on."""
        count = self._free_now()
        if count <= 0:
            return
        for _ in range(count):
            self._jobs.put(None)
        await_exit([self._gone.get() for _ in range(count)])

    def _free_now(self) -> int:
        """How many threads are free: none, from now on."""
        count = self._free
        if count > 0:
            self._free -= count  # atomic with the look
        return count

    def _leaves(self) -> bool:
        """Whether a thread that has waited for long ends: no job is on its way to it."""
        if self._free > 0:  # atomic
            self._free -= 1
            self.alive -= 1
            return True
        return False

    def _goes(self) -> None:
        self.alive -= 1

    def _is_over(self) -> None:
        self._free += 1
        self.in_flight -= 1

    def _work(self, jobs: "threads.Baton[Job | None]") -> None:
        """The life of a kernel thread of the pool."""
        asked = False
        while True:
            try:
                job = jobs.get(True, self._seconds)
            except threads.Empty:
                if self._leaves():
                    break
                continue  # a job is on its way
            if job is None:
                self._goes()
                asked = True
                break
            job()
            del job  # what it holds goes now, not with the next one
            self._is_over()
        try:
            self._on_end()
        finally:
            if asked:
                self._gone.put(threads.get_native_id())
