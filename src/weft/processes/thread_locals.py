"""`threading.local` where each thread is a process: what the parent has stored is not the child's."""

from typing import Any

from weft.host.processes import threading, weakref

__all__ = ["forget_locals", "local"]

_locals: dict[int, Any] = {}


class local(threading.local):  # noqa: N801 - CPython's name
    """`threading.local`: a forked child does not see what its parent has stored."""

    def __new__(cls, /, *args: Any, **kwargs: Any) -> Any:
        made = super().__new__(cls, *args, **kwargs)
        key = id(made)
        _locals[key] = (weakref.ref(made, lambda _: _locals.pop(key, None)), args, kwargs)
        return made


def forget_locals() -> None:
    """Empty all of them, as a thread that has just begun finds them."""
    for reference, args, kwargs in list(_locals.values()):
        found = reference()
        if found is not None:
            found.__dict__.clear()
            if type(found).__init__ is not threading.local.__init__:
                found.__init__(*args, **kwargs)
