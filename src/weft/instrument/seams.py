"""What rewritten code calls before an access: a set of functions that tells, and one that does nothing.

They stand in `builtins`, and the flag `__weft_on__` there says which set it is. Each returns what the
rewritten expression goes on with, so that the access itself is made by the
program's own code, in its own frame: no frame of ours is in a traceback, and none calls the program's code.
What the interpreter is asked for is bound here, once: programs replace `len`.
"""

import builtins
import collections
import functools
import gc
import operator
import types
import weakref
from collections.abc import Callable, Iterable
from typing import Any

from weft.instrument.kinds import (
    CLASS,
    FIND,
    INDEXED,
    LOOK,
    METHOD,
    OWN,
    VIEW,
    attributes,
    find_on,
    forget_classes,
    instance_dict,
    kind_of,
    rebinding,
    wholes,
)

__all__ = ["BUILTIN_CALLS", "CONTAINER_METHODS", "IN_PLACE", "WHOLE_CALLS", "Access", "Listener", "place"]


class Access:
    """What is about to happen to a shared thing."""

    READ = 1
    WRITE = 2
    CALL = 3  # a method of a built-in container, which is one atomic operation
    LOOP = 4  # a loop is about to go round again
    BEHIND = 5  # the access told next is through an instance, and finds this class's attribute


Listener = Callable[[int, object, object, int], None]
READ, WRITE, CALL, LOOP, BEHIND = Access.READ, Access.WRITE, Access.CALL, Access.LOOP, Access.BEHIND

IN_PLACE = {
    "Add": operator.iadd,
    "Sub": operator.isub,
    "Mult": operator.imul,
    "MatMult": operator.imatmul,
    "Div": operator.itruediv,
    "FloorDiv": operator.ifloordiv,
    "Mod": operator.imod,
    "Pow": operator.ipow,
    "LShift": operator.ilshift,
    "RShift": operator.irshift,
    "BitAnd": operator.iand,
    "BitOr": operator.ior,
    "BitXor": operator.ixor,
}

CONTAINER_METHODS = frozenset(
    name
    for cls in (list, dict, set, bytearray, collections.deque, collections.OrderedDict)
    for name in dir(cls)
    if not name.startswith("__")
)

_WHOLE: tuple[Any, ...] = (
    len,
    list,
    tuple,
    set,
    frozenset,
    dict,
    sorted,
    sum,
    min,
    max,
    any,
    all,
    iter,
    bool,
    repr,
    str,
    reversed,
)
_WHOLE += (enumerate, zip, map, filter)
_NAMED: dict[Any, int] = {getattr: READ, hasattr: READ, setattr: WRITE, delattr: WRITE}
WHOLE_CALLS = frozenset(call.__name__ for call in _WHOLE)
BUILTIN_CALLS = frozenset(call.__name__ for call in (*_WHOLE, *_NAMED, next, vars))

_whole = frozenset(map(id, _WHOLE))
_named = {id(call): access for call, access in _NAMED.items()}
_next, _vars, _callable, _slice, _type, _id, _map, _iter = next, vars, callable, slice, type, id, map, iter
_int, _str, _any, _len, _dict, _list = int, str, any, len, dict, list
_module = types.ModuleType
_partial = functools.partial
_builtin_method = types.BuiltinFunctionType
_names = builtins.__dict__
_second: Any = {}.get  # `_second(None, item)` is `item`, without a frame


def place(listener: Listener | None) -> None:
    """Put the set of functions in force: the one that tells `listener`, or the one for nobody."""
    _names.update(_CONSTANT)
    if listener is None:
        _names["__weft_on__"] = False
        _names.update(_SILENT)
        return
    about = _attributes(listener)
    _names.update(about | _items(listener) | _names_and_cells(listener) | _wholes(listener))
    _names.update(_calls(listener, about["__weft_r__"], about["__weft_w__"]))
    _names["__weft_on__"] = True


def _global_place(names: object, name: str, site: int) -> object:
    return names


def _true(first: object, name: str, site: int) -> bool:
    return True


def _cell_place(maker: Any, name: str, site: int) -> object:
    return maker.__closure__[0]


_CONSTANT: dict[str, object] = {
    "__weft_globals__": globals,
    "__weft_getitem__": operator.getitem,
    "__weft_setitem__": operator.setitem,
    "__weft_delitem__": operator.delitem,
    "__weft_slice__": lambda start, stop, step: _slice(start, stop, step),
    **{f"__weft_{name}__": function for name, function in IN_PLACE.items()},
}
_SILENT: dict[str, object] = {
    "__weft_r__": lambda obj, name, site: obj,
    "__weft_w__": lambda obj, name, site: obj,
    "__weft_d__": lambda obj, site: obj,
    "__weft_i__": lambda obj, key, site: obj,
    "__weft_s__": lambda obj, key, site: obj,
    "__weft_key__": lambda obj, key, site, cleared: key,
    "__weft_pair__": lambda obj, key, site: (obj, key),
    "__weft_delete__": lambda obj, key, site: (obj, key),
    "__weft_place__": lambda value, obj, key, site: (obj, key, value),
    "__weft_g__": _true,
    "__weft_gw__": _global_place,
    "__weft_gv__": lambda value, names, name, site: value,
    "__weft_c__": _true,
    "__weft_cw__": _cell_place,
    "__weft_cv__": lambda value, maker, name, site: value,
    "__weft_t__": lambda obj, site: obj,
    "__weft_it__": lambda obj, site: obj,
    "__weft_in__": lambda obj, key, site: obj,
    "__weft_call__": lambda function, site, /, *arguments, **named: (
        _partial(function, *arguments, **named) if _callable(function) else function
    ),
    "__weft_call0__": lambda function, site: function,
    "__weft_call1__": lambda function, site, argument: (
        _partial(function, argument) if _callable(function) else function
    ),
    "__weft_aug__": lambda obj, value, site: (obj, value),
    "__weft_loop__": lambda site: None,
}

# A `__dict__` that the program has asked for is its object by another name: id -> the object, weakly.
_owners: dict[int, Any] = {}


def _adopt(obj: object, names: dict[str, object] | None) -> None:
    if names is None or _id(names) in _owners:
        return
    key = _id(names)
    try:
        _owners[key] = weakref.ref(obj, lambda _: _owners.pop(key, None))
    except TypeError:
        pass


def _owner_of(names: object) -> object:
    """The object whose `__dict__` this is, or the dictionary itself."""
    reference = _owners.get(_id(names))
    if reference is not None:
        obj = reference()
        if obj is not None and instance_dict(kind_of(_type(obj)), obj) is names:
            return obj
    return names


def _attributes(listener: Listener) -> dict[str, object]:
    def read(obj: Any, name: str, site: int) -> Any:
        try:
            how = attributes[_id(_type(obj))][name]
        except KeyError:
            how = kind_of(_type(obj)).classify(_type(obj), name)
        if how == OWN:
            listener(READ, obj, name, site)
        elif how == CLASS:
            behind = _class_behind(obj, name)
            if behind is not None:  # who gives the instance its own changes what is read, too
                listener(BEHIND, behind, name, site)
            listener(READ, obj, name, site)
        elif how != METHOD:
            touched = _touched(obj, name, how)
            if touched is not None:
                listener(READ, touched, name, site)
        return obj

    def write(obj: Any, name: str, site: int) -> Any:
        try:
            how = attributes[_id(_type(obj))][name]
        except KeyError:
            how = kind_of(_type(obj)).classify(_type(obj), name)
        if how == METHOD:
            if _is_set_by_code(_type(obj), name):
                return obj
            rebinding.add(name)
            attributes[_id(_type(obj))][name] = LOOK  # a method that this instance hides from now on
        if how == FIND:
            rebinding.add(name)
            if kind_of(_type(obj)).is_class:
                forget_classes()
                listener(WRITE, obj, name, site)
            else:
                listener(WRITE, _module_dict(obj), name, site)
        else:
            listener(WRITE, obj, name, site)
        return obj

    def read_dict(obj: Any, site: int) -> Any:
        kind = kind_of(_type(obj))
        if not kind.is_class and not kind.is_module:
            _adopt(obj, instance_dict(kind, obj))
        return obj

    return {"__weft_r__": read, "__weft_w__": write, "__weft_d__": read_dict}


def _touched(obj: Any, name: str, how: int) -> Any:
    """Where an attribute lives that may live in several places; None: where nothing is written."""
    kind = kind_of(_type(obj))
    if how == FIND:
        return find_on(obj, kind, name)
    names = instance_dict(kind, obj)
    return obj if names is not None and name in names else None


def _class_behind(obj: Any, name: str) -> Any:
    """The class whose attribute a read through an instance finds; None: the instance has its own."""
    names = instance_dict(kind_of(_type(obj)), obj)
    if names is not None and name in names:
        return None
    return find_on(_type(obj), kind_of(_type(_type(obj))), name)


_module_dict: Any = vars(types.ModuleType)["__dict__"].__get__
_mro = type.__dict__["__mro__"].__get__
_class_dict = type.__dict__["__dict__"].__get__


def _is_set_by_code(cls: type, name: str) -> bool:
    """Whether a data descriptor of the class takes what is written."""
    for base in _mro(cls) or ():
        if name in _class_dict(base):
            found = _type(_class_dict(base)[name])
            return _any("__set__" in _class_dict(parent) for parent in _mro(found) or ())
    return False


def _items(listener: Listener) -> dict[str, object]:
    def tell(access: int, obj: Any, key: Any, site: int) -> None:
        cls = _type(obj)
        if cls is _dict and not _owners:  # these three are by far the most
            listener(access, obj, key, site)
            return
        if cls is _list and _type(key) is _int:
            listener(access, obj, key if key >= 0 else key + _len(obj), site)
            return
        kind = kind_of(cls)
        if not kind.items:
            return
        if _type(key) is _slice:
            key = None
        elif kind.sequence:
            if _type(key) is _int and key < 0:
                key += _length(obj)
        elif _owners:
            obj = _owner_of(obj)
        listener(access, obj, key, site)

    # What `tell` asks first, written out in the two that are called most: no frame more at a switch.
    def read(obj: Any, key: Any, site: int) -> Any:
        cls = _type(obj)
        if (cls is _dict and not _owners) or (cls is _list and _type(key) is _int and key >= 0):
            listener(READ, obj, key, site)
        else:
            tell(READ, obj, key, site)
        return obj

    def write(obj: Any, key: Any, site: int) -> Any:
        cls = _type(obj)
        if (cls is _dict and not _owners) or (cls is _list and _type(key) is _int and key >= 0):
            listener(WRITE, obj, key, site)
        else:
            tell(WRITE, obj, key, site)
        return obj

    def pair(obj: Any, key: Any, site: int) -> tuple[Any, Any]:
        tell(READ, obj, key, site)
        return obj, key

    def delete(obj: Any, key: Any, site: int) -> tuple[Any, Any]:
        tell(WRITE, obj, key, site)
        return obj, key

    def placed(value: Any, obj: Any, key: Any, site: int) -> tuple[Any, Any, Any]:
        tell(WRITE, obj, key, site)
        return obj, key, value

    def keyed(obj: Any, key: Any, site: int, cleared: None) -> Any:
        tell(WRITE, obj, key, site)
        return key

    return {
        "__weft_i__": read,
        "__weft_s__": write,
        "__weft_pair__": pair,
        "__weft_delete__": delete,
        "__weft_place__": placed,
        "__weft_key__": keyed,
    }


def _length(obj: Any) -> int:
    """How long a sequence is, by its built-in type: a subclass may have a `__len__` of its own."""
    for base in _mro(_type(obj)) or ():
        found: Any = _class_dict(base).get("__len__")
        if _type(found) is types.WrapperDescriptorType:
            length: int = found(obj)
            return length
    return 0


def _names_and_cells(listener: Listener) -> dict[str, object]:
    def read_global(names: object, name: str, site: int) -> bool:
        listener(READ, names, name, site)
        return True

    def write_global(names: object, name: str, site: int) -> object:
        listener(WRITE, names, name, site)
        return names

    def value_global(value: object, names: object, name: str, site: int) -> object:
        listener(WRITE, names, name, site)
        return value

    def read_cell(maker: Any, name: str, site: int) -> bool:
        listener(READ, maker.__closure__[0], name, site)
        return True

    def write_cell(maker: Any, name: str, site: int) -> object:
        listener(WRITE, maker.__closure__[0], name, site)
        return maker.__closure__[0]

    def value_cell(value: object, maker: Any, name: str, site: int) -> object:
        listener(WRITE, maker.__closure__[0], name, site)
        return value

    return {
        "__weft_g__": read_global,
        "__weft_gw__": write_global,
        "__weft_gv__": value_global,
        "__weft_c__": read_cell,
        "__weft_cw__": write_cell,
        "__weft_cv__": value_cell,
    }


def _behind(obj: Any, whole: int) -> Any:
    """The container that an operation touches, given a container or a view of one."""
    if whole != VIEW:
        return _owner_of(obj) if _owners else obj
    for behind in gc.get_referents(obj):
        if kind_of(_type(behind)).container:
            return _owner_of(behind) if _owners else behind
    return None


def _wholes(listener: Listener) -> dict[str, object]:
    def truth(obj: Any, site: int) -> Any:
        try:
            whole = wholes[_id(_type(obj))]
        except KeyError:
            whole = kind_of(_type(obj)).whole
        if whole:
            listener(READ, _behind(obj, whole), None, site)
        return obj

    def contains(obj: Any, key: Any, site: int) -> Any:
        whole = kind_of(_type(obj)).whole
        if whole:
            listener(READ, _behind(obj, whole), None if whole == INDEXED else key, site)
        return obj

    def iterate(obj: Any, site: int) -> Iterable[Any]:
        kind = kind_of(_type(obj))
        if not kind.whole:
            if kind.iterates and _type(obj) is not types.GeneratorType:
                listener(CALL, obj, "__next__", site)
            return obj  # type: ignore[no-any-return]
        touched = _behind(obj, kind.whole)
        if not kind.steps:
            listener(READ, touched, None, site)
            return obj  # type: ignore[no-any-return]
        # `map` takes a step of ours, then one of the container's iterator, both from C.
        return _map(_second, _iter(_partial(listener, READ, touched, None, site), _never), obj)

    def loop(site: int) -> None:
        listener(LOOP, None, None, site)

    return {"__weft_t__": truth, "__weft_in__": contains, "__weft_it__": iterate, "__weft_loop__": loop}


_never = object()


def _calls(listener: Listener, read: Any, write: Any) -> dict[str, object]:
    def told(function: Any, arguments: tuple[Any, ...], site: int) -> None:
        if _type(function) is _builtin_method:
            obj = function.__self__
            if obj is not None and _type(obj) is not _module:
                try:
                    whole = wholes[_id(_type(obj))]
                except KeyError:
                    whole = kind_of(_type(obj)).whole
                if whole:
                    touched = obj if whole != VIEW and not _owners else _behind(obj, whole)
                    listener(CALL, touched, function.__name__, site)
                return
        elif _type(function) is not _type:
            return
        if arguments:
            of_builtins(function, arguments, site)

    def call(function: Any, site: int, /, *arguments: Any, **named: Any) -> Any:
        told(function, arguments, site)
        # What cannot be called is called by the program, for the error that it gets.
        return _partial(function, *arguments, **named) if _callable(function) else function

    def call_bare(function: Any, site: int) -> Any:
        told(function, (), site)
        return function

    def call_one(function: Any, site: int, argument: Any) -> Any:
        told(function, (argument,), site)
        return _partial(function, argument) if _callable(function) else function

    def of_builtins(function: Any, arguments: tuple[Any, ...], site: int) -> None:
        key = _id(function)
        if key in _whole:
            for argument in arguments:
                whole = kind_of(_type(argument)).whole
                if whole:
                    listener(READ, _behind(argument, whole), None, site)
        elif key in _named:
            if _len(arguments) > 1 and _type(arguments[1]) is _str:
                (write if _named[key] == WRITE else read)(arguments[0], arguments[1], site)
        elif function is _next:
            obj = arguments[0]
            if kind_of(_type(obj)).iterates:
                listener(CALL, obj, "__next__", site)
        elif function is _vars:
            _adopt(arguments[0], instance_dict(kind_of(_type(arguments[0])), arguments[0]))

    def augment(obj: Any, value: Any, site: int) -> tuple[Any, Any]:
        try:
            whole = wholes[_id(_type(obj))]
        except KeyError:
            whole = kind_of(_type(obj)).whole
        if whole:
            listener(CALL, _behind(obj, whole), "__iadd__", site)
        return obj, value

    return {
        "__weft_call__": call,
        "__weft_call0__": call_bare,
        "__weft_call1__": call_one,
        "__weft_aug__": augment,
    }
