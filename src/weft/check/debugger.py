"""A replay under pdb: it stops before the program's first line, at `breakpoint()`, and where it fails.

The schedule is kept: while the debugger has the word no thread goes on, and what is evaluated there is no
step of the execution. `step` goes from thread to thread as the schedule does; our own frames are left out.
"""

import os
import pdb  # noqa: T100 - this is the debugger
import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

from weft.check.execution import Executor
from weft.check.world import MODEL

__all__ = ["Debugger", "Terminal"]

_OURS = ("weft", "weft.*", "greenlet", "importlib", "importlib.*", "threading", "queue", "pdb", "bdb", "cmd")


class Terminal:
    """The standard descriptors as they are now, to be given to a child later."""

    def __init__(self) -> None:
        self._kept = [os.dup(fd) for fd in (0, 1, 2)]

    def take(self) -> None:
        """Make them this process's standard descriptors again."""
        for fd, kept in enumerate(self._kept):
            os.dup2(kept, fd)


class Debugger(pdb.Pdb):
    """A debugger for one execution."""

    def __init__(self) -> None:
        super().__init__(skip=_OURS, nosigint=True)
        self.prompt = "(pdb) "
        self._failed: Callable[..., Any] = len

    def watch(self, executor: Executor) -> None:
        """Stop in what the executor runs next."""
        run, self._failed = executor.program.run, executor._failed
        executor.program.run = lambda: self._begin(run)  # type: ignore[method-assign]
        executor._failed = self._look  # type: ignore[method-assign]
        sys.breakpointhook = lambda *_, **__: self.set_trace(sys._getframe(1))

    def _begin(self, run: Callable[[], None]) -> None:
        self.set_trace(sys._getframe())
        run()

    def _look(self, task: Any, error: BaseException) -> None:
        """The program has failed: the stack as it was, and then what follows."""
        sys.settrace(None)
        print(f"{type(error).__name__}: {error}, in {task.name}", file=self.stdout)
        self.reset()
        self._step_out(error)
        self._failed(task, error)

    def _step_out(self, error: BaseException) -> None:
        traceback = error.__traceback__
        while traceback is not None:
            if not self.is_skipped_module(str(traceback.tb_frame.f_globals.get("__name__"))):
                break
            traceback = traceback.tb_next
        if traceback is not None:
            self.interaction(None, traceback)

    def interaction(self, frame: FrameType | None, traceback: Any) -> None:
        """Commands, while no thread goes on."""
        before = MODEL.pause()
        try:
            if frame is not None:
                print(f"-- {MODEL.current.name}", file=self.stdout)
            super().interaction(frame, traceback)
        finally:
            MODEL.resume(before)

    def set_quit(self) -> None:
        """Enough: the process is for this execution alone."""
        self.stdout.flush()
        os._exit(0)
