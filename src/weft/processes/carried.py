"""What cannot be carried over to a process, found in the parent before it starts.

A process works on copies. A function that sets a global, or changes a container or an object that its caller
has too, does what nobody would ever see. The bytecode of a target tells, and of those functions of the
program that it calls. What is changed by ways that a look does not follow is not found.
"""

import dis
import sys
from collections import deque
from collections.abc import Iterator
from functools import lru_cache, partial
from types import CodeType, FunctionType, MethodType, ModuleType, SimpleNamespace
from typing import Any

from weft.errors import WeftError
from weft.processes.programs import is_programs, program_module

__all__ = ["check", "globals_of"]

CONTAINERS = (list, dict, set, bytearray, deque)
CHANGING = frozenset(
    {"append", "extend", "insert", "remove", "pop", "clear", "sort", "reverse", "add", "discard", "update"}
    | {"setdefault", "popitem", "appendleft", "popleft", "extendleft", "rotate", "subtract"}
    | {"intersection_update", "difference_update", "symmetric_difference_update"}
)
GLOBAL, LOCAL, FREE = "global", "argument", "variable"
GETS = ("LOAD_ATTR", "LOAD_METHOD")
STORES = {
    "STORE_SUBSCR": 2,
    "DELETE_SUBSCR": 2,
    "STORE_ATTR": 1,
    "DELETE_ATTR": 1,
}  # how deep the holder lies

_REFUSED = (
    "{}: a process has a copy of its own, so nobody would see it; return the value through a queue, or pass"
    " --copy-globals if copies are what you want"
)


class _Function:
    """A function of the program, with what is known of its first arguments."""

    def __init__(self, function: FunctionType, known: dict[str, Any], comes_back: object) -> None:
        self.function = function
        self.code = function.__code__
        set_here = {name for code in _codes(self.code) for step in _steps(code) for name in _sets(step)}
        self.known = {name: value for name, value in known.items() if name not in set_here}
        self.comes_back = comes_back  # the object whose attributes are brought back at the end
        self.free: dict[str, Any] = {}
        for name, cell in zip(self.code.co_freevars, function.__closure__ or (), strict=True):
            try:
                self.free[name] = cell.cell_contents
            except ValueError:
                pass

    def meaning(self, how: str, name: str) -> Any:
        """The object that a name stands for, as far as can be told."""
        if how == GLOBAL:
            return self.function.__globals__.get(name)
        return (self.free if how == FREE else self.known).get(name)

    def follow(self, how: str, names: tuple[str, ...]) -> Any:
        """The object at the end of a name and attributes of the program's own objects."""
        value = self.meaning(how, names[0])
        for name in names[1:]:
            if value is None or value is self.comes_back or not _is_own(value):
                return None
            value = getattr(value, "__dict__", {}).get(name)
        return value


def _words(how: str, names: tuple[str, ...]) -> str:
    """How a report names what a name and attributes lead to."""
    path = ".".join(names)
    if len(names) > 1 or names[0] == "self":
        return path
    return f"the argument {path}" if how == LOCAL else f"the {how} {path}"


def check(target: Any, args: tuple[Any, ...] = (), kwargs: Any = None, comes_back: object = None) -> None:
    """See that nothing which a target does would be lost.

    Raises:
        WeftError: it would; the text says what, where, and what to do.
    """
    holder = getattr(target, "__self__", None)
    if isinstance(holder, CONTAINERS) and target.__name__ in CHANGING:
        raise WeftError(_REFUSED.format(f"{target.__qualname__}() changes a {type(holder).__name__}"))
    for found in _reached(target, args, kwargs or {}, comes_back):
        for code in _codes(found.code):
            _check_code(found, code, code is found.code)


def globals_of(target: Any) -> Iterator[tuple[dict[str, Any], str]]:
    """The globals that a target and what it calls refer to: the names of a module, and one of them."""
    seen = set()
    for found in _reached(target, (), {}, None):
        for code in _codes(found.code):
            for instruction in dis.get_instructions(code):
                if instruction.opname in ("LOAD_GLOBAL", "LOAD_NAME"):
                    names, name = found.function.__globals__, instruction.argval
                    if name in names and (id(names), name) not in seen:
                        seen.add((id(names), name))
                        yield names, name


def _reached(
    target: Any, args: tuple[Any, ...], kwargs: dict[str, Any], comes_back: object
) -> Iterator[_Function]:
    """The target and the functions of the program that it calls, each once."""
    todo = [(target, args, kwargs)]
    seen = set()
    while todo:
        called: Any
        called, args, kwargs = todo.pop()
        while type(called) is partial:
            called, args, kwargs = called.func, called.args + args, {**called.keywords, **kwargs}
        if isinstance(called, MethodType):
            called, args = called.__func__, (called.__self__, *args)
        elif not isinstance(called, FunctionType) and not isinstance(called, type):
            method = vars(type(called)).get("__call__")
            called, args = method, (called, *args)
        if not isinstance(called, FunctionType) or not is_programs(called.__code__.co_filename):
            continue
        names = called.__code__.co_varnames[: called.__code__.co_argcount + called.__code__.co_kwonlyargcount]
        known = {**_defaults(called), **dict(zip(names, args, strict=False)), **kwargs}
        key = (called.__code__, tuple(map(id, known.values())))
        if key in seen:
            continue
        seen.add(key)
        found = _Function(called, known, comes_back)
        yield found
        todo += [(each, (), {}) for code in _codes(found.code) for each in _calls(found, code)]


def _defaults(function: FunctionType) -> dict[str, Any]:
    given = function.__defaults__ or ()
    names = function.__code__.co_varnames[: function.__code__.co_argcount]
    return {
        **dict(zip(names[len(names) - len(given) :], given, strict=True)),
        **(function.__kwdefaults__ or {}),
    }


def _codes(code: CodeType) -> Iterator[CodeType]:
    """A body, and those of the functions and comprehensions inside it."""
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _codes(constant)


def _calls(found: _Function, code: CodeType) -> Iterator[Any]:
    """The functions and methods that a body refers to."""
    steps = _steps(code)
    for before, after in zip(steps, [*steps[1:], None], strict=True):
        for how, name in _loads(before, code)[-1:]:
            value = found.meaning(how, name)
            if isinstance(value, (FunctionType, MethodType)):
                yield value
            elif after is not None and after.opname in GETS and _is_own(value):
                inner = getattr(type(value), after.argval, None)
                if isinstance(value, (ModuleType, type)):
                    inner = getattr(value, after.argval, None)
                    if isinstance(inner, (FunctionType, MethodType)):
                        yield inner
                elif isinstance(inner, FunctionType):
                    yield MethodType(inner, value)


def _is_own(value: Any) -> bool:
    """Whether a thing is of the program's making: an object of its classes, a class, a module of its own."""
    if isinstance(value, ModuleType):
        return program_module(vars(value))
    kind = value if isinstance(value, type) else type(value)
    if kind is SimpleNamespace:
        return True
    names = getattr(sys.modules.get(kind.__module__), "__dict__", None)
    return kind.__module__ != "builtins" and program_module(names) and not _is_local(kind)


def _is_local(kind: type) -> bool:
    return any(base.__module__ in ("_thread", "_threading_local") for base in kind.__mro__)


@lru_cache(1000)
def _steps(code: CodeType) -> list[dis.Instruction]:
    return [
        each for each in dis.get_instructions(code) if each.opname not in ("CACHE", "NOP", "EXTENDED_ARG")
    ]


def _loads(step: dis.Instruction, code: CodeType) -> list[tuple[str, str]]:
    """What an instruction loads by name, in order: how it is known, and its name."""
    name = step.opname
    if name in ("LOAD_GLOBAL", "LOAD_NAME"):
        return [(GLOBAL, step.argval)]
    if name in ("LOAD_DEREF", "LOAD_CLASSDEREF"):
        return [(FREE if step.argval in code.co_freevars else LOCAL, step.argval)]
    if name in ("LOAD_FAST_LOAD_FAST", "STORE_FAST_LOAD_FAST"):
        first, second = step.argval
        return [(LOCAL, first), (LOCAL, second)] if name.startswith("LOAD") else [(LOCAL, second)]
    if name in ("LOAD_FAST", "LOAD_FAST_CHECK", "LOAD_FAST_BORROW"):
        return [(LOCAL, step.argval)]
    return []


def _check_code(found: _Function, code: CodeType, outer: bool) -> None:
    steps = _steps(code)
    line = code.co_firstlineno
    for index, step in enumerate(steps):
        line = (step.positions.lineno if step.positions else None) or line
        if step.opname in ("STORE_GLOBAL", "DELETE_GLOBAL"):
            _refuse(found, f"sets the global {step.argval}", line)
        if step.opname in ("STORE_DEREF", "DELETE_DEREF") and outer and step.argval in code.co_freevars:
            _refuse(found, f"sets the variable {step.argval} of the function around it", line)
        if step.opname in STORES:
            for how, names in _holder(steps, index, code):
                if outer or how != LOCAL:
                    _check_change(found, how, names, step, line)
        elif step.opname in GETS and step.argval in CHANGING and index:
            for how, names in _object(steps, index, code):
                value = found.follow(how, names) if outer or how != LOCAL else None
                if isinstance(value, CONTAINERS):
                    _refuse(found, f"changes {_words(how, names)}, by {step.argval}()", line)


def _check_change(
    found: _Function, how: str, names: tuple[str, ...], step: dis.Instruction, line: int
) -> None:
    value = found.follow(how, names)
    if value is None or value is found.comes_back:
        return
    if step.opname.endswith("SUBSCR") and isinstance(value, CONTAINERS):
        _refuse(found, f"changes {_words(how, names)}", line)
    if step.opname.endswith("ATTR") and _is_own(value):
        where = _words(how, names)
        _refuse(
            found,
            f"sets {where}.{step.argval}"
            if "." in where or where == "self"
            else f"sets {step.argval} of {where}",
            line,
        )


def _object(steps: list[dis.Instruction], end: int, code: CodeType) -> list[tuple[str, tuple[str, ...]]]:
    """The name and the attributes that the instructions before `end` load, last of all."""
    attributes: list[str] = []
    at = end - 1
    while at > 0 and steps[at].opname in GETS:
        attributes.insert(0, steps[at].argval)
        at -= 1
    return [(how, (name, *attributes)) for how, name in _loads(steps[at], code)[-1:]]


def _holder(steps: list[dis.Instruction], index: int, code: CodeType) -> list[tuple[str, tuple[str, ...]]]:
    """By what name the object was loaded whose item or attribute an instruction sets.

    Each instruction before it is taken back, until the one that put the object on the stack.
    """
    deep = STORES[steps[index].opname]
    while index and steps[index - 1].opname == "SWAP":
        index -= 1
    if steps[index].opname == "SWAP":  # an augmented assignment: what was loaded first lies below its copy
        deep += 1
    level = 0
    for at in range(index - 1, -1, -1):
        step = steps[at]
        if step.opcode in dis.hasjrel or step.opcode in dis.hasjabs:
            return []
        argument = step.arg if step.opcode >= dis.HAVE_ARGUMENT else None
        level -= dis.stack_effect(step.opcode, argument, jump=False)
        if level <= -deep:
            names = _loads(step, code)
            if not names:
                return []
            how, name = names[-deep - level] if len(names) > 1 else names[0]
            attributes = []
            while (
                steps[at + 1].opname == "LOAD_ATTR" and at + 1 < index and (len(names) < 2 or -deep - level)
            ):
                at += 1
                attributes.append(steps[at].argval)
            return [(how, (name, *attributes))]
    return []


def _sets(step: dis.Instruction) -> tuple[str, ...]:
    """The locals that an instruction sets."""
    if step.opname == "STORE_FAST_STORE_FAST":
        return tuple(step.argval)
    if step.opname == "STORE_FAST_LOAD_FAST":
        return (step.argval[0],)
    return (step.argval,) if step.opname in ("STORE_FAST", "DELETE_FAST") else ()


def _refuse(found: _Function, what: str, line: int) -> None:
    code = found.code
    file = code.co_filename.rpartition("/")[2]
    raise WeftError(_REFUSED.format(f"{code.co_qualname}() {what} ({file}:{line})"))
