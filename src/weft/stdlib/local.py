"""`_thread._local`: attributes with a value of their own in each thread.

The local owns one dictionary a thread, keyed by control block; a thread keeps weak references to the
locals it has touched and takes its dictionaries out as it ends, while it is still the current thread.

What a local holds it has to find without looking up an attribute of its own, which is what it is about
to do. So it is an `itertools.repeat` of its dictionaries: `next(local)` is one short call of C, where
calling a slot's `__get__` costs a third of the whole read. That it is one is not shown: `iter` refuses.
"""

from itertools import repeat
from typing import Any
from weakref import ref

from weft.core.current import adopt, getcurrent
from weft.core.places import transparent
from weft.core.thread import ControlBlock

__all__ = ["Local", "forget_locals"]


class Local(repeat):  # type: ignore[type-arg]
    """Thread-local data; as `threading.local`."""

    __slots__ = ("__weakref__", "_weft_args")
    __iter__ = None  # type: ignore[assignment]
    __repr__ = object.__repr__

    def __new__(cls, /, *args: Any, **kwargs: Any) -> "Local":
        if (args or kwargs) and cls.__init__ is object.__init__:
            raise TypeError("Initialization arguments are not supported")
        self = repeat.__new__(cls, {})
        _set_args(self, (args, kwargs))
        _open_dict(self)
        return self

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        own_next = _give_back_names(cls)
        if cls.__getattribute__ is Local.__getattribute__ and (own_next or _data_descriptors(cls)):
            cls.__getattribute__ = _careful_getattribute  # type: ignore[method-assign]
        if cls.__setattr__ is Local.__setattr__:
            cls.__setattr__ = _careful_setattr  # type: ignore[method-assign]

    @transparent
    def __getattribute__(self, name: str) -> Any:
        try:
            return next(self)[getcurrent().block][name]  # type: ignore[attr-defined]
        except (KeyError, AttributeError):
            return _lookup(self, name)

    @transparent
    def __setattr__(self, name: str, value: Any) -> None:
        if name == "__dict__":
            raise AttributeError(f"{type(self).__name__!r} object attribute '__dict__' is read-only")
        try:
            next(self)[getcurrent().block][name] = value  # type: ignore[attr-defined]
        except (KeyError, AttributeError):
            _dict_of(self)[name] = value

    @transparent
    def __delattr__(self, name: str) -> None:
        cls = type(self)
        if cls is not Local and _is_data(cls, name):
            return _generic_delattr(self, name)
        if name == "__dict__":
            raise AttributeError(f"{cls.__name__!r} object attribute '__dict__' is read-only")
        try:
            del _dict_of(self)[name]
        except KeyError:
            raise AttributeError(f"{cls.__name__!r} object has no attribute {name!r}") from None

    def __reduce__(self) -> Any:
        raise TypeError("cannot pickle '_thread._local' object")

    def __dir__(self) -> list[str]:
        return sorted({*dir(type(self)), *_dict_of(self)})


_dicts_of: Any = repeat.__next__  # also where a class of the program's own has a `__next__`
_args_of: Any = Local._weft_args.__get__  # type: ignore[attr-defined]
_set_args: Any = Local._weft_args.__set__  # type: ignore[attr-defined]
_generic_getattr = object.__getattribute__
_generic_setattr = object.__setattr__
_generic_delattr = object.__delattr__
_MISSING = object()


def _me() -> ControlBlock:
    try:
        return getcurrent().block  # type: ignore[attr-defined,no-any-return]
    except AttributeError:
        return adopt()


def _open_dict(local: Local) -> dict[str, Any]:
    """The calling thread's dictionary, new."""
    me = _me()
    fresh: dict[str, Any] = {}
    _dicts_of(local)[me] = fresh
    if me.locals is None:
        me.locals = {}
        me.ending = [*(me.ending or ()), lambda: forget_locals(me)]
    me.locals[ref(local)] = None
    return fresh


@transparent
def _dict_of(local: Local) -> dict[str, Any]:
    """The calling thread's dictionary; made, and `__init__` called again, at its first touch."""
    mine: dict[str, Any] | None = _dicts_of(local).get(_me())
    if mine is None:
        mine = _open_dict(local)
        args, kwargs = _args_of(local)
        cls = type(local)
        if cls.__init__ is not object.__init__:
            try:
                cls.__init__(local, *args, **kwargs)
            except BaseException:
                _dicts_of(local).pop(_me(), None)
                raise
    return mine


@transparent
def _lookup(local: Local, name: str) -> Any:
    """What C's generic look-up would find: data descriptors, the thread's dictionary, the class."""
    mine = _dict_of(local)
    if name == "__dict__":
        return mine
    cls = type(local)
    if cls is not Local and _is_data(cls, name):
        return _generic_getattr(local, name)
    value = mine.get(name, _MISSING)
    if value is not _MISSING:
        return value
    try:
        return _generic_getattr(local, name)
    except AttributeError:
        hook = getattr(cls, "__getattr__", None)
        if hook is None:
            raise AttributeError(f"{cls.__name__!r} object has no attribute {name!r}") from None
        raise


@transparent
def _careful_getattribute(self: Local, name: str) -> Any:
    return _lookup(self, name)


@transparent
def _careful_setattr(self: Local, name: str, value: Any) -> None:
    """For a class of the program's own, which may have data descriptors, now or later."""
    if _is_data(type(self), name):
        _generic_setattr(self, name, value)
    elif name == "__dict__":
        raise AttributeError(f"{type(self).__name__!r} object attribute '__dict__' is read-only")
    else:
        _dict_of(self)[name] = value


def _give_back_names(cls: type) -> bool:
    """Let a class of the program's own have its `__iter__` and `__next__`; whether it has the latter."""
    own_next = False
    for name in ("__iter__", "__next__"):
        for base in cls.__mro__:
            if base is not Local and base is not repeat and name in base.__dict__:
                setattr(cls, name, base.__dict__[name])
                own_next = name == "__next__"
                break
    return own_next


def _is_data(cls: type, name: str) -> bool:
    """Whether the class has a data descriptor of that name below `Local` itself."""
    for base in cls.__mro__:
        if base is Local:
            return False
        found = base.__dict__.get(name, _MISSING)
        if found is not _MISSING:
            return name not in ("__dict__", "__weakref__") and hasattr(type(found), "__set__")
    return False


def _data_descriptors(cls: type) -> bool:
    return any(_is_data(cls, name) for base in cls.__mro__ for name in base.__dict__)


def forget_locals(block: ControlBlock) -> None:
    """Take an ending thread's dictionaries out of every local it has touched, while it is current."""
    while block.locals:
        touched, block.locals = block.locals, None
        for reference in touched:
            local = reference()
            if local is not None:
                _dicts_of(local).pop(block, None)
