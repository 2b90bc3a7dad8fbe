"""Objects known by their ids, without keeping them alive where that can be helped.

What is known of an object under its id is wrong once another one gets that id. To keep the object would do,
but programs see that: weak references to it do not die. So it is known weakly, and what is known goes with
it; what has no weak references (a list, a dictionary) is kept.
"""

import weakref
from collections.abc import Callable
from typing import Any

__all__ = ["hold"]


def hold(thing: Any, forget: Callable[[Any], object]) -> Any:
    """Something to keep as long as the id is used; `forget(id)` is called if the object goes before that."""
    key = id(thing)
    try:
        return weakref.ref(thing, lambda _: forget(key))
    except TypeError:
        return thing
