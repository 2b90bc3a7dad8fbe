"""Runs a program as `python` would, with weft in place before the program's first line."""

import builtins
import importlib
import marshal
import os
import sys
from collections.abc import Callable
from importlib._bootstrap_external import MAGIC_NUMBER
from importlib.machinery import SourceFileLoader
from types import ModuleType, TracebackType
from typing import Any

from weft import runtime
from weft.config import Config, check_options, take_counts_file, take_trace_file, wants_ps
from weft.core.places import HOME, floor
from weft.core.tracebacks import trim
from weft.errors import DeadlockError, WeftError
from weft.host.platform import SHOWS_CODE_LINES, unraisable_args

__all__ = ["Target", "launch", "prepare"]

ZIP_TAIL = 65_557  # bytes at the end of a zip archive in which its directory's mark must stand
PYC_HEAD = 16  # bytes before the code object in a compiled file (PEP 552)


class Target:
    """What to run: `kind` is "script", "module", "code" or "stdin"; `what` names it; `args` follow it."""

    __slots__ = ("args", "kind", "what")

    def __init__(self, kind: str, what: str, args: list[str]) -> None:
        self.kind = kind
        self.what = what
        self.args = args


def prepare(target: Target, ps: bool | None = None, **settings: Any) -> Any:
    """Read the program and put a model in force; returns what `launch` wants.

    Args:
        target: what to run.
        ps: whether `weft ps` can ask the program; None: as WEFT_PS says, or yes.
        settings: as `weft.install` takes them.

    Raises:
        WeftError: the program cannot be read, or the options cannot work together.
    """
    config = Config.from_environment(**settings)
    check_options(config, settings)
    serves = wants_ps(ps)
    serving = None
    if serves or config.stall_limit:
        serving = importlib.import_module("weft.serving")
        serving.prepare()
    _set_path(target)
    code = None if target.kind == "module" or _is_bundle(target) else _compile(target)
    counts, recording = take_counts_file(), take_trace_file()
    runtime.install(**settings)
    if counts is not None:
        runtime.runtime().count_into(counts)
    if recording is not None:
        _record(target, *recording)
    runtime.runtime().dump_on_quit()
    if serving is not None and serves:
        serving.serve([target.what, *target.args])
    if serving is not None and config.stall_limit and config.model != "process":
        serving.watch_waits(config.stall_limit)
    return code


def _record(target: Target, path: str, ring: int) -> None:
    tracing = importlib.import_module("weft.tracing")  # most runs are not recorded
    try:
        tracing.record_into(path, ring, [target.what, *target.args])
    except OSError as error:
        raise WeftError(f"the trace {path!r} cannot be written: {error.strerror}") from None


def launch(target: Target, code: Any) -> None:
    """Run the program and wait for its threads; what the program raises goes through.

    The interpreter waits for threads once more. What it meets there it tells in its own words, and goes on.
    """
    try:
        _execute(target, code)
    except BaseException as error:
        _debug_if_asked(error)
        _leave()
        raise
    try:
        _wait_for_threads()
    except DeadlockError as error:
        _debug_if_asked(error)
        _leave()
        raise
    except BaseException as error:  # noqa: BLE001 - it is raised again where the interpreter waits
        failed = error

        def wait_no_more() -> None:
            raise failed

        _have_told(wait_no_more)


def _debug_if_asked(error: BaseException) -> None:
    """Open the debugger where the main thread met a deadlock; the others still stand where they were."""
    if not isinstance(error, DeadlockError) or runtime.runtime().config.on_deadlock != "debug":
        return
    traceback = trim(error)
    while traceback is not None and traceback.tb_frame.f_code.co_filename.startswith(
        (HOME, "<frozen runpy>")
    ):
        traceback = traceback.tb_next
    if traceback is None:
        sys.stderr.write("weft: the main thread had come to its end: there is no place of its own to debug\n")
        return
    sys.stderr.write("weft: the main thread waits here; `import weft; weft.dump()` shows every thread\n")
    importlib.import_module("pdb").post_mortem(traceback)


@floor
def _wait_for_threads() -> None:
    threading = sys.modules.get("threading")
    if threading is not None:
        threading._shutdown()


def _leave() -> None:
    """The program has failed: its own frames are shown, and a deadlock at its end does not hold it up."""
    _hide_launcher()
    runtime.runtime().leave()
    threading = sys.modules.get("threading")
    if threading is not None:
        _have_told(threading._shutdown)


def _have_told(wait_for_threads: Callable[[], object]) -> None:
    """Have the interpreter wait for threads so, and tell of what is raised without weft's frames."""

    def _shutdown() -> None:
        try:
            wait_for_threads()
        except DeadlockError:
            pass
        except BaseException:
            _hide_in_next_ignored()
            raise

    sys.modules["threading"]._shutdown = _shutdown  # type: ignore[attr-defined]


def _hide_in_next_ignored() -> None:
    """Have the next exception that the interpreter ignores told without weft's frames."""
    hook = sys.unraisablehook

    def show(ignored: Any) -> None:
        sys.unraisablehook = hook
        kind, value, _, text, culprit = ignored
        hook(unraisable_args((kind, value, trim(value), text, culprit)))

    sys.unraisablehook = show


@floor
def _execute(target: Target, code: Any) -> None:
    main = ModuleType("__main__")
    main.__dict__.update(__builtins__=builtins, __annotations__={})
    sys.modules["__main__"] = main
    if target.kind == "module":
        import runpy  # noqa: PLC0415 - it leads to functools: not before weft is in place

        sys.argv[:] = ["-m", *target.args]
        runpy._run_module_as_main(target.what)  # type: ignore[attr-defined]
        return
    if code is None:
        import runpy  # noqa: PLC0415

        sys.argv[:] = [target.what, *target.args]
        runpy._run_module_as_main("__main__", alter_argv=False)  # type: ignore[attr-defined]
        return
    sys.argv[:] = [{"code": "-c", "stdin": "-"}.get(target.kind, target.what), *target.args]
    if target.kind == "code":
        main.__loader__ = sys.__loader__  # the built-in importer, as `python -c` has it
    else:
        main.__file__ = "<stdin>" if target.kind == "stdin" else os.path.abspath(target.what)
        if target.kind == "script":
            main.__loader__ = SourceFileLoader("__main__", main.__file__)
        else:
            main.__loader__ = sys.__loader__
        main.__dict__["__cached__"] = None
    exec(code, main.__dict__)  # noqa: S102 - this is what running a program means


def _set_path(target: Target) -> None:
    """`sys.path[0]` as `python` sets it."""
    safe = getattr(sys.flags, "safe_path", False)
    if _is_bundle(target):
        sys.path[: 0 if safe else 1] = [os.path.join(os.getcwd(), target.what)]
        return
    if safe:
        return
    if target.kind == "script":
        first = os.path.dirname(os.path.realpath(target.what))
    elif target.kind == "module":
        first = os.getcwd()
    else:
        first = ""
    sys.path[0] = first


def _is_bundle(target: Target) -> bool:
    """Whether the script is a folder or an archive with a `__main__` in it."""
    if target.kind != "script":
        return False
    if os.path.isdir(target.what):
        return True
    try:
        with open(target.what, "rb") as file:
            file.seek(0, os.SEEK_END)
            file.seek(max(0, file.tell() - ZIP_TAIL))
            return b"PK\x05\x06" in file.read()
    except OSError:
        return False


def _compile(target: Target) -> Any:
    if target.kind == "code":
        source: str | bytes = target.what
        name = "<string>"
    elif target.kind == "stdin":
        source, name = sys.stdin.buffer.read(), "<stdin>"
    else:
        name = os.path.abspath(target.what)
        try:
            with open(target.what, "rb") as file:
                source = file.read()
        except OSError as error:
            raise WeftError(f"can't open file {target.what!r}: {error.strerror}") from None
    if isinstance(source, bytes) and source.startswith(MAGIC_NUMBER):
        return marshal.loads(source[PYC_HEAD:])  # noqa: S302 - as `python` does
    if target.kind == "code":
        _remember_source(target.what)
    try:
        if isinstance(source, bytes) and b"\0" in source:
            before = source[: source.index(b"\0")].decode(errors="replace")
            place = (name, before.count("\n") + 1, None, before.rpartition("\n")[2])
            raise SyntaxError("source code cannot contain null bytes", place)  # noqa: TRY301
        return compile(source, name, "exec", dont_inherit=True)
    except (SyntaxError, ValueError):
        _hide_launcher()
        raise


_code_lines: list[str] = []


def _remember_source(source: str) -> None:
    """Keep the lines of `-c` code for tracebacks, where this version of CPython shows them."""
    if SHOWS_CODE_LINES:
        _code_lines[:] = source.splitlines(keepends=True)


def _hide_launcher() -> None:
    """Have the traceback of an uncaught exception begin with the program's own frames."""
    hook = sys.excepthook

    def show(kind: type[BaseException], value: BaseException, traceback: TracebackType | None) -> None:
        while traceback is not None:
            name = traceback.tb_frame.f_code.co_filename
            if not name.startswith((HOME, "<frozen runpy>")) and not name.endswith(("/bin/weft", "runpy.py")):
                break
            traceback = traceback.tb_next
        value.__traceback__ = traceback
        traceback = trim(value)
        if _code_lines:
            import linecache  # noqa: PLC0415 - a program that does not fail has no need of it

            linecache.cache["<string>"] = (sum(map(len, _code_lines)), None, _code_lines, "<string>")
        hook(kind, value, traceback)

    sys.excepthook = show
