"""The process model in force: its modules, who is waited for at the end, and who is ended."""

import atexit
import faulthandler
import importlib
import os
import signal
import sys
from collections.abc import Callable
from types import TracebackType
from typing import Any

from weft.config import Config
from weft.errors import WeftError
from weft.host import processes as machine
from weft.processes import recording, threads
from weft.processes.cells import Arena, Cell, arena, use_arena
from weft.processes.modules import Imports, late_modules

__all__ = ["Joins", "Processes", "enter"]

#: What a process that is started afresh calls to join a recording, and with what: `(function, path)`. It
#: gives the spool, and what finds the global variable of an object, as weft.processes.recording.Notes wants.
Joins = tuple[Callable[[str], tuple[recording.Spool, Callable[[object], str | None]]], str]


class Processes:
    """What stands for a runtime where each thread is a process."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self.interrupted = False
        self.imports: Imports | None = None
        self._hook: Any = None
        self._counts: str | None = None  # a file for figures, if somebody asked for them

    # -- in force, and not any more --------------------------------------------------------------------

    def install(self) -> None:
        """From here on the program's own modules get ours for `threading` and its kin."""
        late = late_modules()
        if late:
            raise WeftError(
                f"weft comes too late: {', '.join(late)} had been imported already. Start the program with"
                " `weft run --model process`, or call weft.install() before those imports"
            )
        self.start_beside()
        assert self.imports is not None
        self.imports.install()

    def start_beside(self) -> None:
        """Be there, with nothing replaced."""
        method = self.config.start_method or machine.default_method()
        if method not in machine.methods():
            raise WeftError(f"this system cannot start processes by {method!r}")
        use_arena(Arena(stable=method != "fork"))
        made = threads.Settings()
        made.method, made.copy_globals = method, self.config.copy_globals
        made.numbers = Cell([0])
        made.current = threads.MainThread(os.getpid())
        self.imports = _put_in_force(made)
        self._ship(None)
        self._hook = sys.excepthook
        sys.excepthook = self._except
        machine.before_shutdown(self.wait)
        atexit.register(self.freeze)

    @staticmethod
    def _ship(joins: Joins | None) -> None:
        made = threads.settings
        facts = (arena().folder, made.method, made.copy_globals, made.main_pid, made.numbers.slot)
        threads.ship((enter, (*facts, joins)))

    @property
    def recorded(self) -> bool:
        """Whether this process notes what its threads do; it does so into one recording at a time."""
        return recording.notes is not None

    def record(self, joins: Joins) -> Callable[[], None]:
        """Note what threads do from here on, here and in each process that is started.

        Returns:
            What ends the recording. A process that was started meanwhile goes on noting, for nobody.
        """
        made = _join(joins)
        self._ship(joins)
        here = threads.current_thread()
        made.begins(here.name, here.daemon, main=os.getpid() == threads.settings.main_pid)

        def stop() -> None:
            if recording.notes is made:
                recording.use_notes(None)
                self._ship(None)
                made.close()

        return stop

    def uninstall(self) -> None:
        """Take it away; threads that still run are ended."""
        if self.imports is None or os.getpid() != threads.settings.main_pid:
            return
        self.imports.uninstall()
        if sys.excepthook == self._except:
            sys.excepthook = self._hook
        atexit.unregister(self.freeze)
        self.freeze()

    def _except(
        self, kind: type[BaseException], value: BaseException, traceback: TracebackType | None
    ) -> None:
        self.interrupted = self.interrupted or issubclass(kind, KeyboardInterrupt)
        self._hook(kind, value, traceback)

    def leave(self) -> None:
        """The program has failed: if Ctrl-C ended it, its threads are not waited for."""
        self.interrupted = self.interrupted or isinstance(sys.exc_info()[1], KeyboardInterrupt)

    def count_into(self, path: str) -> None:
        """Leave in a file, when the interpreter ends, how many threads there were.

        What they did, and how long they waited, only their own processes see.
        """
        self._counts = path

    def dump_on_quit(self) -> None:
        """Have SIGQUIT print the stack of each process that gets it."""
        if hasattr(faulthandler, "register") and sys.stderr is not None:
            try:
                faulthandler.register(signal.SIGQUIT)
            except (OSError, ValueError, AttributeError):  # standard error is no file
                pass

    # -- the end -----------------------------------------------------------------------------------------

    def wait(self) -> None:
        """Wait until every thread that is no daemon has ended, whoever started it."""
        if self.imports is None or os.getpid() != threads.settings.main_pid:
            return
        try:
            while not self.interrupted:
                left = [(n, pid) for n, (pid, _, daemon) in threads.listed().items() if not daemon]
                if not left:
                    return
                for number, pid in left:
                    self._await_end(number, pid)
        except BaseException:
            self.interrupted = True
            self._end_all()
            raise
        if self.interrupted:
            self._end_all()

    @staticmethod
    def _await_end(number: int, pid: int) -> None:
        if not pid:  # its process is just being started
            machine.sleep_a_little()
        elif number in threads.settings.known:
            threads.settings.known[number].join()
        else:
            machine.wait_for_exit(pid, None)

    @staticmethod
    def _end_all() -> None:
        """End every thread there is: where it stands, as CPython's daemon threads."""
        ended = []
        for number, (pid, _, _) in threads.listed().items():
            threads.delist(number)
            if pid:
                machine.end(pid)
                ended.append(pid)
                if recording.notes is not None:
                    recording.notes.ends(None, pid)
        for pid in ended:
            machine.wait_for_exit(pid, 1)

    def freeze(self) -> None:
        """The interpreter ends: daemons end with it."""
        if self.imports is None or os.getpid() != threads.settings.main_pid:
            return
        self.imports = None
        self._end_all()
        if recording.notes is not None:
            recording.notes.close()
            recording.use_notes(None)
        if self._counts is not None:
            try:
                with open(self._counts, "w", encoding="ascii") as file:
                    file.write(f"threads {threads.settings.numbers.look(lambda state: state[0])}\n")
            except OSError:
                pass  # who asked sees that it is not there
        where = arena()
        use_arena(None)
        where.close()

    def module(self, name: str) -> Any:
        """A module of `weft.stdlib`."""
        assert self.imports is not None
        own = self.imports.modules.get("concurrent.futures" if name == "futures" else name)
        return own or importlib.import_module(name)

    @property
    def folder(self) -> str:
        """Where what the processes share stands."""
        return arena().folder

    # -- what this model has not -------------------------------------------------------------------------

    def __getattr__(self, name: str) -> Any:
        if name in ("model", "supply"):
            raise WeftError(
                "on the process model each thread is a process of the system, and weft has no control blocks"
                " of them: use threading.enumerate()"
            )
        raise AttributeError(name)


def _put_in_force(made: threads.Settings) -> Imports:
    threads.use_settings(made)
    imports = Imports()
    facade: Any = imports.modules["threading"]
    made.excepthook = lambda: facade.excepthook
    return imports


def _join(joins: Joins) -> recording.Notes:
    join, path = joins
    made = recording.Notes(*join(path), lambda: str(threads.current_thread().name))
    recording.use_notes(made)
    return made


def enter(
    name: str,
    folder: str,
    method: str,
    copy_globals: bool,
    main_pid: int,
    numbers: int,
    joins: Joins | None,
) -> str:
    """Put the model in force in an interpreter that was started afresh for a thread; returns its name."""
    use_arena(Arena(folder, stable=True))
    made = threads.Settings()
    made.method, made.copy_globals, made.main_pid = method, copy_globals, main_pid
    made.numbers = Cell(slot=numbers)
    _put_in_force(made).install()
    threads.ship((enter, (folder, method, copy_globals, main_pid, numbers, joins)))
    if joins is not None:
        try:
            _join(joins)
        except OSError:
            pass  # the recording has ended, and its file is gone
    return name
