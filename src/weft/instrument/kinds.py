"""What kind of object is it? Types sorted by what an access through them touches, each once.

An attribute of an instance may live in the instance, in a class, or be computed by code that is told by
itself. Objects of the program are looked at through `type()` and raw dictionaries: no code of theirs runs.
What is known of a type is kept under its id and dropped with the type; nothing here holds a type.
"""

import array
import collections
import itertools
import types
import weakref
from collections.abc import Iterable
from typing import Any

__all__ = [
    "CLASS",
    "FIND",
    "INDEXED",
    "KEYED",
    "LOOK",
    "METHOD",
    "NO_CONTAINER",
    "OWN",
    "VIEW",
    "Kind",
    "attributes",
    "find_on",
    "forget_classes",
    "instance_dict",
    "kind_of",
    "rebinding",
    "rebound",
    "tell_rebound",
    "wholes",
]

OWN = 1  # a part of the object itself
METHOD = 2  # a function or descriptor of the class: nothing that is written
LOOK = 3  # a function of the class that some instance hides
CLASS = 4  # a plain value of a class, unless the instance has its own
FIND = 5  # an attribute of a module or a class, to be looked for each time

# What a type is to the accesses of items and of wholes.
NO_CONTAINER = 0
KEYED = 1
INDEXED = 2
VIEW = 3

SEQUENCES = (list, collections.deque, bytearray, array.array)
MAPPINGS = (dict, set)
_plain: Any = {}
_ordered: Any = collections.OrderedDict()
VIEWS: tuple[type, ...] = tuple(
    type(view)
    for mapping in (_plain, _ordered)
    for view in (mapping.keys(), mapping.values(), mapping.items())
)
ITERATORS = (
    *map(type, (iter([]), iter({}), iter({}.values()), iter({}.items()), iter(set()), iter(()), iter(""))),
    *(types.GeneratorType, itertools.count, itertools.cycle, itertools.chain, itertools.islice, enumerate),
    *(zip, map, filter, reversed, type(reversed([])), type(iter(collections.deque())), type(iter(int, 1))),
)
COMPUTED = (
    types.FunctionType,
    types.BuiltinFunctionType,
    types.MethodType,
    types.MethodDescriptorType,
    types.WrapperDescriptorType,
    types.ClassMethodDescriptorType,
    types.MethodWrapperType,
    types.GetSetDescriptorType,
    classmethod,
    staticmethod,
    property,
)
FIXED = (
    types.FunctionType,
    types.BuiltinFunctionType,
    types.ModuleType,
    type,
    classmethod,
    staticmethod,
    property,
)

_sequences, _mappings = frozenset(map(id, SEQUENCES)), frozenset(map(id, MAPPINGS))
_views, _iterators = frozenset(map(id, VIEWS)), frozenset(map(id, ITERATORS))
_computed = frozenset(map(id, COMPUTED))
_fixed = frozenset(map(id, FIXED))
_get_mro = type.__dict__["__mro__"].__get__
_class_dict = type.__dict__["__dict__"].__get__
_module_dict: Any = vars(types.ModuleType)["__dict__"].__get__
_absent = object()
_type, _id, _any, _list, _dict = type, id, any, list, dict  # programs replace what is in builtins


def _mro(cls: type) -> tuple[type, ...]:
    """The order of a class; none while its metaclass is still at making it."""
    return _get_mro(cls) or ()


class Kind:
    """What an access through an object of one type touches."""

    __slots__ = (
        "attributes",
        "container",
        "has_dict",
        "is_class",
        "is_module",
        "items",
        "iterates",
        "reference",
        "sequence",
        "steps",
        "whole",
    )

    def __init__(self, cls: type) -> None:
        self.attributes: dict[str, int] = {}
        order = _mro(cls)
        # By id: classes of the program may have an `==` of their own.
        ids = {_id(base) for base in order}
        self.is_class = _id(_type) in ids
        self.is_module = _id(types.ModuleType) in ids
        self.sequence = not _sequences.isdisjoint(ids)
        self.iterates = _id(cls) in _iterators
        self.container = self.sequence or not _mappings.isdisjoint(ids)
        if self.container:
            self.whole = INDEXED if self.sequence else KEYED
        else:
            self.whole = VIEW if _id(cls) in _views else NO_CONTAINER
        self.steps = _type(_find(order, "__iter__")) is not types.FunctionType
        # A class that does its own items in Python is told by its own code.
        self.items = self.container and _type(_find(order, "__getitem__")) is not types.FunctionType
        found = _find(order, "__dict__")
        self.has_dict = _type(found) is types.GetSetDescriptorType
        self.reference: Any = None

    def classify(self, cls: type, name: str) -> int:
        """Where an attribute of an instance of `cls` lives; kept."""
        if self.is_class or self.is_module:
            self.attributes[name] = FIND
            return FIND
        found = _find(_mro(cls), name)
        if found is _absent or _type(found) is types.MemberDescriptorType:
            how = OWN
        elif _id(_type(found)) in _computed:
            how = METHOD
        else:
            order = _mro(_type(found))
            descriptor = _find(order, "__set__") is not _absent or _find(order, "__get__") is not _absent
            how = METHOD if descriptor else CLASS
        if how == METHOD and name in rebound:
            how = OWN
        self.attributes[name] = how
        return how


_kinds: dict[int, Kind] = {}
# Names of functions and classes are not told, unless the program has been seen to bind them anew through
# their module or class: `rebinding` has what it binds so, `rebound` what is told for that reason.
rebinding: set[str] = set()
rebound: set[str] = set()
# What is asked at each access, by the id of the type: where attributes live, what a whole is.
attributes: dict[int, dict[str, int]] = {}
wholes: dict[int, int] = {}


def kind_of(cls: type) -> Kind:
    """The kind of a type, looked at once."""
    key = _id(cls)
    kind = _kinds.get(key)
    if kind is None:
        kind = Kind(cls)

        def forget(_: object) -> None:
            _kinds.pop(key, None)
            attributes.pop(key, None)
            wholes.pop(key, None)

        kind.reference = weakref.ref(cls, forget)
        _kinds[key] = kind
        attributes[key] = kind.attributes
        wholes[key] = kind.whole
    return kind


def forget_classes() -> None:
    """A class has changed: what is known of any may be wrong."""
    for kind in list(_kinds.values()):
        kind.attributes.clear()


def tell_rebound(names: Iterable[str]) -> None:
    """Have these told wherever they are read, functions or not."""
    new = set(names) - rebound
    if new:
        rebound.update(new)
        forget_classes()


def instance_dict(kind: Kind, obj: object) -> dict[str, object] | None:
    """The raw dictionary of an object, if it has one."""
    if not kind.has_dict:
        return None
    try:
        # Looked up each time: the descriptor holds its class.
        found = _find(_mro(_type(obj)), "__dict__").__get__(obj)
    except (AttributeError, TypeError):  # not made yet, or of a type that has none after all
        return None
    return found if _type(found) is _dict else None


def find_on(obj: Any, kind: Kind, name: str) -> object:
    """What holds an attribute that is read through a module or a class; None: nothing that is written."""
    if kind.is_module:
        names = _module_dict(obj)
        return None if _id(_type(names.get(name))) in _fixed and name not in rebound else names
    for cls in _mro(obj):
        found = _class_dict(cls).get(name, _absent)
        if found is not _absent:
            return None if _id(_type(found)) in _computed and name not in rebound else cls
    return obj


def _find(order: tuple[type, ...], name: str) -> Any:
    for cls in order:
        found = _class_dict(cls).get(name, _absent)
        if found is not _absent:
            return found
    return _absent
