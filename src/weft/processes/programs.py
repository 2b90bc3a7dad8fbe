"""Which code is the program's own: not the standard library, not what was installed, not weft."""

import os
import sysconfig
from functools import cache

from weft.core.places import HOME

__all__ = ["is_programs", "program_module"]

_STDLIB = tuple(
    {os.path.realpath(sysconfig.get_path(name)) + os.sep for name in ("stdlib", "platstdlib")}
    | {os.path.dirname(os.__file__) + os.sep}
)
_INSTALLED = (f"{os.sep}site-packages{os.sep}", f"{os.sep}dist-packages{os.sep}")


@cache
def is_programs(filename: str) -> bool:
    """Whether a file of source code belongs to the program."""
    if filename.startswith(("<frozen", HOME)) or filename.endswith(f"{os.sep}bin{os.sep}weft"):
        return False
    return not filename.startswith(_STDLIB) and not any(part in filename for part in _INSTALLED)


def program_module(names: object) -> bool:
    """Whether the globals of a module are of one of the program's."""
    if not isinstance(names, dict):
        return False
    if names.get("__name__") in ("__main__", "__mp_main__"):
        return True
    file = names.get("__file__")
    return isinstance(file, str) and is_programs(file)
