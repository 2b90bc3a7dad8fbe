"""A kernel thread of weft's own that serves as long as the runtime is in force.

It takes no signals and is none of the program's: deadlock reports do not count it, `fork` finds it gone, and
the parent has it back afterwards.
"""

from collections.abc import Callable

from weft.host import threads
from weft.host.platform import await_exit

__all__ = ["Servant"]


class Servant:
    """One kernel thread that can be called off and sent again.

    Args:
        serve: what it does; returns soon after `call_off` was called. It must not raise.
        call_off: has `serve` return; called from another kernel thread, perhaps before `serve` began.

    Attributes:
        alive: whether the kernel thread is there; a bool, so that those there are can be added up.
    """

    def __init__(self, serve: Callable[[], object], call_off: Callable[[], object]) -> None:
        self._serve = serve
        self._call_off = call_off
        self._wanted = False
        self.after_fork()

    def after_fork(self) -> None:
        """In a forked child: no kernel thread came along. `resume` sends another."""
        self.alive = False
        self._over = threads.raw_lock()
        self._native_id = 0

    def start(self) -> None:
        """Send it, if it is not there.

        Raises:
            RuntimeError: the machine will not start a kernel thread.
        """
        self._wanted = True
        if self.alive:
            return
        self.alive = True
        self._over.acquire()
        try:
            threads.start_own(self._run)
        except BaseException:
            self.alive = False
            self._over.release()
            raise

    def _run(self) -> None:
        try:
            self._native_id = threads.get_native_id()
            self._serve()
        finally:
            self.alive = False
            self._over.release()

    def pause(self) -> None:
        """Call it off and wait until the system does not list it any more (fork)."""
        if self.alive:
            self._call_off()
            self._over.acquire()
            self._over.release()
            await_exit((self._native_id,))

    def resume(self) -> None:
        """Send it again, if it was there before the pause."""
        if self._wanted:
            self.start()

    def stop(self) -> None:
        """Call it off for good."""
        self._wanted = False
        self.pause()
