"""Tracebacks of uncaught exceptions as a person wants to see them: the program's frames alone."""

import importlib
from types import TracebackType

from weft.core.places import HOME
from weft.errors import InternalError

__all__ = ["brief", "trim"]

#: What weft never lets happen: met in its own frames, and not raised there on purpose, it is a fault of weft.
_FAULTS = (AttributeError, NameError, LookupError, AssertionError)


def trim(error: BaseException) -> TracebackType | None:
    """Take weft's frames out of an exception's traceback, and out of those that are printed with it.

    An exception that is weft's own fault keeps them. Returns the traceback that the exception now has.
    """
    todo: list[BaseException | None] = [error]
    seen: set[int] = set()
    while todo:
        each = todo.pop()
        if each is None or id(each) in seen:
            continue
        seen.add(id(each))
        if not _is_fault(each):
            each.__traceback__ = _without_weft(each.__traceback__)
        todo += (each.__cause__, each.__context__)
        if isinstance(each, BaseExceptionGroup):
            todo += each.exceptions
    return error.__traceback__


def brief(error: BaseException) -> str:
    """An exception in one line, without a call of the program's code: its arguments where they are plain."""
    name = type(error).__name__
    plain = [str(arg) for arg in error.args if type(arg) in (str, int, float, bool)]
    text = ", ".join(plain).replace("\n", " ")[:200] if len(plain) == len(error.args) else ""
    return f"{name}: {text}" if text else name


def _without_weft(traceback: TracebackType | None) -> TracebackType | None:
    """The same traceback without frames of weft; the very same if it has none."""
    steps = []
    while traceback is not None:
        steps.append(traceback)
        traceback = traceback.tb_next
    shown: TracebackType | None = None
    for step in reversed(steps):
        if step.tb_frame.f_code.co_filename.startswith(HOME):
            continue
        same = step.tb_next is shown
        shown = step if same else TracebackType(shown, step.tb_frame, step.tb_lasti, step.tb_lineno)
    return shown


def _is_fault(error: BaseException) -> bool:
    """Whether an exception tells that weft itself is wrong: who reports it needs all frames."""
    if isinstance(error, InternalError):
        return True
    last = error.__traceback__
    if last is None or not isinstance(error, _FAULTS):
        return False
    while last.tb_next is not None:
        last = last.tb_next
    code = last.tb_frame.f_code
    if not code.co_filename.startswith(HOME):
        return False
    opcode = importlib.import_module("opcode")  # hardly ever wanted
    return bool(code.co_code[last.tb_lasti] != opcode.opmap["RAISE_VARARGS"])
